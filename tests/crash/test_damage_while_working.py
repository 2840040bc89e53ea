"""The database is damaged under a running agent: nobody is asked for, it starts again, mends, and loses nothing."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge_agent.client import AgentAway, AgentClient, InputRefused
from edge_agent.clock import SystemClock
from edge_agent.command_line.run import AGAIN
from edge_agent.store.restarts import MOST
from edge_agent.views.status import Health
from tests.agent.person import Person, everything_sent
from tests.agent.running import Plant, plant_in, short_folder, until, wait
from tests.agent.test_kill import arrived, kept

JOB = "J-206"
BACK = 10.0  # seconds
PAGE = 4096


@pytest.fixture
def plant() -> Iterator[Plant]:
    with short_folder() as folder, plant_in(folder) as running:
        yield running


def zeroed(path: Path) -> None:
    """All pages but the first, and nothing in the log that would put them back."""
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(bytes(size - PAGE))


async def reported(plant: Plant, quantities: int) -> set[str]:
    """Ids of the reports that were called saved."""
    saved = set[str]()
    async with AgentClient(plant.agent.address) as client:
        person = Person(client, "T1")
        await person.work_on(JOB)
        for number in range(quantities):
            view = await person.type(str(number % 7 + 1))
            assert view.message is not None
            saved.update(view.message.facts)
    return saved


async def typed_until_refused(plant: Plant) -> set[str]:
    """Reports into the damage; ids of those that were called saved before one was refused."""
    saved = set[str]()
    async with AgentClient(plant.agent.address) as client:
        person = Person(client, "T1")
        for _ in range(1000):
            try:
                view = await person.type("9")
            except (InputRefused, AgentAway):
                return saved
            saved.update(view.message.facts if view.message is not None else ())
    raise AssertionError("the damage is not noticed")


async def mended(plant: Plant, began: float) -> float:
    """Seconds until the agent works again and tells of it."""

    async def told() -> bool:
        try:
            async with AgentClient(plant.agent.address) as client:
                found = await client.health()
        except (AgentAway, InputRefused):
            return False
        return found.incidents > 0 and found.damage == ""

    await until(told, "a database that was mended")
    return time.monotonic() - began


async def damaged_at_work(plant: Plant) -> set[str]:
    """Reports before, while and after the file is zeroed; the ids of those that were called saved."""
    saved = await reported(plant, 20)
    zeroed(plant.agent.database)
    began = time.monotonic()
    saved |= await typed_until_refused(plant)
    assert await mended(plant, began) < BACK
    wait(lambda: b"J-204" in plant.get("/v1/labels"), "the plans, which are pulled anew")
    return saved


async def test_it_starts_again_by_itself_and_every_report_reaches_the_erp_once(plant: Plant) -> None:
    process = plant.agent.pid
    saved = await damaged_at_work(plant)
    assert (plant.agent.pid, plant.agent.runs) == (process, True)
    saved |= await reported(plant, 3)
    async with AgentClient(plant.agent.address) as client:
        (incident,) = [each for each in json.loads(plant.get("/v1/exceptions")) if each["kind"] == "incident"]
        assert incident["key"].startswith("incident/")
        await everything_sent(client)
    facts = kept(plant.agent)
    assert saved <= {fact.id for fact in facts}
    assert sorted(arrived(plant)) == sorted(fact.id for fact in facts)
    assert plant.agent.log.count("store.damaged") == 1


async def test_under_systemd_it_ends_with_the_code_that_means_so(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    plant.agent.stop()
    plant.start()
    saved = await reported(plant, 5)
    zeroed(plant.agent.database)
    saved |= await typed_until_refused(plant)
    wait(lambda: not plant.agent.runs, "the end of the agent")
    assert plant.agent.stop() == AGAIN
    plant.start()
    assert saved <= {fact.id for fact in kept(plant.agent)}


async def test_health_and_metrics_answer_without_the_database(plant: Plant) -> None:
    """A restart that may not be made yet: the agent stays, and says what is wrong."""
    saved = await reported(plant, 5)
    plant.get("/v1/health")
    boot, now = SystemClock().boot(), SystemClock().monotonic()
    plant.agent.database.with_name("journal.restarts").write_text(f"{boot} {now!r}\n" * MOST)
    zeroed(plant.agent.database)

    def told() -> Health | None:
        health = msgspec.json.decode(plant.get("/v1/health"), type=Health)
        return health if "has started itself again as often as it may" in " ".join(health.problems) else None

    saved |= await typed_until_refused(plant)
    health = wait(told, "damage that is told")
    assert health is not None
    assert (health.ok, health.readable) == (False, False)
    assert "The database can not be read" in " ".join(health.problems)
    assert health.safe_seq >= len(saved)
    text = plant.get("/metrics").decode()
    assert "floorhand_database_readable 0.0" in text
    assert "floorhand_journal_damaged 1.0" in text
    assert plant.agent.runs
    plant.agent.stop()
    plant.start()
    assert saved <= {fact.id for fact in kept(plant.agent)}
