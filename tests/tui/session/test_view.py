"""An experiment opens with what its [view] says."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.experiment.errors import ExperimentError
from tests.engine.experiment_texts import EXAMPLE
from tui.session.network_session import NetworkSession, first_screen


def opened(folder: Path, view: str) -> NetworkSession:
    path = folder / "lab.toml"
    path.write_text(f"{EXAMPLE}\n[view]\n{view}\n", encoding="utf-8")
    return NetworkSession.open(str(path))


def test_target_and_screen_are_the_file_s(tmp_path: Path):
    session = opened(tmp_path, 'screen = "gradients"\ntarget = "W[2][1,0]"')
    assert first_screen(session) == "gradients"
    assert session.first_target().plain() == "W[2][1,0]"


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ('target = "W[9][0,0]"', "there is no W[9] in this network"),
        ("step = 99", "view.step: found 99; expected at most"),
    ],
)
def test_what_the_network_does_not_have_is_refused_in_one_line(tmp_path: Path, view: str, problem: str):
    with pytest.raises(ExperimentError, match="view") as caught:
        opened(tmp_path, view)
    assert problem in str(caught.value)
