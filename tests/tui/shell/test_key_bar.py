"""The keys at the foot: all of them where there is room, and never without help and quit."""

from __future__ import annotations

import pytest

from tests.tui.driver import LARGE, SMALL, app_on, screen_text
from tui.app import BptuiApp

SCREENS = ("stepper", "gradients", "relu")


def foot(app: BptuiApp) -> str:
    return screen_text(app).split("\n")[-1].rstrip()


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_key_that_is_meant_for_the_footer_fits_80_columns(screen):
    app = app_on("tutorial-b")
    async with app.run_test(size=SMALL) as pilot:
        app.show(screen)
        await pilot.pause()
        await pilot.pause()
        shown = [one.binding for one in app.screen.active_bindings.values() if one.binding.show]
        assert shown
        for binding in shown:
            assert f"{app.get_key_display(binding)} {binding.description}" in foot(app)


@pytest.mark.parametrize("screen", SCREENS)
async def test_at_60_columns_help_and_quit_are_still_there(screen):
    app = app_on("tutorial-b")
    async with app.run_test(size=(60, 20)) as pilot:
        app.show(screen)
        await pilot.pause()
        await pilot.pause()
        assert foot(app).endswith("? Help q Quit")


async def test_keys_come_back_with_the_room():
    app = app_on("tutorial-b")
    async with app.run_test(size=LARGE) as pilot:
        await pilot.pause()
        wide = foot(app)
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        narrow = foot(app)
        await pilot.resize_terminal(*LARGE)
        await pilot.pause()
        assert len(narrow) < len(wide) == len(foot(app))
