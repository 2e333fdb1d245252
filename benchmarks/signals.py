"""Every signal at random moments, on the app, on a training in it, on a log that is watched and on `bptui train`.

    python -m benchmarks.signals [--moments 10] [--seed 20261125]

Each session is stopped by SIGTSTP and by SIGSTOP, goes on by SIGCONT, and is ended by SIGTERM, SIGHUP or SIGINT, each
at a random moment. Counted is what is not as it should be: the terminal given back (raw mode, full screen, mouse,
cursor), the run log whole, the exit status 128 + the signal. The same seed gives the same moments. Linux only.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.tui.signal_situations import ENDING, SITUATIONS, home_environment, try_all


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=10, help="sessions for each program and signal")
    parser.add_argument("--seed", type=int, default=20261125)
    given = parser.parse_args()
    began, failures, sessions = time.monotonic(), 0, 0
    print(f"{'program':<10}{'ended by':<10}{'sessions':>9}{'as it should be':>17}")
    for situation in SITUATIONS:
        for number in ENDING:
            good = 0
            for place in range(given.moments):
                moment = random.Random(f"{given.seed} {situation.name} {number} {place}")
                with tempfile.TemporaryDirectory() as folder:
                    home = dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), folder)
                    try:
                        try_all(
                            situation, number, moment, Path(folder) / "here", {**home_environment(), **home}
                        )
                        good += 1
                    except Exception as error:
                        print(f"  session {place}: {error}")
            print(f"{situation.name:<10}{number.name:<10}{given.moments:>9}{good:>17}", flush=True)
            sessions += given.moments
            failures += given.moments - good
    print(f"{sessions} sessions, {3 * sessions} signals, {failures} not as it should be, "
          f"in {time.monotonic() - began:.0f} s")  # fmt: skip
    raise SystemExit(bool(failures))


if __name__ == "__main__":
    main()
