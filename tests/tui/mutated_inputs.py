"""Files that were right once and have been damaged at random, and what must be true of whoever reads them.

experiment, csv, run log, keys, recent files, progress ──bytes changed, cut out, doubled, put in──> read
        ──> what they still say, or one line on what is wrong; never an exception that nobody foresaw
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from tui.cli.main import cli
from tui.practice.learner_progress import ProgressFile
from tui.shell.user_settings import keys_path, recent_files, user_keys

EXPERIMENT = """title = "Two wines"
about = "What there is to see."
seed = 3
dtype = "float64"
[data]
kind = "inline"
X = [[1.0, 0.5, -1.2], [0.25, 1e-3, 2.0]]
Y = [[1, 0, 1]]
ones_row = true
[network]
bias = true
init = {scheme = "he", gain = 1.5}
[[network.layers]]
units = 3
activation = "leaky_relu"
slope = 0.05
residual = false
norm = "layer"
[[network.layers]]
units = 1
activation = "sigmoid"
b = [0.1]
frozen = ["b"]
[loss]
kind = "bce"
alpha = 2.0
[train]
optimizer = "adam"
learning_rate = 0.01
batch = 2
steps = 4
clip_norm = 1.0
"""
CSV_EXPERIMENT = """[data]
kind = "csv"
path = "wine.csv"
features = ["colour", "alcohol"]
label = "variety"
standardize = true
[network]
layers = [{units = 2, activation = "relu"}, {units = 1, activation = "sigmoid"}]
[loss]
kind = "bce"
"""
CSV = 'colour,alcohol,variety,"a, b"\n5.6,13.1,A,x\n3.1,12.2,B,"y ""z"""\n2.8,11.9,B,\n4.4,13.0,A,x\n'
KEYS = 'next = "l,right"\nhome.open = "x"\n[reading]\nclose = "escape"\n"previous" = \'h\'\n'

PROGRESS = """{"version": 1, "answered": {"A2.1": 1, "B1.3": 4}, "given_up": ["B2.1"], "points": 12.5, "streak": 2,
 "best_streak": 7, "mistakes": {"the slope of the ReLU is missing": 3}, "level": 1, "seed": 12,
 "bugs": {"xor 3": true}, "lessons": {"B1": "revealed"}, "tasks": {"C1": [0, 2]}}
"""

BITS = (
    b"\x00", b"\xff", b"\x1b]52;c;QQ==\x07", "\u202e".encode(), b"\xed\xa0\x80", b"\n", b"\r", b'"', b"'", b"[",
    b"]" * 9, b"{", b"}", b"=", b"#", b",", b".", b"-", b"nan", b"inf", b"1e999", b"9" * 40, b"0x", b"true", b"\\u0000",
    b"[[", b"]]",
    b"1979-05-27T07:32:00Z", b'"""', b"=\xc3", b"\xef\xbb\xbf", b"..", b"\\", b"null", b"NaN", b"\t", b"kind", b"units",
)  # fmt: skip
"""What is put in."""


def mutated(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to four changes."""
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        end = min(place + chance.choice((1, 1, 2, 8, 40)), len(data))
        match chance.randrange(6):
            case 0:
                data = data[:place] + chance.choice(BITS) + data[place:]
            case 1:
                data = data[:place] + data[end:]
            case 2:
                data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
            case 3:
                data = data[:end] + data[place:end] + data[end:]
            case 4:
                data = data[:place]
            case _:
                data = data[:place] + chance.choice(BITS) + data[end:]
    return data


class Inputs:
    """A folder with every kind of file, and for each kind how it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runner = CliRunner()
        (folder / "csv.toml").write_text(CSV_EXPERIMENT, "utf-8")
        plain = folder / "plain.toml"
        plain.write_text(EXPERIMENT, "utf-8")
        log = folder / "log.jsonl"
        assert self._run("train", str(plain), "--log", str(log)).exit_code == 0
        recent = recent_path()
        progress = ProgressFile(kept=False).path
        for path in (recent, keys_path(), progress):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.kinds: dict[str, tuple[bytes, Path, Callable[[Path], None]]] = {
            "experiment": (EXPERIMENT.encode(), folder / "lab.toml", self._grads),
            "csv": (CSV.encode(), folder / "wine.csv", lambda _: self._grads(folder / "csv.toml")),
            "run log": (log.read_bytes(), folder / "run.jsonl", self._report),
            "keys": (KEYS.encode(), keys_path(), self._keys),
            "recent files": (json.dumps([str(plain)] * 3).encode(), recent, self._recent),
            "progress": (PROGRESS.encode(), progress, self._progress),
        }

    def try_one(self, kind: str, chance: random.Random) -> None:
        """Damages a file of a kind and reads it. Raises AssertionError with what was in it."""
        good, path, read = self.kinds[kind]
        data = mutated(good, chance)
        path.write_bytes(data)
        try:
            read(path)
        except BaseException as error:
            raise AssertionError(f"{kind}: {error!r} from {data!r}") from error

    def _run(self, *arguments: str):
        return self._runner.invoke(cli, arguments, prog_name="bptui")

    def _read(self, *arguments: str) -> None:
        result = self._run(*arguments)
        assert result.exit_code in (0, 1, 2), result.output
        assert "this should not have happened" not in result.stderr, result.stderr
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        if result.exit_code == 2:
            assert result.stdout == ""
            assert result.stderr.startswith("bptui: ")
            assert result.stderr.removesuffix("\n").isprintable(), result.stderr

    def _grads(self, path: Path) -> None:
        self._read("grads", str(path))

    def _report(self, path: Path) -> None:
        self._read("report", str(path))

    def _keys(self, _: Path) -> None:
        keys, problem = user_keys(("next", "previous", "home.open", "reading.close"))
        assert all(isinstance(one, str) for one in keys.values())
        assert problem is None or problem.isprintable()

    def _progress(self, path: Path) -> None:
        damaged = path.read_bytes()
        kept = ProgressFile()
        problem = kept.take_problem()
        aside = path.with_name("practice.damaged-1.json")
        assert (problem is None) == path.exists() == (not aside.exists())
        assert problem is None or aside.read_bytes() == damaged
        aside.unlink(missing_ok=True)
        kept.progress.right("one more", 1.0, 1)
        kept.progress.wrong(["sign"])
        assert kept.progress.most_mistaken()
        kept.save()
        assert kept.take_problem() is None
        assert ProgressFile().progress == kept.progress

    def _recent(self, _: Path) -> None:
        assert all(isinstance(name, str) for name in recent_files())


def recent_path() -> Path:
    """Where the recent files are kept."""
    from platformdirs import user_state_path

    return user_state_path("bptui", appauthor=False) / "recent.json"
