"""The clock of this PC: ids in order of time, timers that do not jump, and whether it can be believed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.clock import SystemClock, uuid7
from edge_agent.clock_trust import FAR
from edge_agent.store import Connection, Entry, Store, journal
from tests.store.making import produced


def test_now_is_utc_and_aware() -> None:
    before, now, after = datetime.now(UTC), SystemClock().now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.tzinfo is UTC


def test_ids_are_version_7_with_the_time_in_front() -> None:
    clock = SystemClock()
    before = time.time()
    ids = [UUID(clock.new_id()) for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(id.version, id.variant) for id in ids} == {(7, "specified in RFC 4122")}
    assert all(int(before * 1000) <= id.int >> 80 <= time.time() * 1000 for id in ids)


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_a_later_id_sorts_later(milliseconds: int, random: bytes, other: bytes) -> None:
    assert uuid7(milliseconds, random) < uuid7(milliseconds + 1, other)
    assert UUID(uuid7(milliseconds, random)).int >> 80 == milliseconds


async def test_sleep_until_returns_at_the_reading_and_at_once_when_it_is_past() -> None:
    clock = SystemClock()
    due = clock.monotonic() + 0.02
    await clock.sleep_until(due)
    assert clock.monotonic() >= due - 0.002
    await clock.sleep_until(clock.monotonic() - 100)


@pytest.mark.parametrize(("step", "trusted"), [(0.0, True), (1.5, True), (3.0, False), (-3600.0, False)])
def test_a_wall_clock_that_jumps_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, step: float, trusted: bool
) -> None:
    clock = SystemClock()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step)
    assert clock.trusted() is trusted


def test_a_clock_that_starts_in_the_past_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: datetime(2000, 1, 1, tzinfo=UTC).timestamp())
    assert not SystemClock().trusted()


DAY = timedelta(days=1)
LAST = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Hands:
    """A PC whose two clocks the test moves: `wall` is what it says, `passes` is time that goes by."""

    def __init__(self, wall: datetime) -> None:
        self.wall = wall
        self.uptime = 40.0
        self.clock = SystemClock(lambda: self.wall.timestamp(), lambda: self.uptime)

    def passes(self, time: timedelta) -> None:
        self.wall += time
        self.uptime += time.total_seconds()


def started(after: timedelta, last: datetime | None = LAST) -> Hands:
    """A PC that was started so long after its last report, by its own clock."""
    hands = Hands(LAST + after)
    hands.clock.continues(last)
    return hands


@pytest.mark.parametrize("after", [timedelta(seconds=1), 4 * DAY, timedelta(seconds=FAR - 1), -timedelta(minutes=1)])
def test_a_clock_that_fits_behind_the_last_report_is_trusted_and_not_confirmed(after: timedelta) -> None:
    clock = started(after).clock
    assert (clock.trusted(), clock.doubt(), clock.confirmed()) == (True, "", False)


@pytest.mark.parametrize(("after", "words"), [
    (-100 * DAY, "2026-08-14: that is 100 days before the last report"),
    (-timedelta(minutes=10), "10 min before the last report"),
    (timedelta(seconds=FAR + 1), "60 days after the last report"),
    (730 * DAY, "2028-11-21: that is 730 days after the last report"),
])  # fmt: skip
def test_a_clock_that_does_not_is_doubted_until_another_computer_agrees(after: timedelta, words: str) -> None:
    hands = started(after)
    assert not hands.clock.trusted()
    assert words in hands.clock.doubt()
    hands.clock.compared("erp", hands.wall - timedelta(seconds=4))  # it took its time to answer
    assert (hands.clock.doubt(), hands.clock.confirmed()) == ("", True)
    hands.passes(200 * DAY)
    assert hands.clock.trusted(), "an agent that runs for long is not a PC that was off"


def test_the_first_start_of_all_has_no_report_to_compare_with() -> None:
    assert started(900 * DAY, last=None).clock.trusted()


def test_a_clock_that_is_set_right_is_plausible_again() -> None:
    hands = started(730 * DAY)
    assert not hands.clock.trusted()
    hands.wall -= 729 * DAY
    assert hands.clock.trusted()
    hands.wall += timedelta(hours=1)
    assert "jumped" in hands.clock.doubt()


def test_a_clock_of_which_the_erp_says_something_else_is_doubted_however_plausible() -> None:
    hands = started(DAY)
    hands.clock.compared("erp", hands.wall + timedelta(hours=3))
    assert hands.clock.doubt() == "The clock of this PC is 3 h behind the one of erp."
    assert not hands.clock.confirmed()
    hands.clock.compared("erp", hands.wall - 40 * DAY)
    assert hands.clock.doubt() == "The clock of this PC is 40 days ahead of the one of erp."


@pytest.mark.parametrize("jump", [timedelta(hours=3), -timedelta(seconds=90), 40 * DAY])
def test_a_jump_that_is_known_stays_one_when_the_agent_starts_again_in_the_same_process(jump: timedelta) -> None:
    hands = started(DAY)
    hands.passes(timedelta(hours=1))
    last = hands.wall
    hands.wall += jump
    hands.passes(timedelta(seconds=10))
    hands.clock.continues(last)
    assert "jumped" in hands.clock.doubt()
    hands.wall -= jump
    assert hands.clock.trusted(), "it was set right"
    hands.wall += jump
    hands.clock.compared("erp", hands.wall)
    assert hands.clock.confirmed(), "or the ERP agrees"


def test_a_clock_that_was_set_before_the_agent_looked_at_its_journal_did_not_jump() -> None:
    hands = Hands(LAST - 300 * DAY)
    hands.wall = LAST + DAY  # as NTP does while a PC boots
    hands.clock.continues(LAST)
    assert hands.clock.trusted()
    hands.passes(DAY)
    hands.clock.continues(LAST + DAY)
    assert hands.clock.trusted()


def test_a_jump_to_the_right_time_needs_no_restart_where_the_erp_agrees() -> None:
    hands = started(DAY)
    hands.wall += timedelta(minutes=50)
    assert not hands.clock.trusted()
    hands.clock.compared("erp", hands.wall)
    assert hands.clock.trusted()
    hands.wall += 730 * DAY
    assert not hands.clock.confirmed(), "what was confirmed was the time before"


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("change", [datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)])
@pytest.mark.usefixtures("berlin")
async def test_summer_time_moves_nothing(change: datetime, tmp_path: Path) -> None:
    hands = Hands(change - timedelta(minutes=2))
    offsets = set()
    store = await Store.open(tmp_path / "journal.db", "agent-1", hands.clock)

    def report(conn: Connection) -> None:
        store.record(conn, [Entry(hands.clock.new_id(), produced())], hands.clock.now(), "T1", "p1")

    for _ in range(5):  # over the hour that local clocks have twice, or not at all
        offsets.add(hands.clock.now().astimezone().utcoffset())
        await store.write(report)
        hands.passes(timedelta(minutes=1))
    facts = await store.read(lambda conn: journal.facts(conn, 0, 10))
    await store.close()
    assert len(offsets) == 2, "the test went over a change"
    assert all(fact.clock_ok for fact in facts)
    assert [fact.record_time - facts[0].record_time for fact in facts] == [timedelta(minutes=n) for n in range(5)]
    assert [fact.event_time for fact in facts] == [fact.record_time for fact in facts]
    assert [fact.id for fact in facts] == sorted(fact.id for fact in facts)
    again = SystemClock(lambda: hands.wall.timestamp(), lambda: 3.0)
    again.continues(facts[-1].record_time)
    assert again.trusted(), "and a restart within it is no clock that went back"
