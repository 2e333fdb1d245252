"""A table of the experiment file as a struct: frozen, and without room for unknown keys."""

from __future__ import annotations

import msgspec


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the experiment file: frozen, and without room for unknown keys."""


class TaggedSpec(Spec, frozen=True, kw_only=True, tag_field="kind"):
    """A table of the experiment file whose key `kind` says which one it is."""

    @property
    def kind(self) -> str:
        """The table's `kind`, as the file writes it."""
        return str(self.__struct_config__.tag)
