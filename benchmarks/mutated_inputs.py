"""Files of every kind, damaged at random, and read: experiments, csv, run logs, keys, recent files.

    python -m benchmarks.mutated_inputs [--count 10000] [--seed 20261125]

Counted is every one that was met with anything but what it still says, or one line on what is wrong with it. The same
seed damages them in the same way; a failure tells the kind, and what was in the file.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="of all kinds together")
    parser.add_argument("--seed", type=int, default=20261125)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            os.environ[variable] = folder
        from tests.tui.mutated_inputs import Inputs

        inputs, began, failures = Inputs(Path(folder)), time.monotonic(), 0
        each = given.count // len(inputs.kinds)
        for kind in inputs.kinds:
            bad = 0
            for place in range(each):
                try:
                    inputs.try_one(kind, random.Random(f"{given.seed} {kind} {place}"))
                except AssertionError as error:
                    print(f"  {place}: {error}"[:2000])
                    bad += 1
            print(f"{kind:<14}{each:>7}{bad:>6} not as they should be", flush=True)
            failures += bad
        print(
            f"{each * len(inputs.kinds)} damaged files, {failures} failures, in {time.monotonic() - began:.0f} s"
        )
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
