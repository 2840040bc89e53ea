"""The maps of the OPC UA standards against machines that node-opcua makes of the published node sets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import device_drivers
from config import Settings, parse
from device_drivers.contract import DataValue, Driver, Observation, StatusCode
from device_drivers.opcua import browse
from edge_agent.clock import SystemClock
from edge_agent.machines.equipment import Equipment
from edge_agent.site import machine_of, option_types
from tests.contract.driver_partners.simulated import free_port
from tests.device_drivers.observing import Running, running
from tests.peers.others import HERE, need_node_package

FILLER = "Objects/nsu=urn:example:line;Filler"
MILL = "Objects/nsu=http://opcfoundation.org/UA/Machinery/;Machines/nsu=urn:example:line;Mill7"
BASE = "BaseStateMachine/CurrentState"
MACHINE = "BaseStateMachine/MachineState/CurrentState"
EXECUTE = "BaseStateMachine/MachineState/ExecuteState/CurrentState"
PROGRAM = "Production/ActiveProgram/State/CurrentState"
COUNT, ALARM = "PackMLCountDataType", "PackMLAlarmDataType"
MONITORED = "Monitoring/MachineTool"


class Line:
    """A running server with a filler and a mill."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.endpoint = f"opc.tcp://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [need_node_package("node-opcua"), "standards_server.js", str(port), str(folder)],
            cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._answer() == {"ready": True}

    def write(self, machine: str, path: str, type: str, value: object = None) -> None:
        """Set a variable; None: it has no value now."""
        said = {"machine": machine, "path": path, "type": type} | ({} if value is None else {"value": value})
        assert self.process.stdin
        print(json.dumps(said), file=self.process.stdin, flush=True)
        assert self._answer() == {}

    def _answer(self) -> Any:
        assert self.process.stdout
        lines = iter(self.process.stdout.readline, "")
        told = next((line for line in lines if line.startswith("{")), None)
        assert told, "node-opcua ended"
        return json.loads(told)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The line, for the tests of this module."""
    started = Line(tmp_path_factory.mktemp("node"))
    yield started
    started.process.kill()
    started.process.communicate()


def site(line: Line, name: str, parameter: str, path: str) -> Settings:
    """A site with one device of a map, and the machine that it speaks for."""
    text = f"""
[site]
name = "P"
agent = "a"
[[terminals]]
id = "T1"
[[devices]]
name = "d"
map = "{name}"
parameters = {{ {parameter} = "{path}" }}
options = {{ endpoint = "{line.endpoint}", insecure = true, publishing_interval = 0.05, timeout = 5 }}
[[equipment]]
id = "M"
device = "d"
"""
    return parse(text, file="site.toml", folder=Path("/srv"), options=option_types())


def driver(settings: Settings) -> Driver:
    """The driver of the site's only device."""
    device = settings.devices[0]
    return device_drivers.load(device.driver).Driver(device.options, SystemClock())


async def until_state(run: Running, machine: Equipment, state: str) -> None:
    """Fold what was observed into the machine until it is in the state."""
    taken = 0

    def look(seen: list[Observation]) -> bool:
        nonlocal taken
        for one in seen[taken:]:
            if isinstance(one, DataValue):
                machine.take(one)
        taken = len(seen)
        return machine.status().state == state

    await run.until(look)


def states(line: Line, *said: str) -> None:
    """The three state machines of the filler; those that are not said do not run."""
    for index, path in enumerate((BASE, MACHINE, EXECUTE)):
        line.write("Filler", path, "LocalizedText", said[index] if index < len(said) else None)


async def test_the_packml_map_finds_every_point_of_a_packml_base_object(line: Line) -> None:
    settings = site(line, "packml_unit", "unit", FILLER)
    machine = machine_of(settings.equipment[0])
    states(line, "Cleared", "Running", "Execute")
    line.write("Filler", "Status/UnitModeCurrent", "Int32", 2)
    line.write("Filler", "Status/CurMachSpeed", "Float", 118.5)
    line.write("Filler", "Status/MachSpeed", "Float", 120)
    line.write("Filler", "Status/EquipmentBlocked", "Boolean", False)
    line.write("Filler", "Status/EquipmentStarved", "Boolean", True)
    counted = {"ID": 7, "Name": "Bottle 0.5", "Unit": {"displayName": {"locale": "en", "text": "piece"}}}
    line.write("Filler", "Admin/ProdProcessedCount", COUNT, [counted | {"Count": 12, "AccCount": 70_512}])
    line.write("Filler", "Admin/ProdDefectiveCount", COUNT, [counted | {"Count": 1, "AccCount": 31}])
    line.write("Filler", "Admin/StopReason", ALARM, {"ID": 412, "Value": 3, "Message": "Guard open", "Category": 1})
    async with running(driver(settings)) as run:
        names = [point.name for point in settings.devices[0].options.points]
        values = {name: await run.value(name) for name in names}
        assert {name: value.status for name, value in values.items()} == dict.fromkeys(names, StatusCode.GOOD)
        await until_state(run, machine, "EXECUTE")
        told = machine.status()
        assert (told.mode, told.count, told.alarm) == ("MAINTENANCE", 70_512, "412")
        shown = {one.name: one.value for one in told.values}
        assert shown == {
            "speed": 118.5, "speed_set": 120.0, "blocked": False, "starved": True, "defective": 31,
            "stop_text": "Guard open",
        }  # fmt: skip
        states(line, "Cleared", "Stopping")
        await until_state(run, machine, "STOPPING")
        states(line, "Aborted")
        await until_state(run, machine, "ABORTED")


async def test_the_machine_tool_map_finds_every_point_of_a_machine_tool(line: Line) -> None:
    settings = site(line, "machinetool_40501", "machine", MILL)
    machine = machine_of(settings.equipment[0])
    line.write("Mill7", PROGRAM, "LocalizedText", "Running")
    line.write("Mill7", "Production/ActiveProgram/Name", "String", "HOUSING-7.MPF")
    line.write("Mill7", "Production/Statistics/PartsProducedInLifetime", "UInt32", 70_512)
    line.write("Mill7", f"{MONITORED}/OperationMode", "Int32", 1)
    line.write("Mill7", f"{MONITORED}/FeedOverride", "Double", 95)
    line.write("Mill7", f"{MONITORED}/PowerOnDuration", "UInt32", 4_812)
    async with running(driver(settings)) as run:
        names = [point.name for point in settings.devices[0].options.points]
        values = {name: await run.value(name) for name in names}
        assert {name: value.status for name, value in values.items()} == dict.fromkeys(names, StatusCode.GOOD)
        await until_state(run, machine, "EXECUTE")
        told = machine.status()
        assert (told.count, told.mode) == (70_512, "PRODUCTION")
        line.write("Mill7", PROGRAM, "LocalizedText", "Interrupted")
        await until_state(run, machine, "HELD")


async def test_browsing_leads_from_the_objects_to_the_paths_of_the_maps(line: Line) -> None:
    options = site(line, "packml_unit", "unit", FILLER).devices[0].options
    known = site(line, "machinetool_40501", "machine", MILL).devices[0].options
    wanted = {point.path for each in (options, known) for point in each.points}
    found: set[str] = set()
    ahead = ["Objects"]
    while ahead:
        below = await browse(options, SystemClock(), ahead.pop())
        paths = [one.place.removeprefix('path = "').removesuffix('"') for one in below]
        found.update(paths)
        ahead += [path for path in paths if any(each.startswith(f"{path}/") for each in wanted)]
    assert wanted <= found
