"""A stop through the front door: it begins and ends on the wire, and people say why without losing a scan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from device_drivers.simulators.modbus_peer import Ask, Peer
from device_drivers.simulators.shift import UnitState
from edge_agent.client import AgentClient
from edge_agent.scanning.labels import label
from edge_agent.views import JournalRow, Kind, View, WorkPage
from tests.agent.person import Person, at, everything_sent, said
from tests.agent.running import Plant, plant_in, short_folder, until

MACHINE = """
[[equipment]]
id = "PRESS-03"
device = "plc"
state = "state"
states = {{ "5" = "SUSPENDED", "6" = "EXECUTE", "11" = "HELD" }}
alarm = "alarm"
alarms = {{ "102" = "Coil end" }}
stop_reasons = {{ SUSPENDED = "STOP-3" }}
[[devices]]
name = "plc"
driver = "modbus"
options = {{ host = "127.0.0.1", port = {port}, interval = 0.05, points = [
  {{ name = "state", address = 0 }}, {{ name = "alarm", address = 6 }} ] }}
"""


@dataclass
class Press:
    """What stands in the registers of the press."""

    state: UnitState = UnitState.EXECUTE
    alarm: int = 0

    def word(self, ask: Ask, address: int) -> int:
        """A register, at the addresses of the simulated press."""
        return {0: int(self.state), 6: self.alarm}.get(address, 0)


@dataclass
class Station:
    """Ana at the press, with the scanner in her hand and a job in work."""

    plant: Plant
    press: Press
    ana: Person

    async def connected(self) -> None:
        """The scanner and the press answer."""

        async def online() -> bool:
            return {each.state for each in await self.ana.agent.devices()} == {"online"}

        await until(online, "scanner and press")

    async def scanned(self, kind: Kind, id: str, step: str) -> View:
        """Pull the trigger; the view once the step is this one."""
        self.plant.scanner.scan(label(kind, id))

        async def there() -> View | None:
            view = await self.ana.look()
            return view if at(view) == step else None

        found = await until(there, f"{step} after the scan of {id}")
        assert found is not None
        return found

    async def asked(self, stops: int) -> View:
        """The work screen, once so many stops are to be explained."""

        async def there() -> View | None:
            view = await self.ana.look()
            page = view.page
            return view if isinstance(page, WorkPage) and page.stops_to_explain == stops else None

        found = await until(there, f"{stops} stops to explain")
        assert found is not None
        return found

    async def told(self, rows: int) -> list[JournalRow]:
        """What the journal has about stops, oldest first, once it is so much."""

        async def there() -> list[JournalRow]:
            found = await self.kept()
            return found if len(found) >= rows else []

        found = await until(there, f"{rows} facts about stops")
        assert len(found) == rows
        return found

    async def kept(self) -> list[JournalRow]:
        """What the journal has about stops now."""
        rows = [row for row in await self.ana.agent.journal(200) if row.kind == "DowntimeRecorded"]
        return sorted(rows, key=lambda row: row.seq)


@asynccontextmanager
async def at_work() -> AsyncIterator[Station]:
    """A press that runs, and a job that was opened with the scanner."""
    press = Press()
    async with Peer(word=press.word).on_tcp() as peer:
        with short_folder() as folder:
            running = plant_in(folder, more=MACHINE.format(port=peer.port), policies="short_stop_seconds = 0.3")
            plant = await asyncio.to_thread(running.__enter__)
            try:
                async with AgentClient(plant.agent.address) as agent:
                    station = Station(plant, press, Person(agent, "T1"))
                    await station.connected()
                    await station.scanned(Kind.BADGE, "1001", "choose_job.pick_one")
                    await station.scanned(Kind.JOB, "J-206", "report_production.running")
                    yield station
            finally:
                await asyncio.to_thread(running.__exit__, None, None, None)


async def test_a_stop_is_proposed_split_taken_back_and_explained_later() -> None:
    async with at_work() as station:
        ana, press = station.ana, station.press
        press.state = UnitState.SUSPENDED
        view = await station.asked(1)
        assert at(view) == "report_production.running", "nobody is taken away from the work"
        await station.scanned(Kind.COMMAND, "SCRAP", "report_production.scrap")
        assert at(await ana.type("2")) == "report_production.scrap_reason"
        view = await station.scanned(Kind.REASON, "SCRAP-2", "report_production.running")
        assert said(view) == "report_production.saved_scrap", "a reason that is scanned is that of the scrap"
        await station.asked(1)

        assert len((await ana.do("explain")).choices) == 1
        view = await ana.choose(1)
        assert view.choices[0].id == "STOP-3"
        assert view.prompt_params["likely"] == view.choices[0].title
        await ana.do("split")
        view = await ana.type("0,001")
        assert (at(view), "likely" in view.prompt_params) == ("explain_stop.reason", False)
        assert await station.kept() == [], "what is proposed or half said is not recorded"
        assert at(await ana.choose(1)) == "explain_stop.second"
        assert said(await ana.choose(3)) == "explain_stop.saved"
        (lasting,) = await station.told(1)
        assert (lasting.body["reason"], lasting.body["ended"], lasting.body["late"]) == ("STOP-1", None, False)
        splits = lasting.body["splits"]
        assert isinstance(splits, list)
        assert [cut["reason"] for cut in splits] == ["STOP-3"]
        assert lasting.person == "p1"

        press.state = UnitState.EXECUTE
        ended = (await station.told(2))[-1]
        assert (ended.person, ended.body["state"]) == ("", "SUSPENDED")
        assert ended.body | {"ended": None} == lasting.body, "the end keeps what was said"
        assert ended.body["ended"]

        assert at(await ana.do("undo")) == "explain_stop.undo"
        assert len((await ana.do("confirm")).choices) == 1, "it is to be explained again"
        assert at(await ana.choose(1)) == "explain_stop.reason"
        view = await station.scanned(Kind.REASON, "STOP-3", "explain_stop.choose")
        assert (said(view), view.choices) == ("explain_stop.saved", ())
        *_, back, later = await station.told(4)
        assert [(row.body["reason"], row.body["splits"], row.body["late"]) for row in (back, later)] == [
            ("", [], False), ("STOP-3", [], True),
        ]  # fmt: skip
        assert {row.body["stop"] for row in await station.told(4)} == {lasting.body["stop"]}

        view = await ana.do("back")
        assert (at(view), view.title) == ("report_production.running", "J-206")
        await everything_sent(ana.agent)
        assert {row.sent for row in await station.told(4)} == {"yes"}


async def test_a_held_press_is_asked_for_with_its_alarm_and_what_that_had_last_is_proposed() -> None:
    async with at_work() as station:
        ana, press = station.ana, station.press
        press.state, press.alarm = UnitState.HELD, 102
        await station.asked(1)
        await ana.do("explain")
        view = await ana.choose(1)
        assert view.prompt_params["alarm"] == "Coil end"
        assert not {"usual", "likely"} & set(view.prompt_params), "the site says nothing about HELD"
        await ana.choose(2)
        press.state, press.alarm = UnitState.EXECUTE, 0
        await station.told(2)
        await ana.do("back")
        press.state, press.alarm = UnitState.SUSPENDED, 102
        await station.asked(1)
        await ana.do("explain")
        view = await ana.choose(1)
        assert (view.choices[0].id, view.prompt_params.get("likely")) == ("STOP-2", None)
        assert view.prompt_params["usual"] == view.choices[0].title
