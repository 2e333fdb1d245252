"""Who trains: the event loop while it waits, the thread where steps are long or slow or the loop is held up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.tui.trainings import PATIENCE, wait_for
from tui.session.courtesy import courteous_loop
from tui.session.worker import LONG_STEP_SECONDS, LONG_TURNS, STAND_IN_SECONDS, SURPRISE_SECONDS, Worker

in_a_loop = pytest.mark.skipif("sys.platform == 'win32'", reason="the loop of Windows has no selector")


class Steps:
    """Counts its steps by the thread that made them."""

    def __init__(self, seconds: float = 0.0, limit: int | None = None) -> None:
        self.seconds, self.limit = seconds, limit
        self.made: list[int] = []

    def __call__(self) -> bool:
        time.sleep(self.seconds)
        self.made.append(threading.get_ident())
        return self.limit is None or len(self.made) < self.limit

    @property
    def here(self) -> int:
        """Those that this thread made."""
        return self.made.count(threading.get_ident())


@pytest.fixture
def workers():
    made: list[Worker] = []

    def worker_on(advance: Callable[[], bool]) -> Worker:
        made.append(Worker(advance))
        return made[-1]

    yield worker_on
    for worker in made:
        worker.close()


def in_courteous_loop(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=courteous_loop) as runner:
        runner.run(main)


async def until(state: Callable[[], object]) -> None:
    """Lets the event loop wait until a state is reached."""
    async with asyncio.timeout(PATIENCE):
        while not state():
            await asyncio.sleep(0.01)


def test_without_such_a_loop_a_thread_makes_the_steps(workers):
    steps = Steps(limit=50)
    worker = workers(steps)
    worker.run()
    wait_for(lambda: not worker.running)
    assert len(steps.made) == 50
    assert steps.here == 0


@in_a_loop
def test_a_waiting_loop_makes_short_steps_itself(workers):
    steps = Steps(0.001, limit=200)
    worker = workers(steps)

    async def main() -> None:
        worker.run()
        await until(lambda: not worker.running)

    in_courteous_loop(main())
    assert len(steps.made) == 200
    assert steps.here > 100
    assert worker.steps_per_second == 0.0


@in_a_loop
def test_timers_are_on_time_while_the_loop_makes_steps(workers):
    worker = workers(Steps(0.0005))
    late: list[float] = []

    async def main() -> None:
        worker.run()
        for _ in range(20):
            begin = time.perf_counter()
            await asyncio.sleep(0.02)
            late.append(time.perf_counter() - begin - 0.02)

    in_courteous_loop(main())
    assert sorted(late)[10] < 0.01


@in_a_loop
def test_long_steps_are_never_the_loops(workers):
    steps = Steps(LONG_STEP_SECONDS)
    worker = workers(steps)

    async def main() -> None:
        worker.run()
        await until(lambda: len(steps.made) >= 10)
        worker.pause()

    in_courteous_loop(main())
    assert steps.here == 0


@in_a_loop
def test_the_loop_does_not_wait_for_long_steps_of_the_thread(workers):
    worker = workers(Steps(0.3))
    late: list[float] = []

    async def main() -> None:
        worker.run()
        for _ in range(10):
            begin = time.perf_counter()
            await asyncio.sleep(0.02)
            late.append(time.perf_counter() - begin - 0.02)

    in_courteous_loop(main())
    assert sorted(late)[5] < 0.1


@in_a_loop
def test_a_run_that_begins_again_may_have_other_steps(workers):
    """As with another network beside it."""
    steps = Steps()
    worker = workers(steps)

    async def main() -> None:
        worker.run()
        await until(lambda: steps.here)
        worker.pause()
        before = steps.here
        steps.seconds = 0.2
        worker.run()
        await asyncio.sleep(0.5)
        assert steps.here == before

    in_courteous_loop(main())


@in_a_loop
def test_after_one_very_long_step_the_thread_makes_all_others(workers):
    steps = Steps()
    worker = workers(steps)

    async def main() -> None:
        worker.run()
        await until(lambda: steps.here)
        steps.seconds = 2 * SURPRISE_SECONDS
        made = len(steps.made)
        await until(lambda: len(steps.made) >= made + 2)
        steps.seconds = 0.0
        await asyncio.sleep(0.1)
        before = steps.here
        await asyncio.sleep(0.2)
        assert steps.here == before

    in_courteous_loop(main())


@in_a_loop
def test_closing_one_leaves_another_alone(workers):
    one, other = Steps(), Steps()
    first, second = workers(one), workers(other)

    async def main() -> None:
        first.run()
        await asyncio.sleep(0.02)
        first.pause()
        second.run()
        await until(lambda: other.here)
        first.close()
        before = other.here
        await asyncio.sleep(0.05)
        assert other.here > before

    in_courteous_loop(main())


@in_a_loop
def test_steps_that_become_long_go_back_to_the_thread(workers):
    steps = Steps()
    worker = workers(steps)

    async def main() -> None:
        worker.run()
        await until(lambda: steps.here)
        steps.seconds = 2 * LONG_STEP_SECONDS
        before = steps.here
        made = len(steps.made)
        await until(lambda: len(steps.made) >= made + 10)
        worker.pause()
        assert steps.here <= before + LONG_TURNS + 1

    in_courteous_loop(main())


@in_a_loop
def test_slow_speeds_are_the_threads_and_the_loop_comes_back_to_full_speed(workers):
    steps = Steps()
    worker = workers(steps)

    async def main() -> None:
        worker.change_speed(100.0)
        worker.run()
        await until(lambda: len(steps.made) >= 3)
        assert steps.here == 0
        worker.change_speed(float("inf"))
        await until(lambda: steps.here >= 3)

    in_courteous_loop(main())


@in_a_loop
def test_the_thread_stands_in_for_a_loop_that_is_held_up(workers):
    """As a terminal that does not take what is written to it holds it up."""
    steps = Steps(0.001)
    worker = workers(steps)

    async def main() -> None:
        worker.run()
        await until(lambda: steps.here)
        before = len(steps.made)
        time.sleep(6 * STAND_IN_SECONDS)
        meanwhile = len(steps.made) - before
        assert meanwhile > 0.3 * 5 * STAND_IN_SECONDS / 0.001
        back = steps.here
        await until(lambda: steps.here != back)

    in_courteous_loop(main())


@in_a_loop
def test_a_paused_loop_waits_and_does_not_ask_again_and_again(workers):
    steps = Steps()
    worker = workers(steps)
    asked = 0

    async def main() -> None:
        nonlocal asked
        worker.run()
        await asyncio.sleep(0.02)
        worker.pause()
        made = len(steps.made)
        turn = worker._turn

        def counted() -> bool:
            nonlocal asked
            asked += 1
            return turn()

        asyncio.get_running_loop().when_idle(counted)
        await asyncio.sleep(0.1)
        assert len(steps.made) == made

    in_courteous_loop(main())
    assert 1 <= asked <= 3


@in_a_loop
def test_another_thread_looks_between_two_steps_of_the_loop(workers):
    under_way = threading.Event()
    seen: list[bool] = []

    def advance() -> bool:
        under_way.set()
        time.sleep(0.001)
        under_way.clear()
        return True

    worker = workers(advance)

    def look() -> None:
        for _ in range(20):
            with worker.between_steps():
                seen.append(under_way.is_set())

    async def main() -> None:
        worker.run()
        await asyncio.to_thread(look)

    in_courteous_loop(main())
    assert seen == [False] * 20


@in_a_loop
def test_what_goes_wrong_in_a_step_does_not_end_the_loop(workers):
    def advance() -> bool:
        raise MemoryError("no room")

    worker = workers(advance)

    async def main() -> None:
        worker.run()
        await until(lambda: not worker.running)

    in_courteous_loop(main())
    assert isinstance(worker.failure, MemoryError)


@in_a_loop
def test_after_closing_the_loop_has_nothing_to_do_until_it_runs_again(workers):
    steps = Steps()
    worker = workers(steps)

    async def main() -> None:
        worker.run()
        await asyncio.sleep(0.02)
        worker.close()
        made = len(steps.made)
        await asyncio.sleep(0.05)
        assert len(steps.made) == made
        worker.run()
        await asyncio.sleep(0.02)
        assert len(steps.made) > made

    in_courteous_loop(main())
