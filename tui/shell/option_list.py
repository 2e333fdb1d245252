"""A list to choose from that minds no key which comes before it is laid out, when it has no pages yet."""

from __future__ import annotations

from contextlib import suppress

from textual.widgets import OptionList
from typing_extensions import override


class ChoiceList(OptionList):
    """Textual's list, whose page keys look up lines that are there only once it has been drawn."""

    @override
    def action_page_up(self) -> None:
        with suppress(LookupError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    @override
    def action_page_down(self) -> None:
        with suppress(LookupError):
            super().action_page_down()  # type: ignore[no-untyped-call]
