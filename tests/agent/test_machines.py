"""Machines through the front door: what is lost is said to be lost, and what still speaks goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from importlib import resources

import pytest

from device_drivers.simulators.process import Simulator
from edge_agent.client import AgentClient
from edge_agent.views.status import DeviceStatus, EquipmentStatus, Status
from tests.agent.running import PATIENCE, AgentProcess, short_folder, site_text, until

RUNNING = ("--time-scale", "4", "--begin", "60")  # both machines have begun to make parts by then


@dataclass
class Hall:
    """A press on Modbus and a machining centre on OPC UA, both read by one agent."""

    agent: AgentProcess
    press: Simulator
    port: int

    def press_back(self) -> None:
        """Start the press again, at the same port."""
        self.press = Simulator.start("modbus_machine", "--port", str(self.port), *RUNNING)


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    """The machines of the demo, without its people."""
    with ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        centre = stack.enter_context(Simulator.start("opcua_machine", *RUNNING))
        press = Simulator.start("modbus_machine", *RUNNING)
        port = int(press.ready["port"])
        machines = machines_of_the_demo(port, str(centre.ready["endpoint"]))
        hall = Hall(AgentProcess(folder, site_text(more=machines)), press, port)
        stack.callback(lambda: hall.press.stop())
        stack.callback(hall.agent.end)
        hall.agent.start()
        yield hall


def machines_of_the_demo(port: int, endpoint: str) -> str:
    """The equipment and the devices of the demo's site file."""
    text = resources.files("edge_agent.demo").joinpath("site.toml").read_text(encoding="utf-8")
    equipment = text[text.index("[[equipment]]") : text.index("[[terminals]]")]
    devices = text[text.index("[[devices]]") : text.index("[[connectors]]")]
    return (equipment + devices).replace("{press_port}", str(port)).replace("{endpoint}", endpoint)


@pytest.fixture
async def client(hall: Hall) -> Iterator[AgentClient]:  # type: ignore[misc]
    """A client of the hall's agent; both machines are online."""
    async with AgentClient(hall.agent.address) as agent:
        await until(both_speak(agent), "both machines")
        yield agent


def both_speak(agent: AgentClient) -> Callable[[], Awaitable[bool]]:
    """Whether both machines make parts and are counted."""

    async def look() -> bool:
        machines = await agent.equipment()
        return [(each.state, each.count_status) for each in machines] == [("EXECUTE", "Good")] * 2

    return look


async def press_of(agent: AgentClient) -> EquipmentStatus:
    """The press now."""
    return next(each for each in await agent.equipment() if each.id == "PRESS-03")


async def centre_of(agent: AgentClient) -> EquipmentStatus:
    """The machining centre now."""
    return next(each for each in await agent.equipment() if each.id == "CNC-02")


async def device(agent: AgentClient, name: str) -> DeviceStatus:
    """One device now."""
    return next(each for each in await agent.devices() if each.name == name)


async def lost(agent: AgentClient) -> EquipmentStatus:
    """Wait until the press is known to be lost; the press then."""

    async def look() -> bool:
        return (await press_of(agent)).state == "NO DATA"

    await until(look, "the press to be lost")
    return await press_of(agent)


async def test_both_machines_are_told_with_units(client: AgentClient) -> None:
    press, centre = await press_of(client), await centre_of(client)
    assert [(each.name, each.unit, each.status) for each in press.values] == [
        ("die_temperature", "°C", "Good"), ("cycle_time", "s", "Good"),
    ]  # fmt: skip
    assert [each.name for each in centre.values] == ["temperature", "cycle_time"]
    assert press.count is not None
    assert press.raw_state == "6"
    assert {each.state for each in await client.devices()} == {"online"}
    assert (await client.health()).ok


async def test_a_press_that_dies_is_lost_alone_and_comes_back(hall: Hall, client: AgentClient) -> None:
    before = await press_of(client)
    hall.press.kill()
    dead = await lost(client)
    assert dead.count is not None
    assert before.count is not None
    assert dead.count >= before.count
    assert dead.count_status == "Bad"
    assert all(value.status == "Bad" and value.value is not None for value in dead.values)
    plc = await device(client, "press3-plc")
    assert plc.state == "lost"
    assert plc.reason.endswith(".")
    assert plc.last_good is not None
    assert (await device(client, "cnc2")).state == "online"
    assert (await centre_of(client)).count_status == "Good"
    health = await client.health()
    assert not health.ok
    assert health.problems == (f"Device press3-plc: {plc.reason}",)

    await asyncio.to_thread(hall.press_back)
    await until(both_speak(client), "the press to be back", patience=8)
    assert (await device(client, "press3-plc")).reason == ""
    assert (await client.health()).ok


async def test_a_press_that_hangs_is_lost_and_comes_back(hall: Hall, client: AgentClient) -> None:
    hall.press.freeze()
    try:
        assert (await lost(client)).count_status == "Bad"
        assert (await centre_of(client)).state != "NO DATA"
    finally:
        hall.press.thaw()
    await until(both_speak(client), "the press to be back", patience=8)


async def test_a_terminal_is_told_that_its_machine_is_gone(hall: Hall, client: AgentClient) -> None:
    async with aclosing(client.events("T1")) as events, asyncio.timeout(PATIENCE):  # type: ignore[type-var]
        seen: list[str] = []
        async for event in events:
            if not isinstance(event, Status) or event.machine is None:
                continue
            if event.machine.state == "EXECUTE" and not seen:
                hall.press.kill()
            if not seen or seen[-1] != event.machine.state:
                seen.append(event.machine.state)
            if seen[-1] == "NO DATA":
                assert [each.state for each in event.devices] == ["lost", "online"]
                break
    assert seen == ["EXECUTE", "NO DATA"]
    await asyncio.to_thread(hall.press_back)
    await until(both_speak(client), "the press to be back", patience=8)
