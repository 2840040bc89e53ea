"""What a Modbus device has, for whoever writes its points: read by the driver itself, so that every
manner and every wire that the driver knows is known here too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from device_drivers.contract import (
    Clock,
    DataValue,
    DataValues,
    DeviceError,
    Found,
    Misconfigured,
    Observation,
    StatusCode,
)
from device_drivers.modbus.driver import Driver
from device_drivers.modbus.options import Options, Point, Table, Type
from device_drivers.modbus.points import said

_LAST = 0xFFFF
_SOON = 0.2  # seconds between the polls of a look
_HIDDEN = "\0"  # begins the names of points that no site file can have
# What a point keeps when only its registers are asked for; the rest says what they mean.
_OF_THE_WIRE = ("address", "table", "alone", "unit", "group")


async def browse(
    options: Options, clock: Clock, path: str = "", first: int = 0, count: int = 100
) -> tuple[Found, ...]:
    """Addresses `first` to `first + count - 1` of every table, or of the one that `path` names.

    A table that the device refuses or does not answer for is left out, and so is a single address that
    it refuses. Raises the first table's DeviceError when none answers.
    """
    if path and path not in set(Table):
        raise Misconfigured(f"There is no table {path!r}; there are: {', '.join(Table)}.")
    addresses = range(first, min(first + count, _LAST + 1))
    found: list[Found] = []
    lost: list[DeviceError] = []
    for table in [Table(path)] if path else Table:
        try:
            found += await _table(options, clock, table, addresses)
        except DeviceError as error:
            lost.append(error)
    if lost and not found:
        raise lost[0]
    return tuple(found)


def with_raw(options: Options) -> tuple[Options, dict[str, tuple[str, ...]]]:
    """Options that read every register of every point beside it, in the same requests; and their names.

    They are for one look: no group waits longer than a moment for its next poll.
    """
    raw: dict[str, tuple[str, ...]] = {}
    points: list[Point] = list(options.placed())
    for point in options.placed():
        kept = {key: getattr(point, key) for key in _OF_THE_WIRE}
        parts = [
            Point(
                **kept | {"name": f"{_HIDDEN}{point.name}{_HIDDEN}{index}", "address": point.address + index}
            )
            for index in range(point.size)
        ]
        raw[point.name] = tuple(part.name for part in parts)
        points += parts
    soon = {name: min(interval, _SOON) for name, interval in options.groups.items()}
    interval = min(options.interval, _SOON)
    return msgspec.structs.replace(
        options, points=tuple(points), base=0, interval=interval, groups=soon
    ), raw


async def _table(options: Options, clock: Clock, table: Table, addresses: range) -> list[Found]:
    """The addresses of one table that have a value: together, and one by one where that is refused."""
    values = await _read(options, clock, table, addresses, alone=False)
    refused = [address for address in addresses if values[address].status is StatusCode.BAD]
    values |= await _read(options, clock, table, refused, alone=True)  # one hole refuses a whole block
    kind = "bit" if table.of_bits else "register"
    return [
        Found(said(table, address, options.base), "", kind, value.value, value.status)
        for address, value in sorted(values.items())
        if value.status is not StatusCode.BAD
    ]


async def _read(
    options: Options, clock: Clock, table: Table, addresses: Iterable[int], *, alone: bool
) -> dict[int, DataValue]:
    """One poll of single addresses by the driver."""
    kind = Type.BOOL if table.of_bits else Type.UINT16
    points = tuple(
        Point(name=str(address), address=address, table=table, type=kind, alone=alone)
        for address in addresses
    )
    if not points:
        return {}
    values: dict[int, DataValue] = {}
    done = asyncio.Event()

    def take(seen: Observation) -> None:
        for value in (seen,) if isinstance(seen, DataValue) else seen if isinstance(seen, DataValues) else ():
            values.setdefault(int(value.item), value)
        if len(values) == len(points):
            done.set()

    driver = Driver(msgspec.structs.replace(options, points=points, base=0, groups={}), clock)
    running = asyncio.create_task(driver.run(take))
    waiting = asyncio.create_task(done.wait())
    try:
        await asyncio.wait([running, waiting], return_when=asyncio.FIRST_COMPLETED)
        if not done.is_set():
            await running
    finally:
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
    return values
