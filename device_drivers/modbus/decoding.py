"""What the bytes of an answer mean. Pure; everything that can be decided before the first answer is.

>>> from device_drivers.modbus.points import Point, Type
>>> read(Point(name="good", address=2, type=Type.UINT32), bytes([0, 1, 0, 2]))
65538
>>> read(Point(name="hot", address=8, type=Type.INT16, scale=0.1), bytes([0xFF, 0xFD]))
-0.3
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import Any

from device_drivers.contract import Value
from device_drivers.modbus.points import Order, Point, Type

Raw = bool | int | float | str | None
Number = int | float

LARGEST_FACTOR = 10  # powers of ten: SunSpec's scale factors are -10 to 10

FORMATS = {
    Type.UINT16: "H", Type.INT16: "h", Type.UINT32: "I", Type.INT32: "i", Type.UINT64: "Q",
    Type.INT64: "q", Type.FLOAT32: "f", Type.FLOAT64: "d", Type.BCD16: "H", Type.BCD32: "I",
}  # fmt: skip


def read(point: Point, data: bytes, start: int = 0) -> Value:
    """The value of a point without a scale factor; see `raw_reader`."""
    return scaled(point)(raw_reader(point, start)(data))


def raw_reader(point: Point, start: int) -> Callable[[bytes], Raw]:
    """A function from the data of an answer to the raw value of the point that begins `start` into it.

    `start` counts registers, or bits in an answer of bits. The function gives None for a sentinel, for
    a float that is not finite, and for BCD with a digit above nine.
    """
    number = _unchecked(point, start)
    none = frozenset(point.as_read(sentinel) for sentinel in point.sentinels)
    if not none:
        return number

    def checked(data: bytes) -> Raw:
        value = number(data)
        return None if value in none else value

    return checked


def all_values(points: Sequence[tuple[Point, int]]) -> Callable[[bytes], list[Value]]:
    """A function from the data of an answer to the values of all points, none of which has a factor.

    Each point with the register, or the bit, at which it begins, in this order. It gives what `raw_reader` and
    `scaled` give, and takes the numbers out of the data in one go.
    """
    form, end = ">", 0
    after: list[tuple[int, Callable[[Any], Value]]] = []  # what the raw value at a place is turned into
    beside: list[tuple[int, Callable[[bytes], Raw], Callable[[Raw], Value]]] = []  # points within others
    for place, (point, start) in enumerate(points):
        begin, size = 2 * start, 2 * point.size
        if point.space.of_bits or begin < end:
            beside.append((place, raw_reader(point, start), scaled(point)))
            continue
        form += f"{begin - end}x" if begin > end else ""
        if _is_plain(point):
            form += FORMATS[point.kind]
            change = _finite(point) if point.kind in (Type.FLOAT32, Type.FLOAT64) else scaled(point)
            if change is not _as_it_is:
                after.append((place - len(beside), change))
        else:
            form += f"{size}s"
            after.append((place - len(beside), _read_alone(point)))
        end = begin + size
    unpack = struct.Struct(form).unpack_from

    def values(data: bytes) -> list[Value]:
        found: list[Any] = [*unpack(data)]
        for place, change in after:
            found[place] = change(found[place])
        for place, read, scale in beside:
            found.insert(place, scale(read(data)))
        return found

    return values


def _is_plain(point: Point) -> bool:
    """Whether the bytes of a number stand as in network order, and say no more than the number."""
    if point.kind not in FORMATS or point.kind in (Type.BCD16, Type.BCD32) or point.bits or point.sentinels:
        return False
    return not point.order.bytes_swapped and (point.size == 1 or not point.order.low_word_first)


def _finite(point: Point) -> Callable[[Any], Value]:
    scale = scaled(point)
    return lambda raw: scale(raw) if math.isfinite(raw) else None


def _read_alone(point: Point) -> Callable[[Any], Value]:
    read, scale = raw_reader(point, 0), scaled(point)
    return lambda data: scale(read(data))


def _as_it_is(raw: Raw) -> Value:
    return raw


def scaled(point: Point) -> Callable[[Raw], Value]:
    """A function from the raw value, a factor being applied already, to the value of the point.

    A scale of one tenth, one hundredth ... divides: 3 * 0.1 would not be 0.3.
    """
    scale, offset = point.scale, point.offset
    if (scale, offset) == (1.0, 0.0):
        return _as_it_is
    inverse = round(1 / scale) if 0 < abs(scale) < 1 else 0
    exact = inverse != 0 and 1 / inverse == scale

    def apply(raw: Raw) -> Value:
        if raw is None or isinstance(raw, (bool, str)):
            return raw
        value = (raw / inverse if exact else raw * scale) + offset
        return value if math.isfinite(value) else None

    return apply


def with_factor(raw: Raw, factor: Value) -> Raw:
    """The raw value times ten to the power of a factor read at run time; None when either is bad.

    >>> with_factor(2345, -1), with_factor(7, 2), with_factor(7, None), with_factor(7, -32768)
    (234.5, 700, None, None)
    """
    if raw is None or isinstance(raw, (bool, str)) or not isinstance(factor, int):
        return None
    if abs(factor) > LARGEST_FACTOR:
        return None
    value: Number = raw * 10**factor if factor >= 0 else raw / 10**-factor
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else float(value)  # nobody keeps longer whole numbers
    return value if math.isfinite(value) else None


def _unchecked(point: Point, start: int) -> Callable[[bytes], Raw]:
    if point.space.of_bits:
        byte, mask = start // 8, 1 << start % 8
        return lambda data: bool(data[byte] & mask)
    match point.kind:
        case Type.BOOL:
            bit = point.bit or 0
            # The high byte of a register comes first, unless the point says that they are swapped.
            byte = 2 * start + ((bit < 8) is not point.order.bytes_swapped)
            return lambda data: bool(data[byte] & 1 << bit % 8)
        case Type.STRING:
            return _text(point, start)
        case Type.BCD16 | Type.BCD32:
            number = _number(point, start)
            return lambda data: _decimal(int(number(data)))
        case Type.FLOAT32 | Type.FLOAT64:
            number = _number(point, start)
            return lambda data: value if math.isfinite(value := number(data)) else None
        case _ if point.bits:
            return _field(point, start, point.bit or 0, (1 << point.bits) - 1)
        case _:
            return _number(point, start)


def _number(point: Point, start: int) -> Callable[[bytes], Number]:
    """A number as its type says, whatever the order of its bytes."""
    sign = "<" if point.order.bytes_swapped else ">"
    unpack = struct.Struct(sign + FORMATS[point.kind]).unpack_from
    begin, end = 2 * start, 2 * (start + point.size)
    if point.order in (Order.ABCD, Order.DCBA) or point.size == 1:

        def straight(data: bytes) -> Number:
            value: Number = unpack(data, begin)[0]
            return value

        return straight

    words = [slice(at, at + 2) for at in range(end - 2, begin - 2, -2)]

    def turned(data: bytes) -> Number:
        value: Number = unpack(b"".join([data[word] for word in words]))[0]
        return value

    return turned


def _field(point: Point, start: int, bit: int, mask: int) -> Callable[[bytes], Raw]:
    number = _number(point, start)
    return lambda data: int(number(data)) >> bit & mask


def _text(point: Point, start: int) -> Callable[[bytes], Raw]:
    begin, end, swapped = 2 * start, 2 * (start + point.size), point.order.bytes_swapped

    def text(data: bytes) -> str:
        part = bytearray(data[begin:end])
        if swapped:
            part[::2], part[1::2] = part[1::2], part[::2]
        return part.split(b"\0", 1)[0].decode("utf-8", "backslashreplace").rstrip()

    return text


def _decimal(word: int) -> int | None:
    """The number whose decimal digits are the hexadecimal ones of `word`; None when one is above nine.

    >>> _decimal(0x1984), _decimal(0x19A4)
    (1984, None)
    """
    digits = f"{word:x}"
    return int(digits) if digits.isdigit() else None
