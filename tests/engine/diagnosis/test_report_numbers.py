"""The numbers of a report, worked out anew by PyTorch from the weights that the run ended with."""

from __future__ import annotations

import numpy as np
import pytest

from engine.diagnosis.finding import Kind
from engine.experiment.loss_specs import BceLoss, CrossEntropyLoss
from engine.formula.expression import Symbol
from tests.engine.diagnosis.diagnosed import Diagnosed, expected, of_case, of_preset

torch = pytest.importorskip("torch", reason="PyTorch is the second opinion here")

DEAR = {"xor-plateau", "wine-dies-in-batches", "xor-tiny-weights"}
RUNS = [
    *(
        ("case", name)
        for page in ("expected.toml", "own.toml")
        for name in expected(page)
        if name not in DEAR
    ),
    *(("preset", name) for name in ("tutorial-a-weighted", "tutorial-b-wine", "batch-norm", "residual-fork")),
    *(("preset", name) for name in ("dying-relu", "dying-relu-leaky", "step-activation", "leaky-slope-1")),
]

SLOPES = {
    "tanh": lambda f: 1 - torch.tanh(f) ** 2,
    "sigmoid": lambda f: 4 * torch.sigmoid(f) * (1 - torch.sigmoid(f)),
}
"""As shares of the largest."""


class Anew:
    """One pass over all data with the weights that are judged; layers from 1."""

    def __init__(self, found: Diagnosed) -> None:
        own = found.case.own
        X, self.Y = (
            torch.tensor(np.asarray(part, np.float64))
            for part in (found.trainer.data.X, found.trainer.data.Y)
        )
        parameters = {
            name: torch.tensor(np.asarray(value, np.float64), requires_grad=True)
            for name, value in own.present.items()
        }
        a = X
        self.f, self.fed, self.g = {}, {}, {}
        for number, layer in enumerate(own.layers.layers, start=1):
            f = parameters[Symbol("W", number)].T @ a
            if Symbol("b", number) in parameters:
                f = f + parameters[Symbol("b", number)]
            f.retain_grad()
            axis = {"batch": 1, "layer": 0}.get(layer.norm)
            h = f
            if axis is not None:
                h = (f - f.mean(axis, keepdim=True)) / torch.sqrt(
                    f.var(axis, unbiased=False, keepdim=True) + 1e-5
                )
            g = self._activated(h, layer.activation, layer.slope)
            self.f[number], self.fed[number], self.g[number] = f, h, g
            a = g + a if layer.residual else g
        self.said = a
        self.loss = self._loss(own.layers.loss, self.f[len(self.f)])
        self.loss.backward()
        self.W = {number: parameters[Symbol("W", number)].grad for number in self.f}

    @staticmethod
    def _activated(f, name: str, slope: float | None):
        match name:
            case "linear":
                return f
            case "step":
                return (f > 0).double() + 0 * f
            case "leaky_relu":
                return torch.nn.functional.leaky_relu(f, slope)
            case "softmax":
                return torch.softmax(f, 0)
        return getattr(torch, name)(f)

    def _loss(self, spec, logits):
        softplus = torch.nn.functional.softplus
        if isinstance(spec, BceLoss):
            alpha, beta = spec.alpha or 1.0, spec.beta or 1.0
            terms = alpha * self.Y * softplus(-logits) + beta * (1 - self.Y) * softplus(logits)
        elif isinstance(spec, CrossEntropyLoss):
            terms = -self.Y * torch.log_softmax(logits, 0)
        else:
            terms = 0.5 * (self.said - self.Y) ** 2
        return terms.sum(0).mean()

    def length(self, number: int) -> float:
        """‖∂ℰ/∂W‖; 0 where no gradient arrives."""
        return 0.0 if self.W[number] is None else self.W[number].norm().item()

    def delta(self, number: int) -> float:
        """‖∂ℰ/∂f‖."""
        return 0.0 if self.f[number].grad is None else self.f[number].grad.norm().item()


@pytest.mark.parametrize(("where", "name"), RUNS, ids=[name for _, name in RUNS])
def test_the_numbers_of_the_sentences_are_those_of_the_weights(where, name):
    found = of_case(name) if where == "case" else of_preset(name)
    anew, last = Anew(found), len(found.case.layers)

    def same(number: float | None, worked_out: float, rel: float = 1e-4) -> None:
        assert number == pytest.approx(worked_out, rel=rel, abs=1e-13)

    if not found.case.diverged:
        same(found.case.losses.last, anew.loss.item(), 1e-7)
    for number in range(1, last + 1):
        same(float(found.case.record.grad_l2[number - 1]), anew.length(number))
    for finding in found.diagnosis.findings:
        told = finding.evidence
        if told.get("weights_ratio") is not None:
            same(told["weights_ratio"], anew.length(1) / anew.length(last))
        if told.get("delta_ratio") is not None:
            same(told["delta_ratio"], anew.delta(1) / anew.delta(last))
        if finding.kind is Kind.DEAD_UNITS:
            for number in finding.layers:
                same(told[f"dead[{number}]"], int((anew.g[number] == 0).all(1).sum()))
        if finding.kind is Kind.SATURATED:
            number = told["layer"]
            slopes = SLOPES[found.case.own.layers.layers[number - 1].activation](anew.fed[number])
            same(told["percent"], 100 * (slopes < 0.01).double().mean().item())
        if finding.kind is Kind.CONSTANT_OUTPUT:
            same(told["prediction"], anew.said.mean().item())
        if finding.kind is Kind.LEARNED:
            same(told["mean_square"], ((anew.said - anew.Y) ** 2).mean(1).sum().item())
        if "worst_sample" in told:
            error = (anew.said - anew.Y).abs().amax(0)
            same(error[told["worst_sample"]].item(), error.max().item())
            assert told["samples_far"] == int((error > error.max() / 2).sum())
        if finding.kind is Kind.NO_GRADIENT:
            assert [number for number in range(1, last + 1) if anew.length(number) == 0] == list(
                finding.layers
            )
