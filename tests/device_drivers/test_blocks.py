"""Block reads and decoding, by property."""

from __future__ import annotations

import math
import struct
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.modbus.blocks import decode, plan
from device_drivers.modbus.options import MAX_BITS, Options, Order, Point, Table, Type

FORMATS = {
    Type.UINT16: "H", Type.INT16: "h", Type.UINT32: "I", Type.INT32: "i", Type.UINT64: "Q", Type.INT64: "q",
    Type.FLOAT32: "f", Type.FLOAT64: "d",
}  # fmt: skip
numbers = st.sampled_from(list(FORMATS))
points = st.lists(
    st.builds(
        Point,
        name=st.uuids().map(str),
        address=st.integers(0, 3000),
        table=st.sampled_from([Table.HOLDING, Table.INPUT]),
        type=numbers,
        alone=st.booleans(),
    )
    | st.builds(Point, name=st.uuids().map(str), address=st.integers(0, 9000), table=st.just(Table.COIL)),
    max_size=40,
)


@given(points, st.integers(4, 125), st.integers(0, 40))
def test_a_plan_reads_every_point_once_and_whole_within_the_limits(
    wanted: list[Point], limit: int, gap: int
) -> None:
    blocks = plan(wanted, limit, gap)
    assert sorted(point.name for block in blocks for point in block.points) == sorted(p.name for p in wanted)
    for block in blocks:
        assert block.count <= (MAX_BITS if block.table.of_bits else limit)
        assert len(block.points) == 1 or not any(point.alone for point in block.points)
        read = range(block.address, block.address + block.count)
        answer = list(read)
        for point in block.points:
            assert point.table is block.table
            assert list(block.part(point, answer)) == list(range(point.address, point.address + point.size))
        used = sorted({a for p in block.points for a in range(p.address, p.address + p.size)})
        widest = max((after - before - 1 for before, after in pairwise(used)), default=0)
        assert widest <= (gap * 16 if block.table.of_bits else gap)


@given(st.integers(0, 1000), st.integers(1, 30), st.integers(0, 30))
def test_neighbours_share_a_read_exactly_when_the_gap_allows_it(start: int, distance: int, gap: int) -> None:
    pair = [Point(name="a", address=start), Point(name="b", address=start + distance)]
    assert len(plan(pair, 120, gap)) == (1 if distance - 1 <= gap else 2)


def on_the_wire(kind: Type, order: Order, value: float) -> list[int]:
    """The registers of a number, written independently of the decoder: letters name bytes, A first."""
    data = struct.pack(">" + FORMATS[kind], value)
    words = [data[i : i + 2] for i in range(0, len(data), 2)]
    if order in (Order.CDAB, Order.DCBA):
        words.reverse()
    if order in (Order.BADC, Order.DCBA):
        words = [word[::-1] for word in words]
    return [int.from_bytes(word, "big") for word in words]


@given(numbers, st.sampled_from(Order), st.data())
def test_every_number_in_every_order_comes_back(kind: Type, order: Order, data: st.DataObject) -> None:
    if kind in (Type.FLOAT32, Type.FLOAT64):
        value: float = data.draw(
            st.floats(width=32 if kind is Type.FLOAT32 else 64, allow_nan=False, allow_infinity=False)
        )
    else:
        bits = struct.calcsize(FORMATS[kind]) * 8
        signed = kind in (Type.INT16, Type.INT32, Type.INT64)
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        value = data.draw(st.integers(low, high))
    point = Point(name="x", address=0, type=kind, order=order)
    assert decode(point, on_the_wire(kind, order, value)) == value


@pytest.mark.parametrize(
    ("order", "registers"),
    [
        ("ABCD", [0x0A0B, 0x0C0D]),
        ("CDAB", [0x0C0D, 0x0A0B]),
        ("BADC", [0x0B0A, 0x0D0C]),
        ("DCBA", [0x0D0C, 0x0B0A]),
    ],
)
def test_the_letters_of_an_order_are_the_bytes_on_the_wire(order: str, registers: list[int]) -> None:
    assert decode(Point(name="x", address=0, type=Type.UINT32, order=Order(order)), registers) == 0x0A0B0C0D


@given(st.integers(0, 0xFFFF), st.integers(0, 15))
def test_a_bit_of_a_register(word: int, bit: int) -> None:
    point = Point(name="x", address=0, type=Type.BOOL, bit=bit)
    assert decode(point, [word]) is bool(word & 1 << bit)


def test_strings_end_at_the_first_zero_and_lose_trailing_blanks() -> None:
    assert decode(Point(name="x", address=0, type=Type.STRING, length=3), [0x5052, 0x3720, 0x0041]) == "PR7"
    swapped = Point(name="x", address=0, type=Type.STRING, length=2, order=Order.BADC)
    assert decode(swapped, [0x5250, 0x0037]) == "PR7"


def test_scale_offset_and_what_is_not_available() -> None:
    point = Point(name="x", address=0, type=Type.INT16, scale=0.5, offset=-40, not_available=-32768)
    assert decode(point, [100]) == 10.0
    assert decode(point, [0x8000]) is None
    (word,) = on_the_wire(Type.UINT16, Order.ABCD, 7)
    assert isinstance(decode(Point(name="x", address=0), [word]), int)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_no_value(value: float) -> None:
    point = Point(name="x", address=0, type=Type.FLOAT32)
    assert decode(point, on_the_wire(Type.FLOAT32, Order.ABCD, value)) is None


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"table": "coil", "type": "uint16"}, "can only be bool"),
        ({"table": "coil", "bit": 1}, "leave `bit` out"),
        ({"type": "bool"}, "needs `bit`"),
        ({"bit": 1}, "goes with type bool"),
        ({"type": "string"}, "`length`"),
        ({"length": 4}, "`length`"),
        ({"type": "string", "length": 2, "scale": 2}, "no scale"),
        ({"type": "string", "length": 2, "order": "CDAB"}, "not its words"),
        ({"not_available": "none"}, "`not_available`"),
        ({"address": 65535, "type": "uint32"}, "last address"),
        ({"bit": 16, "type": "bool"}, "<= 15"),
    ],
)
def test_a_contradictory_point_is_refused_in_words(point: dict[str, object], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"name": "x", "address": 0, **point}, Point)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"points": [{"name": "x", "address": 1}, {"name": "x", "address": 2}]}, "twice"),
        (
            {"max_registers": 1, "points": [{"name": "x", "address": 1, "type": "int32"}]},
            "more than max_registers",
        ),
        ({"max_registers": 126, "points": [{"name": "x", "address": 1}]}, "<= 125"),
        ({"points": []}, "length >= 1"),
    ],
)
def test_contradictory_options_are_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"host": "127.0.0.1", **options}, Options)
