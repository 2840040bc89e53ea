"""The bytes that give a point a value: what `decoding` reads, the other way round. Pure.

>>> from device_drivers.modbus.points import Point, Type
>>> encode(Point(name="hot", address=8, type=Type.INT16, scale=0.1), -0.3).hex()
'fffd'
>>> encode(Point(name="name", address=0, type=Type.STRING, length=2), "AB")
b'AB\\x00\\x00'
"""

from __future__ import annotations

import math
import struct

from device_drivers.modbus.decoding import FORMATS, read
from device_drivers.modbus.frames import COIL_OFF, COIL_ON
from device_drivers.modbus.points import BCD_DIGITS, Point, Table, Type

_FLOATS = {Type.FLOAT32: 1e-6, Type.FLOAT64: 1e-12}  # how exact they are


def unwritable(point: Point) -> str:
    """Why no value of a placed point can be written, in words that go on after its name; empty when one can."""
    if point.space not in (Table.COIL, Table.HOLDING):
        return f"is in the table {point.space}, which can only be read"
    if point.space is Table.HOLDING and point.bit is not None:
        return "is a part of a register: to write it would write its neighbours as well"
    if point.scale_from:
        return "has a scale factor that the device may change meanwhile"
    if point.scale == 0:
        return "has the scale 0"
    return ""


def encode(point: Point, value: bool | int | float | str) -> bytes:
    """The registers, or the coil, that hold a value of a writable point. Raises ValueError in words.

    What does not come back when it is read is no value of the point.
    """
    if point.space is Table.COIL:
        if not isinstance(value, bool):
            raise ValueError("it is a coil: true or false")
        return COIL_ON if value else COIL_OFF
    data = _text(point, value) if point.kind is Type.STRING else _number(point, value)
    again = read(point, data)
    if again is None:
        raise ValueError("the device takes this value for none (`not_available`)")
    if not _close(point, again, value):
        raise ValueError(f"the device can only hold {again!r} or another step of {abs(point.scale):g}")
    return data


def _text(point: Point, value: bool | int | float | str) -> bytes:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("it is text")
    data = bytearray(value.encode("utf-8", "surrogatepass"))
    if len(data) > 2 * point.size:
        raise ValueError(f"it has room for {2 * point.size} bytes, and this text has {len(data)}")
    data = data.ljust(2 * point.size, b"\0")
    if point.order.bytes_swapped:
        data[::2], data[1::2] = data[1::2], data[::2]
    return bytes(data)


def _number(point: Point, value: bool | int | float | str) -> bytes:
    if isinstance(value, (bool, str)):
        raise ValueError("it is a number")  # noqa: TRY004 - no mistake of the program
    sign = "<" if point.order.bytes_swapped else ">"
    try:
        data = struct.pack(sign + FORMATS[point.kind], _raw(point, value))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"a {point.kind} can not hold it") from error
    words = [data[at : at + 2] for at in range(0, len(data), 2)]
    straight = point.order.low_word_first is point.order.bytes_swapped  # as decoding turns them
    return b"".join(words if straight else reversed(words))


def _raw(point: Point, value: int | float) -> int | float:
    """What the registers hold for a value, before it is packed."""
    if (point.scale, point.offset) != (1.0, 0.0):
        value = (value - point.offset) / point.scale
    if point.kind in _FLOATS:
        return value
    if not math.isfinite(value):
        raise ValueError(f"a {point.kind} can not hold it")
    whole = round(value)
    if (digits := BCD_DIGITS.get(point.kind)) is None:
        return whole
    if not 0 <= whole < 10**digits:
        raise ValueError(f"a {point.kind} can not hold it")
    return int(str(whole), 16)


def _close(point: Point, again: object, value: bool | int | float | str) -> bool:
    if isinstance(value, str) or isinstance(again, (str, bool)):
        return isinstance(value, str) and again == value.rstrip()
    assert isinstance(again, (int, float))
    whole = (point.scale, point.offset) == (1.0, 0.0) and point.kind not in _FLOATS
    if whole or (isinstance(again, int) and isinstance(value, int)):
        return again == value
    return math.isclose(again, value, rel_tol=_FLOATS.get(point.kind, 1e-9), abs_tol=abs(point.scale) * 1e-6)
