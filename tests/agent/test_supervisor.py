"""Kept alive: back-off on the monotonic clock, one line of log at a loss and one at the return."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import TimedOut, Unreachable
from edge_agent.supervisor import FIRST, LONGEST, STEADY, WAITED, State, Supervisor, delay
from tests.support.manual_clock import ManualClock


class _Device:
    """A task whose next end the test decides."""

    def __init__(self) -> None:
        self.starts = 0
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._started = asyncio.Event()

    async def run(self) -> None:
        self.starts += 1
        self._end = asyncio.get_running_loop().create_future()
        self._started.set()
        await self._end

    async def started(self) -> None:
        await asyncio.wait_for(self._started.wait(), 5)
        self._started.clear()

    def end(self, error: Exception | None = None) -> None:
        if error is None:
            self._end.set_result(None)
        else:
            self._end.set_exception(error)


class _Case:
    def __init__(self, *, strict: bool = False) -> None:
        self.clock = ManualClock()
        self.supervisor = Supervisor(self.clock, Random(7), strict=strict)
        self.device = _Device()
        self.states: list[State] = []
        self.task = asyncio.ensure_future(self.supervisor.keep("press", self.device.run, self.states.append))

    async def lose(self, error: Exception | None) -> float:
        """End the running task; returns the pause before the next try, and lets it pass."""
        await self.device.started()
        self.device.end(error)
        (due,) = await asyncio.wait_for(self.clock.sleeping(), 5)
        pause = due - self.clock.monotonic()
        self.clock.advance(pause)
        return pause


@pytest.fixture
async def case() -> AsyncIterator[_Case]:
    case = _Case()
    yield case
    case.task.cancel()
    await asyncio.gather(case.task, return_exceptions=True)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


async def test_a_lost_device_is_tried_again_with_growing_pauses(
    case: _Case, log: pytest.LogCaptureFixture
) -> None:
    pauses = [await case.lose(Unreachable("nobody answers")) for _ in range(8)]
    await case.device.started()
    assert case.device.starts == 9
    assert pauses[0] <= FIRST < pauses[3] < LONGEST
    assert all(LONGEST / 2 <= pause <= LONGEST for pause in pauses[5:])
    assert case.states[0] == State("starting")
    assert case.states[1:] == [State("lost", "nobody answers", n) for n in range(1, 9)]
    assert log.messages == ["task.lost"]


async def test_the_first_sign_of_life_ends_the_loss_and_some_seconds_of_it_the_back_off(
    case: _Case, log: pytest.LogCaptureFixture
) -> None:
    for _ in range(6):
        await case.lose(Unreachable("cable"))
    await case.device.started()
    case.supervisor.alive("press")
    case.supervisor.alive("press")
    assert case.states[-1] == State("online")
    assert case.states.count(State("online")) == 1
    case.clock.advance(STEADY)
    case.device.end(TimedOut("slow"))
    (due,) = await case.clock.sleeping()
    assert due - case.clock.monotonic() <= FIRST
    assert case.states[-1] == State("lost", "slow", 1)
    assert log.messages == ["task.lost", "task.back", "task.lost"]


@pytest.mark.parametrize("stays", [0.0, WAITED, STEADY - 0.1])
async def test_what_is_there_for_a_moment_again_and_again_is_tried_later_each_time(
    case: _Case, stays: float
) -> None:
    pauses = []
    for _ in range(9):
        await case.device.started()
        case.supervisor.alive("press")
        case.clock.advance(stays)
        case.device.end(Unreachable("it closed the connection"))
        (due,) = await asyncio.wait_for(case.clock.sleeping(), 5)
        pauses.append(due - case.clock.monotonic())
        case.clock.advance(pauses[-1])
    assert pauses[0] <= FIRST < pauses[3] < LONGEST
    assert all(LONGEST / 2 <= pause <= LONGEST for pause in pauses[5:])
    assert [state.tries for state in case.states if state.phase == "lost"] == list(range(1, 10))


async def test_a_wall_clock_that_jumps_changes_nothing(case: _Case) -> None:
    await case.device.started()
    case.device.end(Unreachable("cable"))
    await case.clock.sleeping()
    case.clock.step_wall(-365 * 86_400)
    case.clock.advance(FIRST)
    await case.device.started()


async def test_a_bug_is_logged_counted_and_survived(case: _Case, log: pytest.LogCaptureFixture) -> None:
    await case.lose(KeyError("typo"))
    await case.device.started()
    assert case.supervisor.bugs == {"press": 1}
    assert log.messages == ["task.bug", "task.lost"]
    assert log.records[0].exc_info
    assert "Internal error" in case.states[-1].reason


async def test_a_task_that_returns_is_started_again(case: _Case) -> None:
    await case.lose(None)
    await case.device.started()
    assert case.states[-1] == State("lost", "It ended by itself.", 1)


async def test_strict_lets_a_bug_out() -> None:
    case = _Case(strict=True)
    await case.device.started()
    case.device.end(KeyError("typo"))
    with pytest.raises(KeyError, match="typo"):
        await case.task


async def test_cancel_ends_it_and_frees_the_name(case: _Case) -> None:
    await case.device.started()
    with pytest.raises(ValueError, match="kept alive already"):
        await case.supervisor.keep("press", case.device.run, case.states.append)
    case.task.cancel()
    await asyncio.gather(case.task, return_exceptions=True)
    assert case.task.cancelled()
    case.supervisor.alive("press")
    case.task = asyncio.ensure_future(case.supervisor.keep("press", case.device.run, case.states.append))
    await case.device.started()


async def test_a_bug_in_one_piece_of_work_is_counted_and_logged_until_it_changes(
    log: pytest.LogCaptureFixture,
) -> None:
    supervisor = Supervisor(ManualClock(), Random(7))
    ends: list[Exception | None] = [KeyError("a"), KeyError("a"), KeyError("b"), None, KeyError("b")]

    async def work() -> None:
        if end := ends.pop(0):
            raise end

    went_well = [await supervisor.attempt("scan", work) for _ in range(5)]
    assert went_well == [False, False, False, True, False]
    assert supervisor.bugs == {"scan": 4}
    assert log.messages == ["work.bug"] * 3


async def test_strict_lets_a_bug_in_a_piece_of_work_out() -> None:
    async def work() -> None:
        raise KeyError("typo")

    with pytest.raises(KeyError, match="typo"):
        await Supervisor(ManualClock(), Random(7), strict=True).attempt("scan", work)


@given(st.integers(1, 10_000), st.integers())
def test_a_pause_is_never_long_and_never_nothing(tries: int, seed: int) -> None:
    assert FIRST / 2 <= delay(tries, Random(seed)) <= LONGEST


@pytest.mark.parametrize("took", [LONGEST, WAITED], ids=["longer than the pause", "shorter than the pause"])
async def test_the_time_that_a_try_took_counts_as_waited(took: float) -> None:
    case = _Case()
    for _ in range(5):
        await case.lose(TimedOut("no answer"))
    await case.device.started()
    case.clock.advance(took)
    case.device.end(TimedOut("no answer"))
    (due,) = await asyncio.wait_for(case.clock.sleeping(), 5)
    assert due - case.clock.monotonic() == pytest.approx(FIRST)
    case.task.cancel()
    await asyncio.gather(case.task, return_exceptions=True)
