"""Watching a torch optimizer: the norms of each update's whole, unclipped gradient, whatever the loop does."""

from __future__ import annotations

import gc
import json
import sys
import types
import weakref
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="recording real trainings needs torch (pip install bptui[torch])")

import bptui  # noqa: E402
from bptui.recording import gradients  # noqa: E402
from bptui.recording.usual_update import UsualUpdate  # noqa: E402
from tests.bptui import models  # noqa: E402

STEPS = 3


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    header, *lines = map(json.loads, path.read_text("utf-8").splitlines())
    return header, lines


def norms_of(model: Any) -> list[float | None]:
    """By torch.linalg.vector_norm in float64, one a parameter; None where it is frozen."""
    found: list[float | None] = []
    for parameter in model.parameters():
        if not parameter.requires_grad:
            found.append(None)
            continue
        gradient = parameter.grad.coalesce().values() if parameter.grad.is_sparse else parameter.grad
        found.append(float(torch.linalg.vector_norm(gradient.double())))
    return found


# ── norms ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", models.ALL, ids=lambda make: make.__name__)
def test_the_norms_are_those_of_the_whole_gradient_before_clipping(make, path):
    training = make()
    expected: list[list[float | None]] = []
    with bptui.watch(training.watched or training.model, training.optimizer, path):
        for _ in range(STEPS):
            training.update(lambda: expected.append(norms_of(training.model)))
    header, lines = read(path)
    assert header["layers"] == [name for name, _ in training.model.named_parameters()]
    assert [line["step"] for line in lines] == list(range(STEPS))
    for line, norms in zip(lines, expected, strict=True):
        for found, norm in zip(line["grad_l2"], norms, strict=True):
            assert found == (None if norm is None else pytest.approx(norm, rel=1e-6))
            assert norm is None or norm > 0
        assert "nonfinite" not in line


def test_fifty_sigmoid_layers_are_far_below_what_float32_can_square(path):
    training = models.fifty_sigmoid_layers()
    with bptui.watch(training.model, training.optimizer, path):
        training.update(lambda: None)
    _, (line,) = read(path)
    assert 0 < min(line["grad_l2"]) < 1e-30
    plain = torch._foreach_norm([parameter.grad for parameter in training.model.parameters()])
    assert sum(float(norm) == 0 for norm in plain) >= 20


@pytest.mark.parametrize("make", models.ALL, ids=lambda make: make.__name__)
def test_the_quick_way_of_a_usual_update_writes_the_lines_of_the_general_way(make, path, monkeypatch):
    logs = []
    for quick in (True, False):
        torch.manual_seed(0)
        training = make()
        with monkeypatch.context() as patch:
            if not quick:
                patch.setattr(UsualUpdate, "made_for", lambda _: None)
            with bptui.watch(
                training.watched or training.model, training.optimizer, path.with_stem(str(quick))
            ):
                for _ in range(STEPS):
                    training.update(lambda: None)
        header, lines = read(path.with_stem(str(quick)))
        assert header.pop("started")
        assert all(line.pop("seconds") > 0 for line in lines)
        logs.append((header, lines))
    assert logs[0] == logs[1]


def test_a_usual_update_may_be_followed_by_one_of_every_unusual_kind(path):
    training = models.mlp()
    first, *_, last = training.model.parameters()
    changes = [
        lambda: None,
        lambda: None,
        lambda: setattr(last, "grad", None),
        lambda: first.grad.fill_(torch.nan),
        lambda: setattr(first, "grad", first.grad.to_sparse()),
        lambda: torch.nn.utils.clip_grad_norm_(training.model.parameters(), 1e-3),
        lambda: first.grad.fill_(1e-30),
    ]
    norms: list[float] = []
    with bptui.watch(training.model, training.optimizer, path):
        training.update(lambda: norms.append(norms_of(training.model)[0]))
        for change in changes:
            with torch.no_grad():
                for parameter in training.model.parameters():
                    parameter.normal_()
            training.update(change)
    _, (_, *lines) = read(path)
    assert lines[2]["grad_l2"][-1] == 0.0
    assert lines[3]["grad_l2"][0] is None
    assert lines[3]["problem"] == "step 4: the gradient of 0.weight is not finite"
    assert lines[4]["grad_l2"][0] > 0
    assert 0 < lines[5]["clipped"] < 0.1
    assert lines[6]["grad_l2"][0] == pytest.approx(1e-30 * first.numel() ** 0.5, rel=1e-6)
    assert all(line.keys() >= {"step", "loss", "learning_rate", "seconds", "grad_l2"} for line in lines)


def test_a_training_that_throws_its_optimizer_away_gets_its_memory_back_and_the_log_is_closed(path):
    training = models.mlp()
    run = bptui.watch(training.model, training.optimizer, path)
    for _ in range(2):
        training.update(lambda: None)
    weight = weakref.ref(training.model[0].weight)
    del training
    gc.collect()
    assert weight() is None
    with pytest.raises(ValueError, match="the run log is closed"):
        run.log.step(9, loss=0.0, grad_l2=[0.0] * 4)


def test_norms_that_overflow_in_float32_are_taken_again():
    large = torch.full((4,), 1e30)
    (norm,) = gradients.to_host(gradients.norms([large]))
    assert gradients.unsure(norm, large)
    assert gradients.again(large) == pytest.approx(2e30)


def test_the_factor_of_clipping_is_told(path):
    training = models.clipping_that_clips()
    norms: list[list[float | None]] = []
    with bptui.watch(training.model, training.optimizer, path):
        training.update(lambda: norms.append(norms_of(training.model)))
    header, (line,) = read(path)
    total = sum(norm**2 for norm in norms[0]) ** 0.5
    assert line["clipped"] == pytest.approx(0.01 / (total + 1e-6), rel=1e-5)
    assert header["measured"] == "before clipping"
    assert torch.nn.utils.clip_grad.clip_grad_norm_.__module__.startswith("torch")


def test_clipping_that_was_imported_by_its_name_before_is_seen_as_well(path):
    from torch.nn.utils import clip_grad_value_, get_total_norm

    by_norm = getattr(torch.nn.utils, "clip_grads_with_norm_", None)
    if by_norm is None:
        pytest.skip("before torch 2.6 there is no such function")
    training = models.mlp()
    norms: list[float | None] = []

    def clip() -> None:
        norms.extend(norms_of(training.model))
        gradients = [parameter.grad for parameter in training.model.parameters()]
        by_norm(training.model.parameters(), 0.01, get_total_norm(gradients))

    with bptui.watch(training.model, training.optimizer, path):
        training.update(clip)
    header, (line,) = read(path)
    assert line["grad_l2"] == pytest.approx(norms, rel=1e-6)
    assert line["clipped"] < 0.1
    assert header["measured"] == "before clipping"
    other = path.with_name("by-value.jsonl")
    with bptui.watch(training.model, training.optimizer, other):
        training.update(lambda: clip_grad_value_(training.model.parameters(), 1e-3))
    assert read(other)[0]["measured"] == "after clipping"


def test_where_torch_does_not_decorate_its_clipping_every_module_that_has_it_is_given_the_watched_one(
    path, monkeypatch
):
    clip_grad = torch.nn.utils.clip_grad
    clipping = types.FunctionType(
        clip_grad.clip_grad_norm_.__wrapped__.__code__, vars(clip_grad), "clip_grad_norm_"
    )
    clipping.__defaults__ = clip_grad.clip_grad_norm_.__wrapped__.__defaults__
    importer = types.ModuleType("importer")
    monkeypatch.setitem(sys.modules, "importer", importer)
    for place in (importer, clip_grad, torch.nn.utils):
        monkeypatch.setattr(place, "clip_grad_norm_", clipping, raising=False)
    with monkeypatch.context() as older:
        older.setattr("bptui.recording.clipping.hasattr", lambda *_: False, raising=False)
        training = models.mlp()
        norms: list[float | None] = []

        def clip() -> None:
            norms.extend(norms_of(training.model))
            with torch.no_grad():
                importer.clip_grad_norm_(training.model.parameters(), 0.01)

        with bptui.watch(training.model, training.optimizer, path):
            training.update(clip)
    _, (line,) = read(path)
    assert line["grad_l2"] == pytest.approx(norms, rel=1e-6)
    assert importer.clip_grad_norm_ is clipping


def test_clipping_entry_by_entry_is_said_to_come_before_the_measurement(path):
    training = models.mlp()
    with bptui.watch(training.model, training.optimizer, path):
        training.update(lambda: torch.nn.utils.clip_grad_value_(training.model.parameters(), 1e-3))
    header, _ = read(path)
    assert header["measured"] == "after clipping"


def test_a_fused_optimizers_gradients_are_divided_by_the_scale_and_a_skipped_step_is_marked(path):
    model = models.mlp().model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    X, Y = torch.randn(12, 6), torch.randint(0, 3, (12,))
    expected = []
    with bptui.watch(model, optimizer, path):
        for broken in (False, True):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(X), Y)
            scaler.scale(loss).backward()
            expected.append([norm / 1024 for norm in norms_of(model)])
            if broken:
                model[0].weight.grad[0, 0] = torch.inf
            scaler.step(optimizer)
            scaler.update()
    _, (whole, skipped) = read(path)
    assert whole["grad_l2"] == pytest.approx(expected[0], rel=1e-6)
    assert whole["loss"] == pytest.approx(loss.item(), rel=0.2)
    assert "skipped" not in whole
    assert skipped["skipped"] is True
    assert "problem" not in skipped


def test_a_parameter_that_the_loss_does_not_depend_on_gets_exactly_0_and_a_frozen_one_nothing(path):
    model = models.mlp().model
    model.unused = torch.nn.Parameter(torch.ones(3))
    model[0].weight.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with bptui.watch(model, optimizer, path):
        model[2](model[0](torch.randn(4, 6))).sum().backward()
        optimizer.step()
    header, (line,) = read(path)
    norms = dict(zip(header["layers"], line["grad_l2"], strict=True))
    assert norms["unused"] == 0
    assert norms["0.weight"] is None
    assert header["frozen"] == ["0.weight"]


# ── other numbers ───────────────────────────────────────────────────────────────────────────────────


def test_the_loss_is_what_backward_was_called_on_unless_the_loop_tells_it(path, tmp_path):
    training = models.accumulation()
    with bptui.watch(training.model, training.optimizer, path):
        training.update(lambda: None)
        training.update(lambda: None)
    header, lines = read(path)
    assert header["loss_from"] == "backward"
    assert all(0.5 < line["loss"] < 2.5 for line in lines)  # the three thirds together

    other = tmp_path / "told.jsonl"
    with bptui.watch(training.model, training.optimizer, other) as run:
        run.loss(torch.tensor(2.0))
        run.loss(4.0)
        training.update(lambda: None)
    header, (line,) = read(other)
    assert header["loss_from"] == "watch"
    assert line["loss"] == 3.0


def test_two_optimizers_have_each_their_own_log_and_loss(tmp_path):
    one, two = models.mlp(), models.mlp()
    with (
        bptui.watch(one.model, one.optimizer, tmp_path / "one.jsonl"),
        bptui.watch(two.model, two.optimizer, tmp_path / "two.jsonl"),
    ):
        one.optimizer.zero_grad()
        (one.model(torch.ones(1, 6)).sum() * 0 + 5.0).backward()
        one.optimizer.step()
        two.optimizer.zero_grad()
        (two.model(torch.ones(1, 6)).sum() * 0 + 7.0).backward()
        two.optimizer.step()
    assert [read(tmp_path / name)[1][0]["loss"] for name in ("one.jsonl", "two.jsonl")] == [5.0, 7.0]


def test_what_costs_more_is_logged_on_request(path):
    training = models.mlp()
    before: list[Any] = []
    with bptui.watch(
        training.model,
        training.optimizer,
        path,
        grad_max=True,
        grad_mean=True,
        update_ratio=True,
        activations=True,
    ):
        training.update(
            lambda: before.extend((p.grad.clone(), p.detach().clone()) for p in training.model.parameters())
        )
        after = [p.detach().clone() for p in training.model.parameters()]
    header, (line,) = read(path)
    gradients_before, weights = zip(*before, strict=True)
    assert line["grad_max"] == pytest.approx([float(g.abs().max()) for g in gradients_before], rel=1e-6)
    assert line["grad_mean"] == pytest.approx([float(g.abs().mean()) for g in gradients_before], rel=1e-6)
    ratios = [float((new - old).norm() / old.norm()) for new, old in zip(after, weights, strict=True)]
    assert line["update_ratio"] == pytest.approx(ratios, rel=1e-4)
    assert {"grad_max", "grad_mean", "update_ratio", "zero_fraction", "quiet_window"} <= set(header["fields"])


def test_zeros_and_silent_units_belong_to_the_weights_before_the_relu(path):
    nn = torch.nn
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        model[0].weight.zero_()
        model[0].bias.copy_(torch.tensor([1.0, -1.0, -1.0, 2.0]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with bptui.watch(model, optimizer, path, activations=True, quiet_window=2):
        for _ in range(3):
            model(torch.randn(5, 2)).sum().backward()
            optimizer.step()
    header, lines = read(path)
    assert [line["zero_fraction"] for line in lines] == [[0.5, None, None, None]] * 3
    assert [line["quiet_window"][0] for line in lines] == [0, 2, 2]  # silent only after two batches
    assert header["quiet_window"] == 2


def test_every_tenth_update_is_measured(path):
    training = models.mlp()
    with bptui.watch(training.model, training.optimizer, path, every=10):
        for _ in range(21):
            training.update(lambda: None)
    _, lines = read(path)
    assert [line["step"] for line in lines] == [0, 10, 20]


def test_what_is_not_finite_is_null_and_named_with_its_step(path):
    training = models.mlp()
    with bptui.watch(training.model, training.optimizer, path):
        training.update(lambda: None)
        training.update(lambda: training.model[0].weight.grad.fill_(torch.nan))
    _, (_, line) = read(path)
    assert line["grad_l2"][0] is None
    assert line["nonfinite"] == 1
    assert line["problem"] == "step 1: the gradient of 0.weight is not finite"


# ── never in the way ────────────────────────────────────────────────────────────────────────────────


def test_an_existing_log_stays_and_the_next_name_is_taken_in_one_line(path, capsys):
    training = models.mlp()
    for _ in range(3):
        with bptui.watch(training.model, training.optimizer, path):
            training.update(lambda: None)
    assert sorted(one.name for one in path.parent.iterdir()) == ["run-2.jsonl", "run-3.jsonl", "run.jsonl"]
    said = capsys.readouterr().err.splitlines()
    assert [
        line.endswith(f"this run is written to run-{number}.jsonl")
        for line, number in zip(said, (2, 3), strict=True)
    ]


def test_what_goes_wrong_is_told_once_and_the_training_goes_on(path, capsys, monkeypatch):
    training = models.mlp()

    def broken(*_: Any) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(gradients, "norms", broken)
    with bptui.watch(training.model, training.optimizer, path):
        before = training.model[0].weight.detach().clone()
        for _ in range(3):
            training.update(lambda: None)
    assert not torch.equal(before, training.model[0].weight)
    (line,) = capsys.readouterr().err.splitlines()
    assert "recording ends here (RuntimeError: no such kernel)" in line


def test_the_end_of_watching_leaves_torch_as_it_was(path):
    backward, clip, scale = (
        torch.autograd.backward,
        torch.nn.utils.clip_grad._clip_grads_with_norm_.__closure__[0].cell_contents,
        torch.amp.GradScaler.scale,
    )
    training = models.mlp()
    run = bptui.watch(training.model, training.optimizer, path, activations=True)
    assert torch.autograd.backward is not backward
    run.close()
    run.close()
    assert torch.autograd.backward is backward
    assert torch.nn.utils.clip_grad._clip_grads_with_norm_.__closure__[0].cell_contents is clip
    assert torch.amp.GradScaler.scale is scale
    assert not training.optimizer._optimizer_step_pre_hooks
    assert not any(module._forward_hooks for module in training.model.modules())


def test_other_ranks_write_nothing(path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    training = models.mlp()
    with bptui.watch(training.model, training.optimizer, path):
        training.update(lambda: None)
    assert not path.exists()


def test_a_compiled_model_has_no_graph_break_more_and_the_same_norms(path):
    training = models.mlp()
    compiled = torch.compile(training.model, backend="eager", fullgraph=True)  # raises at a graph break
    optimizer = training.optimizer
    X, Y = torch.randn(12, 6), torch.randint(0, 3, (12,))
    with bptui.watch(compiled, optimizer, path):
        torch.nn.functional.cross_entropy(compiled(X), Y).backward()
        expected = norms_of(training.model)
        optimizer.step()
    header, (line,) = read(path)
    assert header["layers"] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert line["grad_l2"] == pytest.approx(expected, rel=1e-6)
