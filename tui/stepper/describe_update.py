"""What the term panel says of the update: each line of what the optimiser computes, and what came of it."""

from __future__ import annotations

from engine.formula.expression import Partial, Symbol
from engine.formula.notation import Style, symbol_text
from engine.formula.number_text import number_text
from engine.model.network import LOSS, trainable
from engine.training.steps_by_hand import Change, StepsByHand, Update
from engine.training.update_rule import CLIP, ETA
from tui.session.network_session import NetworkSession
from tui.stepper.description import Description, Note
from tui.stepper.equation import Equation
from tui.stepper.traversal import Traversal


def describe_update(
    session: NetworkSession, traversal: Traversal, update: Update | None, style: Style, index: int = -1
) -> Description:
    """One line of what the optimiser does with the gradient, the step itself by default; or what it has done."""
    target = traversal.derivation.target
    name, steps = symbol_text(target, style), session.by_hand
    plain, optimizer = steps.settings.is_plain, steps.settings.optimizer
    notes: list[Note] = []
    if update is not None:
        notes += [("plain", _change(change, style)) for change in update.watched]
        return Description(
            f"Update {session.updates}: applied to every parameter", (), tuple(notes), backward=False
        )
    if target.matrix not in trainable(session.network):
        node = traversal.derivation.graph.nodes[target.matrix]
        frozen = target.matrix in session.network.parameters
        why = "is frozen" if frozen else "is given" if node.op is None else "is computed"
        notes.append(("plain", f"{name} {why}, not learned: an update leaves it alone."))
        how = style.names.said("W ← W − η ∂ℰ/∂W") if plain else f"a step of {optimizer}"
        notes.append(("faint", f"w applies {how} to every parameter."))
        return Description(
            f"Update: {'gradient descent' if plain else optimizer}", (), tuple(notes), backward=False
        )
    eta = session.learning_rate
    lines = steps.evaluated(target, eta)
    shown = lines[index]
    equation = Equation(shown.line.symbol, shown.line.formula, shown.substituted, shown.value)
    gradient = session.graph.value_of(Partial(LOSS, target))
    if shown is not lines[-1]:
        notes.append(("plain", _constants(steps, eta, style)))
        notes.append(("faint", "→ goes on to what is made of it; w applies the whole step."))
        heading = f"Update by {optimizer}, step {steps.steps + 1}: {shown.line.words}"
        return Description(heading, (equation,), tuple(notes), backward=False)
    if eta == 0:
        notes.append(("remark", "The learning rate is 0: nothing moves."))
    elif not plain:
        notes.append(("plain", _constants(steps, eta, style)))
    elif gradient == 0:
        notes.append(("remark", "The gradient is 0: this update leaves it where it is."))
    else:
        direction = "falls" if gradient > 0 else "rises"
        notes.append(
            (
                "plain",
                f"Against the gradient: it {direction}. "
                f"{symbol_text(ETA, style)} = {number_text(eta, style)} is the learning rate.",
            )
        )
    if plain and steps.clip_factor != 1.0:
        factor = number_text(steps.clip_factor, style)
        notes.append(("remark", f"All gradients together are longer than clip_norm: c = {factor}."))
    notes.append(
        ("plain", "Press w to apply it to every parameter and follow the change through; z undoes it.")
    )
    by = "" if plain else f" by {optimizer}, step {steps.steps + 1}"
    return Description(f"Update{by}: {name} becomes", (equation,), tuple(notes), backward=False)


def update_size(session: NetworkSession, target: Symbol) -> int:
    """How many lines the update of a parameter has; 1 for what is not learned."""
    learned = target.matrix in trainable(session.network)
    return len(session.by_hand.rule(target)) if learned else 1


def _constants(steps: StepsByHand, eta: float, style: Style) -> str:
    """The optimiser's constants with their numbers."""
    constants = {ETA: eta, **steps.settings.constants()}
    if steps.clip_factor != 1.0:
        constants[CLIP] = steps.clip_factor
    return "   ".join(
        f"{symbol_text(symbol, style)} = {number_text(value, style)}" for symbol, value in constants.items()
    )


def update_lines(session: NetworkSession, update: Update, style: Style) -> list[str]:
    """The change of the loss, beside what the gradient foretold."""
    before, after = number_text(update.loss.before, style), number_text(update.loss.after, style)
    difference = number_text(update.loss.after - update.loss.before, style)
    foretold = number_text(update.predicted, style)
    how = "−η Σ (∂ℰ/∂W)²" if session.by_hand.settings.is_plain else "Σ ∂ℰ/∂W · ΔW"
    how = style.names.said(how)
    return [
        f"The loss     {before} → {after}, a change of {difference}",
        f"Expected     {how} = {foretold}, if the loss were a straight line here",
        "w applies another one · z undoes it · Shift+Tab goes back to the terms",
    ]


def _change(change: Change, style: Style) -> str:
    name = symbol_text(change.symbol, style)
    arrow = style.glyphs.arrow
    return (
        f"{name:<10} {number_text(change.before, style):>10} {arrow} {number_text(change.after, style):<10}"
    )
