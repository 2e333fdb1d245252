"""Ten small torch trainings that tests record: each makes a model, an optimizer and a function that makes one update.

The update calls `before` when its gradients are complete and not clipped: there, the test takes the norms itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="recording real trainings needs torch (pip install bptui[torch])")

Before = Callable[[], None]


@dataclass
class Training:
    """What is trained, and how one update is made."""

    model: Any
    optimizer: Any
    update: Callable[[Before], None]
    watched: Any = None
    """What is given to `watch` where that is not the model itself."""


def _plain(model: Any, X: Any, Y: Any, optimizer: Any = None, loss: Any = None) -> Training:
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.05)
    loss = loss or torch.nn.functional.cross_entropy

    def update(before: Before) -> None:
        optimizer.zero_grad()
        loss(model(X), Y).backward()
        before()
        optimizer.step()

    return Training(model, optimizer, update)


def _data(features: int = 6) -> tuple[Any, Any]:
    return torch.randn(12, features), torch.randint(0, 3, (12,))


def _mlp_model(features: int = 6) -> Any:
    nn = torch.nn
    return nn.Sequential(nn.Linear(features, 8), nn.ReLU(inplace=True), nn.Linear(8, 3))


def mlp() -> Training:
    return _plain(_mlp_model(), *_data())


def convolution() -> Training:
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)
    )
    return _plain(model, torch.randn(5, 1, 8, 8), torch.randint(0, 3, (5,)))


class _Lstm(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = torch.nn.LSTM(4, 5, batch_first=True), torch.nn.Linear(5, 3)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(x)[0][:, -1])


def lstm() -> Training:
    return _plain(_Lstm(), torch.randn(6, 7, 4), torch.randint(0, 3, (6,)))


class _Transformer(torch.nn.Module):
    def __init__(self, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(11, 8, sparse=sparse)
        self.block = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.head = torch.nn.Linear(8, 11, bias=False)

    def forward(self, tokens: Any) -> Any:
        return self.head(self.block(self.embedding(tokens))).flatten(0, 1)


def transformer_block() -> Training:
    tokens = torch.randint(0, 11, (3, 6))
    model = _Transformer()
    return _plain(model, tokens, tokens.flatten(), torch.optim.AdamW(model.parameters()))


def sparse_embedding() -> Training:
    tokens = torch.tensor([[1, 1, 2, 1, 3, 3]])
    return _plain(_Transformer(sparse=True), tokens, tokens.flatten())


def tied_weights() -> Training:
    tokens = torch.randint(0, 11, (3, 6))
    model = _Transformer()
    model.head.weight = model.embedding.weight
    return _plain(model, tokens, tokens.flatten())


def frozen_parts() -> Training:
    model = _mlp_model()
    model[0].weight.requires_grad_(False)
    return _plain(model, *_data())


def accumulation() -> Training:
    training = mlp()
    model, optimizer = training.model, training.optimizer

    def update(before: Before) -> None:
        optimizer.zero_grad()
        for _ in range(3):
            X, Y = _data()
            (torch.nn.functional.cross_entropy(model(X), Y) / 3).backward()
        before()
        optimizer.step()

    return Training(model, optimizer, update)


def autocast_bfloat16() -> Training:
    training = mlp()
    model, optimizer = training.model.to(torch.bfloat16), training.optimizer
    X, Y = _data()

    def update(before: Before) -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(X.bfloat16()).float(), Y).backward()
        before()
        optimizer.step()

    return Training(model, optimizer, update)


def grad_scaler() -> Training:
    training = mlp()
    model, optimizer = training.model, training.optimizer
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    X, Y = _data()

    def update(before: Before) -> None:
        optimizer.zero_grad()
        scaler.scale(torch.nn.functional.cross_entropy(model(X), Y)).backward()
        scaler.unscale_(optimizer)
        before()
        scaler.step(optimizer)
        scaler.update()

    return Training(model, optimizer, update)


def closure() -> Training:
    model = _mlp_model()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=4)
    X, Y = _data()

    def update(before: Before) -> None:
        first = True

        def evaluate() -> Any:
            nonlocal first
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(X), Y)
            loss.backward()
            if first:
                first = False
                before()
            return loss

        optimizer.step(evaluate)

    return Training(model, optimizer, update)


def clipping_that_clips() -> Training:
    training = mlp()
    model, optimizer = training.model, training.optimizer
    X, Y = _data()

    def update(before: Before) -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(X), Y).backward()
        before()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()

    return Training(model, optimizer, update)


def fifty_sigmoid_layers() -> Training:
    nn = torch.nn
    layers: list[Any] = []
    for _ in range(50):
        layers += [nn.Linear(6, 6), nn.Sigmoid()]
    return _plain(nn.Sequential(*layers, nn.Linear(6, 3)), *_data())


def data_parallel_wrapper() -> Training:
    training = mlp()
    training.watched = torch.nn.DataParallel(training.model)  # prefixes every name with "module."
    return training


ALL = (
    mlp,
    convolution,
    lstm,
    transformer_block,
    sparse_embedding,
    tied_weights,
    frozen_parts,
    accumulation,
    autocast_bfloat16,
    grad_scaler,
    closure,
    clipping_that_clips,
    fifty_sigmoid_layers,
    data_parallel_wrapper,
)
