"""Random events on every screen of the app, driven without a terminal: keys, text, pastes, mouse, windows.

    python -m benchmarks.random_events [--count 20000] [--seed 20261125] [--batch 1000]

A batch that breaks the app is told with its seed and the last events; `--seed THAT --count BATCH` sends them again.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import traceback
from collections import Counter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=20261125)
    parser.add_argument("--batch", type=int, default=1000, help="events from one seed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            os.environ[variable] = folder
        os.environ["TEXTUAL_ANIMATIONS"] = "none"
        os.chdir(folder)  # it may save files
        from tests.tui.random_events import RandomEvents

        screens: Counter[str] = Counter()
        began, sent, failures = time.monotonic(), 0, 0
        for seed in range(given.seed, given.seed + max(given.count // given.batch, 1)):
            batch = RandomEvents(seed, min(given.batch, given.count))
            try:
                asyncio.run(batch.run())
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                traceback.print_exception(error, file=sys.stdout)
                print(f"  seed {seed}: {error!r} after {batch.done[-40:]}")
                failures += 1
            sent += batch.count
            screens += batch.screens
            print(f"{sent} events, {failures} failures, {time.monotonic() - began:.0f} s", flush=True)
    for name, count in screens.most_common():
        print(f"{name:<20}{count:>8}")
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
