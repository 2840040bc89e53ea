"""What the site file may say about a Modbus device."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from device_drivers.modbus.counters import counter_modulus
from device_drivers.modbus.encoding import unwritable
from device_drivers.modbus.points import (
    MAX_BITS,
    MAX_REGISTERS,
    Base,
    Order,
    Point,
    Table,
    Type,
    factor_problem,
    place,
)

__all__ = ["MAX_BITS", "MAX_REGISTERS", "Options", "Order", "Point", "SerialPort", "Table", "Type"]

Transport = Literal["tcp", "rtu", "rtu_over_tcp"]


class SerialPort(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The serial line; `port` is best a name under /dev/serial/by-id, which survives re-plugging.

    Left out, the rest is what the standard asks for: 19200 baud, even parity, one stop bit.
    """

    port: Annotated[str, Meta(min_length=1)]
    baudrate: Annotated[int, Meta(ge=300, le=4_000_000)] = 19200
    parity: Literal["N", "E", "O"] = "E"
    stopbits: Literal[1, 2] = 1

    @property
    def silence(self) -> float:
        """Seconds between two frames (Modbus over serial line V1.02, 2.5.1.1): 3.5 characters, or 1.75 ms."""
        bits = 9 + self.stopbits + (self.parity != "N")
        return max(3.5 * bits / self.baudrate, 0.00175)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Modbus TCP connection, or one serial line, with all units behind it. Times are seconds.

    `transport` rtu is a serial line (`serial`); tcp and rtu_over_tcp go to `host` and `port`, where
    rtu_over_tcp is for serial servers that pass the bytes of the line on as they are. `unit` is the
    number of the device; points may name others on the same line. `base` is where the maker's list
    begins to count: 0 as on the wire, 1, or "modicon" for numbers such as 40001.

    `interval` is the pace of the poll; `groups` are further paces by name, for example
    { fast = 0.2, slow = 5 }. `timeout` is how long the device may take to connect and to answer each
    request: at least three times its slowest answer, and a warning says when it is less. One read asks for
    at most `max_registers` registers or `max_bits` bits, and reads over gaps of up to `max_gap` registers that
    nobody asked for (0 for a device that refuses unused addresses).

    A unit of several that does not answer is left out, and asked again after 2 s, 4 s and so on up to
    `retry_dead_unit`; so is a block of registers that its unit does not answer while it answers others (on a
    serial line up to ten times as long). Such a probe costs the line its `timeout`, and a serial line one more of
    quiet. All probes together take a fifth of the time at most, and between two of them every unit that
    answers is read.

    For devices with manners of their own: `pause_after_connect`, `pause_between_requests`,
    `one_request_per_point`, and `max_in_flight`, how many requests a TCP device takes at a time: with two or more
    a probe holds up no poll.
    """

    transport: Transport = "tcp"
    host: Annotated[str, Meta(extra={"address": "host"})] = ""
    port: Annotated[int, Meta(ge=1, le=0xFFFF)] = 502
    serial: SerialPort | None = None
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    base: Base = 0
    interval: Annotated[float, Meta(ge=0.01)] = 0.5
    groups: dict[str, Annotated[float, Meta(ge=0.01)]] = msgspec.field(default_factory=dict)
    timeout: Annotated[float, Meta(ge=0.05, le=60)] = 1.0
    max_registers: Annotated[int, Meta(ge=1, le=MAX_REGISTERS)] = 120
    max_bits: Annotated[int, Meta(ge=1, le=MAX_BITS)] = MAX_BITS
    max_gap: Annotated[int, Meta(ge=0, le=MAX_REGISTERS)] = 16
    retry_dead_unit: Annotated[float, Meta(ge=0.1, le=3600)] = 30.0
    pause_after_connect: Annotated[float, Meta(ge=0, le=60)] = 0.0
    pause_between_requests: Annotated[float, Meta(ge=0, le=60)] = 0.0
    one_request_per_point: bool = False
    max_in_flight: Annotated[int, Meta(ge=1, le=32)] = 1
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        if problem := _wire_problem(self):
            raise ValueError(problem)
        by_name: dict[str, Point] = {}
        for point in self.placed():
            if point.name in by_name:
                raise ValueError(f"point {point.name!r} is there twice; every point needs its own name")
            if point.size > self.max_registers:
                most = f"max_registers = {self.max_registers}"
                raise ValueError(f"point {point.name!r} takes {point.size} registers, more than {most}")
            if point.group and point.group not in self.groups:
                raise ValueError(f"point {point.name!r}: there is no group {point.group!r} in `groups`")
            by_name[point.name] = point
        for point in by_name.values():
            if point.scale_from and (problem := factor_problem(point, by_name.get(point.scale_from))):
                raise ValueError(f"point {point.name!r}: {problem}")

    def unwritable(self, item: str) -> str:
        """Why an item can not be written; see device_drivers.contract.DriverModule."""
        found = (point for point in self.placed() if point.name == item)
        return next((unwritable(point) for point in found), "is no point of this device")

    def counter_modulus(self, item: str) -> int | None:
        """How many numbers a counter has; see device_drivers.contract.DriverModule."""
        found = (point for point in self.placed() if point.name == item)
        return next((counter_modulus(point) for point in found), None)

    def placed(self) -> tuple[Point, ...]:
        """The points as they are on the wire: every one with table and unit, its address from 0."""
        return tuple(place(point, self.base, self.unit) for point in self.points)

    @property
    def where(self) -> str:
        """The place of the device, for people."""
        return self.serial.port if self.serial else f"{self.host}:{self.port}"

    @property
    def of_a_line(self) -> bool:
        """Whether answers come as on a serial line, without the number of their request."""
        return self.transport != "tcp"

    @property
    def gap(self) -> float:
        """Seconds of silence on the line before each request."""
        return max(self.pause_between_requests, self.serial.silence if self.serial else 0.0)


def _wire_problem(options: Options) -> str:
    """What is contradictory about the connection, in words; empty when nothing is."""
    if (options.transport == "rtu") is not (options.serial is not None):
        return '`serial` (the port and its settings) goes with transport = "rtu", and only with it'
    if (options.transport == "rtu") is not (options.host == ""):
        return f'transport = "{options.transport}" ' + ("has no `host`" if options.host else "needs `host`")
    if options.max_in_flight > 1 and options.transport != "tcp":
        return 'on a serial line there is one request at a time: max_in_flight goes with transport = "tcp"'
    if options.max_in_flight > 1 and options.pause_between_requests:
        return "max_in_flight and pause_between_requests contradict each other"
    return ""
