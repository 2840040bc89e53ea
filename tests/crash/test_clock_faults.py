"""The wall clock of the PC is set forward and back, while the agent runs and between two runs: a real process."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.client import AgentClient
from tests.agent.person import Person, everything_sent
from tests.agent.running import AGENT, Plant, short_folder, until
from tests.agent.test_kill import kept
from tests.crash.compiled import NoCompiler, library
from tests.crash.test_damage_while_working import mended, typed_until_refused, zeroed
from tests.support.optional import missing

YEAR = 365 * 86_400
DEAD_BATTERY = -56 * YEAR  # the PC thinks of the first days of 1970


class WallClock:
    """By how many seconds the wall clock of every process that is started now is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set_wrong_by(0)

    def set_wrong_by(self, seconds: int) -> None:
        """For those that run already as well."""
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))


@pytest.fixture
def wall(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


@pytest.fixture
def plant(wall: WallClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    """The clock of the agent may be wrong; that of the ERP, which is another computer, never is."""
    try:
        made = library("libclock", tmp_path)
    except NoCompiler as error:
        missing(str(error))
    with short_folder() as folder:
        running = Plant(folder)
        monkeypatch.setenv("FLOORHAND_TEST_CLOCK", str(wall.path))
        monkeypatch.setenv("LD_PRELOAD", str(made))
        try:
            running.start()
            yield running
        finally:
            running.close()


async def test_a_clock_that_jumps_changes_neither_order_nor_delivery(plant: Plant, wall: WallClock) -> None:
    async with AgentClient(plant.agent.address) as client:
        person = Person(client, "T1")
        await person.work_on("J-206")
        assert (await client.health()).clock_trusted
        await person.type("1")
        for quantity, wrong in (("2", YEAR), ("3", -YEAR), ("4", DEAD_BATTERY), ("5", 3600)):
            wall.set_wrong_by(wrong)
            await person.type(quantity)
            assert not (await client.health()).clock_trusted
        await everything_sent(client)  # no timer waits for a date
    for quantity, wrong in (("6", DEAD_BATTERY), ("7", YEAR), ("8", 0)):
        plant.agent.kill()
        wall.set_wrong_by(wrong)
        await asyncio.to_thread(plant.agent.start)
        async with AgentClient(plant.agent.address) as client:
            await Person(client, "T1").type(quantity)
            await everything_sent(client)
    facts = kept(plant.agent)
    told = {str(body.quantity): fact for fact in facts if hasattr(body := fact.body, "quantity")}
    assert list(told) == list("12345678"), "in the order of the reports, whatever the clock said"
    # "7" came after a restart a year ahead: no step since then, and no year in which a plant reports nothing either.
    assert [quantity for quantity, fact in told.items() if fact.clock_ok] == ["1", "8"]
    assert [each.fact for each in plant.erp.bookings(AGENT)] == [fact.id for fact in facts]


@pytest.mark.parametrize(("wrong", "words"), [(-100 * 86_400, "100 days"), (2 * YEAR, "730 days"), (7200, "2 h")])
async def test_a_clock_that_is_wrong_from_the_start_is_told_and_trusted_when_it_was_set(
    plant: Plant, wall: WallClock, wrong: int, words: str
) -> None:
    async with AgentClient(plant.agent.address) as client:
        person = Person(client, "T1")
        await person.work_on("J-206")
        await person.type("1")
        await everything_sent(client)
    plant.agent.kill()
    wall.set_wrong_by(wrong)
    await asyncio.to_thread(plant.agent.start)
    async with AgentClient(plant.agent.address) as client:
        person = Person(client, "T1")

        async def doubted() -> bool:  # two hours can only be told by the ERP
            return not (await client.health()).clock_trusted

        await until(doubted, "a doubt of the clock")
        await person.type("2")
        (problem,) = [each for each in (await client.health()).problems if "clock of this PC" in each]
        assert words in problem
        wall.set_wrong_by(0)  # as NTP does, or a person: no restart

        async def trusted() -> bool:
            return (await client.health()).clock_trusted

        await until(trusted, "trust in the clock, which the ERP confirms")
        await person.type("3")
        await everything_sent(client)
    told = {str(body.quantity): fact.clock_ok for fact in kept(plant.agent) if hasattr(body := fact.body, "quantity")}
    assert told == {"1": True, "2": False, "3": True}


async def test_a_jump_is_not_forgotten_when_the_agent_starts_itself_again_without_the_erp(
    plant: Plant, wall: WallClock
) -> None:
    async with AgentClient(plant.agent.address) as client:
        person = Person(client, "T1")
        await person.work_on("J-206")
        await person.type("1")
        await everything_sent(client)
        plant.erp.kill()
        wall.set_wrong_by(3 * 3600)
        assert not (await client.health()).clock_trusted
    process = plant.agent.pid
    zeroed(plant.agent.database)
    began = time.monotonic()
    await typed_until_refused(plant)
    await mended(plant, began)
    assert plant.agent.pid == process
    async with AgentClient(plant.agent.address) as client:
        health = await client.health()
        assert not health.clock_trusted
        assert "jumped" in " ".join(health.problems)
