"""What goes into a block comes out of it, to the last bit."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Value
from edge_agent.store.samples_blocks import (
    Damaged,
    Rows,
    Series,
    by_item,
    decode_block,
    decode_rows,
    encode_block,
    encode_rows,
)

WHOLE = st.integers(-(1 << 63), (1 << 64) - 1)
ANY_BITS = st.integers(0, (1 << 64) - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0])
DECIMALS = st.tuples(st.integers(-(10**6), 10**6), st.sampled_from([1, 10, 100, 1000])).map(lambda p: p[0] / p[1])
SCALED = st.tuples(st.integers(-40_000, 40_000), st.sampled_from([0.1, 0.01, 0.5])).map(lambda p: p[0] * p[1])
SINGLE = st.floats(width=32)
ANY_TEXT = st.text(st.characters(codec=None), max_size=8)  # with lone surrogates
ODD = st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1e300, 2.0**53, 2.0**63])
ONE_TYPE = st.sampled_from([WHOLE, ANY_BITS, DECIMALS, SCALED, SINGLE, ANY_TEXT, st.booleans(), st.none(), ODD])
ANY_VALUE: st.SearchStrategy[Value] = st.one_of(
    WHOLE, ANY_BITS, DECIMALS, SINGLE, ODD, ANY_TEXT, st.booleans(), st.none()
)
TIMES = st.one_of(
    st.integers(-(1 << 62), 1 << 62),
    st.integers(0, 50).map(lambda n: 1_790_000_000_000_000 + n * 1_000_000),
)


@st.composite
def a_series(draw: st.DrawFn) -> Series:
    length = draw(st.integers(1, 40))
    kind = draw(st.one_of(ONE_TYPE, st.just(ANY_VALUE)))
    few = draw(st.booleans())  # a table of values pays when few are used often
    pool = draw(st.lists(kind, min_size=1, max_size=3 if few else length))
    values = [pool[draw(st.integers(0, len(pool) - 1))] for _ in range(length)]
    times = draw(st.lists(TIMES, min_size=length, max_size=length))
    return Series(times, draw(st.lists(st.integers(0, 2), min_size=length, max_size=length)), values)


def bits(values: list[Value]) -> list[object]:
    """Values so that only the same type and the same bits are equal."""
    return [struct.pack("<d", each) if isinstance(each, float) else (type(each), each) for each in values]


def same(first: Series, second: Series) -> None:
    assert (first.times, first.statuses) == (second.times, second.statuses)
    assert bits(first.values) == bits(second.values)


@given(st.dictionaries(st.integers(0, 99), a_series(), min_size=1, max_size=5))
def test_a_block_gives_back_what_it_was_given(series: dict[int, Series]) -> None:
    back = decode_block(encode_block(series))
    assert list(back) == list(series)
    for number, each in series.items():
        same(back[number], each)


@given(st.dictionaries(st.integers(0, 99), a_series(), min_size=2, max_size=5), st.data())
def test_one_item_is_read_without_the_others(series: dict[int, Series], data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.integers(0, 99)))
    back = decode_block(encode_block(series), wanted)
    assert set(back) == wanted & set(series)
    for number, each in back.items():
        same(each, series[number])


ROW = st.tuples(
    st.integers(0, 99), TIMES, st.integers(0, 2),
    st.one_of(WHOLE, ANY_BITS, DECIMALS, ODD, st.text(max_size=8), st.booleans(), st.none()),
)  # fmt: skip


@given(st.lists(ROW, min_size=1, max_size=40))
def test_rows_come_back_as_they_were(given: list[tuple[int, int, int, Value]]) -> None:
    rows = Rows(*map(list, zip(*given, strict=True)))
    back = decode_rows(encode_rows(rows))
    assert back[:3] == rows[:3]
    assert bits(back.values) == bits(rows.values)
    for place, series in by_item(rows).items():
        mine = [row for row in given if row[0] == place]
        assert series[:2] == ([row[1] for row in mine], [row[2] for row in mine])
        assert bits(series.values) == bits([row[3] for row in mine])


@given(st.lists(st.integers(0, 99), min_size=1, max_size=6), st.integers(1, 9), st.data())
def test_whole_reads_of_a_device_are_told_apart_like_others(
    places: list[int], times: int, data: st.DataObject
) -> None:
    count = len(places) * times
    values = data.draw(st.lists(st.one_of(WHOLE, st.none()), min_size=count, max_size=count))
    moments = [number // len(places) for number in range(count)]
    series = by_item(Rows(places * times, moments, [0] * count, [*values]))
    assert set(series) == set(places)
    for place, each in series.items():
        mine = [number for number, other in enumerate(places * times) if other == place]
        assert each == ([moments[n] for n in mine], [0] * len(mine), [values[n] for n in mine])
    back = decode_block(encode_block(series))
    assert back == series
    last = [*series][-1]
    assert decode_block(encode_block(series), {last}) == {last: series[last]}


def test_what_is_no_block_is_damaged() -> None:
    whole = encode_block({1: Series([1, 2], [0, 0], [1.5, 2.5]), 2: Series([1, 2], [0, 1], ["a", None])})
    rows = encode_rows(Rows([1, 2], [5, 6], [0, 1], [1.5, None]))
    for broken in (b"", b"\x00", b"\x01abc", whole[:-3], b"\x01" + whole[1:], b"\x02" + whole[1:], rows):
        with pytest.raises(Damaged):
            decode_block(broken)
    for broken in (b"", rows[:-1], whole, b"\x95\x01\xc0\x00\x91\x01\x92\x01\x02"):
        with pytest.raises(Damaged):
            decode_rows(broken)


HOUR = [1_790_000_000_000_000 + second * 1_000_000 + second * 7919 % 1500 for second in range(3600)]


@pytest.mark.parametrize(
    ("values", "most"),
    [
        ([20.5] * 3600, 0.02),
        ([second // 3 for second in range(3600)], 0.1),
        ([(200 + second * 7 % 5) / 10 for second in range(3600)], 0.3),
        ([(200 + second * 7 % 5) * 0.1 for second in range(3600)], 0.3),
        ([(200 + second * 7 % 5) * 0.1 - 40 for second in range(3600)], 0.3),
        (["RUN", "RUN", "IDLE", "HELD"] * 900, 0.1),
        ([second % 60 < 30 for second in range(3600)], 0.1),
    ],
    ids=["constant", "counter", "decimals", "scaled", "scaled with offset", "text", "bits"],
)
def test_what_machines_say_takes_little_room(values: list[Value], most: float) -> None:
    """Bytes a sample, in a block of ten such items that were read together."""
    block = encode_block({number: Series(HOUR, [0] * 3600, values) for number in range(10)})
    assert len(block) / 36_000 <= most
