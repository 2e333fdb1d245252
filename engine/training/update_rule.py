"""An optimiser's step as formulas that are values: what the update phase takes apart, as the chain rule is.

    adam, step t      m_t = β₁ m_{t-1} + (1 - β₁) g          v_t = β₂ v_{t-1} + (1 - β₂) g²
                      m_hat = m_t / (1 - β₁ᵗ)                v_hat = v_t / (1 - β₂ᵗ)
                      W ← W - η m_hat / (√v_hat + ε)

Every line is for one entry of one parameter. The kernels in `optimizers.py` compute the same, for all entries at once
and with factors drawn together; tests hold the two together, and both to PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.experiment.optimizer_specs import (
    AdamTraining,
    AdamwTraining,
    Letters,
    MomentumTraining,
    OptimizerWithRule,
    RmspropTraining,
    SgdTraining,
    TrainSpec,
)
from engine.formula.expression import Expr, Name, Number, Partial, Symbol, call
from engine.model.network import LOSS

ETA, MU, RHO, BETA1, BETA2, EPS = (Symbol(name) for name in ("eta", "mu", "rho", "beta1", "beta2", "epsilon"))
LAMBDA, CLIP = Symbol("lam"), Symbol("c")


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of an optimiser's update rule: `key` names the quantity ("m"), `words` say what it is.

    `symbol` is None for the last line, the parameter's new value.
    """

    key: str
    words: str
    symbol: Symbol | None
    formula: Expr
    kept: bool = False
    """Whether the next step begins with it."""


@dataclass(frozen=True, slots=True)
class UpdateRuleSettings:
    """The constants of an optimiser's update rule; those it does not have are at values that leave them out."""

    optimizer: str
    momentum: float = 0.0
    nesterov: bool = False
    smoothing: float = 0.0
    betas: tuple[float, float] = (0.0, 0.0)
    eps: float = 0.0
    weight_decay: float = 0.0
    decoupled: bool = False
    own: OptimizerWithRule | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the update is W - η ∂ℰ/∂W and nothing else (clipping apart)."""
        return self.optimizer == "sgd" and self.weight_decay == 0.0

    def constants(self) -> dict[Symbol, float]:
        """The numbers of the letters that this optimiser's formulas use."""
        numbers = {
            MU: self.momentum,
            RHO: self.smoothing,
            BETA1: self.betas[0],
            BETA2: self.betas[1],
            EPS: self.eps,
            LAMBDA: self.weight_decay,
        }
        used = {symbol for line in self.rule(Symbol("W"), 1) for symbol in line.formula.symbols()}
        return {symbol: number for symbol, number in numbers.items() if symbol in used}

    def rule(self, parameter: Symbol, step: int, *, clipped: bool = False) -> list[RuleLine]:
        """The formulas of one update step (from 1) for one entry of a parameter, in the order of computing."""
        gradient: Expr = Partial(LOSS, parameter)
        lines: list[RuleLine] = []
        adds = self.weight_decay != 0.0 and not self.decoupled
        if clipped or adds:
            used = CLIP * gradient if clipped else gradient
            words = "the gradient, clipped" if clipped else "the gradient"
            if adds:
                used, words = used + LAMBDA * parameter, f"{words}, with weight decay"
            symbol = Symbol(f"g{step}")
            lines.append(RuleLine("used_gradient", words, symbol, used))
            gradient = symbol
        rule = RULES[self.optimizer] if self.own is None else _said(self.own)
        own, direction = rule(self, gradient, step)
        lines += own
        after: Expr = parameter - ETA * direction
        if self.weight_decay != 0.0 and self.decoupled:
            after = parameter - ETA * LAMBDA * parameter - ETA * direction
        return [*lines, RuleLine("after", "the step", None, after)]

    def states(self) -> Sequence[str]:
        """The states that the optimiser keeps and derives, by name, in the order of computing."""
        return [line.key for line in self.rule(Symbol("W"), 1) if line.kept or line.key in CORRECTED]

    def kept(self) -> Sequence[str]:
        """The states that the next step begins with, by name, in the optimiser's order."""
        return [line.key for line in self.rule(Symbol("W"), 1) if line.kept]


CORRECTED = ("m_hat", "v_hat")
"""What Adam makes of its states: `step --json` writes it as well."""

Rule = Callable[[UpdateRuleSettings, Expr, int], tuple[list[RuleLine], Expr]]
"""From settings, gradient and step number to the lines, and the direction that is multiplied by η."""


def settings_of(train: TrainSpec) -> UpdateRuleSettings:
    """The update rule's constants of an experiment's optimiser. Raises TypeError for one that has no rule."""
    name = train.optimizer
    match train:
        case SgdTraining():
            return UpdateRuleSettings(name, weight_decay=train.weight_decay)
        case MomentumTraining():
            return UpdateRuleSettings(
                name, momentum=train.momentum, nesterov=train.nesterov, weight_decay=train.weight_decay
            )
        case RmspropTraining():
            return UpdateRuleSettings(
                name, smoothing=train.alpha, eps=train.eps, weight_decay=train.weight_decay
            )
        case AdamTraining() | AdamwTraining():
            return UpdateRuleSettings(
                name,
                betas=train.betas,
                eps=train.eps,
                weight_decay=train.weight_decay,
                decoupled=isinstance(train, AdamwTraining),
            )
    if isinstance(train, OptimizerWithRule):
        return UpdateRuleSettings(name, weight_decay=getattr(train, "weight_decay", 0.0), own=train)
    raise TypeError(f"no rule is known for the optimizer {name}")


def _said(train: OptimizerWithRule) -> Rule:
    """The rule of an optimiser that says it itself."""

    def rule(settings: UpdateRuleSettings, gradient: Expr, step: int) -> tuple[list[RuleLine], Expr]:
        letters = Letters(lambda name: _before(name, step), lambda name: _at(name, step), Number(float(step)))
        lines, direction = train.rule(gradient, letters)
        return [
            RuleLine(one.name, one.words, _at(one.name, step), one.formula, one.kept) for one in lines
        ], direction

    return rule


def _at(name: str, step: int) -> Symbol:
    """A state after a step, m₃; before the first step it is the number 0."""
    return Symbol(f"{name}{step}")


def _before(name: str, step: int) -> Expr:
    return Number(0.0) if step == 1 else _at(name, step - 1)


def _sgd(settings: UpdateRuleSettings, gradient: Expr, step: int) -> tuple[list[RuleLine], Expr]:
    return [], gradient


def _momentum(settings: UpdateRuleSettings, gradient: Expr, step: int) -> tuple[list[RuleLine], Expr]:
    velocity = _at("v", step)
    line = RuleLine("velocity", "the velocity", velocity, MU * _before("v", step) + gradient, kept=True)
    if not settings.nesterov:
        return [line], velocity
    ahead = Symbol(f"d{step}")
    looked = RuleLine("direction", "looking ahead (Nesterov)", ahead, gradient + MU * velocity)
    return [line, looked], ahead


def _rmsprop(settings: UpdateRuleSettings, gradient: Expr, step: int) -> tuple[list[RuleLine], Expr]:
    square = _at("v", step)
    formula = RHO * _before("v", step) + (1 - RHO) * gradient**2
    line = RuleLine("v", "the mean square of the gradients so far", square, formula, kept=True)
    return [line], gradient / (call("sqrt", square) + EPS)


def _adam(settings: UpdateRuleSettings, gradient: Expr, step: int) -> tuple[list[RuleLine], Expr]:
    mean, square = _at("m", step), _at("v", step)
    m_hat, v_hat = Symbol("m_hat"), Symbol("v_hat")
    lines = [
        RuleLine(
            "m",
            "the mean of the gradients so far",
            mean,
            BETA1 * _before("m", step) + (1 - BETA1) * gradient,
            kept=True,
        ),
        RuleLine(
            "v",
            "the mean of their squares",
            square,
            BETA2 * _before("v", step) + (1 - BETA2) * gradient**2,
            kept=True,
        ),
        RuleLine("m_hat", "corrected for having begun at 0", m_hat, mean / (1 - BETA1 ** Number(step))),
        RuleLine("v_hat", "corrected for having begun at 0", v_hat, square / (1 - BETA2 ** Number(step))),
    ]
    return lines, m_hat / (call("sqrt", v_hat) + EPS)


RULES: dict[str, Rule] = {
    "sgd": _sgd,
    "momentum": _momentum,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,
}
"""The rule of every optimiser by its name in the experiment file."""


@dataclass(frozen=True, slots=True)
class EvaluatedLine:
    """A line of an update rule with its numbers in, and its value."""

    line: RuleLine
    substituted: Expr
    value: float


def evaluated_lines(lines: Sequence[RuleLine], values: Callable[[Name], float]) -> Iterator[EvaluatedLine]:
    """The lines of an update rule evaluated one after the other.

    `values` knows the parameter, its gradient, η, the constants, and the states before the step.
    """
    found: dict[Symbol, float] = {}

    def value_of(name: Name) -> float:
        return found[name] if isinstance(name, Symbol) and name in found else values(name)

    for line in lines:
        value = line.formula.evaluate(value_of)
        yield EvaluatedLine(line, line.formula.substitute(value_of), value)
        if line.symbol is not None:
            found[line.symbol] = value
