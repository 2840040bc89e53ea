"""The states of a machine, and the stops in them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.machines.stops import Span, Stop, Watch, due, given_up, stands, turned
from tests.support.manual_clock import START

LIMIT = timedelta(seconds=60)


def at(seconds: float) -> datetime:
    """A moment."""
    return START + timedelta(seconds=seconds)


def watched(
    told: Sequence[tuple[float, str]], until: float, over: timedelta = timedelta()
) -> tuple[list[Span], list[Stop]]:
    """The spans and the stops of a machine that was in these states, looked at every second; a stand goes on over a
    shorter NO DATA than `over`.
    """
    watch, spans, stops = Watch(), dict[datetime, Span](), dict[str, Stop]()
    ahead = sorted(told, key=lambda each: each[0])
    for second in range(int(until) + 1):
        if (gone := given_up(watch, at(second), over)) is not None:
            watch = gone.watch
            if gone.ended is not None:
                stops[gone.ended.id] = gone.ended
        asked = due(watch, at(second), LIMIT, f"s{second}")
        if asked is not None and asked.stop is not None:
            watch, stops[asked.stop.id] = asked, asked.stop
        while ahead and ahead[0][0] <= second:
            when, state = ahead.pop(0)
            turn = turned(watch, Span(state, at(when)), over)
            watch = turn.watch
            spans |= {span.began: span for span in turn.spans}
            if turn.ended is not None:
                stops[turn.ended.id] = turn.ended
    return list(spans.values()), list(stops.values())


def test_a_stop_is_asked_for_at_the_limit_and_began_when_the_machine_stood() -> None:
    _, stops = watched([(0, "EXECUTE"), (10, "HOLDING"), (12, "HELD"), (200, "EXECUTE")], 300)
    assert stops == [Stop("s70", at(10), "HELD", ended=at(200))]


def test_a_short_stop_is_not_asked_for() -> None:
    assert watched([(0, "EXECUTE"), (10, "HELD"), (69, "EXECUTE")], 300)[1] == []


def test_what_nobody_knows_is_no_stop_and_ends_one() -> None:
    told = [
        (0, "EXECUTE"),
        (10, "NO DATA"),
        (500, "HELD"),
        (600, "NO DATA"),
        (900, "UNDEFINED"),
        (1200, "HELD"),
    ]
    stops = watched(told, 1300)[1]
    assert [(stop.began, stop.ended) for stop in stops] == [(at(500), at(600)), (at(1200), None)]


def test_a_stand_goes_on_over_a_short_no_data() -> None:
    told = [(0, "EXECUTE"), (10, "HELD")]
    told += [(second, state) for second in range(20, 300, 10) for state in ("NO DATA",)]
    told += [(second + 2, "HELD") for second in range(20, 300, 10)]
    spans, stops = watched([*told, (400, "EXECUTE")], 500, LIMIT)
    assert [(stop.began, stop.ended) for stop in stops] == [(at(10), at(400))]
    assert sum(span.state == "NO DATA" for span in spans) == 28


def test_a_stop_ends_where_a_long_no_data_began_or_another_state_comes_after_a_short_one() -> None:
    long = watched([(0, "HELD"), (100, "NO DATA"), (160, "HELD"), (300, "EXECUTE")], 400, LIMIT)[1]
    assert [(stop.began, stop.ended) for stop in long] == [(at(0), at(100)), (at(160), at(300))]
    other = watched([(0, "HELD"), (100, "NO DATA"), (110, "ABORTED"), (300, "EXECUTE")], 400, LIMIT)[1]
    assert [(stop.began, stop.ended) for stop in other] == [(at(0), at(100)), (at(110), at(300))]
    runs = watched([(0, "HELD"), (100, "NO DATA"), (110, "EXECUTE")], 400, LIMIT)[1]
    assert [(stop.began, stop.ended) for stop in runs] == [(at(0), at(100))]
    for_ever = watched([(0, "HELD"), (100, "NO DATA")], 400, LIMIT)[1]
    assert [(stop.began, stop.ended) for stop in for_ever] == [(at(0), at(100))]


def test_the_alarm_that_comes_after_the_state_belongs_to_the_stop() -> None:
    watch = turned(Watch(), Span("HELD", at(0))).watch
    turn = turned(watch, Span("HELD", at(1), alarm="Coil end"))
    assert [span.alarm for span in turn.spans] == ["Coil end"]
    turn = turned(turn.watch, Span("HELD", at(2), alarm="Door open"))
    asked = due(turn.watch, at(60), LIMIT, "s")
    assert turn.spans == ()
    assert asked is not None
    assert asked.stop == Stop("s", at(0), "HELD", "Coil end")
    assert due(asked, at(99), LIMIT, "t") is None


def test_another_mode_is_another_span_and_the_same_stop() -> None:
    watch = turned(Watch(), Span("HELD", at(0), mode="PRODUCTION")).watch
    turn = turned(watch, Span("HELD", at(30), mode="MAINTENANCE"))
    assert [span.ended for span in turn.spans] == [at(30), None]
    assert turn.watch.stands_since == at(0)


STATES = st.sampled_from(["EXECUTE", "HELD", "ABORTED", "NO DATA", "UNDEFINED", "IDLE"])


@given(st.lists(st.tuples(st.integers(0, 900), STATES), min_size=1, max_size=30))
def test_spans_follow_each_other_and_stops_lie_where_the_machine_is_known_to_stand(
    told: Sequence[tuple[float, str]],
) -> None:
    spans, stops = watched(told, 1000)
    for before, after in itertools.pairwise(spans):
        assert before.ended == after.began
    assert spans[-1].ended is None
    known = [replace(span, ended=span.ended or at(1000)) for span in spans if stands(span.state)]
    for stop in stops:
        end = stop.ended or at(1000)
        assert end - stop.began >= LIMIT
        inside = [span for span in known if stop.began <= span.began and (span.ended or end) <= end]
        covered = sum(((span.ended or end) - span.began for span in inside), timedelta())
        assert covered == end - stop.began
