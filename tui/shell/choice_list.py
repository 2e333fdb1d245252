"""Lists to choose from, and a box to type into, that leave Enter to their screen.

A binding of the screen that goes before a widget's would be heard before its turn: Down and Enter in one breath would
open what was marked before. Where the widget has none of its own, the keys are heard in their order.
"""

from __future__ import annotations

from contextlib import suppress

from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList
from typing_extensions import override


def _without_enter(bindings: list[BindingType]) -> list[BindingType]:
    return [one for one in bindings if not (isinstance(one, Binding) and one.key == "enter")]


class ChoiceList(OptionList):
    """Textual's option list, made safe for page keys before it has been drawn."""

    @override
    def action_page_up(self) -> None:
        with suppress(LookupError):
            super().action_page_up()  # type: ignore[no-untyped-call]

    @override
    def action_page_down(self) -> None:
        with suppress(LookupError):
            super().action_page_down()  # type: ignore[no-untyped-call]


class EnterlessList(ChoiceList, inherit_bindings=False):
    """An option list whose Enter belongs to its screen."""

    BINDINGS = _without_enter(OptionList.BINDINGS)


class EnterlessInput(Input, inherit_bindings=False):
    """An input box whose Enter belongs to its screen."""

    BINDINGS = _without_enter(Input.BINDINGS)
