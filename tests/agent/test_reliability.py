"""Strip, MTBF and MTTR, downtime: they add up, and what nobody knows is neither run nor stop."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.machines.reliability import downtime, is_failure, reliability, short_stops, strip
from edge_agent.machines.reliability import stood as stood_in
from edge_agent.machines.stops import NO_DATA, Span, Stop
from edge_agent.views.maintenance import StateSpan
from sync.contract import DowntimeSplit
from tests.support.manual_clock import START

ZERO = timedelta()
CUTS: st.SearchStrategy[set[int]] = st.sets(st.integers(-60, 660), max_size=12)
BOOLEANS: st.SearchStrategy[bool] = st.booleans()
STATES = st.sampled_from(["EXECUTE", "HELD", "STOPPED", "ABORTED", "NO DATA", "UNDEFINED"])


def at(minutes: float) -> datetime:
    """A moment."""
    return START + timedelta(minutes=minutes)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Span, ...]:
    """Whatever a machine may have done, with holes in what is known; the last may last still."""
    cuts: list[int] = sorted(draw(CUTS))
    spans = [
        Span(draw(STATES), at(began), ended=at(ended))
        for began, ended in itertools.pairwise(cuts)
        if draw(BOOLEANS)
    ]
    lasts = draw(BOOLEANS)
    return (*spans, Span(draw(STATES), at(cuts[-1]))) if cuts and lasts else tuple(spans)


@st.composite
def stops(draw: st.DrawFn) -> tuple[Stop, ...]:
    """Stops one after the other, some explained, split or not over."""
    cuts = sorted(draw(CUTS))
    found = []
    for number, (began, ended) in enumerate(itertools.pairwise(cuts)):
        splits = tuple(
            DowntimeSplit(at(minute), reason)
            for minute, reason in draw(st.lists(st.tuples(st.integers(began, ended), REASONS), max_size=2))
        )
        last = number == len(cuts) - 2 and draw(BOOLEANS)
        found.append(
            Stop(
                f"s{number}", at(began), draw(st.sampled_from(["HELD", "STOPPED", "ABORTED"])),
                draw(st.sampled_from(["", "Oil low"])), None if last else at(ended), draw(REASONS), splits=splits,
            )
        )  # fmt: skip
    return tuple(found)


REASONS = st.sampled_from(["", "STOP-1", "STOP-2"])


@given(histories(), st.integers(0, 300), st.integers(1, 300))
def test_a_strip_covers_its_time_without_a_gap(spans: tuple[Span, ...], first: int, length: int) -> None:
    began, ended = at(first), at(first + length)
    found = strip(spans, began, ended)
    assert (found[0].began, found[-1].ended) == (began, ended)
    assert all(one.ended == other.began and one.state != other.state for one, other in itertools.pairwise(found))
    assert all(each.began < each.ended for each in found)
    for minute in range(length):
        moment = began + timedelta(minutes=minute, seconds=30)
        shown = next(each.state for each in found if each.began <= moment < each.ended)
        known = [span for span in spans if span.began <= moment and (span.ended is None or moment < span.ended)]
        assert shown == (known[-1].state if known else NO_DATA)


def test_nothing_known_is_one_stretch_without_data() -> None:
    assert strip((), at(0), at(480)) == (StateSpan(NO_DATA, at(0), at(480)),)


def test_a_machine_that_flutters_is_drawn_in_cells() -> None:
    spans = [Span("HELD" if n % 10 == 0 else "EXECUTE", at(n * 0.1), ended=at(n * 0.1 + 0.1)) for n in range(4800)]
    spans[2000:2600] = [Span("ABORTED", at(200), ended=at(260))]
    found = strip(spans, at(0), at(480))
    assert [(each.state, each.began, each.ended) for each in found] == [
        ("EXECUTE", at(0), at(200)), ("ABORTED", at(200), at(260)), ("EXECUTE", at(260), at(480)),
    ]  # fmt: skip


@given(histories(), stops(), st.integers(0, 300), st.integers(1, 300))
def test_operating_time_and_repair_are_shared_out_among_the_failures(
    spans: tuple[Span, ...], stood: tuple[Stop, ...], first: int, length: int
) -> None:
    began, ended = at(first), at(first + length)
    figures = reliability(spans, stood, began, ended)
    failed = [stop for stop in stood if is_failure(stop) and began <= stop.began < ended]
    assert figures.failures == len(failed)
    if not failed:
        assert (figures.mtbf, figures.mttr) == (None, None)
        return
    assert figures.mtbf is not None
    assert figures.mttr is not None
    operating = sum((each.ended - each.began for each in strip(spans, began, ended) if each.state == "EXECUTE"), ZERO)
    tolerance = timedelta(microseconds=len(failed))  # a timedelta is whole microseconds
    assert abs(figures.mtbf * len(failed) - operating) <= tolerance
    assert ZERO < figures.mttr <= ended - began


def test_what_is_a_failure() -> None:
    told = {
        (state, alarm): is_failure(Stop("s", at(0), state, alarm))
        for state in ("ABORTED", "ABORTING", "STOPPED", "STOPPING", "HELD", "SUSPENDED", "IDLE")
        for alarm in ("", "Oil low")
    }
    assert {key for key, failed in told.items() if failed} == {
        ("ABORTED", ""), ("ABORTED", "Oil low"), ("ABORTING", ""), ("ABORTING", "Oil low"),
        ("STOPPED", "Oil low"), ("STOPPING", "Oil low"),
    }  # fmt: skip


@given(stops(), st.integers(0, 300), st.integers(1, 300))
def test_downtime_adds_up_and_the_longest_comes_first(stood: tuple[Stop, ...], first: int, length: int) -> None:
    began, ended = at(first), at(first + length)
    rows = downtime(stood, began, ended)
    whole = [max(min(stop.ended or ended, ended) - max(stop.began, began), ZERO) for stop in stood]
    assert sum((row.time for row in rows), ZERO) == sum(whole, ZERO)
    assert [row.time for row in rows] == sorted((row.time for row in rows), reverse=True)
    assert len({row.reason for row in rows}) == len(rows)
    assert all(0 < row.stops <= len(stood) for row in rows)


@given(stops(), st.integers(0, 300), st.integers(1, 300))
def test_where_it_stood_covers_every_stop_and_little_more(stood: tuple[Stop, ...], first: int, length: int) -> None:
    began, ended = at(first), at(first + length)
    told = stood_in(stood, began, ended)
    assert all(each.began < each.ended for each in told)
    assert all(one.ended < other.began for one, other in itertools.pairwise(told))
    assert len(told) <= 241
    for stop in stood:
        start, over = max(stop.began, began), min(stop.ended or ended, ended)
        assert over <= start or any(each.began <= start and over <= each.ended for each in told)
    edges = {began, ended, *(stop.began for stop in stood), *(stop.ended for stop in stood)}
    assert all({each.began, each.ended} <= edges for each in told)


def test_a_split_stop_counts_for_each_of_its_reasons_and_what_nobody_said_is_a_row() -> None:
    split = Stop("s1", at(0), "HELD", ended=at(30), reason="STOP-1", splits=(DowntimeSplit(at(10), "STOP-2"),))
    still = Stop("s2", at(50), "ABORTED")
    assert [(row.reason, row.time, row.stops) for row in downtime((still, split), at(5), at(60))] == [
        ("STOP-2", timedelta(minutes=20), 1), ("", timedelta(minutes=10), 1), ("STOP-1", timedelta(minutes=5), 1),
    ]  # fmt: skip


def test_short_stops_are_those_that_ended_in_a_run_and_are_no_stop() -> None:
    spans = [
        Span(state, at(began), ended=at(ended))
        for state, began, ended in (
            ("EXECUTE", 0, 1), ("STOPPING", 1, 1.2), ("IDLE", 1.2, 1.5), ("EXECUTE", 1.5, 3), ("ABORTED", 3, 9),
            ("EXECUTE", 9, 10), ("HELD", 10, 10.5), (NO_DATA, 10.5, 11), ("EXECUTE", 11, 12), ("HELD", 12, 12.5),
        )
    ]  # fmt: skip
    long = [Stop("s1", at(3), "ABORTED", ended=at(9))]
    assert short_stops(spans, long) == (at(1.5),)
    assert short_stops(spans, []) == (at(1.5), at(9))


@given(histories())
def test_a_short_stop_ends_where_a_run_begins(spans: tuple[Span, ...]) -> None:
    begun = {span.began for span in spans if span.state == "EXECUTE"}
    assert set(short_stops(spans, [])) <= begun
