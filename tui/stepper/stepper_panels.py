"""The stepper's panels: which there are, and what each draws at the current position.

title          which experiment, which gradient, which sample
phase bar      where one is
diagram        where that is in the network               (from 100×34 on)
product        the whole chain rule, with what is done, current and coming
term           what is happening here: words, formula, numbers, value
running        the product so far, the gradient as a sum, the check
table          all terms                                  (from 34 lines on)
"""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from engine.derivation.chain_rule import Derivation
from engine.derivation.chain_sum import chain_sum
from engine.formula.notation import Style
from engine.formula.numbers_in_words import counted
from tui.session.session_base import SessionBase
from tui.shell.key_bar import KeyBar
from tui.shell.learner_deeds import Deed, Done
from tui.shell.too_small import TooSmall
from tui.stepper.autoplay import Autoplay
from tui.stepper.chain_rule_panel import ChainRulePanel, rest_in_words
from tui.stepper.derivation_screen import DerivationScreen
from tui.stepper.describe_backward_pass import describe_backward
from tui.stepper.describe_forward_pass import describe_forward, describe_loss
from tui.stepper.describe_update import describe_update, update_lines
from tui.stepper.description import Description
from tui.stepper.diagram import Diagram
from tui.stepper.gradient_check_line import GradientCheckLine
from tui.stepper.network_diagram import NetworkDiagram
from tui.stepper.path_line import path_line
from tui.stepper.phase_bar import PhaseBar
from tui.stepper.running_product import running_lines
from tui.stepper.term_panel import TermPanel
from tui.stepper.term_table import TermTable
from tui.stepper.title_line import title_line
from tui.stepper.traversal import Phase


class StepperPanels(DerivationScreen):
    """The stepper's panels: a derivation screen that draws its derivation."""

    def __init__(self, session: SessionBase, derivation: Derivation | None = None) -> None:
        """On a derivation, or else on what the experiment begins with."""
        super().__init__(session, derivation)
        self.gradient_check = GradientCheckLine(self)
        self.autoplay = Autoplay(self)

    def compose(self) -> ComposeResult:
        """The panels from top to bottom."""
        yield Static(id="title")
        yield PhaseBar(id="phase")
        with Vertical(id="diagram-panel"):
            yield self._new_diagram()
        with Vertical(id="derivation"):
            with Vertical(id="product-panel"):
                yield ChainRulePanel(id="product")
            with Vertical(id="term-panel"):
                yield TermPanel(id="term")
            with Vertical(id="running-panel"):
                yield self.below_the_term()
        with Vertical(id="table-panel"):
            yield TermTable(id="table")
        yield TooSmall()
        yield KeyBar()

    def below_the_term(self) -> Widget:
        """The widget below the term: the running product."""
        return Static(id="running")

    def on_mount(self) -> None:
        """Draws for the first time."""
        self.query_one("#diagram-panel").border_title = "Network" if self.network_session else "Expression"
        self.query_one("#table-panel").border_title = "Terms"
        self.redraw_soon()

    def on_resize(self) -> None:
        """Fits everything to the new size, once the layout is known."""
        self.redraw_soon()

    # ── drawing ─────────────────────────────────────────────────────────────────────────────────────

    def draw(self, style: Style) -> None:
        """Draws every panel for the current position."""
        if self.gradient_check.takes_long:
            self.gradient_check.check_at_length()
            return
        shown, progress = self.looked_at()
        title = self.query_one("#title", Static)
        title.update(title_line(self, shown, style, title.size.width))
        self.query_one(PhaseBar).show(
            self.traversal, self.position, self.detail, self.count, self.autoplay.is_playing, style.glyphs
        )
        panel = self.query_one("#product-panel")
        panel.border_title = f"Chain rule{self._since()}"
        panel.border_subtitle = self.shown_text(
            rest_in_words(chain_sum(shown), style, hidden=self.known is not None)
        )
        product = self.query_one(ChainRulePanel)
        product.show(shown, progress, style, max(product.size.width, 40))
        self.draw_term(style)
        self.draw_below_the_term(style)
        self._draw_diagram(style)
        table = self.query_one(TermTable)
        if table.size.height:
            table.show(self.traversal, self.position, style, table.size.width, table.size.height, self.known)
        self.tell(*self.done_so_far())

    def _new_diagram(self) -> Widget:
        if self.network_session is not None:
            return NetworkDiagram(id="diagram")
        from tui.stepper.expression_diagram import ExpressionDiagram

        return ExpressionDiagram(id="diagram")

    def _draw_diagram(self, style: Style) -> None:
        diagram = self.query_one("#diagram", Static)
        self._draw_path(style, hidden=not diagram.size.height)
        if not diagram.size.height:
            return
        if isinstance(diagram, NetworkDiagram):
            seen = Diagram(self.traversal, self.position, known=self.known)
            diagram.show(seen, style, diagram.size.width, diagram.size.height)
            return
        from tui.stepper.expression_diagram import ExpressionDiagram

        if isinstance(diagram, ExpressionDiagram):
            diagram.show(self.traversal, self.position, style, known=self.known)

    def _draw_path(self, style: Style, *, hidden: bool) -> None:
        """Where the network is hidden for want of room: the path through it, above the term."""
        panel = self.query_one("#term-panel")
        backward = self.position.phase is Phase.BACKWARD and self.known is None
        if hidden and backward and self.network_session is not None:
            width = max(panel.size.width - 6, 10)
            derivation, progress = self.looked_at()
            panel.border_title = path_line(derivation, progress.reached, style, width)
        else:
            panel.border_title = ""

    def done_so_far(self) -> Iterator[Done]:
        """What is on the screen, as the tasks of a lesson ask for it."""
        yield Done(Deed.SCREEN, "stepper")
        yield Done(Deed.TARGET, self.derivation.target.plain())
        yield Done(Deed.SAMPLE, self.derivation.sample)
        yield Done(Deed.DIGITS, self.digits)
        match self.position.phase:
            case Phase.FORWARD:
                yield Done(Deed.FORWARD)
            case Phase.LOSS:
                yield Done(Deed.LOSS)
            case Phase.BACKWARD:
                yield Done(Deed.FACTOR, self.position.index + 1)
            case Phase.UPDATE if self.shown_update is not None:
                yield Done(Deed.UPDATE)
        if self.gradient_check.shown:
            yield Done(Deed.CHECK)

    def _since(self) -> str:
        """Which parameters these are, if not the initial ones. What a chart shows of a step came before its update."""
        updates = self.session.updates
        made = [f"the update of step {self.session.steps:,}"] if self.session.steps else []
        made += [f"{counted(updates, 'update')} by hand"] if updates else []
        return f", after {' and '.join(made)}" if made else ""

    def description(self) -> Description:
        """The description of the current position: heading, equations and notes."""
        style = self.glyphs
        match self.position.phase:
            case Phase.FORWARD:
                return describe_forward(self.traversal, self.position, style)
            case Phase.LOSS:
                return describe_loss(self.traversal, style)
            case Phase.BACKWARD:
                return describe_backward(self.traversal, self.position, style)
        assert self.network_session is not None  # nothing else has this phase
        return describe_update(
            self.network_session, self.traversal, self.shown_update, style, self.position.index
        )

    def draw_term(self, style: Style) -> None:
        """Draws what is happening at the current position."""
        panel = self.query_one(TermPanel)
        width, height = max(panel.size.width, 40), self.query_one("#term-panel").content_size.height
        panel.show(self.description(), style, width, height)

    def draw_below_the_term(self, style: Style) -> None:
        """Draws the running product, the effect of an update, or what comes next; and the gradient check."""
        lines: list[Content] = []
        width = max(self.query_one("#running").size.width, 40)
        phase = self.position.phase
        if phase is Phase.BACKWARD:
            lines += [Content(line) for line in running_lines(self.traversal, self.position, style, width)]
        elif self.network_session is not None and self.shown_update is not None and phase is Phase.UPDATE:
            update = update_lines(self.network_session, self.shown_update, style)
            lines += [Content(self.shown_text(line)) for line in update]
        elif phase is Phase.UPDATE:
            lines.append(Content("This is the end of the walk. w applies the update, Home begins anew."))
        elif phase < Phase.BACKWARD:
            end = "loss" if self.traversal.has_loss else "result"
            lines.append(
                Content.styled(f"The way back begins at the {end}: Tab goes to the next phase.", "$faint")
            )
        if self.gradient_check.shown:
            lines.append(self.gradient_check.line(style))
        elif phase is Phase.BACKWARD:
            lines.append(Content.styled("c checks this gradient against a central difference", "$faint"))
        self.query_one("#running", Static).update(Content("\n").join(lines))
