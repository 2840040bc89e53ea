"""What a device could not tell is a gap of the export: in the pump, and through an agent with a frozen server."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from device_drivers.contract import Gap as DeviceGap
from device_drivers.simulators.process import Simulator
from edge_agent.client import AgentClient
from edge_agent.command_line.export import write_csv
from edge_agent.events import GapArrived
from edge_agent.machines.by_exception import Gap, microseconds
from tests.agent.running import AgentProcess, short_folder, site_text, until
from tests.telemetry.making import gaps
from tests.telemetry.test_pump import Line, line, pages_at_most, values  # noqa: F401 - a fixture

OPCUA = """
[[equipment]]
id = "PRESS-03"
device = "centre"
[[devices]]
name = "centre"
driver = "opcua"
[devices.options]
endpoint = "opc.tcp://127.0.0.1:{port}/machining-centre"
insecure = true
publishing_interval = 0.1
stale_after = 0.7
points = [{{ name = "temperature", node = "nsu=urn:floorhand:machining-centre;s=MachiningCentre.Temperature" }}]
"""


async def test_a_gap_is_kept_once_and_its_device_is_told_anew(line: Line) -> None:  # noqa: F811
    began = line.clock.now()
    line.say(1)
    await line.group()
    end = line.clock.now()
    line.bus.publish(GapArrived("plc", DeviceGap(None, began, end)))
    line.bus.publish(GapArrived("plc", DeviceGap(None, began, end + timedelta(seconds=9))))
    line.bus.publish(GapArrived("plc", DeviceGap("x", began, end)))
    line.say(1)
    await line.group()
    since, until_ = microseconds(began), microseconds(end)
    assert await gaps(line.store, "plc/*") == [
        Gap(since, until_ + 9_000_000, "device", "plc"), Gap(since, until_, "device", "plc", "x"),
    ]  # fmt: skip
    assert await values(line.store) == [1, 1]


async def test_a_gap_that_the_disk_refuses_is_recorded_later(line: Line) -> None:  # noqa: F811
    line.say(0)
    await line.group()
    pages = await pages_at_most(line.store, 1)
    line.bus.publish(GapArrived("plc", DeviceGap(None, line.clock.now(), line.clock.now())))
    line.say("x" * 50_000)
    await line.group()
    assert await gaps(line.store) == []
    await pages_at_most(line.store, pages * 1000)
    await line.group()
    assert {gap.reason for gap in await gaps(line.store)} == {"device", "not_saved"}


async def test_a_frozen_server_leaves_a_gap_in_the_export_and_values_on_both_sides(tmp_path: Path) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        centre = stack.enter_context(Simulator.start("opcua_machine", "--time-scale", "50", "--begin", "600"))
        agent = AgentProcess(folder, site_text(more=OPCUA.format(port=centre.ready["port"])))
        stack.callback(agent.end)
        agent.start()
        await exported(agent, tmp_path, lambda rows: len(rows) >= 3)
        centre.freeze()
        stack.callback(centre.thaw)
        async with AgentClient(agent.address) as client:

            async def lost() -> bool:
                return (await client.devices())[0].state == "lost"

            await until(lost, "the loss of the frozen server")
        centre.thaw()
        rows = await exported(agent, tmp_path, came_back)
    (gap,) = [row for row in rows if row["status"] == "Gap" and row["device"] == "centre"]
    found = re.fullmatch("until (.+): the device may have gone on unheard", gap["note"])
    assert found, gap["note"]
    since, ended = datetime.fromisoformat(gap["time"]), datetime.fromisoformat(found[1])
    good = [datetime.fromisoformat(row["time"]) for row in rows if row["status"] == "Good"]
    assert timedelta(seconds=0.5) < ended - since < timedelta(seconds=12)
    assert min(good) < since < ended
    assert since < max(good)  # what it says again was true a little before it was heard


async def exported(
    agent: AgentProcess, folder: Path, enough: Callable[[list[dict[str, str]]], bool]
) -> list[dict[str, str]]:
    """The rows of an export of everything, once they are enough."""

    async def look() -> list[dict[str, str]]:
        async with AgentClient(agent.address) as client:
            await write_csv(folder / "out.csv", client.samples())
        with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return rows if enough(rows) else []

    return await until(look, "enough rows")


def came_back(rows: list[dict[str, str]]) -> bool:
    """Whether there are good values after the device was Bad."""
    statuses = [row["status"] for row in rows if row["item"] == "temperature"]
    return "Bad" in statuses and statuses[-1] == "Good"
