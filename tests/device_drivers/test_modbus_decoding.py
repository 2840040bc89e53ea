"""What the bytes of an answer mean, against an oracle of its own: a memory that is read register by register."""

from __future__ import annotations

import itertools
import math
import struct
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import DataValue, StatusCode
from device_drivers.modbus.blocks import plan
from device_drivers.modbus.decoding import read, with_factor
from device_drivers.modbus.points import Order, Point, Table, Type, place
from device_drivers.modbus.values import Round, fields

FORMATS = {
    Type.UINT16: "H", Type.INT16: "h", Type.UINT32: "I", Type.INT32: "i", Type.UINT64: "Q", Type.INT64: "q",
    Type.FLOAT32: "f", Type.FLOAT64: "d",
}  # fmt: skip
numbers = st.sampled_from(list(FORMATS))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def on_the_wire(kind: Type, order: Order, value: float) -> bytes:
    """The bytes of a number, written independently of the decoder: letters name bytes, A first."""
    data = struct.pack(">" + FORMATS[kind], value)
    words = [data[i : i + 2] for i in range(0, len(data), 2)]
    if order in (Order.CDAB, Order.DCBA):
        words.reverse()
    if order in (Order.BADC, Order.DCBA):
        words = [word[::-1] for word in words]
    return b"".join(words)


@given(numbers, st.sampled_from(Order), st.integers(0, 5), st.data())
def test_every_number_in_every_order_comes_back(
    kind: Type, order: Order, start: int, data: st.DataObject
) -> None:
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
    assert read(point, bytes(2 * start) + on_the_wire(kind, order, value) + b"\xff\xff", start) == value


@pytest.mark.parametrize(
    ("order", "data"),
    [("ABCD", "0a0b0c0d"), ("CDAB", "0c0d0a0b"), ("BADC", "0b0a0d0c"), ("DCBA", "0d0c0b0a")],
)
def test_the_letters_of_an_order_are_the_bytes_on_the_wire(order: str, data: str) -> None:
    point = Point(name="x", address=0, type=Type.UINT32, order=Order(order))
    assert read(point, bytes.fromhex(data)) == 0x0A0B0C0D


@given(st.integers(0, 0xFFFF), st.integers(0, 15), st.sampled_from(Order))
def test_a_bit_of_a_register(word: int, bit: int, order: Order) -> None:
    point = Point(name="x", address=0, type=Type.BOOL, bit=bit, order=order)
    assert read(point, on_the_wire(Type.UINT16, order, word)) is bool(word & 1 << bit)


@given(st.integers(0, 2**32 - 1), st.integers(0, 31), st.integers(1, 32), st.sampled_from(Order))
def test_several_bits_are_a_number(value: int, bit: int, bits: int, order: Order) -> None:
    bits = min(bits, 32 - bit)
    point = Point(name="x", address=0, type=Type.UINT32, bit=bit, bits=bits, order=order)
    digits = f"{value:032b}"[::-1][bit : bit + bits][::-1]
    assert read(point, on_the_wire(Type.UINT32, order, value)) == int(digits, 2)


@given(st.integers(0, 99_999_999), st.sampled_from(Order))
def test_bcd_is_read_by_its_digits(number: int, order: Order) -> None:
    data = on_the_wire(Type.UINT32, order, int(f"{number:08d}", 16))
    assert read(Point(name="x", address=0, type=Type.BCD32, order=order), data) == number
    low = on_the_wire(Type.UINT16, order, int(f"{number % 10_000:04d}", 16))
    assert read(Point(name="x", address=0, type=Type.BCD16, order=order), low) == number % 10_000


def test_bcd_with_a_digit_above_nine_is_no_value() -> None:
    assert read(Point(name="x", address=0, type=Type.BCD16), b"\x12\x3a") is None


def test_strings_end_at_the_first_zero_and_lose_trailing_blanks() -> None:
    assert read(Point(name="x", address=0, type=Type.STRING, length=3), b"PR7 \0A") == "PR7"
    swapped = Point(name="x", address=0, type=Type.STRING, length=2, order=Order.BADC)
    assert read(swapped, b"RP\0" + b"7") == "PR7"


def test_scale_offset_and_what_is_not_available() -> None:
    point = Point(name="x", address=0, type=Type.INT16, scale=0.5, offset=-40, not_available=-32768)
    assert read(point, b"\0\x64") == 10.0
    assert read(point, b"\x80\0") is None
    assert isinstance(read(Point(name="x", address=0), b"\0\x07"), int)
    several = Point(name="x", address=0, not_available=(0xFFFF, 0x8000))
    assert [read(several, data) for data in (b"\xff\xff", b"\x80\0", b"\x7f\xff")] == [None, None, 0x7FFF]


WIDTHS = {Type.UINT16: 16, Type.INT16: 16, Type.UINT32: 32, Type.INT32: 32, Type.UINT64: 64, Type.INT64: 64}


@given(st.data(), st.sampled_from([*WIDTHS]), st.sampled_from(Order))
def test_a_sentinel_is_known_by_its_number_and_by_its_bits(data: st.DataObject, kind: Type, order: Order) -> None:
    width = WIDTHS[kind]
    bits = data.draw(st.integers(0, (1 << width) - 1))
    signed = bits - (bits >> width - 1 << width)
    sent = on_the_wire(kind, order, signed if kind.startswith("int") else bits)
    for sentinel in {bits, signed}:
        point = Point(name="x", address=0, type=kind, order=order, not_available=sentinel)
        assert read(place(point, 0, 1), sent) is None


def test_a_sentinel_of_a_string_is_what_is_read_of_it() -> None:
    point = Point(name="x", address=0, type=Type.STRING, length=2, not_available="-- ")
    assert read(point, b"--  ") is None


def test_a_sentinel_of_some_bits_is_what_they_hold() -> None:
    point = place(Point(name="x", address=0, bit=4, bits=4, not_available=0xF), 0, 1)
    assert [read(point, data) for data in (b"\0\xf0", b"\0\xe0")] == [None, 0xE]


def test_a_sentinel_of_a_float_is_what_32_bits_hold_of_it() -> None:
    point = Point(name="x", address=0, type=Type.FLOAT32, not_available=-999.9)
    assert read(point, struct.pack(">f", -999.9)) is None


@given(st.integers(-32768, 32767), st.integers(1, 6))
def test_a_decimal_scale_gives_the_decimal_number(raw: int, digits: int) -> None:
    point = Point(name="x", address=0, type=Type.INT16, scale=float(f"1e-{digits}"))
    assert read(point, struct.pack(">h", raw)) == float(Decimal(raw).scaleb(-digits))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_float_that_is_no_number_is_no_value(value: float) -> None:
    point = Point(name="x", address=0, type=Type.FLOAT32)
    assert read(point, on_the_wire(Type.FLOAT32, Order.ABCD, value)) is None


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-10, 10))
def test_a_factor_moves_the_decimal_point(raw: int, factor: int) -> None:
    found = with_factor(raw, factor)
    assert isinstance(found, (int, float))
    assert float(found) == float(Decimal(raw).scaleb(factor))
    assert isinstance(found, float) or abs(found) < 2**63


@pytest.mark.parametrize("factor", [None, 11, -11, -32768, 0.5, "1"])
def test_a_bad_factor_gives_no_value(factor: float | str | None) -> None:
    assert with_factor(7, factor) is None


# ---------------------------------------------------------------- no value from a wrong register

memory = st.integers(0, 2**64).map(lambda seed: lambda address: (address * 2654435761 + seed) >> 7 & 0xFFFF)
somewhere = st.builds(
    Point,
    name=st.uuids().map(str),
    address=st.integers(0, 400),
    table=st.sampled_from([Table.HOLDING, Table.INPUT]),
    type=st.sampled_from([*FORMATS, Type.BCD16, Type.BCD32]),
    order=st.sampled_from(Order),
    alone=st.booleans(),
)
flag = st.builds(
    Point,
    name=st.uuids().map(str),
    address=st.integers(0, 3000),
    table=st.sampled_from([Table.COIL, Table.DISCRETE]),
)


def expected(point: Point, word: object) -> object:
    """The value as a person works it out: register by register, digit by digit."""
    assert callable(word)
    if point.space.of_bits:
        return bool(word(point.address) & 1)
    words = [word(point.address + n) for n in range(point.size)]
    if point.order.low_word_first:
        words = words[::-1]
    if point.order.bytes_swapped:
        words = [(w & 0xFF) << 8 | w >> 8 for w in words]
    digits = "".join(f"{w:04x}" for w in words)
    if point.kind in (Type.BCD16, Type.BCD32):
        return int(digits) if digits.isdecimal() else None
    if point.kind in (Type.FLOAT32, Type.FLOAT64):
        value = struct.unpack(">" + FORMATS[point.kind], bytes.fromhex(digits))[0]
        return value if math.isfinite(value) else None
    number = int(digits, 16)
    return number - 16 ** len(digits) if point.kind.startswith("int") and words[0] & 0x8000 else number


@given(st.lists(somewhere | flag, min_size=1, max_size=30), memory, st.integers(4, 125), st.integers(0, 30))
def test_no_value_is_ever_decoded_from_a_wrong_register(
    wanted: list[Point], word: object, limit: int, gap: int
) -> None:
    assert callable(word)
    found: dict[str, object] = {}
    for block in plan(wanted, limit, gap):
        addresses = range(block.address, block.address + block.count)
        if block.table.of_bits:
            flags = sum((word(address) & 1) << at for at, address in enumerate(addresses))
            data = flags.to_bytes(-(-block.count // 8), "little")
        else:
            data = b"".join(word(address).to_bytes(2, "big") for address in addresses)
        told = itertools.chain(*Round().take(fields(block), data, NOW))
        found.update((value.item, value.value) for value in told)
    assert found == {point.name: expected(point, word) for point in wanted}


# ---------------------------------------------------------------- factors that are read at run time

POWER = Point(name="power", address=3, type=Type.INT16, scale_from="power_sf", not_available=-32768)
FACTOR = Point(name="power_sf", address=50, type=Type.INT16, not_available=-32768)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("factor_data", [b"\xff\xfe", b"\x80\0", b"\0\x0b", None])
def test_a_value_waits_for_the_factor_of_its_own_round(
    order: tuple[int, int], factor_data: bytes | None
) -> None:
    blocks = plan([POWER, FACTOR], 120, 16)
    answers = [b"\0\x7b", factor_data]
    poll, seen = Round(frozenset({"power_sf"})), list[DataValue]()
    for at in order:
        data = answers[at]
        block = fields(blocks[at])
        told = poll.miss(block, NOW) if data is None else poll.take(block, data, NOW)
        seen += itertools.chain(*told)
    (power,) = [value for value in seen if value.item == "power"]
    good = factor_data == b"\xff\xfe"
    assert (power.value, power.status) == ((1.23, StatusCode.GOOD) if good else (None, StatusCode.BAD))
    assert len(seen) == 2


def test_factor_and_value_in_one_block_are_of_one_answer() -> None:
    (block,) = plan([POWER, FACTOR], 120, 60)
    poll = Round(frozenset({"power_sf"}))
    seen = poll.take(fields(block), b"\0\x7b" + bytes(92) + b"\0\x01", NOW)
    assert {value.item: value.value for value in itertools.chain(*seen)} == {"power_sf": 1, "power": 1230}
