"""Opening a long log: 500 parameters, 100,000 steps, `grad_l2` alone (740 MB).

    python -m benchmarks.big_log

Contract: the first picture, from sampled lines, in less than 2 seconds; every line behind it; less than 300 MB; keys
show as soon as elsewhere (p95 at most 50 ms), also while the lines are still being read.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

PARAMETERS, STEPS, KEYS = 500, 100_000, 60


def write(path: Path) -> None:
    import numpy as np

    random = np.random.default_rng(0)
    rows = [
        ",".join(f"{value:.9g}" for value in 10.0 ** random.uniform(-6, -2, PARAMETERS)) for _ in range(50)
    ]
    names = [f"layers.{number // 4}.{'qkvo'[number % 4]}.weight" for number in range(PARAMETERS)]
    header = {"format": "bptui run log", "schema": "1.1", "layers": names, "fields": ["loss", "grad_l2"]}
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(header) + "\n")
        for step in range(STEPS):
            file.write(f'{{"step":{step},"loss":{2.5 - step * 1e-5:.9g},"grad_l2":[{rows[step % 50]}]}}\n')


def key_to_screen(path: Path) -> None:
    """Times arrow keys in `bptui watch`, from the first picture on, while the lines are read behind it."""
    from benchmarks.interface import latencies, percentile

    command = [sys.executable, "-m", "bptui", "watch", str(path)]
    times = latencies(command, b"of 500", b" ", "layer {} of 500", KEYS, PARAMETERS)
    print(f"key to screen          {percentile(times, 0.5):8.0f} ms, p95 {percentile(times, 0.95):.0f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        write(path)
        print(f"the log                {path.stat().st_size / 1e6:8.0f} MB")
        began = time.perf_counter()
        from engine.runs.followed_run import FollowedRun

        run = FollowedRun(path)
        print(f"first {len(run.history)} steps drawn{time.perf_counter() - began:12.2f} s")
        while run.reading:
            run.poll()
            time.sleep(0.05)
        print(f"every line             {time.perf_counter() - began:8.1f} s")
        assert run.history.steps_seen == STEPS
        run.close()
        key_to_screen(path)
    if sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
            2**20 if sys.platform == "darwin" else 1024
        )
        print(f"memory at its highest  {peak:8.0f} MB")


if __name__ == "__main__":
    main()
