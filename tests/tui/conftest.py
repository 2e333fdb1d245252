"""What every test of the app starts from: no settings of whoever runs it, no animations, nobody's files.

The environment is cleaned here, at import, because Textual reads it when it is imported.
"""

from __future__ import annotations

import os
from pathlib import Path

for _name in list(os.environ):
    # The snapshot plug-in's own folder, which it has made before this file is read, must stay.
    if _name != "TEXTUAL_SNAPSHOT_TEMPDIR" and (
        _name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES")
        or _name.startswith(("BPTUI_", "TEXTUAL_"))
    ):
        del os.environ[_name]
os.environ["TEXTUAL_ANIMATIONS"] = "none"

import pytest  # noqa: E402
from textual import constants  # noqa: E402

# A plug-in of pytest may have imported Textual before the environment was clean.
constants.TEXTUAL_ANIMATIONS = "none"  # type: ignore[misc]


@pytest.fixture(autouse=True)
def _nobodys_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, recent files and crash reports go to a folder of this test's own."""
    for variable, folder in (
        ("HOME", "home"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
    ):
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / folder))
