"""What every device driver promises. A new driver is found by its file; its partner must be there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import device_drivers
from device_drivers.contract import (
    DataValue,
    DeviceError,
    Driver,
    Observation,
    Online,
    Reads,
    Scan,
    StatusCode,
    Unreachable,
)
from tests.contract.driver_partners import DriverPartner, partner_class, partner_names
from tests.device_drivers import observing as drivers
from tests.device_drivers.observing import Running, eventually, running

DRIVERS = device_drivers.names()
WITH_PARTNER = partner_names()
MACHINES = tuple(name for name in WITH_PARTNER if getattr(partner_class(name), "stale_after", None))


every_driver = pytest.mark.parametrize("name", WITH_PARTNER)
every_machine = pytest.mark.parametrize("name", MACHINES)


@pytest.fixture(scope="module")
def partners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, DriverPartner]]:
    """The partners by driver; a test starts the one that it needs, and leaves it running."""
    partners_by_name: dict[str, DriverPartner] = {}
    for name in WITH_PARTNER:
        kind = partner_class(name)
        assert kind
        partners_by_name[name] = kind(tmp_path_factory.mktemp(name))
    yield partners_by_name
    for partner in partners_by_name.values():
        partner.stop()


@pytest.fixture
def device(name: str, partners: dict[str, DriverPartner]) -> DriverPartner:
    """The partner of the driver `name`, running."""
    partners[name].ensure()
    return partners[name]


@pytest.mark.parametrize("name", DRIVERS)
def test_has_a_partner(name: str) -> None:
    assert partner_class(name), f"write tests/contract/driver_partners/{name}.py: the other side of the wire"


@pytest.mark.parametrize("name", DRIVERS)
def test_its_options_forbid_unknown_keys(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `no_such_key`"):
        msgspec.convert({"no_such_key": 1}, device_drivers.load(name).Options)


@every_driver
async def test_says_online_before_anything_else_and_then_what_it_observes(
    name: str, device: DriverPartner
) -> None:
    async with running(make(name, device.options)) as run:
        await observing(run, device)
        assert isinstance(run.seen[0], Online)
        assert sum(isinstance(observation, Online) for observation in run.seen) == 1


@every_driver
async def test_every_observation_is_whole(name: str, device: DriverPartner) -> None:
    async with running(make(name, device.options)) as run:
        await observing(run, device)
        assert [problem for observation in run.seen for problem in faults(observation)] == []


@every_machine
async def test_a_point_that_the_device_does_not_have_is_bad_alone(name: str, device: DriverPartner) -> None:
    points = [point for point in device.options["points"] if point["name"] == device.missing]
    assert points, f"give the partner of {name} a point that is not there, and name it in `missing`"
    async with running(make(name, device.options)) as run:
        await observing(run, device)
        statuses = {seen.item: seen.status for seen in run.seen if isinstance(seen, DataValue)}
    assert statuses[device.missing] is StatusCode.BAD
    assert StatusCode.GOOD in statuses.values()


@every_driver
async def test_where_nobody_is_it_says_unreachable_in_words(name: str, device: DriverPartner) -> None:
    async with running(make(name, device.absent)) as run:
        error = await run.lost()
    assert isinstance(error, Unreachable)
    assert str(error).endswith((".", "?"))
    assert not any(isinstance(observation, Online) for observation in run.seen)


@every_driver
async def test_cancelled_it_ends_within_two_seconds_and_leaves_nothing_behind(
    name: str, device: DriverPartner
) -> None:
    tasks, descriptors = asyncio.all_tasks(), wires()
    run = Running(make(name, device.options))
    await observing(run, device)
    run.task.cancel()
    done, _ = await asyncio.wait([run.task], timeout=2)
    assert done
    assert run.task.cancelled()
    assert await eventually(lambda: asyncio.all_tasks() == tasks), asyncio.all_tasks() - tasks
    assert await eventually(lambda: wires() <= descriptors), wires() - descriptors


@every_driver
async def test_cancelled_while_it_connects_it_ends_as_well(name: str, device: DriverPartner) -> None:
    tasks, descriptors = asyncio.all_tasks(), wires()
    run = Running(make(name, device.options))
    await asyncio.sleep(0)  # it has begun
    run.task.cancel()
    done, _ = await asyncio.wait([run.task], timeout=2)
    assert done
    assert await eventually(lambda: asyncio.all_tasks() == tasks), asyncio.all_tasks() - tasks
    assert await eventually(lambda: wires() <= descriptors), wires() - descriptors


@every_machine
async def test_a_frozen_device_is_given_up_in_time(name: str, device: DriverPartner) -> None:
    assert device.stale_after
    descriptors = wires()
    async with running(make(name, device.options)) as run:
        await observing(run, device)
        device.freeze()
        try:
            await run.lost(within=device.stale_after + 1)
        finally:
            device.thaw()
    assert await eventually(lambda: wires() <= descriptors), wires() - descriptors


@every_driver
async def test_a_dead_device_is_noticed_and_a_new_driver_finds_it_again(
    name: str, device: DriverPartner
) -> None:
    descriptors = wires()
    async with running(make(name, device.options)) as run:
        await observing(run, device)
        device.kill()
        await run.lost(within=5)
    assert await eventually(lambda: wires() <= descriptors), wires() - descriptors
    device.ensure()
    async with running(make(name, device.options)) as again:
        await observing(again, device)


@every_machine
async def test_a_machine_is_read_at_the_press_of_a_key_and_only_while_it_is_there(
    name: str, device: DriverPartner
) -> None:
    driver = make(name, device.options)
    assert isinstance(driver, Reads)
    assert driver.round_trip is None
    with pytest.raises(DeviceError, match="not connected"):
        await driver.read_now()
    async with running(driver) as run:
        await observing(run, device)
        emitted = len([seen for seen in run.seen if isinstance(seen, Online)])
        reads = await asyncio.wait_for(driver.read_now(), 10)
        assert driver.round_trip is not None
        assert len([seen for seen in run.seen if isinstance(seen, Online)]) == emitted
    assert [read.item for read in reads] == [point["name"] for point in device.options["points"]]
    for read in reads:
        assert (read.value is None) is (read.status is StatusCode.BAD)
        assert (read.status is StatusCode.GOOD) is (not read.reason)
        assert not read.reason or read.reason.endswith(".")
        assert read.raw or read.reason
    assert StatusCode.GOOD in {read.status for read in reads}
    assert {read.item for read in reads if read.status is StatusCode.BAD} >= {device.missing}
    with pytest.raises(DeviceError, match="not connected"):
        await driver.read_now()


def make(name: str, options: Mapping[str, Any]) -> Driver:
    """A driver for the partner of this name."""
    kind = partner_class(name)
    return drivers.make((kind and kind.driver) or name, options)


async def observing(run: Running, device: DriverPartner) -> None:
    """Return when the device is online and has been observed: every point of it, or a scan."""
    await run.until(lambda seen: any(isinstance(observation, Online) for observation in seen))
    device.provoke()
    items = {point["name"] for point in device.options.get("points", ())}

    def complete(seen: list[Observation]) -> bool:
        values = {observation.item for observation in seen if isinstance(observation, DataValue)}
        return values == items if items else any(isinstance(observation, Scan) for observation in seen)

    await run.until(complete)


def faults(observation: Observation) -> Iterator[str]:
    """What the contract forbids."""
    match observation:
        case DataValue(item, value, status, source_time):
            if not isinstance(status, StatusCode):
                yield f"{item}: {status!r} is no status"
            if (value is None) is not (status is StatusCode.BAD):
                yield f"{item}: {value!r} with status {status}"
            if source_time.utcoffset() != timedelta(0):
                yield f"{item}: {source_time!r} is not an aware time in UTC"
        case Scan(id, raw, received_at):
            if not id or not raw or received_at.utcoffset() != timedelta(0):
                yield f"{observation!r}"


def wires() -> set[str]:
    """The sockets and terminals that this process holds open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)  # noqa: PTH115 - the entry may be gone already, and is a DirEntry name
        except FileNotFoundError:  # the listing itself
            continue
        if target.startswith(("socket:", "/dev/pts/", "/dev/ptmx")):
            found.add(target)
    return found
