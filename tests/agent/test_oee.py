"""Time elements and OEE: they add up, they multiply, and what nobody knows is nobody's fault."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.machines.ledger import Switch
from edge_agent.machines.oee import PLANNED, Element, oee, pieces, times, why
from edge_agent.machines.stops import Span, Stop, stands
from sync.contract import DowntimeSplit
from tests.support.manual_clock import START


def at(minutes: float) -> datetime:
    """A moment."""
    return START + timedelta(minutes=minutes)


SHIFT = (
    Span("EXECUTE", at(0), ended=at(60)),
    Span("HELD", at(60), alarm="Coil end", ended=at(80)),
    Span("EXECUTE", at(80), ended=at(100)),
    Span("NO DATA", at(100), ended=at(110)),
    Span("HELD", at(110), ended=at(110.5)),
    Span("ABORTED", at(110.5), mode="MAINTENANCE", ended=at(120)),
)
STOPS = (
    Stop("s1", at(60), "HELD", ended=at(80), reason="STOP-1", splits=(DowntimeSplit(at(75), "STOP-2"),)),
    Stop("s2", at(110), "ABORTED", ended=at(120)),
)
ORDER = (Switch("T1", "J-1", at(-5)), Switch("T1", "", at(90)), Switch("T1", "J-2", at(100)))


def test_a_shift_in_its_elements() -> None:
    lasted = {
        element.value: time.total_seconds() / 60
        for element, time in times(pieces(SHIFT, ORDER, STOPS, at(0), at(130))).items()
    }
    assert lasted == {
        "production": 70, "short_stop": 0, "delay": 20.5, "maintenance": 9.5, "run_without_order": 10,
        "planned_downtime": 0, "no_order": 0, "no_data": 20,
    }  # fmt: skip


def test_the_factors_of_a_shift() -> None:
    factors = oee(times(pieces(SHIFT, ORDER, STOPS, at(0), at(130))), good=630, scrap=Fraction(35), cycle=6.0)
    assert factors.availability == Fraction(70, 100)
    assert factors.performance == Fraction(665 * 6, 70 * 60)
    assert factors.quality == Fraction(630, 665)
    assert factors.oee == Fraction(630 * 6, 100 * 60)


def test_a_planned_break_counts_against_nobody() -> None:
    found = pieces(SHIFT, ORDER, STOPS, at(0), at(130), planned=("STOP-1",))
    elements = times(found)
    lasted = {element.value: elements[element].total_seconds() / 60 for element in elements}
    # The first of the two causes of the stop was a break, the second was not.
    assert (lasted["planned_downtime"], lasted["delay"], lasted["production"]) == (15, 5.5, 70)
    assert sum(lasted.values()) == 130
    factors = oee(elements, good=630, scrap=Fraction(35), cycle=6.0)
    assert factors.availability == Fraction(70, 85)
    assert [(each.element, each.reason) for each in why(found, at(62))] == [(Element.PLANNED_DOWNTIME, "STOP-1")]


def test_why_a_minute_is_red() -> None:
    found = pieces(SHIFT, ORDER, STOPS, at(0), at(130))
    (first,) = why(found, at(62))
    assert (first.element, first.state, first.alarm, first.job, first.reason) == (
        Element.DELAY, "HELD", "Coil end", "J-1", "STOP-1",
    )  # fmt: skip
    assert [each.reason for each in why(found, at(76))] == ["STOP-2"]
    assert [each.element for each in why(found, at(59.75))] == [Element.DELAY, Element.PRODUCTION]
    assert [(each.element, each.reason) for each in why(found, at(115))] == [(Element.MAINTENANCE, "")]


def test_a_stop_that_is_too_short_to_be_asked_for_is_a_short_stop() -> None:
    found = pieces((Span("HELD", at(0), ended=at(0.5)),), ORDER[:1], (), at(0), at(0.5))
    assert [each.element for each in found] == [Element.SHORT_STOP]


def test_nothing_known_is_nothing_said() -> None:
    factors = oee(times(pieces((), ORDER, (), at(0), at(60))), good=0, scrap=Fraction(0), cycle=6.0)
    assert (factors.availability, factors.performance, factors.quality, factors.oee) == (
        None,
        None,
        None,
        None,
    )


moments = st.integers(-60, 660).map(lambda minutes: at(minutes / 3))
STATES = st.sampled_from(["EXECUTE", "HELD", "IDLE", "NO DATA", "UNDEFINED"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[Span, ...], tuple[Switch, ...], tuple[Stop, ...]]:
    """Whatever a machine may have done, with holes in what is known."""
    cuts = sorted(draw(st.sets(moments, max_size=12)))
    spans = [
        Span(draw(STATES), began, mode=draw(st.sampled_from(["", "MAINTENANCE"])), ended=ended)
        for began, ended in itertools.pairwise(cuts)
        if draw(st.booleans())
    ]
    stops = [Stop(f"s{n}", span.began, span.state, ended=span.ended) for n, span in enumerate(spans)
             if stands(span.state) and draw(st.booleans())]  # fmt: skip
    jobs = st.tuples(st.sampled_from("AB"), st.sampled_from(["", "J-1", "J-2"]), moments)
    switches = [Switch(*told) for told in draw(st.lists(jobs, max_size=6))]
    return tuple(spans), tuple(switches), tuple(stops)


@given(histories(), st.integers(0, 200), st.integers(1, 200))
def test_elements_add_up_to_the_interval_and_no_data_is_neither_run_nor_stop(
    history: tuple[tuple[Span, ...], tuple[Switch, ...], tuple[Stop, ...]], first: int, length: int
) -> None:
    began, ended = at(first), at(first + length)
    found = pieces(*history, began, ended)
    assert found[0].began == began
    assert found[-1].ended == ended
    assert all(one.ended == other.began for one, other in itertools.pairwise(found))
    assert sum(times(found).values(), timedelta()) == ended - began
    for each in found:
        assert (each.state in ("NO DATA", "UNDEFINED")) == (each.element is Element.NO_DATA)
        assert each.element not in PLANNED or each.job
    minutes = [why(found, began + timedelta(minutes=n)) for n in range(length)]
    assert all(
        sum((p.ended - p.began for p in parts), timedelta()) == timedelta(minutes=1) for parts in minutes
    )


@given(histories(), st.integers(0, 5000), st.integers(0, 500), st.sampled_from([0.0, 0.5, 6.0]))
def test_the_factors_multiply_to_what_the_time_was_worth(
    history: tuple[tuple[Span, ...], tuple[Switch, ...], tuple[Stop, ...]],
    good: int,
    scrap: int,
    cycle: float,
) -> None:
    lasted = times(pieces(*history, at(0), at(200)))
    factors = oee(lasted, good, Fraction(scrap), cycle)
    planned = sum((lasted[element] for element in PLANNED), timedelta())
    if factors.oee is not None:
        assert factors.oee == Fraction(cycle) * good / Fraction(planned / timedelta(seconds=1))
    if factors.availability is not None:
        assert 0 <= factors.availability <= 1
