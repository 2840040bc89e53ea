"""Which addresses to read together, and what the answers mean. Pure.

>>> from device_drivers.modbus.options import Order, Point, Type
>>> good = Point(name="good", address=2, type=Type.UINT32)
>>> hot = Point(name="hot", address=8, type=Type.INT16, scale=0.1)
>>> [(block.address, block.count) for block in plan([hot, good], max_registers=120, max_gap=16)]
[(2, 7)]
>>> decode(good, [1, 2]), decode(hot, [0xFFFE])
(65538, -0.2)
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from device_drivers.contract import Value
from device_drivers.modbus.options import MAX_BITS, Point, Table, Type

_FORMATS = {
    Type.UINT16: ">H", Type.INT16: ">h", Type.UINT32: ">I", Type.INT32: ">i", Type.UINT64: ">Q",
    Type.INT64: ">q", Type.FLOAT32: ">f", Type.FLOAT64: ">d",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """One read: `count` addresses of a table from `address` on, and the points that lie in them."""

    table: Table
    address: int
    count: int
    points: tuple[Point, ...]

    def part(self, point: Point, answer: Sequence[int]) -> Sequence[int]:
        """The registers or bits of one point out of the answer to this read."""
        start = point.address - self.address
        return answer[start : start + point.size]


def plan(points: Iterable[Point], max_registers: int, max_gap: int) -> tuple[Block, ...]:
    """The fewest reads that cover all points, in table and address order.

    A read spans at most `max_registers` registers, or 2000 bits, and never more than `max_gap`
    registers in a row (16 times as many bits) that no point asked for. A point is never split.
    """
    blocks: list[Block] = []
    for point in sorted(points, key=lambda p: (p.alone, p.table, p.address, p.size)):
        limit, gap = (MAX_BITS, max_gap * 16) if point.table.of_bits else (max_registers, max_gap)
        last = blocks[-1] if blocks else None
        if last is not None and _fits(last, point, limit, gap):
            end = max(last.address + last.count, point.address + point.size)
            blocks[-1] = Block(last.table, last.address, end - last.address, (*last.points, point))
        else:
            blocks.append(Block(point.table, point.address, point.size, (point,)))
    return tuple(blocks)


def decode(point: Point, part: Sequence[int]) -> Value:
    """The value of a point from its registers or its bit; None when the device says it has none.

    A float that is not a number, or not finite, is none either.
    """
    raw = _raw(point, part)
    if raw == point.not_available or (isinstance(raw, float) and not math.isfinite(raw)):
        return None
    if isinstance(raw, (bool, str)) or (point.scale, point.offset) == (1.0, 0.0):
        return raw
    scaled = raw * point.scale + point.offset
    return scaled if math.isfinite(scaled) else None


def _fits(block: Block, point: Point, limit: int, gap: int) -> bool:
    if block.table is not point.table or point.alone or block.points[0].alone:
        return False
    end = block.address + block.count
    return point.address - end <= gap and max(end, point.address + point.size) - block.address <= limit


def _raw(point: Point, part: Sequence[int]) -> bool | int | float | str:
    if point.table.of_bits:
        return bool(part[0])
    words = reversed(part) if point.order.low_word_first else part
    data = b"".join(word.to_bytes(2, "little" if point.order.bytes_swapped else "big") for word in words)
    if point.kind is Type.BOOL:
        return bool(int.from_bytes(data, "big") >> (point.bit or 0) & 1)
    if point.kind is Type.STRING:
        return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace").rstrip()
    value: int | float = struct.unpack(_FORMATS[point.kind], data)[0]
    return value
