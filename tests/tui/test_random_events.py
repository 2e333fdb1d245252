"""Random events on every screen: `python -m benchmarks.random_events` sends twenty thousand."""

from __future__ import annotations

from tests.tui.random_events import RandomEvents

SEED, COUNT = 20261125, 300


async def test_no_sequence_of_events_breaks_the_app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # it may save files
    sent = RandomEvents(SEED, COUNT)
    await sent.run()
    assert len(sent.screens) >= 5
