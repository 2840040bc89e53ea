"""What the site file may say about one point of a Modbus device, and where that is on the wire.

>>> place(Point(name="speed", address=40011), base="modicon", unit=1).address
10
"""

from __future__ import annotations

import enum
import math
import struct
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_REGISTERS = 125  # registers in one answer (Modbus application protocol V1.1b3, 6.3)
MAX_BITS = 2000  # coils or discrete inputs in one answer (6.1)
ADDRESSES = 0x10000  # addresses of each table (4.4)

Base = Literal[0, 1, "modicon"]


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
    """How the registers of a point are read. BCD: four decimal digits in each register."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
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
    Type.UINT32: 2, Type.INT32: 2, Type.FLOAT32: 2, Type.BCD32: 2,
    Type.UINT64: 4, Type.INT64: 4, Type.FLOAT64: 4,
}  # fmt: skip
_UNSIGNED = (Type.UINT16, Type.UINT32, Type.UINT64)
_SIGNED = (Type.INT16, Type.INT32, Type.INT64)
_INTEGERS = (*_UNSIGNED, *_SIGNED)
BCD_DIGITS = {Type.BCD16: 4, Type.BCD32: 8}
_LARGEST_FLOAT32 = (2 - 2**-23) * 2.0**127
# Modicon numbers: the first digit says the table, the rest counts from 1; five digits, or six.
_MODICON = {0: Table.COIL, 1: Table.DISCRETE, 3: Table.INPUT, 4: Table.HOLDING}

Sentinel = int | float | str


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of the device. `address` counts from 0, as on the wire, unless the device's `base` says else.

    `table`: left out, it is holding, or what the Modicon number says. `type`: left out, it is bool for
    coils and discrete inputs, else uint16. `bit` (0 = least significant) picks a bool out of a
    register; with `bits` it picks a number of so many bits, from `bit` upwards, out of an unsigned
    type. `length` is the number of registers of a string. The value is `raw * scale + offset`; with
    `scale_from` it is `raw * 10^factor * scale + offset`, where the factor is another point of the same
    unit and group, and it is bad while the factor is bad. `not_available` is the raw value, or a list
    of them, by which the device says that it has none; of a whole number also its bits, as makers print
    them: 0x8000. `alone` keeps the point out of the block reads
    of others. `unit` is the number of the unit that holds it, left out: the device's. `group` is one of
    the device's `groups`, left out: it is read every `interval`. `engineering_unit` is for people.
    """

    name: Annotated[str, Meta(min_length=1)]
    address: Annotated[int, Meta(ge=0, le=400_000 + ADDRESSES)]
    table: Table | None = None
    type: Type | None = None
    order: Order = Order.ABCD
    bit: Annotated[int, Meta(ge=0, le=63)] | None = None
    bits: Annotated[int, Meta(ge=1, le=63)] | None = None
    length: Annotated[int, Meta(ge=1, le=MAX_REGISTERS)] | None = None
    scale: float = 1.0
    offset: float = 0.0
    scale_from: str = ""
    not_available: Sentinel | tuple[Sentinel, ...] | None = None
    alone: bool = False
    unit: Annotated[int, Meta(ge=0, le=255)] | None = None
    group: str = ""
    engineering_unit: str = ""

    @property
    def where(self) -> str:
        """Its place, as the site file says it."""
        unit = "" if self.unit is None else f", unit {self.unit}"
        return f"{self.table or 'address'} {self.address}{unit}"

    @property
    def space(self) -> Table:
        """The table that counts: the given one, or holding."""
        return self.table or Table.HOLDING

    @property
    def kind(self) -> Type:
        """The type that counts: the given one, or the table's own."""
        return self.type or (Type.BOOL if self.space.of_bits else Type.UINT16)

    @property
    def size(self) -> int:
        """How many addresses the point takes."""
        return self.length or _SIZES.get(self.kind, 1)

    @property
    def sentinels(self) -> tuple[Sentinel, ...]:
        """The raw values that mean none."""
        match self.not_available:
            case None:
                return ()
            case tuple() as several:
                return several
            case one:
                return (one,)

    def as_read(self, sentinel: Sentinel) -> Sentinel:
        """A sentinel as the registers give it. Makers print the bits, 0x8000, of what an int16 gives as -32768.

        >>> Point(name="hot", address=8, type=Type.INT16).as_read(0x8000)
        -32768
        """
        if isinstance(sentinel, str):
            return sentinel.split("\0", 1)[0].rstrip()
        if self.kind is Type.FLOAT32 and abs(sentinel) <= _LARGEST_FLOAT32:
            rounded: float = struct.unpack(">f", struct.pack(">f", sentinel))[0]
            return rounded
        if self.kind in _INTEGERS and math.isfinite(sentinel):
            width = self.bits or 16 * self.size
            bits = int(sentinel) % (1 << width)
            return bits - (1 << width) if self.kind in _SIGNED and bits >> width - 1 else bits
        return sentinel


def place(point: Point, base: Base, unit: int) -> Point:
    """The point as it is on the wire: table, unit, and the address from 0. Raises ValueError in words."""
    table, address = _where(point, base)
    placed = msgspec.structs.replace(
        point, table=table, address=address, unit=unit if point.unit is None else point.unit
    )
    if problem := _problem(placed):
        raise ValueError(f"point {point.name!r}: {problem}")
    return placed


def said(table: Table, address: int, base: Base) -> str:
    """A place on the wire as a point of the site file says it.

    >>> said(Table.INPUT, 52, 0), said(Table.INPUT, 52, 1), said(Table.HOLDING, 10_000, "modicon")
    ('table = "input", address = 52', 'table = "input", address = 53', 'address = 410001')
    """
    if base != "modicon":
        return f'table = "{table}", address = {address + base}'
    first = next(number for number, each in _MODICON.items() if each is table)
    return f"address = {first * (10_000 if address < 9_999 else 100_000) + address + 1}"


def factor_problem(point: Point, factor: Point | None) -> str:
    """What is wrong with the `scale_from` of a placed point; empty when nothing is."""
    if factor is None:
        return f"`scale_from` names {point.scale_from!r}, which is no point of this device"
    if factor.kind not in _INTEGERS or factor.scale_from or (factor.scale, factor.offset) != (1.0, 0.0):
        return f"{factor.name!r} can be no scale factor: it must be a whole number without a scale of its own"
    if (factor.unit, factor.group) != (point.unit, point.group):
        return f"its scale factor {factor.name!r} must be of the same unit and group"
    return ""


def _where(point: Point, base: Base) -> tuple[Table, int]:
    if base != "modicon":
        if not base <= point.address < ADDRESSES + base:
            most = ADDRESSES - 1 + base
            raise ValueError(f"point {point.name!r}: with base = {base} addresses are {base} to {most}")
        return point.space, point.address - base
    first, number = divmod(point.address, 10_000 if point.address < 100_000 else 100_000)
    if first not in _MODICON or not 1 <= number <= ADDRESSES:
        raise ValueError(
            f"point {point.name!r}: {point.address} is no Modicon number: 1 for a coil, 10001 for a discrete "
            "input, 30001 or 300001 for an input register, 40001 or 400001 for a holding register"
        )
    table = _MODICON[first]
    if point.table not in (None, table):
        raise ValueError(
            f"point {point.name!r}: {point.address} is a {table}, and `table` says {point.table}"
        )
    return table, number - 1


def _problem(point: Point) -> str:
    """What is contradictory in a placed point, in words; empty when nothing is."""
    of_bits, kind = point.space.of_bits, point.kind
    if of_bits and kind is not Type.BOOL:
        return f"a {point.space} holds a bit: its type can only be bool"
    if of_bits and point.bit is not None:
        return f"a {point.space} is a bit itself: leave `bit` out"
    if not of_bits and kind is Type.BOOL and (point.bit is None or point.bit > 15):
        return "a bool in a register needs `bit` (0 to 15)"
    if point.address + point.size > ADDRESSES:
        return f"it ends behind the last address, {ADDRESSES - 1}"
    return _bits_problem(point) or _text_problem(point) or _sentinel_problem(point)


def _bits_problem(point: Point) -> str:
    if point.kind is Type.BOOL:
        return "a bool is one bit: leave `bits` out" if point.bits is not None else ""
    if (point.bit is None) is not (point.bits is None):
        return "`bit` goes with type bool, or together with `bits`: how many bits from there"
    if point.bit is not None and point.bits is not None:
        if point.kind not in _UNSIGNED:
            return f"`bits` goes with {', '.join(_UNSIGNED)}"
        if point.bit + point.bits > point.size * 16:
            return f"a {point.kind} has no {point.bits} bits from bit {point.bit} on"
    return ""


def _text_problem(point: Point) -> str:
    kind = point.kind
    if (kind is Type.STRING) is not (point.length is not None):
        return "`length` (in registers) goes with type string, and only with it"
    if kind in (Type.STRING, Type.BOOL):
        if (point.scale, point.offset, point.scale_from) != (1.0, 0.0, ""):
            return f"a {kind} has no scale and no offset"
    if kind is Type.STRING and point.order.low_word_first:
        return "a string can have its bytes swapped (BADC), not its words"
    return ""


def _sentinel_problem(point: Point) -> str:
    if point.sentinels and point.kind is Type.BOOL:
        return "a bool is true or false: leave `not_available` out"
    problems = (_never_read(point, sentinel) for sentinel in point.sentinels)
    return next((f"`not_available` {problem}" for problem in problems if problem), "")


def _never_read(point: Point, sentinel: Sentinel) -> str:
    """Why no registers of a placed point give a sentinel, in words that go on after it; empty when some do."""
    kind, size = point.kind, 2 * point.size
    if isinstance(sentinel, str) is not (kind is Type.STRING):
        return f"is not a {kind}"
    if isinstance(sentinel, str):
        room = 4 * size if "\\x" in sentinel else size  # a byte that is no UTF-8 is read as \xff
        return f"{sentinel!r}: the string has {size} bytes" if len(sentinel.encode()) > room else ""
    if kind in (Type.FLOAT32, Type.FLOAT64):
        beyond = kind is Type.FLOAT32 and _LARGEST_FLOAT32 < abs(sentinel) < math.inf
        return f"{sentinel:g} is more than a float32 can hold" if beyond else ""
    if isinstance(sentinel, float) and not sentinel.is_integer():
        return f"{sentinel:g}: the point holds whole numbers"
    width = point.bits or 8 * size
    digits, half = BCD_DIGITS.get(kind), 1 << width - 1
    if digits is not None:
        least, most = 0, 10**digits - 1
    else:
        least, most = (0, 2 * half - 1) if kind in _UNSIGNED else (-half, half - 1)
    if least <= sentinel <= most or (digits is None and -half <= sentinel < 2 * half):
        return ""
    return f"{int(sentinel)}: the point holds {least} to {most}"
