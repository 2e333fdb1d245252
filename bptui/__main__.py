"""The `bptui` command, from wherever it is called: its own `engine` and `tui`, not those of the folder one works in.

Many training folders hold an `engine.py`, and `python -m bptui` puts the present folder first. What stands beside this
package is put before it. (In your own program it is the other way round: `import bptui` loads neither of the two,
so your `engine.py` beside your script wins.)
"""

from __future__ import annotations

import os  # and no pathlib: an interrupt while that is read would be told with a traceback
import sys


def main() -> None:
    """Runs the `bptui` command and exits with its status."""
    home = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if sys.path[:1] != [home]:
        sys.path.insert(0, home)
    from tui.__main__ import main as command

    command()


if __name__ == "__main__":
    main()
