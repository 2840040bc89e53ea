"""What the site file may say about a Modbus device and its points."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

MAX_REGISTERS = 125  # registers in one answer (Modbus application protocol V1.1b3, 6.3)
MAX_BITS = 2000  # coils or discrete inputs in one answer (6.1)


class Table(enum.StrEnum):
    """The four address spaces of a Modbus device."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def of_bits(self) -> bool:
        """Whether one address holds a bit, not a 16 bit register."""
        return self in (Table.COIL, Table.DISCRETE)


class Type(enum.StrEnum):
    """How the registers of a point are read."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    STRING = "string"
    BOOL = "bool"


class Order(enum.StrEnum):
    """Which byte of a 32 bit value comes first on the wire; A is the most significant one.

    ABCD is what the standard says; CDAB has the low word first, BADC the bytes of each word swapped,
    DCBA both. Longer values follow the same two rules.
    """

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"

    @property
    def low_word_first(self) -> bool:
        """Whether the registers come in reverse."""
        return self in (Order.CDAB, Order.DCBA)

    @property
    def bytes_swapped(self) -> bool:
        """Whether the two bytes of each register come in reverse."""
        return self in (Order.BADC, Order.DCBA)


_SIZES = {
    Type.UINT32: 2, Type.INT32: 2, Type.FLOAT32: 2,
    Type.UINT64: 4, Type.INT64: 4, Type.FLOAT64: 4,
}  # fmt: skip


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of the device. `address` counts from 0, as on the wire.

    `type`: left out, it is bool for coils and discrete inputs, else uint16. `bit` (0 = least
    significant) picks a bool out of a register; `length` is the number of registers of a string.
    The value is `raw * scale + offset`; `not_available` is the raw value by which the device says
    that it has none. `alone` keeps the point out of the block reads of others. `unit` is for people.
    """

    name: Annotated[str, Meta(min_length=1)]
    address: Annotated[int, Meta(ge=0, le=0xFFFF)]
    table: Table = Table.HOLDING
    type: Type | None = None
    order: Order = Order.ABCD
    bit: Annotated[int, Meta(ge=0, le=15)] | None = None
    length: Annotated[int, Meta(ge=1, le=MAX_REGISTERS)] | None = None
    scale: float = 1.0
    offset: float = 0.0
    not_available: int | float | str | None = None
    alone: bool = False
    unit: str = ""

    @property
    def kind(self) -> Type:
        """The type that counts: the given one, or the table's own."""
        return self.type or (Type.BOOL if self.table.of_bits else Type.UINT16)

    @property
    def size(self) -> int:
        """How many addresses the point takes."""
        return self.length or _SIZES.get(self.kind, 1)

    def __post_init__(self) -> None:
        if problem := _problem(self):
            raise ValueError(f"point {self.name!r}: {problem}")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Modbus TCP unit. Times are seconds.

    `interval` is the pace of the poll; `timeout` how long the device may take to connect and to
    answer each request. One read asks for at most `max_registers` registers and reads over gaps of
    up to `max_gap` registers that nobody asked for (0 for a device that refuses unused addresses).
    """

    host: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=0xFFFF)] = 502
    unit: Annotated[int, Meta(ge=0, le=255)] = 1
    interval: Annotated[float, Meta(ge=0.01)] = 0.5
    timeout: Annotated[float, Meta(ge=0.05, le=60)] = 1.0
    max_registers: Annotated[int, Meta(ge=1, le=MAX_REGISTERS)] = 120
    max_gap: Annotated[int, Meta(ge=0, le=MAX_REGISTERS)] = 16
    points: Annotated[tuple[Point, ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for point in self.points:
            if point.name in seen:
                raise ValueError(f"point {point.name!r} is there twice; every point needs its own name")
            if point.size > self.max_registers:
                most = f"max_registers = {self.max_registers}"
                raise ValueError(f"point {point.name!r} takes {point.size} registers, more than {most}")
            seen.add(point.name)


def _problem(point: Point) -> str:
    """What is contradictory in a point, in words; empty when nothing is."""
    of_bits, kind = point.table.of_bits, point.kind
    if of_bits and kind is not Type.BOOL:
        return f"a {point.table} holds a bit: its type can only be bool"
    if of_bits and point.bit is not None:
        return f"a {point.table} is a bit itself: leave `bit` out"
    if not of_bits and kind is Type.BOOL and point.bit is None:
        return "a bool in a register needs `bit` (0 to 15)"
    if kind is not Type.BOOL and point.bit is not None:
        return "`bit` goes with type bool"
    if (kind is Type.STRING) is not (point.length is not None):
        return "`length` (in registers) goes with type string, and only with it"
    if kind in (Type.STRING, Type.BOOL) and (point.scale, point.offset) != (1.0, 0.0):
        return f"a {kind} has no scale and no offset"
    if kind is Type.STRING and point.order.low_word_first:
        return "a string can have its bytes swapped (BADC), not its words"
    if isinstance(point.not_available, str) is not (kind is Type.STRING) and point.not_available is not None:
        return f"`not_available` is not a {kind}"
    if point.address + point.size > 0x10000:
        return "it ends behind the last address, 65535"
    return ""
