"""The clock of this PC: ids in order of time, timers that do not jump, and whether it can be believed."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.clock import SystemClock, uuid7


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
