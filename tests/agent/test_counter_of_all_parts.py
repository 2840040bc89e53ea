"""A press whose counter counts scrap as well, through the front door: what is proposed as good leaves it out."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from device_drivers.simulators.modbus_peer import Peer
from edge_agent.client import AgentClient
from edge_agent.views import Entry
from tests.agent.person import Person, said
from tests.agent.running import plant_in, short_folder, until

MACHINE = """
[[equipment]]
id = "PRESS-03"
device = "plc"
count = "parts"
counts = "all"
[[devices]]
name = "plc"
driver = "modbus"
options = {{ host = "127.0.0.1", port = {port}, interval = 0.05, points = [{{ name = "parts", address = 2 }}] }}
"""


async def proposed(ana: Person, value: str) -> None:
    """Wait until this is proposed as good, with the counter read and the books written."""
    await ana.do("report")

    async def there() -> Entry | None:
        entry = (await ana.look()).entry
        return entry if entry is not None and entry.value == value else None

    await until(there, f"{value or 'nothing'} to be proposed as good")
    await ana.do("back")


async def on_disk(database: Path, reading: str) -> bool:
    """Whether the counter is written down with this reading."""
    with closing(sqlite3.connect(database)) as conn:
        return bool(conn.execute("SELECT 1 FROM counter WHERE reading = ?", (reading,)).fetchone())


async def test_scrap_that_was_reported_is_not_proposed_as_good_and_survives_a_kill() -> None:
    parts = 100
    async with Peer(word=lambda ask, address: parts).on_tcp() as peer:
        with short_folder() as folder:
            running = plant_in(folder, more=MACHINE.format(port=peer.port))
            plant = await asyncio.to_thread(running.__enter__)
            try:
                async with AgentClient(plant.agent.address) as agent:

                    async def counts() -> bool:
                        return (await agent.equipment())[0].count_status == "Good"

                    await until(counts, "the counter")
                    ana = Person(agent, "T1")
                    await ana.work_on("J-206")
                    asked = len(peer.asked)

                    async def read_again() -> bool:
                        return len(peer.asked) > asked + 1

                    await until(read_again, "a reading that is as old as the job: parts before it are no parts of it")
                    parts = 110
                    await proposed(ana, "10")
                    await ana.do("scrap")
                    await ana.type("2")
                    assert said(await ana.choose(1)) == "report_production.saved_scrap"
                    await proposed(ana, "8")
                    await until(partial(on_disk, plant.agent.database, "110"), "the reading on the disk")
                plant.agent.kill()
                await asyncio.to_thread(plant.start)
                async with AgentClient(plant.agent.address) as agent:
                    ana = Person(agent, "T1")
                    await proposed(ana, "8")
                    assert said(await ana.type("8")) == "report_production.saved_good"
                    (row,) = [row for row in await agent.journal(50) if row.kind == "MaterialProduced"]
                    assert (row.body["quantity"], row.body["machine_count"]) == ("8", 10)
                    parts = 113
                    await proposed(ana, "3")
            finally:
                await asyncio.to_thread(running.__exit__, None, None, None)
