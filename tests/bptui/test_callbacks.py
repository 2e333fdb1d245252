"""The callbacks for Lightning and Hugging Face: with the real trainers where they are installed, else as they call.

Lightning hands its closure to the optimizer; Hugging Face's optimizer is wrapped by Accelerate. Both sequences here are
those of the trainers of `pyproject.toml`'s extra "fixtures".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install '.[torch]')")

import bptui  # noqa: E402


def lines_of(path: Path) -> tuple[dict, list[dict]]:
    header, *lines = (json.loads(line) for line in path.read_text().splitlines())
    return header, lines


def net() -> torch.nn.Module:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Sigmoid(), torch.nn.Linear(8, 1))


def batches(count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    torch.manual_seed(5)
    return [(torch.randn(16, 4), torch.randn(16, 1)) for _ in range(count)]


def norms(model: torch.nn.Module) -> list[float]:
    return [float(torch.linalg.vector_norm(one.grad)) for one in model.parameters()]


def test_lightnings_calls_are_recorded_after_their_closure(tmp_path):
    model, expected = net(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    callback = bptui.LightningCallback(str(tmp_path / "run.jsonl"))
    trainer = SimpleNamespace(optimizers=[optimizer])
    callback.on_train_start(trainer, model)
    for inputs, targets in batches(3):

        def closure(inputs=inputs, targets=targets):
            loss = ((model(inputs) - targets) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            expected.append(norms(model))
            return loss

        optimizer.step(closure)
    callback.on_train_end(trainer, model)
    header, lines = lines_of(tmp_path / "run.jsonl")
    assert header["layers"] == [name for name, _ in model.named_parameters()]
    assert [line["grad_l2"] for line in lines] == [pytest.approx(one, rel=1e-6) for one in expected]


def test_every_optimizer_of_lightning_has_its_log_and_an_exception_closes_them(tmp_path):
    model = net()
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1), torch.optim.Adam(model.parameters())]
    callback = bptui.LightningCallback(str(tmp_path / "run.jsonl"))
    callback.on_train_start(SimpleNamespace(optimizers=optimizers), model)
    model(torch.ones(2, 4)).sum().backward()
    for optimizer in optimizers:
        optimizer.step()
    callback.on_exception(None, model, RuntimeError("stopped"))
    for optimizer in optimizers:
        optimizer.step()  # no longer watched
    assert len(lines_of(tmp_path / "run.jsonl")[1]) == 1
    assert len(lines_of(tmp_path / "run-optimizer-2.jsonl")[1]) == 1


def test_hugging_faces_calls_are_recorded_through_accelerates_wrapper(tmp_path):
    model, expected = net(), []
    inner = torch.optim.AdamW(model.parameters(), lr=0.01)
    wrapped = SimpleNamespace(optimizer=inner)
    callback = bptui.TrainerCallback(str(tmp_path / "run.jsonl"))
    callback.on_train_begin(None, None, None, model=model, optimizer=wrapped, lr_scheduler=None)
    for inputs, targets in batches(3):
        ((model(inputs) - targets) ** 2).mean().backward()
        expected.append(norms(model))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
        inner.step()
        inner.zero_grad()
    callback.on_train_end(None, None, None)
    _, lines = lines_of(tmp_path / "run.jsonl")
    assert [line["grad_l2"] for line in lines] == [pytest.approx(one, rel=1e-5) for one in expected]
    assert all(line["clipped"] < 1 for line in lines)


@pytest.mark.filterwarnings("ignore")  # its own, about PyTorch
def test_lightnings_real_trainer_is_recorded(tmp_path, monkeypatch):
    lightning = pytest.importorskip("lightning", reason="Lightning is not installed (the extra 'fixtures')")
    from torch.utils.data import DataLoader, TensorDataset

    monkeypatch.delitem(sys.modules, "bptui.lightning_callback", raising=False)
    monkeypatch.chdir(tmp_path)

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = net()

        def training_step(self, batch, index):
            inputs, targets = batch
            return ((self.net(inputs) - targets) ** 2).mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    trainer = lightning.Trainer(
        max_epochs=3,
        callbacks=[bptui.LightningCallback("run.jsonl")],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        gradient_clip_val=0.05,
        accumulate_grad_batches=2,
    )
    data = TensorDataset(torch.randn(64, 4), torch.randn(64, 1))
    trainer.fit(Module(), DataLoader(data, batch_size=16))
    header, lines = lines_of(tmp_path / "run.jsonl")
    assert header["measured"] == "before clipping"
    assert header["layers"][0] == "net.0.weight"
    assert [line["step"] for line in lines] == list(range(6))
    assert all(line["clipped"] < 1 for line in lines)


@pytest.mark.filterwarnings("ignore")  # its own
def test_hugging_faces_real_trainer_is_recorded(tmp_path, monkeypatch):
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed (the extra 'fixtures')"
    )
    pytest.importorskip("accelerate", reason="accelerate is not installed (the extra 'fixtures')")
    monkeypatch.delitem(sys.modules, "bptui.trainer_callback", raising=False)
    monkeypatch.chdir(tmp_path)

    class Model(transformers.PreTrainedModel):
        config_class = transformers.PretrainedConfig

        def __init__(self, config):
            super().__init__(config)
            self.net = net()
            self.post_init()

        def _init_weights(self, module):
            pass

        def forward(self, x=None, labels=None, **rest):
            found = self.net(x)
            return {"loss": ((found - labels) ** 2).mean(), "logits": found}

    arguments = transformers.TrainingArguments(
        "out",
        num_train_epochs=3,
        per_device_train_batch_size=16,
        report_to=[],
        use_cpu=True,
        max_grad_norm=0.05,
        gradient_accumulation_steps=2,
        save_strategy="no",
        disable_tqdm=True,
    )
    data = [{"x": torch.randn(4), "labels": torch.randn(1)} for _ in range(64)]
    callback = bptui.TrainerCallback("run.jsonl")
    transformers.Trainer(
        Model(transformers.PretrainedConfig()), arguments, train_dataset=data, callbacks=[callback]
    ).train()
    _, lines = lines_of(tmp_path / "run.jsonl")
    assert [line["step"] for line in lines] == list(range(6))
    assert all(line["clipped"] < 1 for line in lines)
