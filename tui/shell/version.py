"""Which bptui this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """The version of the installed distribution."""
    try:
        return metadata.version("bptui")
    except metadata.PackageNotFoundError:  # run from a source tree that nobody installed
        return "(not installed)"
