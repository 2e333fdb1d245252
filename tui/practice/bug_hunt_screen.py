"""Find the bug: a backward pass in which one op slips. Every array can be looked at, the gradient check helps.

  ∂ℰ → ∂ℰ/∂Ŷ             arrives  [[−1.925]]     sends  [[−0.4805]]
▸ ∂ℰ/∂f⁽²⁾ → ∂ℰ/∂W⁽²⁾     …
check: parameters below the bug are wrong: W⁽¹⁾

On a screen as wide as two the arrays stand beside the list, drawn as matrices, with the op's formula and the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from textual.app import ComposeResult
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from engine.autodiff.graph import Array, Node, Op
from engine.derivation.evaluated_experiment import EvaluatedExperiment
from engine.derivation.targets import TargetError
from engine.experiment.loading import load_experiment
from engine.formula.ascii_text import ascii_text
from engine.formula.layout import LayoutBox, draw, row
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from engine.formula.numbers_in_words import counted
from engine.practice.bug_hunt.bug_hunt import BugHunt, SentGradient
from tui.practice.learner_progress import ProgressFile
from tui.practice.network_blocks import network_blocks
from tui.shell.choice_list import ChoiceList
from tui.shell.csv_table import Cell, CsvTable, Rows
from tui.shell.key_bar import KeyBar
from tui.shell.key_command import bindings
from tui.shell.keys import BUG_COMMANDS
from tui.shell.matrix_lines import array_lines
from tui.shell.modal import ModalBase
from tui.shell.prompt import Prompt
from tui.shell.too_small import TooSmall

EXPERIMENTS = ("tutorial-b", "residual-fork", "batch-norm", "xor", "tutorial-a-loss-weighted")
"""What a hunt may be about: small networks, each with other ops."""
LARGEST_ROW = 6
"""Numbers of one row that are shown."""


class BugHuntScreen(ModalBase[None]):
    """The bug hunt: find the gradient that a backward pass sends wrongly; one hunt after the other, by seed."""

    CSS_PATH = "bug_hunt_screen.tcss"
    COMMANDS_SHOWN = BUG_COMMANDS
    BINDINGS = bindings(BUG_COMMANDS)

    def __init__(self, kept: ProgressFile, seed: int = 0) -> None:
        super().__init__()
        self.kept = kept
        self._begin(seed)

    def _begin(self, seed: int) -> None:
        """The hunt of a seed; the experiment follows from it as well."""
        self.seed = seed
        self.about = EXPERIMENTS[seed % len(EXPERIMENTS)]
        evaluated = EvaluatedExperiment.of(load_experiment(self.about), self.about)
        self.hunt = BugHunt.planted(evaluated, seed)
        self.sent = list(self.hunt.steps())
        self.checked = False
        self.marked_wrongly: set[int] = set()
        self.found = self.given_up = False

    @property
    def marks(self) -> int:
        """How many that are as they should be were marked."""
        return len(self.marked_wrongly)

    def compose(self) -> ComposeResult:
        """A title, the gradients that are sent, the arrays of the marked one, and what is said."""
        yield Static(id="title")
        with Container(id="body"):
            with Vertical(id="passes"):
                yield ChoiceList(id="sent", markup=False)
                with VerticalScroll(id="network", can_focus=False):
                    yield Static(id="chain")
            with VerticalScroll(id="arrays", can_focus=False):
                yield Static(id="array")
        yield Static(id="told")
        yield TooSmall()
        yield KeyBar()

    def on_mount(self) -> None:
        """The list is filled and has the keys."""
        self._fill()
        self.query_one(OptionList).focus()

    def on_resize(self) -> None:
        """Draws anew what is drawn differently where there is room."""
        self.call_after_refresh(self._draw)

    @property
    def has_room_beside(self) -> bool:
        """Whether the screen is as wide as two."""
        return self.has_class("-vast")

    @property
    def glyphs(self) -> Style:
        """How names and numbers are drawn."""
        return Style(ascii=self.app.has_class("-ascii"))

    def said(self, text: str) -> str:
        """Words in the characters that the terminal has."""
        return ascii_text(text.replace("✓", "+").replace("✗", "x")) if self.glyphs.ascii else text

    def _fill(self) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._line(place), id=str(place)) for place in range(len(self.sent))])
        options.highlighted = 0
        self._draw()

    def _line(self, place: int) -> Content:
        """One gradient that is sent, and what is known of it by now."""
        one = self.sent[place]
        title = Content(self.said(one.title))
        if self.found and self._is_the_bug(one):
            return Content.assemble(title, ("   " + self.said("← the bug"), "bold $done"))
        if place in self.marked_wrongly:
            return Content.assemble(title, ("   " + self.said("✓ as it should be"), "$faint"))
        return title

    def _is_the_bug(self, one: SentGradient) -> bool:
        return one.op_output == self.hunt.bug.op.output.symbol and self.hunt.is_marked(one.to)

    def _draw(self) -> None:
        found = sum(self.kept.progress.bugs.values())
        self.query_one("#title", Static).update(
            Content.assemble(
                (" Find the bug ", "bold reverse $primary"),
                (f"  {self.about}, seed {self.seed}", "bold"),
                (f"   {found} found at the first mark", "$faint"),
            )
        )
        self._draw_arrays(self.query_one(OptionList).highlighted or 0)
        self.query_one("#told", Static).update(self._told())
        if self.has_room_beside:
            network = self.query_one("#network")
            network.border_title = "Every value, and below it the gradient that this pass gives"
            self.query_one("#chain", Static).update(self._network(max(network.size.width - 2, 40)))

    def _network(self, width: int) -> Content:
        hunt = self.hunt
        wrong = set(hunt.wrong_parameters) if self.checked else set()
        chain = network_blocks(
            hunt.graph,
            self.glyphs,
            width,
            numbers=True,
            gradient=lambda node: (
                hunt.gradient(node) if node.needs_gradient and node is not hunt.graph.loss else None
            ),
        )
        lines = [chain, Content(""), Content("")]
        if self.checked:
            text = "The gradient check: in this pass, and by central differences"
            lines += [Content.styled(text, "$faint"), Content("")]
        for node in hunt.parameters if self.checked else ():
            mark, paint = ("✗ differs", "$error") if node.symbol in wrong else ("✓ agrees", "$done")
            name = symbol_text(node.symbol, self.glyphs)
            lines.append(Content.styled(self.said(f"∂ℰ/∂{name} {mark}"), paint))
            lines += [*self._side_by_side(hunt.gradient(node), hunt.central[node.symbol]), Content("")]
        bugs = self.kept.progress.bugs
        lines += [
            Content(""),
            Content(f"{counted(len(bugs), 'bug')} looked for, {sum(bugs.values())} found at the first mark"),
        ]
        return Content("\n").join(lines)

    def _side_by_side(self, mine: Array, numeric: Array) -> Iterator[Content]:
        """A gradient as this pass gives it, and its central differences."""
        left, right = (array_lines(np.atleast_2d(one), self.glyphs) for one in (mine, numeric))
        gap = " " * 6
        for one, other in zip(left, right, strict=True):
            yield Content.assemble((one, "$gradient"), gap, (other, "$value"))

    def _told(self) -> Content:
        if self.given_up:
            return Content.styled(self.said(f"Given up: {self.hunt.told}. F8: the next one."), "$remark")
        if self.found:
            return Content.styled(self.said(f"✓ Found: {self.hunt.told}. F8: the next one."), "bold $done")
        lines = ["One op of this backward pass sends a wrong gradient. Enter marks the one that does."]
        if self.checked:
            wrong = ", ".join(symbol_text(one, self.glyphs) for one in self.hunt.wrong_parameters) or "none"
            lines = [f"Gradient check against central differences: wrong below the bug, at {wrong}."]
        if self.marks:
            lines.append(f"Marked wrongly: {self.marks}.")
        return Content(self.said(" ".join(lines)))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Shows the arrays of the gradient under the cursor."""
        self._draw_arrays(int(event.option.id or 0))

    def _draw_arrays(self, place: int) -> None:
        one = self.sent[place]
        graph, style = self.hunt.graph, self.glyphs
        op = next(op for op in graph.ops if op.output.symbol == one.op_output)
        lines = [Content.styled(self.said(one.title), "bold")]
        nodes = dict.fromkeys((*op.inputs, *op.reads, op.output))
        if self.has_room_beside:
            self.query_one("#array", Static).update(
                Content("\n").join([*lines, Content(""), *self._drawn(one, op, list(nodes))])
            )
            return
        lines += [self._array(symbol_text(node.symbol, style), node.value, "$value") for node in nodes]
        names = [self.said(f"∂ℰ/∂{symbol_text(symbol, style)}") for symbol in (one.op_output, one.to)]
        lines.append(self._array(f"{names[0]}, which arrives", one.arriving, "$gradient"))
        lines.append(self._array(f"{names[1]}, as it is sent here", one.sent, "bold $gradient"))
        if self.checked and one.to in self.hunt.central:
            text = f"{names[1]} by central differences"
            lines.append(self._array(text, self.hunt.central[one.to], "$value"))
        self.query_one("#array", Static).update(Content("\n").join(lines))

    def _drawn(self, one: SentGradient, op: Op, nodes: list[Node]) -> Iterator[Content]:
        """The op's formula and its derivative in two dimensions, and every array as a matrix."""
        style = replace(self.glyphs, max_terms=4)
        entry = op.output.entry((0, 0))
        yield Content.styled("how it is computed, at its first entry", "$faint")
        yield Content(
            "\n".join(row([draw(entry, style), LayoutBox.of(" = "), draw(op.formula((0, 0)), style)]).lines)
        )
        yield Content("")
        for node in nodes:
            yield from self._matrix(symbol_text(node.symbol, style), node.value, "$value")
        names = [self.said(f"∂ℰ/∂{symbol_text(symbol, style)}") for symbol in (one.op_output, one.to)]
        yield from self._matrix(f"{names[0]}, which arrives", one.arriving, "$gradient")
        yield from self._matrix(f"{names[1]}, as it is sent here", one.sent, "bold $gradient")

    def _matrix(self, name: str, array: Array, paint: str) -> Iterator[Content]:
        yield Content.styled(f"{name}  {array.shape[0]}{self.glyphs.glyphs.by}{array.shape[1]}", "$faint")
        yield Content.styled("\n".join(array_lines(np.atleast_2d(array), self.glyphs)), paint)
        yield Content("")

    def _array(self, name: str, array: Array, paint: str) -> Content:
        rows = [
            "["
            + ", ".join(number_text(float(one), self.glyphs) for one in row[:LARGEST_ROW])
            + self._more(row)
            + "]"
            for row in np.atleast_2d(array)
        ]
        return Content.assemble((f"{name} = ", "$faint"), (", ".join(rows), paint))

    @staticmethod
    def _more(row: Array) -> str:
        return f", {len(row) - LARGEST_ROW} more" if len(row) > LARGEST_ROW else ""

    # ── csv ─────────────────────────────────────────────────────────────────────────────────────────

    def data_tables(self) -> Sequence[CsvTable]:
        """What this pass sends, entry by entry; and every hunt that was looked for."""
        return [
            CsvTable(self._sent_rows, "What is sent in this pass as csv"),
            CsvTable(self._hunt_rows, "All bugs looked for as csv"),
        ]

    def _sent_rows(self) -> Rows:
        rows: list[list[Cell]] = [["from", "to", "row", "column", "sent"]]
        for one in self.sent:
            for index in np.ndindex(*one.sent.shape):
                name, to = one.op_output.plain(), one.to.plain()
                rows.append([name, to, index[0], index[1], float(one.sent[index])])
        return rows

    def _hunt_rows(self) -> Rows:
        rows: list[list[Cell]] = [["experiment", "seed", "found_at_the_first_mark"]]
        for name, at_once in self.kept.progress.bugs.items():
            experiment, _, seed = name.rpartition(" ")
            rows.append([experiment, seed, int(at_once)])
        return rows

    # ── doing ───────────────────────────────────────────────────────────────────────────────────────

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter or a click marks the gradient under the cursor."""
        self.action_mark()

    def action_mark(self) -> None:
        """Is this the one? It is told."""
        if self.found:
            return
        place = self.query_one(OptionList).highlighted or 0
        one = self.sent[place]
        if self._is_the_bug(one):
            self.found = True
            self.kept.progress.bugs[f"{self.about} {self.seed}"] = self.marks == 0
            self._keep()
        else:
            self.marked_wrongly.add(place)
            self.notify(self.said(f"{one.title} is as it should be."), markup=False)
        self._tell_the_list()
        self._draw()

    def _tell_the_list(self) -> None:
        """Draws each line anew: what was marked is told in it."""
        options = self.query_one(OptionList)
        for place in range(len(self.sent)):
            options.replace_option_prompt_at_index(place, self._line(place))

    def _keep(self) -> None:
        self.kept.save()
        if (problem := self.kept.take_problem()) is not None:
            self.notify(self.said(problem), severity="warning", timeout=10, markup=False)

    def action_check(self) -> None:
        """The gradient check of all parameters: which are wrong, which is everything below the bug."""
        self.checked = True
        self._draw()

    def action_give_up(self) -> None:
        """Tells where it is, and goes there."""
        if self.found:
            return
        self.found = self.given_up = True
        self.kept.progress.bugs.setdefault(f"{self.about} {self.seed}", False)
        self._keep()
        self._tell_the_list()
        there = next(place for place, one in enumerate(self.sent) if self._is_the_bug(one))
        self.query_one(OptionList).highlighted = there
        self._draw()

    def action_turn(self, by: int) -> None:
        """The hunt of the next or previous seed."""
        self._begin(max(self.seed + by, 0))
        self._fill()

    def action_seed(self) -> None:
        """Asks for a seed, which can be shared."""
        self.app.push_screen(
            Prompt("Seed", "a whole number: the same seed, the same bug", _seed_problem), self._seeded
        )

    def _seeded(self, text: str | None) -> None:
        if text:
            try:
                self._begin(int(text))
            except TargetError as error:
                self.notify(str(error), severity="warning", markup=False)
                return
            self._fill()

    def action_close(self) -> None:
        """Back to where one came from."""
        self.dismiss()


def _seed_problem(text: str) -> str | None:
    fits = text.isascii() and text.isdigit() and len(text) <= 9
    return None if fits else "a whole number of at most nine digits, please"
