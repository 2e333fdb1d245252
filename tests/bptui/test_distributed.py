"""Two processes on this machine, over gloo: DDP's averaged gradients, FSDP2's shards and their sum."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="recording real trainings needs torch (pip install bptui[torch])")
pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or not torch.distributed.is_available(), reason="needs gloo"
)

RANKS = 2


def model() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))


def loss_of(net: Any, rows: slice) -> Any:
    torch.manual_seed(1)
    X, Y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    return torch.nn.functional.cross_entropy(net(X[rows]), Y[rows])


def work(rank: int, folder: str, kind: str) -> None:
    """One rank: half of the batch, one update, watched."""
    import bptui

    store = torch.distributed.FileStore(f"{folder}/store", RANKS)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=RANKS)
    net = model()
    if kind == "ddp":
        net = torch.nn.parallel.DistributedDataParallel(net)
    else:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        fully_shard(net, mesh=init_device_mesh("cpu", (RANKS,)))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with bptui.watch(net, optimizer, f"{folder}/run.jsonl", reduce=kind == "reduced"):
        loss_of(net, slice(4 * rank, 4 * rank + 4)).backward()
        optimizer.step()
    torch.distributed.destroy_process_group()


def run(folder: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    torch.multiprocessing.spawn(work, (str(folder), kind), nprocs=RANKS)
    assert [path.name for path in folder.glob("*.jsonl")] == ["run.jsonl"]
    header, line = map(json.loads, (folder / "run.jsonl").read_text("utf-8").splitlines())
    return header, line


def whole_batch() -> list[float]:
    """The norms in one process, of the mean over the two halves."""
    net = model()
    loss_of(net, slice(None)).backward()
    return [float(parameter.grad.double().norm()) for parameter in net.parameters()]


def test_ddp_is_measured_after_its_gradients_are_averaged_by_rank_0(tmp_path):
    header, line = run(tmp_path, "ddp")
    assert header["layers"] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert line["grad_l2"] == pytest.approx(whole_batch(), rel=1e-5)
    assert "shard" not in header


def test_fsdp2_norms_are_of_the_ranks_shard_and_marked(tmp_path):
    header, line = run(tmp_path, "shard")
    assert header["shard"] is True
    assert all(shard <= whole * 1.0001 for shard, whole in zip(line["grad_l2"], whole_batch(), strict=True))


def test_fsdp2_norms_are_summed_on_request(tmp_path):
    header, line = run(tmp_path, "reduced")
    assert "shard" not in header
    assert line["grad_l2"] == pytest.approx(whole_batch(), rel=1e-5)
