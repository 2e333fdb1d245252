"""PyTorch in eager mode: the same network, bare, and with the same measurements taken through hooks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.cases import LEARNING_RATE, Case
from engine.experiment.datasets import load_data
from engine.formula.expression import Symbol
from engine.model.network import Network

SATURATED = math.sqrt(0.99) / 2  # |σ - ½| beyond which σ' is below one hundredth of its largest value


class Peer:
    """Samples are rows, as PyTorch has them; weights are the engine's, so that the losses must agree."""

    def __init__(self, case: Case, threads: int) -> None:
        torch.set_num_threads(threads)
        experiment = case.experiment()
        data = load_data(experiment)
        network = Network.initialised(experiment, case.features)
        self.case = case
        self.inputs = torch.from_numpy(data.X.T.copy())
        self.labels = torch.from_numpy(data.Y.T.copy())
        self.weighted: list[torch.nn.Linear] = []
        self.activations: list[torch.nn.Module] = []
        depth = len(network.layers)
        for number in range(1, depth + 1):
            weights = network.parameters[Symbol("W", number)]
            linear = torch.nn.Linear(*weights.shape, bias=False, dtype=self.inputs.dtype)
            linear.weight.data = torch.from_numpy(weights.T.copy())
            self.weighted.append(linear)
            if number < depth:
                self.activations.append(
                    torch.nn.Sigmoid() if case.activation == "sigmoid" else torch.nn.ReLU()
                )
        modules: list[torch.nn.Module] = []
        for linear, activation in zip(self.weighted, [*self.activations, None], strict=True):
            modules += [linear] if activation is None else [linear, activation]
        self.model = torch.nn.Sequential(*modules)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)
        binary = case.outputs == 1
        self.loss = torch.nn.BCEWithLogitsLoss() if binary else torch.nn.CrossEntropyLoss()
        self.target = self.labels if binary else self.labels.argmax(1)

    def step(self) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.model(self.inputs), self.target)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def bare(case: Case, threads: int) -> Callable[[], float]:
    return Peer(case, threads).step


def measured(case: Case, threads: int) -> Callable[[], list[float]]:
    """Everything that a StepRecord says, by hooks; the numbers leave PyTorch once a step, stacked."""
    peer = Peer(case, threads)
    found: list[torch.Tensor] = []
    last: list[torch.Tensor] = []

    @torch.no_grad()
    def activated(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        zero = output == 0
        found.append(zero.to(output.dtype).mean())
        found.append(zero.all(0).sum().to(output.dtype))
        if isinstance(module, torch.nn.Sigmoid):
            found.append(((output - 0.5).abs() > SATURATED).to(output.dtype).mean())

    @torch.no_grad()
    def sent_back(module: torch.nn.Module, to_inputs: Any, to_outputs: Any) -> None:
        found.append(torch.linalg.vector_norm(to_outputs[0]))  # δ
        if to_inputs[0] is not None:
            found.append(torch.linalg.vector_norm(to_inputs[0]))  # W δ

    @torch.no_grad()
    def predicted(module: torch.nn.Module, inputs: Any, output: torch.Tensor) -> None:
        last[:] = [output]

    for activation in peer.activations:
        activation.register_forward_hook(activated)
    for linear in peer.weighted:
        linear.register_full_backward_hook(sent_back)
    peer.weighted[-1].register_forward_hook(predicted)
    binary = case.outputs == 1

    def step() -> list[float]:
        found.clear()
        peer.optimizer.zero_grad(set_to_none=True)
        loss = peer.loss(peer.model(peer.inputs), peer.target)
        loss.backward()
        with torch.no_grad():
            logits = last[0]
            if binary:
                prediction = torch.sigmoid(logits)
                said, is_one = logits > 0, peer.labels > 0.5
                counts = (said & is_one, said & ~is_one, is_one)
                found.extend(count.sum().to(logits.dtype) for count in counts)
                zero = prediction == 0
                found.append(zero.to(logits.dtype).mean())
                found.append(zero.all(0).sum().to(logits.dtype))
                found.append(((prediction - 0.5).abs() > SATURATED).to(logits.dtype).mean())
            else:
                found.append((logits.argmax(1) == peer.target).to(logits.dtype).mean())
            for linear in peer.weighted:
                gradient = linear.weight.grad
                magnitude = gradient.abs()
                l2 = torch.linalg.vector_norm(gradient)
                found.extend((magnitude.max(), magnitude.mean(), l2))
                found.append(LEARNING_RATE * l2 / torch.linalg.vector_norm(linear.weight))
            found.append(loss)
        peer.optimizer.step()
        return torch.stack([one.detach() for one in found]).tolist()

    return step
