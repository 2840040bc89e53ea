"""Maintenance through the front door: a press with a device is looked at, repaired and handed back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from device_drivers.simulators.process import Simulator
from edge_agent.client import AgentClient, InputRefused
from edge_agent.scanning.labels import label
from edge_agent.views import Kind, View
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import LinePage, LinkPage, MachinePage, TrendPage
from edge_agent.views.status import DeviceStatus, Status
from tests.agent.person import Person, an_input, at, everything_sent, said
from tests.agent.running import Plant, plant_in, short_folder, until

SITE = """
[[equipment]]
id = "PRESS-03"
name = "Press 3"
device = "plc"
state = "state"
states = {{ "6" = "EXECUTE", "4" = "IDLE", "10" = "HOLDING", "11" = "HELD", "12" = "UNHOLDING" }}
show = ["parts", "oil"]
units = {{ oil = "C" }}
[[equipment]]
id = "CNC-02"
[[devices]]
name = "plc"
driver = "modbus"
options = {{ host = "127.0.0.1", port = {port}, interval = 0.1, points = [
  {{ name = "state", address = 0 }}, {{ name = "parts", address = 2, type = "uint32" }},
  {{ name = "oil", address = 9000, alone = true }} ] }}
[[devices]]
name = "dead"
driver = "modbus"
options = {{ host = "127.0.0.1", port = 1, points = [ {{ name = "x", address = 0 }} ] }}
[[terminals]]
id = "M1"
home = "maintenance"
"""


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """A plant with a press, a machine without a device, and a terminal of the workshop."""
    with (
        short_folder() as folder,
        Simulator.start("modbus_machine", "--time-scale", "20", "--begin", "250") as press,
        plant_in(folder, more=SITE.format(port=press.ready["port"]), policies="short_stop_seconds = 0.3") as plant,
    ):
        yield plant


@pytest.fixture
async def agent(plant: Plant) -> AsyncIterator[AgentClient]:
    async with AgentClient(plant.agent.address) as client:
        yield client


@pytest.fixture
async def mechanic(agent: AgentClient) -> Person:
    """The mechanic at the line page of the workshop."""
    person = Person(agent, "M1")
    if (await person.look()).who is not None:
        await person.do("sign_off")
    view = await person.sign_on("1007")
    assert view.who is not None, view.message
    for _ in range(9):
        if at(view) == "maintain.line":
            return person
        view = await person.do("back")
    raise AssertionError(f"{at(view)} has no way back to the line")


async def online(agent: AgentClient) -> DeviceStatus:
    """The press's controller, once it answers."""

    async def look() -> DeviceStatus | None:
        plc = next(each for each in await agent.devices() if each.name == "plc")
        return plc if plc.state == "online" and plc.round_trip is not None else None

    found = await until(look, "the controller to answer")
    assert found is not None
    return found


async def test_the_line_then_the_machine_with_its_live_values(agent: AgentClient, mechanic: Person) -> None:
    await online(agent)
    view = await mechanic.look()
    assert isinstance(view.page, LinePage)
    rows = {row.id: row for row in view.page.machines}
    assert (rows["PRESS-03"].device, rows["PRESS-03"].device_state) == ("plc", "online")
    assert (rows["CNC-02"].state, rows["CNC-02"].device_state) == ("NO DATA", "none")
    assert rows["CNC-02"].strip == (), "nothing was ever heard of it"
    view = await mechanic.scan(Kind.WORKSTATION, "PRESS-03")
    assert isinstance(view.page, MachinePage)
    assert [choice.id for choice in view.choices] == ["parts", "oil"]
    status = await watching(agent, "PRESS-03")
    assert status.machine is None
    assert status.watched is not None
    statuses = {value.name: value.status for value in status.watched.values}
    assert statuses == {"parts": "Good", "oil": "Bad"}


async def watching(agent: AgentClient, machine: str) -> Status:
    """The next status whose watched machine is this one."""
    async for event in agent.events("M1"):
        if isinstance(event, Status) and event.watched is not None and event.watched.id == machine:
            return event
    raise AssertionError("the stream ended")


async def test_a_page_follows_its_machine_while_nobody_touches_it(agent: AgentClient, mechanic: Person) -> None:
    await online(agent)
    await mechanic.scan(Kind.WORKSTATION, "PRESS-03")
    stops = 0
    async for event in agent.events("M1"):
        if isinstance(event, View) and isinstance(event.page, MachinePage):
            stops = len(event.page.stops)
        if stops:
            break
    assert stops


async def test_the_trend_of_a_value_comes_from_the_disk(agent: AgentClient, mechanic: Person) -> None:
    await mechanic.scan(Kind.WORKSTATION, "PRESS-03")
    view = await mechanic.choose(1)
    page = view.page
    assert page == TrendPage(equipment="PRESS-03", device="plc", item="parts", minutes=60)
    assert isinstance(page, TrendPage)

    async def look() -> Trend | None:
        trend = await agent.trend(page.device, page.item, points=600)
        return trend if sum(each is not None for each in trend.last) > 1 else None

    trend = await until(look, "samples of the counter")
    assert trend is not None
    known = [value for value in trend.high if value is not None]
    assert known == sorted(known)
    assert trend.until - trend.since == 3_600_000_000
    with pytest.raises(InputRefused):
        await agent.trend("plc", "parts", points=0)
    nothing = await agent.trend("plc", "no such item")
    assert set(nothing.status) == {""}


async def test_a_test_read_says_raw_and_decoded_and_why_not(agent: AgentClient, mechanic: Person) -> None:
    plc = await online(agent)
    assert (plc.insecure, plc.endpoint.partition(":")[0]) == (False, "127.0.0.1")
    await mechanic.scan(Kind.WORKSTATION, "PRESS-03")
    view = await mechanic.do("link")
    assert view.page == LinkPage(device="plc", driver="modbus", endpoint=plc.endpoint, equipment="PRESS-03")
    reading = await agent.read_device("plc")
    points = {point.item: point for point in reading.points}
    assert list(points) == ["state", "parts", "oil"]
    assert int(points["parts"].raw.replace(" ", ""), 16) == points["parts"].value
    assert points["parts"].round_trip is not None
    assert 0 < points["parts"].round_trip < 5
    assert (points["oil"].status, points["oil"].value) == ("Bad", None)
    assert "no such address (exception 2)" in points["oil"].reason


async def test_every_machine_has_a_label(agent: AgentClient) -> None:
    machines = {row.words: row.text for row in await agent.labels() if row.kind is Kind.WORKSTATION}
    assert machines == {
        "Press 3": label(Kind.WORKSTATION, "PRESS-03"), "CNC-02": label(Kind.WORKSTATION, "CNC-02"),
    }  # fmt: skip


async def test_what_can_not_be_read_says_so_in_words(agent: AgentClient) -> None:
    with pytest.raises(InputRefused) as refused:
        await agent.read_device("dead")
    assert refused.value.problem.code == "device.not_read"
    assert refused.value.problem.params["what"].endswith((".", "?"))
    with pytest.raises(InputRefused) as unknown:
        await agent.read_device("no such device")
    assert unknown.value.problem.code == "agent.unknown_device"
    with pytest.raises(InputRefused) as scanner:
        await agent.read_device("scanner-1")
    assert scanner.value.problem.code == "device.not_read"


async def test_a_repair_from_the_operators_request_to_the_hand_over(agent: AgentClient, mechanic: Person) -> None:
    operator = Person(agent, "T1")
    await operator.work_on("J-206")
    await operator.do("machines")
    await operator.scan(Kind.WORKSTATION, "CNC-02")
    await operator.do("request")
    await operator.choose(4)
    await operator.choose(2)
    view = await operator.choose(2)
    assert said(view) == "maintain.saved_request"
    await operator.do("back")
    view = await operator.do("back")
    assert (at(view), view.title) == ("report_production.running", "J-206")

    await mechanic.scan(Kind.WORKSTATION, "CNC-02")
    view = await mechanic.do("work")
    await mechanic.choose(1)
    await mechanic.choose(3)
    bolt = "]C10104006381334044"
    await agent.send("M1", an_input("scan", bolt))
    await mechanic.do("finish")
    await mechanic.choose(5)
    await mechanic.do("confirm")
    refused = await mechanic.scan(Kind.BADGE, "1007")
    assert said(refused) == "maintain.same_person"
    view = await mechanic.scan(Kind.BADGE, "1001")
    assert said(view) == "maintain.saved_completed"
    assert isinstance(view.page, MachinePage)
    assert view.page.requests == ()
    await everything_sent(agent)
    rows = [row for row in await agent.journal(200) if row.about.startswith("maintenance/")]
    assert [(row.kind, row.person, row.sent) for row in rows] == [
        ("MaintenanceRequested", "p1", "yes"), ("MaintenanceStarted", "p7", "yes"),
        ("MaintenancePartUsed", "p7", "yes"), ("MaintenanceCompleted", "p7", "yes"),
    ]  # fmt: skip
    assert rows[-1].body["accepted_by"] == "p1"
    assert label(Kind.BADGE, "1001") not in str(rows)
