"""Block reads, by property."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.modbus.blocks import plan, split
from device_drivers.modbus.options import MAX_BITS, Point, Table, Type

numbers = st.sampled_from([Type.UINT16, Type.INT32, Type.UINT64, Type.FLOAT32, Type.BCD32])
points = st.lists(
    st.builds(
        Point,
        name=st.uuids().map(str),
        address=st.integers(0, 3000),
        table=st.sampled_from([Table.HOLDING, Table.INPUT]),
        type=numbers,
        alone=st.booleans(),
        unit=st.integers(1, 2),
        group=st.sampled_from(["", "fast"]),
    )
    | st.builds(
        Point,
        name=st.uuids().map(str),
        address=st.integers(0, 9000),
        table=st.just(Table.COIL),
        unit=st.just(1),
    ),
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
        for point in block.points:
            assert (point.table, point.unit, point.group) == (block.table, block.unit, block.group)
            assert read[block.start(point)] == point.address
            assert block.start(point) + point.size <= block.count
        used = sorted({a for p in block.points for a in range(p.address, p.address + p.size)})
        widest = max((after - before - 1 for before, after in pairwise(used)), default=0)
        assert widest <= (gap * 16 if block.table.of_bits else gap)


@given(st.integers(0, 1000), st.integers(1, 30), st.integers(0, 30))
def test_neighbours_share_a_read_exactly_when_the_gap_allows_it(start: int, distance: int, gap: int) -> None:
    pair = [Point(name="a", address=start), Point(name="b", address=start + distance)]
    assert len(plan(pair, 120, gap)) == (1 if distance - 1 <= gap else 2)
    assert len(plan(pair, 120, gap, single=True)) == 2


@given(points)
def test_a_refused_read_is_split_until_one_address_is_left(wanted: list[Point]) -> None:
    for block in plan(wanted, 120, 16):
        left = [block]
        while any(len(part.points) > 1 for part in left):
            parts = [piece for part in left for piece in split(part)]
            assert len(parts) > len(left)
            left = parts
        assert sorted(p.name for part in left for p in part.points) == sorted(p.name for p in block.points)
