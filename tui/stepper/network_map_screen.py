"""The network, or an expression, on the whole screen: move with the arrow keys and choose what to differentiate by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static
from typing_extensions import override

from engine.formula.course_notation import CourseNames
from engine.formula.expression import Symbol
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from tui.shell.csv_table import CsvTable
from tui.shell.idle_keys import idle_bindings
from tui.shell.key_command import bindings
from tui.shell.keys import MAP_COMMANDS
from tui.shell.modal import Modal
from tui.stepper.derivation_csv import csv_entry_rows
from tui.stepper.diagram import Diagram, move
from tui.stepper.expression_diagram import ExpressionDiagram, moved_in_diagram
from tui.stepper.network_diagram import NetworkDiagram
from tui.stepper.traversal import Position, Traversal


class NetworkMapScreen(Modal[Symbol | None]):
    """The network on the whole screen: moves a cursor through it and returns the chosen entry, or None."""

    CSS_PATH = "network_map_screen.tcss"
    TITLE = "Network: choose what to differentiate by"
    COMMANDS_SHOWN = MAP_COMMANDS
    BINDINGS = [*bindings(MAP_COMMANDS), *idle_bindings(MAP_COMMANDS)]  # noqa: RUF012 - as Screen wants it

    def __init__(
        self,
        traversal: Traversal,
        position: Position,
        names: CourseNames,
        edit: Callable[[Symbol, Callable[[Traversal], None]], None],
    ) -> None:
        """`names` are the experiment's own letters.

        `edit` asks for another number for an entry, and calls back with what then is to be shown.
        """
        super().__init__()
        self.names = names
        self.traversal, self.position = traversal, position
        self._edit = edit
        self.cursor = traversal.derivation.target

    def compose(self) -> ComposeResult:
        """The diagram and a line about the cell under the cursor."""
        with Vertical(id="page") as page:
            page.border_title = self.TITLE
            page.border_subtitle = "arrows move · enter chooses · e edits · esc leaves"
            yield self.picture()
            yield Static(id="about")

    def data_tables(self) -> Sequence[CsvTable]:
        """Every value and every gradient."""
        return [CsvTable(lambda: csv_entry_rows(self.traversal.derivation.graph))]

    def picture(self) -> NetworkDiagram | ExpressionDiagram:
        """The widget that the network is drawn in."""
        return NetworkDiagram(id="diagram")

    def on_mount(self) -> None:
        """Draws for the first time."""
        self.call_after_refresh(self.redraw)

    def on_resize(self) -> None:
        """Fits the new size."""
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Draws the network with the cursor."""
        # Closed by a key that came sooner than this call: all of it is gone, or a part.
        if not self.query("#diagram") or not self.query("#about"):
            return
        style = Style(digits=4, ascii=self.app.has_class("-ascii"), names=self.names)
        if not self.query_one("#diagram").size.height:
            return
        self.draw(style)
        graph = self.traversal.derivation.graph
        node = graph.nodes[self.cursor.matrix]
        index = self.cursor.index or (0, 0)
        value, gradient = float(node.value[index]), float(node.grad[index])
        name = symbol_text(self.cursor, style)
        partial = style.glyphs.partial
        derivative = f"{partial}{symbol_text(graph.differentiated, style)}/{partial}{name}"
        self.query_one("#about", Static).update(
            Content.assemble(
                (f"{name} = {number_text(value, style)}", "bold $value"),
                "    ",
                (f"{derivative} = {number_text(gradient, style)}", "bold $gradient"),
                (f"    {self.names.said(self.cursor.plain(), ascii=True)}", "$faint"),
            )
        )

    def draw(self, style: Style) -> None:
        """Draws what fits around the cursor."""
        widget = self.query_one(NetworkDiagram)
        widget.show(self._diagram, style, widget.size.width, widget.size.height)

    @property
    def _diagram(self) -> Diagram:
        return Diagram(self.traversal, self.position, self.cursor)

    def moved(self, right: int, down: int) -> Symbol:
        """The scalar that the cursor moves to."""
        return move(self._diagram, self.cursor, right, down)

    def action_move(self, right: int, down: int) -> None:
        """Moves the cursor."""
        self.cursor = self.moved(right, down)
        self.redraw()

    def action_edit(self) -> None:
        """Asks for another number for the cell under the cursor."""
        self._edit(self.cursor, self._edited)

    def _edited(self, traversal: Traversal) -> None:
        self.traversal = traversal
        self.redraw()

    def action_choose(self) -> None:
        """Chooses the cell under the cursor."""
        self.dismiss(self.cursor)

    def action_close(self) -> None:
        """Leaves everything as it was."""
        self.dismiss(None)

    def on_network_diagram_chosen(self, message: NetworkDiagram.Chosen) -> None:
        """A click chooses at once."""
        if message.symbol != self.traversal.derivation.graph.loss.symbol:
            self.dismiss(message.symbol)


class ExpressionMapScreen(NetworkMapScreen):
    """The graph of an expression on the whole screen, to choose one of its nodes."""

    TITLE = "Expression: choose what to differentiate by"

    @override
    def picture(self) -> ExpressionDiagram:
        return ExpressionDiagram(id="diagram")

    @override
    def draw(self, style: Style) -> None:
        self.query_one(ExpressionDiagram).show(self.traversal, self.position, style, self.cursor)

    @override
    def moved(self, right: int, down: int) -> Symbol:
        return moved_in_diagram(self.traversal.derivation.graph, self.cursor, right, down)
