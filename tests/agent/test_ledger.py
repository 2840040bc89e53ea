"""Counters: no part is lost to a rollover, a restart, a wrong reading, or the change of a job."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.machines.ledger import Evidence, Reading, Share, Standing, Step, Switch, read, running, split
from tests.support.manual_clock import START


def at(seconds: float) -> datetime:
    """A moment."""
    return START + timedelta(seconds=seconds)


def readings(*values: int, width: int = 32, cycle: float = 0.0, every: float = 60.0) -> list[Step]:
    """Readings one after the other, from nothing."""
    steps: list[Step] = []
    standing: Standing | None = None
    for number, value in enumerate(values):
        steps.append(read(standing, Reading(value, at(number * every)), 1 << width, cycle))
        standing = steps[-1].standing
    return steps


def told(steps: list[Step]) -> list[tuple[str, int, int]]:
    """What each reading came to."""
    return [(step.evidence.value, step.parts, step.doubtful) for step in steps]


def test_the_first_reading_counts_nothing() -> None:
    assert told(readings(4711)) == [("first", 0, 0)]


def test_a_counter_that_runs_over_goes_on() -> None:
    assert told(readings(65_530, 12, width=16))[1] == ("rolled_over", 18, 0)


def test_one_wrong_reading_counts_nothing_and_loses_nothing() -> None:
    assert told(readings(1000, 0, 1001))[1:] == [("suspect", 0, 0), ("glitch", 1, 0)]


def test_a_reset_needs_two_readings_and_what_was_made_around_it_is_doubtful() -> None:
    steps = readings(30_000, 3, 5, 6, width=16)
    assert told(steps)[1:] == [("suspect", 0, 0), ("reset", 2, 3), ("counted", 1, 0)]
    assert steps[-1].standing.epoch == 1


def test_more_than_the_machine_can_make_is_a_jump() -> None:
    steps = readings(100, 50_000, 50_004, cycle=6.0)
    assert told(steps)[1:] == [("suspect", 0, 0), ("jump", 4, 49_900)]


def test_with_a_cycle_time_a_slow_counter_that_fell_did_not_run_over() -> None:
    assert told(readings(65_530, 12, width=16, cycle=6.0))[1] == ("rolled_over", 18, 0)
    assert told(readings(60_000, 12, width=16, cycle=6.0))[1] == ("suspect", 0, 0)
    assert told(readings(65_530, 12, width=16))[1] == ("rolled_over", 18, 0)
    assert told(readings(60_000, 12, width=16))[1] == ("suspect", 0, 0)


def test_without_a_cycle_time_one_wrong_reading_upwards_counts_nothing() -> None:
    assert told(readings(100, 4_000_000_000, 101))[1:] == [("suspect", 0, 0), ("glitch", 1, 0)]
    assert told(readings(100, 20_000, 101))[1:] == [("suspect", 0, 0), ("glitch", 1, 0)]
    assert told(readings(100, 700, 101, every=0.5))[1:] == [("suspect", 0, 0), ("glitch", 1, 0)]
    assert told(readings(100, 2_000_000, 101, every=3 * 86400))[1:] == [("suspect", 0, 0), ("glitch", 1, 0)]


def test_with_a_cycle_time_one_wrong_reading_after_a_weekend_counts_nothing() -> None:
    assert told(readings(100, 50_000, 101, cycle=6.0, every=3 * 86400))[1:] == [("suspect", 0, 0), ("glitch", 1, 0)]


def test_without_a_cycle_time_what_no_machine_makes_is_a_jump_to_no_job() -> None:
    assert told(readings(100, 4_000_000_000, 4_000_000_001))[1:] == [("suspect", 0, 0), ("jump", 1, 3_999_999_900)]


@pytest.mark.parametrize("cycle", [0.0, 30.0])
def test_a_weekend_is_counted_whole_with_the_second_reading(cycle: float) -> None:
    first = read(None, Reading(100, at(0)), 2**32, cycle).standing
    waits = read(first, Reading(9_000, at(3 * 86400)), 2**32, cycle)
    assert (waits.evidence, waits.parts) == (Evidence.SUSPECT, 0)
    step = read(waits.standing, Reading(9_001, at(3 * 86400 + 1)), 2**32, cycle)
    assert (step.evidence, step.parts, step.doubtful) == (Evidence.COUNTED, 8_901, 0)
    assert (step.began, step.standing) == (at(0), Standing(Reading(9_001, at(3 * 86400 + 1)), 2**32))


def test_without_a_cycle_time_a_reset_gives_no_job_a_part_that_nobody_made() -> None:
    assert told(readings(60_000, 0, 3, width=16, every=1.0))[1:] == [("suspect", 0, 0), ("reset", 3, 0)]


def test_without_a_cycle_time_a_weekend_that_may_have_run_over_is_doubtful() -> None:
    weekend = 3 * 86400
    assert told(readings(60_000, 2_000, 2_001, width=16, every=weekend))[1:] == [
        ("suspect", 0, 0), ("unsure", 1, 7_536),
    ]  # fmt: skip


@given(pace=st.integers(0, 450), every=st.sampled_from([0.2, 1.0, 10.0, 60.0]), more=st.integers(2, 30))
def test_no_machine_without_a_cycle_time_is_too_fast_or_read_too_seldom(pace: int, every: float, more: int) -> None:
    made = [int(pace * every * number) for number in range(more)]
    steps = readings(*made, every=every)
    on_the_way = made[-1] - steps[-1].standing.last.value
    assert sum(step.parts for step in steps) + on_the_way == made[-1]
    assert sum(step.doubtful for step in steps) == 0
    assert on_the_way <= pace * every + 1


def test_a_counter_that_may_have_run_over_twice_says_so() -> None:
    assert told(readings(10, 20, width=8, cycle=1.0, every=7200))[1] == ("unsure", 10, 0)


WEEKEND = 2.5 * 86400


@pytest.mark.parametrize(("cycle", "silence"), [(2.0, WEEKEND), (1.0, 16 * 3600.0), (0.5, 86400.0)])
def test_a_counter_forgotten_over_a_silence_books_nothing_as_sure(cycle: float, silence: float) -> None:
    standing, steps = read(None, Reading(1200, at(0)), 2**16, cycle).standing, []
    for seconds, value in ((silence, 0), (silence + 2, 1), (silence + 4, 2)):
        steps.append(read(standing, Reading(value, at(seconds)), 2**16, cycle))
        standing = steps[-1].standing
    assert told(steps) == [("suspect", 0, 0), ("unsure", 1, 64_336), ("counted", 1, 0)]


@given(
    modulus=st.sampled_from([2**8, 1_000, 10_000, 2**16, 10**6, 2**32]), last=st.integers(1, 2**32),
    value=st.integers(0, 2**32), cycle=st.sampled_from([0.0, 0.1, 2.0, 30.0]), silence=st.integers(0, 10 * 86400),
)  # fmt: skip
def test_what_was_not_seen_to_run_over_is_never_counted_as_if_it_had(
    modulus: int, last: int, value: int, cycle: float, silence: int
) -> None:
    last, value = last % modulus, value % modulus
    first = read(None, Reading(last, at(0)), modulus, cycle).standing
    step = read(first, Reading(value, at(silence)), modulus, cycle)
    again = read(step.standing, Reading(value, at(silence + 1)), modulus, cycle)
    sure, fell = step.parts + again.parts, value < last
    rolled = (value - last) % modulus
    if not fell or step.evidence is Evidence.ROLLED_OVER:
        assert sure in (0, rolled)
        assert not fell or rolled <= modulus // 8
    else:
        assert sure == 0
        assert step.doubtful + again.doubtful in (0, value, rolled)


@given(
    modulus=st.sampled_from([1_000, 10_000, 2**16, 10**6]), start=st.integers(0, 10**6),
    made=st.lists(st.integers(0, 2), max_size=60), cycle=st.sampled_from([0.0, 1.0, 2.0]),
)  # fmt: skip
def test_followed_at_its_pace_no_rollover_is_in_doubt(modulus: int, start: int, made: list[int], cycle: float) -> None:
    value, standing, counted = start, read(None, Reading(start, at(0)), modulus, cycle).standing, 0
    for number, parts in enumerate(made, 1):
        value += parts
        step = read(standing, Reading(value, at(2 * number)), modulus, cycle)
        standing, counted = step.standing, counted + step.parts
        assert step.doubtful == 0
    assert counted == sum(made)


def test_a_counter_that_ends_at_9999_goes_on_at_0() -> None:
    standing, counted = None, 0
    for number in range(13):
        step = read(standing, Reading((9_990 + number) % 10_000, at(2 * number)), 10_000, 2.0)
        standing, counted = step.standing, counted + step.parts
    assert counted == 12


def test_a_counter_of_another_width_begins_anew() -> None:
    before = read(None, Reading(300, at(0)), 2**32).standing
    step = read(before, Reading(44, at(1)), 2**8)
    assert (step.evidence, step.parts, step.standing.epoch) == (Evidence.FIRST, 0, 1)


@given(
    width=st.sampled_from([8, 16, 32, 64]), start=st.integers(0, 2**64 - 1),
    made=st.lists(st.integers(0, 31), max_size=60),
)  # fmt: skip
def test_no_part_is_lost_whatever_the_width(width: int, start: int, made: list[int]) -> None:
    value, standing, counted = start, None, 0
    for number, parts in enumerate([0, *made]):
        value += parts
        step = read(standing, Reading(value, at(number)), 1 << width)
        standing, counted = step.standing, counted + step.parts
        assert step.doubtful == 0
    assert counted == sum(made)


@given(
    made=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=40), start=st.integers(20, 2**16 - 1)
)
def test_single_wrong_readings_change_no_count(made: list[tuple[int, bool]], start: int) -> None:
    value, standing, counted = start, read(None, Reading(start, at(0)), 2**16, 6.0).standing, 0
    for number, (parts, wrong) in enumerate(made, 1):
        if wrong:
            glitch = Reading((value + 2**15) % 2**16, at(number * 60 - 1))
            step = read(standing, glitch, 2**16, 6.0)
            standing, counted = step.standing, counted + step.parts + step.doubtful
        value += parts
        step = read(standing, Reading(value, at(number * 60)), 2**16, 6.0)
        standing, counted = step.standing, counted + step.parts + step.doubtful
    assert counted == sum(parts for parts, _ in made)


@given(before=st.integers(20_000, 40_000), after=st.lists(st.integers(0, 9), min_size=2, max_size=30))
def test_after_a_reset_every_part_is_counted_once(before: int, after: list[int]) -> None:
    standing, value, counted = read(None, Reading(before, at(0)), 2**16).standing, 0, 0
    for number, parts in enumerate(after, 1):
        value += parts
        step = read(standing, Reading(value, at(number)), 2**16)
        standing, counted = step.standing, counted + step.parts + step.doubtful
    assert counted == value
    assert standing.epoch == 1


JOB = [Switch("T1", "J-1", at(0))]


def test_parts_belong_to_the_job_that_is_open() -> None:
    assert split(5, at(10), at(20), JOB) == (Share("J-1", 5, at(20)),)
    assert split(5, at(10), at(20), []) == (Share("", 5, at(20)),)
    assert split(0, at(10), at(20), JOB) == ()


def test_a_switch_splits_the_parts_at_its_time() -> None:
    switched = [*JOB, Switch("T1", "J-2", at(70))]
    assert split(10, at(0), at(100), switched) == (
        Share("J-1", 7, at(70), True), Share("J-2", 3, at(100), True),
    )  # fmt: skip


def test_the_part_in_the_making_belongs_to_the_job_in_which_it_is_finished() -> None:
    switched = [*JOB, Switch("T1", "J-2", at(9))]
    assert [share.job for share in split(1, at(0), at(10), switched)] == ["J-2"]


def test_no_part_goes_to_a_job_that_was_opened_later() -> None:
    assert split(9, at(0), at(10), [*JOB, Switch("T1", "J-2", at(10))]) == (Share("J-1", 9, at(10)),)


def test_parts_between_two_jobs_are_unattributed() -> None:
    told = [*JOB, Switch("T1", "", at(40)), Switch("T1", "J-2", at(60))]
    assert [(share.job, share.parts) for share in split(10, at(0), at(100), told)] == [
        ("J-1", 4), ("", 2), ("J-2", 4),
    ]  # fmt: skip


@pytest.mark.parametrize(("seconds", "job"), [(-1, ""), (0, "J-1"), (5, "J-2"), (9, "J-1"), (20, "")])
def test_of_two_terminals_the_job_opened_last_counts(seconds: float, job: str) -> None:
    told = [
        Switch("T1", "J-1", at(0)), Switch("T2", "J-2", at(5)), Switch("T2", "", at(9)), Switch("T1", "", at(20)),
    ]  # fmt: skip
    assert running(told, at(seconds)) == job


@given(
    parts=st.integers(0, 500), stretch=st.integers(0, 5000),
    told=st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(["", "J-1", "J-2"]), st.integers(-50, 5000))),
)  # fmt: skip
def test_shares_add_up_and_lie_in_their_jobs(
    parts: int, stretch: int, told: list[tuple[str, str, int]]
) -> None:
    switches = [Switch(terminal, job, at(seconds)) for terminal, job, seconds in told]
    shares = split(parts, at(0), at(stretch), switches)
    assert sum(share.parts for share in shares) == parts
    assert all(share.parts > 0 and share.at <= at(stretch) for share in shares)
    assert [share.at for share in shares] == sorted(share.at for share in shares)
    ran = {running(switches, at(0))} | {
        running(switches, switch.at) for switch in switches if at(0) < switch.at < at(stretch)
    }
    assert {share.job for share in shares} <= ran
