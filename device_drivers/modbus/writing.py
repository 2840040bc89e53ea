"""How a value gets into a device: the requests that write it, and what its registers say after. Pure.

The only place that makes requests that write. They come from `Driver.write_item`, and that is asked by
the write gate alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.contract import NotWritten, Written
from device_drivers.modbus.decoding import read
from device_drivers.modbus.encoding import encode, unwritable
from device_drivers.modbus.frames import (
    COIL_ON,
    FUNCTIONS,
    WRITE_COIL,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Refusal,
    Request,
    WriteRequest,
)
from device_drivers.modbus.points import Point, Table

_ILLEGAL_FUNCTION = 1
# What a unit says no with (application protocol, 7). After the others nobody knows what it did.
_CODES = {
    1: "it knows no such write",
    2: "it has no such register, or it is read only",
    3: "it does not take this value",
    6: "it is busy",
    10: "its gateway has no way to it",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A write of one placed point. Of `tries` the next one is for a device that does not know the one before."""

    point: Point
    data: bytes
    tries: tuple[WriteRequest, ...]
    after: Request

    def found(self, data: bytes) -> Written:
        """What the device says when it is read after the write."""
        if self.point.space is Table.COIL:
            on = bool(data[0] & 1)
            return Written(on, on is (self.data == COIL_ON))
        return Written(read(self.point, data), data == self.data)


def plan_write(point: Point, value: bool | int | float | str, *, of_a_line: bool) -> Plan:
    """The requests that give a placed point a value. Raises NotWritten in words."""
    unit = 1 if point.unit is None else point.unit
    problem = unwritable(point)
    if of_a_line and unit == 0:
        problem = "is of unit 0, which is every unit of the line, and none of them answers"
    if problem:
        raise NotWritten(f"{point.name} {problem}.")
    try:
        data = encode(point, value)
    except ValueError as error:
        raise NotWritten(f"{point.name} can not be {value!r}: {error}.") from error
    after = Request(unit, FUNCTIONS[point.space], point.address, point.size)
    if point.space is Table.COIL:
        return Plan(point, data, (WriteRequest(unit, WRITE_COIL, point.address, data),), after)
    several = WriteRequest(unit, WRITE_REGISTERS, point.address, data)
    if point.size > 1:
        return Plan(point, data, (several,), after)
    return Plan(point, data, (WriteRequest(unit, WRITE_REGISTER, point.address, data), several), after)


def may_try_next(refusal: Refusal) -> bool:
    """Whether a unit said that it does not know the function: some know only one of the two for registers."""
    return refusal.code == _ILLEGAL_FUNCTION


def why_not(point: Point, refusal: Refusal) -> str | None:
    """Why a unit has not written, in words; None: it may have."""
    words = _CODES.get(refusal.code)
    return words and f"The device refuses to write {point.name}: {words} (exception {refusal.code})."
