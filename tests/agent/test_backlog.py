"""What waits while the disk refuses: bounded, without a part left out, and the time left out is NO DATA."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as some

from device_drivers.contract import DataValue, StatusCode
from edge_agent import bookkeeping
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus
from edge_agent.machines.backlog import fewer_steps, fewer_turns
from edge_agent.machines.equipment import Equipment
from edge_agent.machines.ledger import Evidence, Reading, Step, read
from edge_agent.machines.stops import NO_DATA, Span, Stop
from edge_agent.store import Connection, Store, StoreError, ledger
from edge_agent.store.stops import spans
from tests.support.manual_clock import ManualClock

T = TypeVar("T")
BEGAN = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def steps_of(readings: list[tuple[int, int]]) -> list[Step]:
    """A counter read after so many seconds, each time so many parts on (or set back)."""
    at, value, standing, steps = BEGAN, 1000, None, []
    for seconds, parts in readings:
        at, value = at + timedelta(seconds=seconds), max(0, value + parts)
        step = read(standing, Reading(value, at), 2**16)
        standing = step.standing
        steps.append(step)
    return steps


def doubts(steps: list[Step]) -> dict[Evidence, int]:
    causes = (Evidence.RESET, Evidence.JUMP)
    return {cause: sum(step.doubtful for step in steps if step.evidence is cause) for cause in causes}


@given(some.lists(some.tuples(some.integers(0, 90), some.integers(-900, 900)), min_size=1, max_size=200))
def test_no_part_is_left_out_whatever_the_counter_did(readings: list[tuple[int, int]]) -> None:
    steps = steps_of(readings)
    fewer, _ = fewer_steps(steps, 16)
    assert len(fewer) <= 16
    assert sum(step.parts for step in fewer) == sum(step.parts for step in steps)
    assert doubts(fewer) == doubts(steps)
    assert fewer[-1].standing == steps[-1].standing
    assert min(step.began for step in fewer) == min(step.began for step in steps)


def test_readings_of_one_minute_become_one_and_no_minute_is_lost() -> None:
    steps = steps_of([(0, 0)] + [(1, 2)] * 119)
    fewer, lost = fewer_steps(steps, 16)
    assert (len(fewer), lost) == (2, 0)
    assert [step.parts for step in fewer] == [118, 120]


def changes(number: int) -> list[tuple[str, Span | Stop]]:
    """A machine that runs and stands by turns, a minute each, with a stop for each time."""
    turns: list[tuple[str, Span | Stop]] = []
    for n in range(number):
        at, then = BEGAN + timedelta(minutes=n), BEGAN + timedelta(minutes=n + 1)
        state = "ABORTED" if n % 2 else "EXECUTE"
        turns += [("M", Span(state, at)), ("M", Span(state, at, ended=then))]
        if n % 2:
            turns += [("M", Stop(f"s{n}", at, state)), ("M", Stop(f"s{n}", at, state, ended=then))]
    return turns


def test_each_state_is_kept_once_before_any_is_left_out() -> None:
    turns = changes(10)
    fewer, gaps = fewer_turns(turns, 64)
    assert gaps == []
    assert [turn for turn in fewer if isinstance(turn[1], Span)] == [("M", s) for _, s in turns[1:] if _closed(s)]


def _closed(turn: Span | Stop) -> bool:
    return isinstance(turn, Span) and turn.ended is not None


@given(some.integers(0, 300))
def test_the_time_that_is_left_out_is_no_data_and_no_moment_is_missing(number: int) -> None:
    fewer, gaps = fewer_turns(changes(number), 32)
    assert len(fewer) <= 32
    times = sorted((turn.began, turn.ended) for _, turn in fewer if isinstance(turn, Span))
    assert all(ended == began for (_, ended), (began, _) in pairwise(times))
    assert not times or (times[0][0], times[-1][1]) == (BEGAN, BEGAN + timedelta(minutes=number))
    unknown = [turn for _, turn in fewer if isinstance(turn, Span) and turn.state == NO_DATA]
    assert [(span.began, span.ended) for span in unknown] == [(gap.began, gap.ended) for gap in gaps]


class Press:
    """A machine with a counter and a state, its books, and a disk that can refuse."""

    def __init__(self, store: Store, books: Bookkeeper, clock: ManualClock) -> None:
        self.books, self.store, self.clock = books, store, clock
        self.machine = Equipment(
            id="M", device="d", count="n", count_width=16, state="s", states={"1": "EXECUTE", "2": "ABORTED"}
        )

    def says(self, item: str, number: int) -> None:
        value = DataValue(item, number, StatusCode.GOOD, self.clock.now())
        self.machine.take(value)
        self.books.observe(self.machine, value)


async def test_a_disk_that_refuses_for_long_costs_no_part_and_says_what_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bookkeeping, "_MOST_STEPS", 16)
    monkeypatch.setattr(bookkeeping, "_MOST_TURNS", 16)
    clock = ManualClock()
    store = await Store.open(tmp_path / "journal.db", "pc-1", clock)
    press = Press(store, await Bookkeeper.open(store, clock, Bus(), 3600), clock)
    press.says("n", 0)
    press.says("s", 1)
    await press.books.flush()

    async def refuses(fn: Callable[[Connection], T]) -> T:
        raise StoreError("full")

    whole, began = store.write, clock.now()
    monkeypatch.setattr(store, "write", refuses)
    for minute in range(1, 121):
        clock.advance(60)
        press.says("n", minute)
        press.says("s", 1 + minute % 2)
        await press.books.flush()
        assert len(press.books._steps["M"]) <= 20  # what was offered when it began, and the bound
        assert len(press.books._turns) <= 20
        assert press.books.tally("M").counted == minute
    monkeypatch.setattr(store, "write", whole)
    await press.books.flush()

    assert (await store.read(ledger.tallies))["M"].counted == 120
    assert await _states(store, began, clock.now())
    assert {"books.states_left_out", "books.minutes_lost"} <= {record.message for record in caplog.records}
    await store.close()


async def test_until_when_a_machine_was_seen_is_written_with_the_last_flush(tmp_path: Path) -> None:
    clock = ManualClock()
    store = await Store.open(tmp_path / "journal.db", "pc-1", clock)
    press = Press(store, await Bookkeeper.open(store, clock, Bus(), 3600), clock)
    press.says("s", 2)
    await press.books.flush()
    clock.advance(7)
    ended = clock.now()
    await press.books.end()
    await Bookkeeper.open(store, clock, Bus(), 3600)
    kept = await store.read(lambda conn: spans(conn, "M", ended - timedelta(hours=1), ended + timedelta(hours=1)))
    assert [(span.state, span.ended) for span in kept][:1] == [("ABORTED", ended)]
    await store.close()


async def _states(store: Store, began: datetime, ended: datetime) -> bool:
    """Whether the states on disk follow each other without a hole, and one of them is NO DATA."""
    kept = await store.read(lambda conn: spans(conn, "M", began, ended))
    whole = all(before.ended == after.began for before, after in pairwise(kept))
    return whole and any(span.state == NO_DATA for span in kept) and kept[-1].state != NO_DATA
