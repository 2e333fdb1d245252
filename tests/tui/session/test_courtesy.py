"""A computing thread makes way while the event loop is busy, and only so long as patience lasts."""

import asyncio
import threading
import time

import pytest

from tui.session.courtesy import PATIENCE_SECONDS, courteous_loop, make_way, way_is_wanted

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="the loop of Windows has no selector")


def test_without_a_loop_nobody_has_to_make_way():
    assert not way_is_wanted()
    assert make_way()


def test_way_is_wanted_while_a_callback_runs_and_not_while_the_loop_waits():
    seen: dict[str, bool] = {}
    looked = threading.Event()

    def look_while_it_waits() -> None:
        seen["way was free"] = make_way()
        seen["while it waits"] = way_is_wanted()
        looked.set()

    async def main() -> None:
        seen["in a callback"] = way_is_wanted()
        threading.Thread(target=look_while_it_waits).start()
        while not looked.is_set():
            await asyncio.sleep(0.5)

    with asyncio.Runner(loop_factory=courteous_loop) as runner:
        runner.run(main())
    assert seen == {"in a callback": True, "way was free": True, "while it waits": False}


def test_a_loop_that_stays_busy_is_not_waited_for_for_ever():
    answer: list[bool] = []

    async def main() -> None:
        thread = threading.Thread(target=lambda: answer.append(make_way()))
        thread.start()
        time.sleep(4 * PATIENCE_SECONDS)
        thread.join()

    with asyncio.Runner(loop_factory=courteous_loop) as runner:
        runner.run(main())
    assert answer == [False]


def test_a_closed_loop_is_waited_for_no_more():
    async def main() -> None:
        pass

    with asyncio.Runner(loop_factory=courteous_loop) as runner:
        runner.run(main())
    assert not way_is_wanted()
