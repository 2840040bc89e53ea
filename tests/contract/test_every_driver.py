"""What every device driver promises. A new driver is found by its file; its partner must be there."""

from __future__ import annotations

import asyncio
import importlib
import os
import time
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
    NotWritten,
    Observation,
    Online,
    Reads,
    Scan,
    StatusCode,
    Unreachable,
    Writes,
)
from edge_agent.clock import SystemClock
from edge_agent.devices.kept_alive import SCANNER_PAUSE
from edge_agent.supervisor import LONGEST
from tests.contract.driver_partners import DriverPartner, partner_class, partner_names
from tests.contract.faults import BYSTANDER, BYSTANDER_INTERVAL, FAULTS, Heard, items, two_devices
from tests.device_drivers import observing as drivers
from tests.device_drivers.observing import Running, eventually, running

SLACK = 3.0  # seconds; a busy build server
BYSTANDER_PAUSE = 1.5  # seconds at most, on a busy build server; it is read twenty times a second
BYSTANDER_MISSES = 0.1  # of its polls, while the other has its fault
IN_FLIGHT = timedelta(seconds=0.15)  # what the device had said before it was told to misbehave

DRIVERS = device_drivers.names()
WITH_PARTNER = partner_names()
MACHINES = tuple(name for name in WITH_PARTNER if getattr(partner_class(name), "stale_after", None))


CELLS = [
    (name, fault) for name in WITH_PARTNER for fault in FAULTS
    if (kind := partner_class(name)) and fault in getattr(kind, "meets", ())
]  # fmt: skip

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


@every_driver
def test_its_partner_says_of_every_fault_whether_the_device_can_have_it(name: str) -> None:
    kind = partner_class(name)
    meets, spared = dict(getattr(kind, "meets", {})), dict(getattr(kind, "spared", {}))
    assert sorted([*meets, *spared]) == sorted(FAULTS), f"say in `meets` or `spared` of the partner of {name}"
    assert all(spared.values()), "why it can not"
    assert any(meets.values()), "a device that can not be lost is no device"


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
        assert run.seen[0].only_changes == (name == "opcua")


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
async def test_what_it_can_not_write_it_does_not_write(name: str, device: DriverPartner) -> None:
    driver = make(name, device.options)
    assert hasattr(options_of(name), "unwritable") is isinstance(driver, Writes)
    if not isinstance(driver, Writes):
        return
    for state in ("not connected yet", "online", "over"):
        if state == "online":
            async with running(driver) as run:
                await observing(run, device)
                with pytest.raises(NotWritten, match="no such item"):
                    await driver.write_item("no such item", 1)
        else:
            with pytest.raises(NotWritten, match="not connected"):
                await driver.write_item(writable(name, device)["name"], 1)


@every_machine
async def test_a_write_to_a_frozen_device_ends(name: str, device: DriverPartner) -> None:
    driver = make(name, device.options)
    assert isinstance(driver, Writes), "a machine that can not be written to: leave it out here"
    async with running(driver) as run:
        await observing(run, device)
        device.freeze()
        try:
            with pytest.raises(DeviceError):
                await asyncio.wait_for(driver.write_item(writable(name, device)["name"], 1), 10)
        finally:
            device.thaw()
    device.stop()  # what was written may have arrived: the next test finds the device as it was


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


@pytest.mark.parametrize(("name", "fault"), CELLS, ids=[f"{name}-{fault}" for name, fault in CELLS])
async def test_a_fault_makes_nothing_good_and_wrong_harms_nobody_and_ends_by_itself(
    name: str, fault: str, device: DriverPartner
) -> None:
    await asyncio.to_thread(importlib.import_module, "device_drivers.opcua.wire")  # takes a second, once
    tasks, descriptors = asyncio.all_tasks(), wires()
    driver = device.driver or name
    async with device.line() as options, two_devices(driver, options) as heard:
        play = _faulty_machine if device.stale_after else _faulty_scanner
        await heard.until(lambda: bool(heard.good(BYSTANDER)), "the device beside it", 10)
        began = time.monotonic()
        await play(heard, device, fault, options)
        assert heard.lost(BYSTANDER) == []
        missed, polls = heard.missed(began)
        assert missed <= 1 + BYSTANDER_MISSES * polls + device.holds_up / BYSTANDER_INTERVAL, polls
        assert heard.longest_pause(BYSTANDER, began) < BYSTANDER_PAUSE
        assert {value.value for value in heard.good(BYSTANDER)} == {2}
    assert await eventually(lambda: asyncio.all_tasks() == tasks), asyncio.all_tasks() - tasks
    assert await eventually(lambda: wires() <= descriptors), wires() - descriptors


async def _faulty_machine(heard: Heard, device: DriverPartner, fault: str, options: Mapping[str, Any]) -> None:
    """It goes Bad as a whole, in its time-out and with words; or, where it keeps its time, it stays good."""
    wanted, words = {*items(options)}, device.meets[fault]
    await heard.until(lambda: heard.last("device").keys() == wanted, "every item", 10)
    good = {item for item, value in heard.last("device").items() if value.status is not StatusCode.BAD}
    assert good
    played = time.monotonic()
    await device.play(fault)
    wall = SystemClock().now()  # from here on it misbehaves
    if words:
        assert device.stale_after
        patience = device.stale_after + SLACK
        await heard.until(lambda: bool(heard.lost("device", played)), "the loss", patience)
        assert {value.status for value in heard.last("device").values()} == {StatusCode.BAD}
        await heard.until(lambda: heard.told("device", words, played), words, SLACK)
        believed = [value for value in heard.good("device", played) if value.source_time > wall + IN_FLIGHT]
        assert believed == []
    else:
        await heard.until(lambda: len(heard.good("device", played)) >= 3, "three good values", 10)
    healed = time.monotonic()
    await device.heal(fault)

    def back() -> bool:
        return good <= {v.item for v in heard.of("device", healed) if v.status is not StatusCode.BAD}

    await heard.until(back if words else lambda: len(heard.good("device", healed)) >= 3, "its return", LONGEST + 5)
    assert bool(heard.lost("device")) is bool(words)
    assert [value for value in heard.good("device") if not device.right(value.item, value.value)] == []


async def _faulty_scanner(heard: Heard, device: DriverPartner, fault: str, options: Mapping[str, Any]) -> None:
    """No part of a label is a scan, and the next label is one."""
    def online(since: float) -> bool:
        return any(s.name == "device" and s.state == "online" and at > since for at, s in heard.statuses)

    await heard.until(lambda: online(0.0), "the scanner", 5)
    device.provoke()
    await heard.until(lambda: bool(heard.scans), "a scan", 5)
    before, played, words = len(heard.scans), time.monotonic(), device.meets[fault]
    await device.play(fault)
    if words:
        await heard.until(lambda: heard.told("device", words, played), words, SLACK)
    await device.heal(fault)
    if words:
        healed = time.monotonic()
        await heard.until(lambda: online(healed), "its return", SCANNER_PAUSE + SLACK)
    device.provoke()
    await heard.until(lambda: len(heard.scans) >= before + 1 + (fault == "slow"), "the label after the fault", 5)
    assert bool(heard.lost("device")) is bool(words)
    assert len(heard.scans) == before + 1 + (fault == "slow")
    assert [scan.raw for scan in heard.scans if not device.right("", scan.raw)] == []


@every_machine
async def test_a_machine_is_read_at_the_press_of_a_key_and_only_while_it_is_there(
    name: str, device: DriverPartner
) -> None:
    driver = make(name, device.options)
    assert isinstance(driver, Reads)
    assert driver.round_trip is None
    with pytest.raises(DeviceError, match="not connected"):
        await driver.read_now(10)
    async with running(driver) as run:
        await observing(run, device)
        emitted = len([seen for seen in run.seen if isinstance(seen, Online)])
        reads = await asyncio.wait_for(driver.read_now(9), 10)
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
        await driver.read_now(10)


def make(name: str, options: Mapping[str, Any]) -> Driver:
    """A driver for the partner of this name."""
    kind = partner_class(name)
    return drivers.make((kind and kind.driver) or name, options)


def options_of(name: str) -> Any:
    """The Options of the driver of this name, for the partner's device where it has points."""
    kind = partner_class(name)
    return device_drivers.load((kind and kind.driver) or name).Options


def writable(name: str, device: DriverPartner) -> Any:
    """A point of the device that can be written as far as the site file can tell, and is there."""
    kind = partner_class(name)
    said = drivers.options_of((kind and kind.driver) or name, device.options)
    return next(
        point for point in device.options["points"]
        if point["name"] != device.missing and not said.unwritable(point["name"])
    )  # fmt: skip


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
