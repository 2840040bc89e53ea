"""Counters through the front door: a press makes parts, the agent is killed, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest

from device_drivers.simulators.process import Simulator
from edge_agent.client import AgentClient
from edge_agent.scanning.labels import label
from edge_agent.views import JournalRow, Kind, WorkPage
from edge_agent.views.oee import OeeReport
from edge_agent.views.status import EquipmentStatus
from tests.agent.person import an_input
from tests.agent.running import Plant, plant_in, short_folder, until

FAST = ("--time-scale", "20", "--begin", "60")  # three parts a second

MACHINE = """
[[equipment]]
id = "PRESS-03"
device = "plc"
state = "state"
states = {{ "6" = "EXECUTE", "4" = "IDLE", "10" = "HOLDING", "11" = "HELD", "12" = "UNHOLDING" }}
count = "parts"
[[devices]]
name = "plc"
driver = "modbus"
options = {{ host = "127.0.0.1", port = {port}, interval = 0.1, points = [
  {{ name = "state", address = 0 }}, {{ name = "parts", address = 2, type = "uint32" }} ] }}
"""


@contextmanager
def press_at_work(*options: str, policies: str = "") -> Iterator[Plant]:
    """A plant with a fast press."""
    with (
        short_folder() as folder,
        Simulator.start("modbus_machine", *FAST, *options) as press,
        plant_in(folder, more=MACHINE.format(port=press.ready["port"]), policies=policies) as plant,
    ):
        yield plant


async def press_when(agent: AgentClient, counted: int) -> EquipmentStatus:
    """The press, when so many parts are in the ledger."""

    async def look() -> EquipmentStatus | None:
        (press,) = await agent.equipment()
        return press if press.count_status == "Good" and press.counted >= counted else None

    found = await until(look, f"{counted} parts in the ledger")
    assert found is not None
    return found


def begun_at(press: EquipmentStatus) -> int:
    """What the counter showed when the ledger began; it never changes while no part is lost."""
    assert press.count is not None
    return (press.count - press.counted) % 2**32


async def test_a_killed_agent_loses_no_part_and_its_job_gets_them() -> None:
    with press_at_work() as plant:
        async with AgentClient(plant.agent.address) as agent:
            first = await press_when(agent, 3)
            await agent.send("T1", an_input("scan", label(Kind.BADGE, "1001")))
            opened = await agent.send("T1", an_input("scan", label(Kind.JOB, "J-206")))
            assert opened.scenario == "report_production"
            before = await press_when(agent, first.counted + 6)
            assert begun_at(before) == begun_at(first)
        plant.agent.kill()
        plant.start()
        async with AgentClient(plant.agent.address) as agent:
            after = await press_when(agent, before.counted + 6)
            assert begun_at(after) == begun_at(first)
            assert first.unattributed <= after.unattributed <= first.counted + 3


async def proposed(agent: AgentClient, at_least: int = 0) -> int:
    """What the work screen says that the machine made since the last report, once it is so much."""

    async def look() -> int | None:
        page = (await agent.view("T1")).page
        since = page.count_since_report if isinstance(page, WorkPage) else None
        return since + 1 if since is not None and since >= at_least else None

    found = await until(look, f"{at_least} parts since the last report")
    assert found is not None
    return found - 1


async def test_what_is_proposed_survives_a_kill_and_a_report_takes_only_the_parts_of_its_job() -> None:
    with press_at_work() as plant:
        async with AgentClient(plant.agent.address) as agent:
            first = await press_when(agent, 3)
            await agent.send("T1", an_input("scan", label(Kind.BADGE, "1001")))
            await agent.send("T1", an_input("scan", label(Kind.JOB, "J-206")))
            before = await proposed(agent, 4)
        plant.agent.kill()
        plant.start()
        async with AgentClient(plant.agent.address) as agent:
            assert await proposed(agent, before + 3) > before
            said = await agent.send("T1", an_input("entry", "5"))
            assert said.scenario == "report_production"
            (fact,) = [row for row in await agent.journal(20) if row.kind == "MaterialProduced"]
            stood_for = fact.body["machine_count"]
            assert isinstance(stood_for, int)
            press = await press_when(agent, 0)
            assert before + 3 <= stood_for <= press.counted - first.unattributed
            assert await proposed(agent) <= press.counted - stood_for + 5
            await agent.send("T1", an_input("action", "undo"))
            await agent.send("T1", an_input("action", "confirm"))
            assert await proposed(agent) >= stood_for, "what was taken back is proposed again"


async def test_a_counter_that_runs_over_loses_no_part() -> None:
    with press_at_work("--built", str(2**32 - 20)) as plant:
        async with AgentClient(plant.agent.address) as agent:
            first = await press_when(agent, 1)
            after = await press_when(agent, first.counted + 20)
            assert begun_at(after) == begun_at(first)
            assert after.count is not None
            assert after.count < 2**31


async def test_a_stop_is_asked_for_explained_and_told_to_the_erp() -> None:
    with press_at_work(policies="short_stop_seconds = 0.3") as plant:
        async with AgentClient(plant.agent.address) as agent:
            await agent.send("T1", an_input("scan", label(Kind.BADGE, "1001")))
            await agent.send("T1", an_input("scan", label(Kind.JOB, "J-206")))

            async def asked() -> bool:
                page = (await agent.view("T1")).page
                return isinstance(page, WorkPage) and page.stops_to_explain > 0

            await until(asked, "a stop of the press", patience=60)
            listed = await agent.send("T1", an_input("action", "explain"))
            stop = listed.choices[-1]
            await agent.send("T1", an_input("choice", stop.id))
            said = await agent.send("T1", an_input("choice", "STOP-3"))
            assert said.message is not None
            assert said.message.code == "explain_stop.saved"
            assert stop.id not in {choice.id for choice in said.choices}

            async def ended() -> list[JournalRow]:
                rows = [row for row in await agent.journal(200) if row.kind == "DowntimeRecorded"]
                mine = [row for row in rows if row.body["stop"] == stop.id]
                return mine if any(row.body["ended"] and row.body["reason"] for row in mine) else []

            rows = await until(ended, "the end of the stop in the journal", patience=30)

            async def sent() -> bool:
                told = await agent.journal(200)
                return all(row.sent == "yes" for row in told if row.seq <= rows[0].seq)

            await until(sent, "the ERP to take the facts about stops")


async def test_every_second_of_the_press_is_accounted_for() -> None:
    with press_at_work() as plant:
        async with AgentClient(plant.agent.address) as agent:
            await agent.send("T1", an_input("scan", label(Kind.BADGE, "1001")))
            await agent.send("T1", an_input("scan", label(Kind.JOB, "J-206")))
            await press_when(agent, (await press_when(agent, 1)).counted + 3)

            async def produced() -> OeeReport | None:
                told = msgspec.json.decode(plant.get("/v1/equipment/PRESS-03/oee?minutes=5"), type=OeeReport)
                return told if told.elements["production"] > 1 and told.good else None

            told = await until(produced, "time and parts of the job in the books")
            assert told is not None
            assert sum(told.elements.values()) == pytest.approx(300)
            assert told.elements["no_data"] > 200
            assert told.pieces[0].element == "no_data"
            assert told.pieces[-1].job == "J-206"
            assert told.availability is not None
            assert told.performance is None  # the site file gives no cycle time

            last = told.pieces[-1].began
            why = msgspec.json.decode(
                plant.get(f"/v1/equipment/PRESS-03/oee?minute={last:%Y-%m-%dT%H:%M:%SZ}"), type=OeeReport
            )
            assert (why.began, why.began.second, why.began.microsecond) == (last.replace(second=0, microsecond=0), 0, 0)
            assert timedelta() < why.ended - why.began <= timedelta(minutes=1)
            lasted = [piece.ended - piece.began for piece in why.pieces]
            assert lasted == sorted(lasted, reverse=True)
            assert sum(lasted, timedelta()) == why.ended - why.began
            assert "J-206" in [piece.job for piece in why.pieces]
