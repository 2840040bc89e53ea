"""When which block is read: by an endless poll on a clock of its own."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.modbus.blocks import Block
from device_drivers.modbus.points import Table
from device_drivers.modbus.rounds import Schedule, next_due


def block(address: int, group: str = "", unit: int = 1) -> Block:
    """A read in a group."""
    return Block(Table.HOLDING, address, 1, (), unit, group)


def poll(schedule: Schedule, seconds: float, answer: float) -> list[tuple[float, Block]]:
    """What is read when, on a device that takes `answer` seconds for each read."""
    now, seen = 0.0, []
    while now < seconds:
        if job := schedule.take(now):
            seen.append((now, job.block))
            now += answer
            schedule.done(job)
        else:
            assert schedule.due() > now
            now = schedule.due()
    return seen


def test_each_group_keeps_its_own_pace() -> None:
    schedule = Schedule(
        [block(1, "fast"), block(2, "slow"), block(3, "slow")], {"fast": 0.2, "slow": 5.0}, 0.0
    )
    counts = Counter(read.address for _, read in poll(schedule, 10.0, 0.01))
    assert counts[1] in (50, 51)
    assert (counts[2], counts[3]) == (2, 2)
    assert schedule.late() == {}


def test_a_slow_group_does_not_hold_up_a_fast_one() -> None:
    slow = [block(address, "slow") for address in range(100)]
    schedule = Schedule([block(1000, "fast"), *slow], {"fast": 0.2, "slow": 5.0}, 0.0)
    seen = poll(schedule, 10.0, 0.03)
    fast = [at for at, read in seen if read.group == "fast"]
    assert max(after - before for before, after in pairwise(fast)) < 0.27
    assert Counter(read.group for _, read in seen)["slow"] >= 199
    assert schedule.late() == {}


def test_a_group_that_can_not_keep_its_pace_says_so_and_starves_nobody() -> None:
    schedule = Schedule(
        [*(block(address, "fast") for address in range(10)), block(99, "slow")],
        {"fast": 0.2, "slow": 2.0},
        0.0,
    )
    seen = poll(schedule, 60.0, 0.05)
    late = schedule.late()
    assert set(late) == {"fast"}
    assert late["fast"][0] == 0.2
    assert late["fast"][1] == pytest.approx(0.55, abs=0.1)
    assert Counter(read.group for _, read in seen)["slow"] >= 28


@given(st.floats(0.01, 2.0), st.floats(0.001, 0.5), st.integers(1, 8))
def test_a_round_is_whole_and_late_ones_are_never_made_up_for(
    interval: float, answer: float, count: int
) -> None:
    blocks = [block(address) for address in range(count)]
    seen = poll(Schedule(blocks, {"": interval}, 0.0), 20 * interval, answer)
    assert [read.address for _, read in seen] == [number % count for number in range(len(seen))]
    begun = [at for at, read in seen if read.address == 0]
    pace = max(interval, count * answer)
    assert [after - before for before, after in pairwise(begun)] == pytest.approx(
        [pace] * (len(begun) - 1), rel=0.5
    )
    if count * answer < interval:  # on the grid, without drift
        assert [at / interval for at in begun] == pytest.approx(range(len(begun)))


def test_the_units_of_a_line_take_turns() -> None:
    blocks = [block(address, unit=unit) for unit in (1, 2) for address in (0, 1)]
    schedule = Schedule(blocks, {"": 1.0}, 0.0)
    assert Counter(read.unit for _, read in poll(schedule, 10.0, 0.1)) == {1: 20, 2: 20}
    job = schedule.take(10.0)
    assert job
    schedule.drop(job.block.unit)
    schedule.done(job)
    assert {read.unit for at, read in poll(schedule, 0.5, 0.1) if at < 10.0} <= {3 - job.block.unit}


def test_a_block_is_read_in_parts_from_the_next_round_on() -> None:
    whole, parts = block(0), [block(5), block(6)]
    schedule = Schedule([whole], {"": 1.0}, 0.0)
    job = schedule.take(0.0)
    assert job
    schedule.replace(whole, parts)
    assert schedule.take(0.0) is None
    schedule.done(job)
    assert [read.address for at, read in poll(schedule, 2.0, 0.1) if at >= 1.0] == [5, 6]


@given(st.floats(0, 1e6), st.floats(0.01, 100), st.floats(0, 1000))
def test_a_late_poll_keeps_to_the_grid_and_leaves_no_backlog(
    due: float, interval: float, late: float
) -> None:
    now = due + late
    after = next_due(due, interval, now)
    steps = (after - due) / interval
    assert after >= now - 1e-6
    assert after - now <= interval + 1e-6
    assert steps == pytest.approx(max(1, round(steps)))


def test_lines_that_begin_at_about_the_same_time_are_due_together() -> None:
    lines = [Schedule([block(0, "")], {"": 0.2}, now) for now in (5.0001, 5.007, 5.0199)]
    for line, now in zip(lines, (5.0001, 5.007, 5.0199), strict=True):
        job = line.take(now)
        assert job is not None, "the first round begins at once"
        line.done(job)
    assert len({round(line.due(), 9) for line in lines}) == 1
