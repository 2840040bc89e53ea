"""A trend: every bucket says what was in it, what holds, or that nothing is known."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Value
from edge_agent.machines.by_exception import Columns, Gap
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_blocks import Series
from edge_agent.store.samples_bounds import Bounds
from edge_agent.telemetry.sample_stream import trend_of
from edge_agent.telemetry.trend import Folding, plain
from tests.support.manual_clock import ManualClock

SECOND = 1_000_000

Sample = tuple[int, int, Value]


def folded(samples: Sequence[Sample], until: int = 100, points: int = 10, gaps: Sequence[Gap] = ()) -> Folding:
    """Samples of times 0 to `until`."""
    folding = Folding("plc", "oil", 0, until, points, list(gaps))
    folding.take(Series([s[0] for s in samples], [s[1] for s in samples], [s[2] for s in samples]))
    return folding


def test_a_bucket_has_the_lowest_the_highest_and_the_last() -> None:
    trend = folded([(1, 0, 5.0), (2, 0, 9.0), (9, 0, 7), (10, 1, 3)]).trend()
    assert (trend.times[:2], trend.step, len(trend.times)) == ([0, 10], 10, 10)
    assert (trend.low[0], trend.high[0], trend.last[0], trend.status[0]) == (5.0, 9.0, 7.0, "Good")
    assert (trend.low[1], trend.status[1]) == (3.0, "Uncertain")


def test_what_did_not_change_holds_and_what_is_bad_has_no_number() -> None:
    trend = folded([(-5, 0, 4.0), (33, 2, None)]).trend()
    assert trend.last[:4] == [4.0, 4.0, 4.0, None]
    assert trend.status == ["Good"] * 3 + ["Bad"] * 7


def test_before_the_first_sample_nothing_is_known() -> None:
    trend = folded([(25, 0, 1.0)]).trend()
    assert trend.status[:3] == ["", "", "Good"]
    assert trend.low[:2] == [None, None]


def test_nothing_holds_through_a_gap() -> None:
    gap = Gap(25, 55, "stopped")
    trend = folded([(5, 0, 1.0), (57, 0, 2.0)], gaps=[gap]).trend()
    assert trend.status == ["Good", "Good", "Good", "", "", "Good", "Good", "Good", "Good", "Good"]
    assert trend.last[5:] == [2.0] * 5
    assert [(each.since, each.until, each.reason) for each in trend.gaps] == [(25, 55, "stopped")]


def test_texts_and_what_is_no_number_have_a_status_and_no_height() -> None:
    trend = folded([(1, 0, "RUN"), (11, 0, math.inf), (21, 0, True)]).trend()
    assert trend.last[:3] == [None, None, 1.0]
    assert trend.status[:3] == ["Good"] * 3


numbers = st.one_of(st.none(), st.integers(-5, 5), st.floats(-5, 5), st.just("x"), st.booleans())
samples = st.lists(st.tuples(st.integers(-50, 120), st.integers(0, 2), numbers), max_size=40)


@given(samples, st.integers(1, 130), st.integers(1, 40))
def test_the_columns_say_what_the_samples_said(found: list[Sample], until: int, points: int) -> None:
    found = sorted(found, key=lambda each: each[0])
    trend = folded(found, until, points).trend()
    count = len(trend.times)
    assert count <= points
    assert {len(trend.low), len(trend.high), len(trend.last), len(trend.status)} == {count}
    assert trend.times == [n * trend.step for n in range(count)]
    assert trend.times[-1] < until <= trend.times[-1] + trend.step
    for at, begin in enumerate(trend.times):
        inside = [each for each in found if begin <= each[0] < min(begin + trend.step, until)]
        before = [each for each in found if each[0] < begin]
        told = inside or before[-1:]
        values = [number for each in told if (number := plain(each[2])) is not None]
        assert trend.low[at] == min(values, default=None)
        assert trend.high[at] == max(values, default=None)
        assert trend.last[at] == (plain(told[-1][2]) if told else None)
        assert trend.status[at] == (("Good", "Uncertain", "Bad")[max(each[1] for each in told)] if told else "")


async def test_a_day_of_one_value_a_second_is_drawn_from_the_disk(tmp_path: Path) -> None:
    clock, day = ManualClock(), 86_400
    store = await SampleStore.open(tmp_path / "samples.db", clock, Bounds(200_000_000, timedelta(days=30)))
    for start in range(0, day, 3600):
        stamps = [(start + n) * SECOND for n in range(3600)]
        values: list[Value] = [float(start + n) for n in range(3600)]
        await store.append({"plc[1]": Columns(["oil*"] * 3600, stamps, [0] * 3600, values)})
    await store.append({"plc[1]": Columns(["oil"], [5], [0], [1.0])})
    while await store.tidy():
        pass
    began = time.process_time()
    trend = await trend_of(store, "plc[1]", "oil*", 0, day * SECOND, 240)
    took = time.process_time() - began
    await store.close()
    assert (trend.low[0], trend.high[0], trend.high[-1]) == (0.0, 359.0, day - 1.0)
    assert trend.status == ["Good"] * 240
    assert took < 2.0, f"a plot took {took:.2f} s of CPU"
