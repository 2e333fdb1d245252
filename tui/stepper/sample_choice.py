"""Choosing the sample whose derivation is shown: a prompt, or the next one."""

from __future__ import annotations

import re

from engine.derivation.chain_rule import Derivation
from engine.derivation.targets import TargetError
from tui.shell.prompt import Prompt
from tui.stepper.derivation_screen import DerivationScreen


class SampleChoice:
    """Shows the same gradient at another sample, at the same position."""

    def __init__(self, screen: DerivationScreen) -> None:
        self._screen = screen
        self._session = screen.session

    def ask(self) -> None:
        """Asks for a sample."""
        last = self._screen.derivation.n - 1
        prompt = Prompt("Sample", f"0 to {last}", self._problem)
        self._screen.app.push_screen(prompt, lambda text: self.choose(int(text)) if text else None)

    def _problem(self, text: str) -> str | None:
        n = self._screen.derivation.n
        if not re.fullmatch("[0-9]{1,9}", text):
            return f"a whole number from 0 to {n - 1}, please"
        if self._session.is_large:  # whether it is another's is said when it has been explained
            return None if int(text) < n else f"0 to {n - 1}, please"
        try:
            self._at(int(text))
        except TargetError as error:
            return str(error)
        return None

    def _at(self, sample: int) -> Derivation:
        """The derivation at another sample; an entry that belongs to one sample moves to that column."""
        target = self._screen.derivation.target
        node = self._session.entry_ref(target).node
        if node.per_sample and target.index is not None:
            target = target.at((target.index[0], sample))
        return self._session.explain(target, sample)

    def choose(self, sample: int) -> None:
        """Shows a sample; a notice where what is differentiated belongs to another."""
        position = self._screen.position
        try:
            self._screen.compute(
                f"Explaining sample {sample}",
                lambda: self._at(sample),
                lambda derivation: self._screen.show(derivation, position),
            )
        except TargetError as error:  # what is differentiated belongs to one sample
            self._screen.warn(error)

    def choose_next(self, steps: int) -> None:
        """The sample so many further on (or back), round and round."""
        derivation = self._screen.derivation
        self.choose((derivation.sample + steps) % derivation.n)
