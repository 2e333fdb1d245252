"""Find the bug: a hunt walked by keys alone; what is marked is told; seeds can be shared."""

from __future__ import annotations

from engine.practice.bug_hunt.bug_hunt import agree
from tests.tui.driver import LARGE, SMALL, app_on, press, screen_text, typed, until
from tui.practice.bug_hunt_screen import EXPERIMENTS, BugHuntScreen


async def opened(app, pilot) -> BugHuntScreen:
    await press(pilot, "B")
    await until(pilot, lambda: isinstance(app.screen, BugHuntScreen))
    return app.screen


def place_of_the_bug(screen: BugHuntScreen) -> int:
    """Where the one gradient that is sent wrongly stands in the list, found as a learner would: by its own check."""
    (place,) = [number for number, one in enumerate(screen.sent) if not one.agrees]
    return place


async def test_a_hunt_by_keys_alone():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        wrong = place_of_the_bug(screen)
        await press(pilot, *(["enter"] if wrong else []))  # the first of the list is as it should be
        assert screen.marks == (1 if wrong else 0)
        await press(pilot, "c")
        assert "wrong below the bug" in screen_text(app)
        await press(pilot, *["down"] * wrong, "enter")
        assert screen.found
        assert "✓ Found" in screen_text(app)
        assert screen.kept.progress.bugs == {f"{EXPERIMENTS[0]} 0": wrong == 0}
        await press(pilot, "f8")
        assert screen.seed == 1
        assert not screen.found
        await press(pilot, "escape")
        assert not isinstance(app.screen, BugHuntScreen)


async def test_what_was_marked_is_told_in_the_list_and_counts_once():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        wrong = place_of_the_bug(screen)
        right = next(place for place in range(len(screen.sent)) if place != wrong)
        await press(pilot, *["down"] * right, "enter", "enter")
        assert screen.marks == 1
        assert screen_text(app).count("as it should be") >= 1
        await press(pilot, "f6")
        assert "Given up: the bug is in" in screen_text(app)
        assert "← the bug" in screen_text(app)
        assert not any(screen.kept.progress.bugs.values())


async def test_the_check_shows_both_gradients_where_there_is_room():
    app = app_on()
    async with app.run_test(size=(200, 60)) as pilot:
        screen = await opened(app, pilot)
        await press(pilot, "c")
        assert "by central differences" in screen_text(app)
        for symbol, numeric in screen.hunt.central.items():
            wrong = symbol in screen.hunt.wrong_parameters
            assert agree(screen.hunt.gradient(screen.hunt.graph.nodes[symbol]), numeric) is not wrong


async def test_the_pass_and_all_hunts_can_be_had_as_csv():
    app = app_on()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot)
        await press(pilot, "f6")
        sent, hunts = (table.csv().splitlines() for table in screen.data_tables())
        assert sent[0] == "from,to,row,column,sent"
        assert len(sent) == 1 + sum(one.sent.size for one in screen.sent)
        assert hunts == ["experiment,seed,found_at_the_first_mark", f"{EXPERIMENTS[0]},0,0"]


async def test_nothing_tells_where_it_is_before_it_is_marked():
    app = app_on()
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(app, pilot)
        assert screen.hunt.bug.mistake.text not in screen_text(app)
        await press(pilot, "f6")
        assert screen.hunt.bug.mistake.text[:30] in screen_text(app)


async def test_a_seed_can_be_typed_and_gives_the_same_bug():
    app = app_on(ascii_only=True)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot)
        await press(pilot, "f10", *typed("13"), "enter")
        first = (screen.about, screen.hunt.told)
        await press(pilot, "f8", "f7")
        assert (screen.about, screen.hunt.told) == first
        assert screen.about == EXPERIMENTS[13 % len(EXPERIMENTS)]
