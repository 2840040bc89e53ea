"""Which addresses to read together. Pure.

>>> from device_drivers.modbus.points import Point, Type
>>> good = Point(name="good", address=2, type=Type.UINT32)
>>> hot = Point(name="hot", address=8, type=Type.INT16, scale=0.1)
>>> [(block.address, block.count) for block in plan([hot, good], max_registers=120, max_gap=16)]
[(2, 7)]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from device_drivers.modbus.points import MAX_BITS, Point, Table


@dataclass(frozen=True, slots=True)
class Block:
    """One read: `count` addresses of a table of a unit from `address` on, and the points that lie in them."""

    table: Table
    address: int
    count: int
    points: tuple[Point, ...]
    unit: int = 1
    group: str = ""

    def __hash__(self) -> int:
        """Not of the points, of which there are many: where it is says enough."""
        return hash((self.unit, self.address, self.count))

    def start(self, point: Point) -> int:
        """Where a point begins in the answer to this read: registers or bits from its first."""
        return point.address - self.address


def plan(
    points: Iterable[Point], max_registers: int, max_gap: int, max_bits: int = MAX_BITS, single: bool = False
) -> tuple[Block, ...]:
    """The fewest reads that cover all placed points, in order of unit, group, table and address.

    A read spans at most `max_registers` registers, or `max_bits` bits, and never more than `max_gap`
    registers in a row (16 times as many bits) that no point asked for. Points of different units or
    groups, and points that are `alone`, share no read; with `single` none do. A point is never split.
    """
    blocks: list[Block] = []
    for point in sorted(points, key=_order):
        limit, gap = (max_bits, max_gap * 16) if point.space.of_bits else (max_registers, max_gap)
        last = blocks[-1] if blocks else None
        if last is not None and not single and _fits(last, point, limit, gap):
            end = max(last.address + last.count, point.address + point.size)
            blocks[-1] = _block((*last.points, point), last.address, end)
        else:
            blocks.append(_block((point,), point.address, point.address + point.size))
    return tuple(blocks)


def split(block: Block) -> tuple[Block, ...]:
    """The same points without reading what nobody asked for; where that is so already, one by one.

    For a device that refuses a read because of one address in it. A read of one point stays itself.

    >>> from device_drivers.modbus.points import Point
    >>> (block,) = plan([Point(name=str(n), address=n) for n in (1, 2, 5)], 120, 16)
    >>> [[part.count for part in split(each)] for each in (block, *split(block))]
    [[2, 1], [1, 1], [1]]
    """
    whole = plan(block.points, block.count, 0, block.count)
    return whole if len(whole) > 1 else plan(block.points, block.count, 0, block.count, single=True)


def _order(point: Point) -> tuple[int, str, bool, str, int, int]:
    return (point.unit or 0, point.group, point.alone, point.space, point.address, point.size)


def _block(points: tuple[Point, ...], start: int, end: int) -> Block:
    first = points[0]
    unit = 1 if first.unit is None else first.unit
    return Block(first.space, start, end - start, points, unit, first.group)


def _fits(block: Block, point: Point, limit: int, gap: int) -> bool:
    first = block.points[0]
    if point.alone or first.alone or point.space is not block.table:
        return False
    if (point.unit, point.group) != (first.unit, first.group):
        return False
    end = block.address + block.count
    return point.address - end <= gap and max(end, point.address + point.size) - block.address <= limit
