"""A one-line question with completion; a wrong answer is explained and can be mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.suggester import Suggester, SuggestFromList
from textual.widgets import Input, Static

from tui.shell.key_command import bindings
from tui.shell.keys import PROMPT_COMMANDS
from tui.shell.modal import Modal


class Prompt(Modal[str | None]):
    """Asks for text; `problem` says in one line what is wrong with an answer, or None."""

    CSS_PATH = "prompt.tcss"
    COMMANDS_SHOWN = PROMPT_COMMANDS
    BINDINGS = bindings(PROMPT_COMMANDS)

    def __init__(
        self,
        question: str,
        hint: str,
        problem: Callable[[str], str | None],
        completions: Sequence[str] = (),
        answer: str = "",
        suggester: Suggester | None = None,
    ) -> None:
        """`suggester` completes what is typed; without one that is done from the `completions`."""
        super().__init__()
        if suggester is None and completions:
            suggester = SuggestFromList(completions, case_sensitive=False)
        self._suggester = suggester
        self._question, self._hint, self._problem = question, hint, problem
        self._answer = answer

    def compose(self) -> ComposeResult:
        """The question, a line to type in, and what was wrong."""
        with Vertical(id="dialog") as dialog:
            dialog.border_title = self._question
            box = Input(self._answer, placeholder=self._hint, suggester=self._suggester, id="answer")
            box.cursor_blink = False
            yield box
            yield Static(self._hint_line(), id="problem", markup=False)

    def _hint_line(self) -> str:
        return (
            "tab completes · enter takes it · esc leaves it"
            if self._suggester is not None
            else "enter takes it · esc leaves it"
        )

    def action_complete(self) -> None:
        """Takes the suggestion."""
        for box in self.query(Input):  # none, where it has been closed since
            box.action_cursor_right()

    def on_input_changed(self) -> None:
        """A mended answer is no longer wrong."""
        for problem in self.query("#problem").results(Static):
            problem.update(self._hint_line())
            problem.remove_class("-wrong")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Takes a right answer, explains a wrong one."""
        if not self.on_top:  # answered already, by a key that came just before
            return
        answer = event.value.strip()
        wrong = self._problem(answer)
        if wrong is None:
            self.dismiss(answer)
        else:
            problem = self.query_one("#problem", Static)
            problem.update(wrong)
            problem.add_class("-wrong")

    def action_close(self) -> None:
        """Leaves it."""
        self.dismiss(None)
