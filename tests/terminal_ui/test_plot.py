"""Dots, strips and leaves: everything lands where it belongs, and nothing outside."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import StateSpan
from terminal_ui.glyphs import UNICODE
from terminal_ui.scene import Look
from terminal_ui.screens.trend import columns_of
from terminal_ui.texts import Texts
from terminal_ui.widgets.leaf import leafed
from terminal_ui.widgets.plot import Canvas, row_of, scale
from terminal_ui.widgets.strip import resampled

LOOK = Look(Texts("en"), UNICODE)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)


def lit(canvas: Canvas) -> set[tuple[int, int]]:
    """The dots of the lines as they are painted, read back by the numbering of Unicode."""
    found = set()
    places = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)]  # of bits 0 to 7
    for y, row in enumerate(canvas.lines()):
        assert len(row) == canvas.width
        for x, sign in enumerate(row):
            bits = ord(sign) - 0x2800 if sign != " " else 0
            found |= {(x * 2 + dx, y * 4 + dy) for bit, (dx, dy) in enumerate(places) if bits >> bit & 1}
    return found


@given(st.data(), st.integers(1, 30), st.integers(1, 10))
def test_every_dot_lands_in_its_cell_and_no_other(data: st.DataObject, width: int, height: int) -> None:
    canvas = Canvas(width, height)
    dots = st.tuples(st.integers(0, canvas.columns - 1), st.integers(0, canvas.rows - 1))
    asked = data.draw(st.sets(dots, max_size=40))
    for column, row in asked:
        canvas.dot(column, row)
    assert lit(canvas) == asked


@given(st.integers(0, 9), st.integers(0, 9), st.integers(-3, 30), st.integers(-3, 60))
def test_a_dot_outside_is_refused(width: int, height: int, column: int, row: int) -> None:
    canvas = Canvas(width, height)
    if column not in range(canvas.columns) or row not in range(canvas.rows):
        with pytest.raises(IndexError):
            canvas.dot(column, row)
    assert lit(canvas) == set()


@given(NUMBERS, NUMBERS, NUMBERS, st.integers(1, 200))
def test_a_value_has_a_row_of_the_plot(value: float, one: float, other: float, rows: int) -> None:
    low, high = sorted((one, other))
    assert row_of(value, low, high, rows) in range(rows)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.integers(2, 200))
def test_more_is_never_drawn_below_less(a: float, b: float, one: float, other: float, rows: int) -> None:
    low, high = sorted((one, other))
    small, large = sorted((a, b))
    assert row_of(large, low, high, rows) <= row_of(small, low, high, rows)


@given(NUMBERS, NUMBERS, st.integers(2, 12))
def test_the_axis_holds_the_values_and_few_marks(one: float, other: float, most: int) -> None:
    low, high = sorted((one, other))
    first, last, step = scale(low, high, most)
    margin = step * 1e-6
    assert first - margin <= low <= high <= last + margin
    assert step > 0
    assert round((last - first) / step) + 1 <= max(most, 3)


def test_an_axis_of_what_is_no_number_is_an_axis() -> None:
    assert scale(math.nan, math.inf, 5) == (0.0, 1.0, 1.0)


# ------------------------------------------------------------ strips

BEGAN = datetime(2026, 11, 20, 6, tzinfo=UTC)
STATES = {"EXECUTE": "R", "IDLE": "I", "ABORTED": "S", "NO DATA": "N"}
SPANS = st.lists(st.tuples(st.sampled_from(sorted(STATES)), st.integers(1, 4_000)), min_size=1, max_size=20)


def joined(told: list[tuple[str, int]]) -> tuple[list[StateSpan], datetime]:
    spans, began = [], BEGAN
    for state, seconds in told:
        ended = began + timedelta(seconds=seconds)
        spans.append(StateSpan(state, began, ended))
        began = ended
    return spans, began


@given(SPANS, st.integers(1, 80))
def test_a_cell_shows_what_lasted_longest_in_it_and_that_a_stop_lies_in_it(
    told: list[tuple[str, int]], cells: int
) -> None:
    spans, ended = joined(told)
    stops = [span for span in spans if STATES[span.state] == "S"][::2]  # the others were too short to count
    strip = resampled(spans, stops, BEGAN, ended, cells)
    assert len(strip) == cells
    whole = (ended - BEGAN).total_seconds()
    for cell, sign in enumerate(strip):
        first, behind = whole * cell / cells, whole * (cell + 1) / cells
        took = dict.fromkeys("RINS", 0.0)
        for span in spans:
            took[STATES[span.state]] += inside(span, first, behind)
        stood = any(inside(span, first, behind) > 1e-6 for span in stops)
        longest = max(took.values())
        shown = sign.upper()
        assert took[shown] >= longest - 1e-4 or (shown == "S" and stood and took["N"] >= longest - 1e-4)
        if stood:
            assert sign in "riS", "a stop that counts is seen"
        elif all(inside(span, first - 1e-3, behind + 1e-3) == 0 for span in stops):
            assert sign in "RINS", "one that does not is no mark"


def inside(span: StateSpan, first: float, behind: float) -> float:
    """How many seconds of it lie between two moments."""
    start, end = (span.began - BEGAN).total_seconds(), (span.ended - BEGAN).total_seconds()
    return max(0.0, min(end, behind) - max(start, first))


def test_a_shift_with_a_stop_in_each_cell_still_shows_that_it_ran() -> None:
    spans, ended = joined([("EXECUTE", 400), ("ABORTED", 80)] * 60)
    assert resampled(spans, [], BEGAN, ended, 60) == "R" * 60
    assert resampled(spans, [span for span in spans if span.state == "ABORTED"], BEGAN, ended, 60) == "r" * 60


def test_a_stop_in_which_the_machine_idled_marks_only_where_it_ran() -> None:
    spans, ended = joined([("EXECUTE", 70), ("IDLE", 230), ("EXECUTE", 100)])
    assert resampled(spans, [spans[1]], BEGAN, ended, 4) == "rIIR"


def test_what_was_not_told_is_neither_idle_nor_running() -> None:
    hour = timedelta(hours=1)
    spans = [StateSpan("EXECUTE", BEGAN + hour, BEGAN + 2 * hour)]
    assert resampled(spans, [], BEGAN, BEGAN + 4 * hour, 8) == "  RR    "
    assert resampled([], [], BEGAN, BEGAN, 3) == "   "
    assert resampled(spans, [], BEGAN + 8 * hour, BEGAN + 9 * hour, 3) == "   "


# ------------------------------------------------------------ buckets and leaves

STEPS = st.integers(1, 10**9)


@given(st.integers(0, 10**15), st.integers(1, 10**10), STEPS, st.integers(0, 300), st.integers(1, 200))
def test_a_bucket_has_columns_of_the_plot_only(
    since: int, whole: int, step: int, buckets: int, columns: int
) -> None:
    none: list[float | None] = [None] * buckets
    trend = Trend(
        device="d", item="i", since=since, until=since + whole, step=step,
        times=[since + number * step for number in range(buckets)],
        low=none, high=none, last=none, status=["Good"] * buckets, gaps=[],
    )  # fmt: skip
    for _, covered in columns_of(trend, columns):
        assert all(0 <= column < columns for column in covered)


@given(st.lists(st.integers(1, 3), max_size=30), st.integers(0, 40), st.integers(3, 20))
def test_leafing_shows_every_entry_once_and_says_how_many_follow(sizes: list[int], first: int, height: int) -> None:
    entries = [[Content(f"{number}.{row}") for row in range(size)] for number, size in enumerate(sizes)]
    told: list[str] = []
    at = 0
    while at < len(entries):
        leaf = leafed(entries, at, height, LOOK)
        rows = [row.plain for row in leaf.rows]
        assert len(rows) <= height
        assert leaf.shown > 0
        at += leaf.shown
        if at < len(entries):
            assert str(len(entries) - at) in rows.pop()
        told += rows
    if height > 3:
        assert told == [row.plain for entry in entries for row in entry]
    assert leafed(entries, first, height, LOOK).total == len(entries)
