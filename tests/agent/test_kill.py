"""The agent may be killed at any moment: the step stays, nothing is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge_agent.client import AgentAway, AgentClient
from edge_agent.store import journal
from edge_agent.views import Input, View
from sync.contract import Fact
from tests.agent.person import Person, an_input, at, everything_sent, said
from tests.agent.running import AGENT, AgentProcess, Plant, plant_in, short_folder, until

KILLS = 6
JOB = "J-206"  # 2000 pieces without a drawing: enough for any number of reports


@pytest.fixture(scope="module")
def doomed() -> Iterator[Plant]:
    """A plant of its own, to be killed."""
    with short_folder() as folder, plant_in(folder, terminals=4) as running:
        yield running


@pytest.fixture
def mortal(doomed: Plant) -> Plant:
    """The same, its agent running again."""
    if not doomed.agent.runs:
        doomed.start()
    return doomed


async def test_a_killed_agent_comes_back_at_the_same_step(mortal: Plant) -> None:
    async with AgentClient(mortal.agent.address) as client:
        person = Person(client, "T1")
        await person.work_on()
        await person.do("scrap")
        asked = await person.type("2")
        await killed_and_back(mortal)
        assert await person.look() == msgspec.structs.replace(asked, input="")
        assert at(asked) == "report_production.scrap_reason"
        saved = await person.choose(3)
        await killed_and_back(mortal)
        assert await person.look() == msgspec.structs.replace(saved, input="")
        assert said(saved) == "report_production.saved_scrap"


async def test_the_answer_to_an_input_is_the_same_after_a_kill(mortal: Plant) -> None:
    async with AgentClient(mortal.agent.address) as client:
        await Person(client, "T2").work_on()
        given = an_input("entry", "4")
        answer = await client.send("T2", given)
        recorded = await client.journal()
        await killed_and_back(mortal)
        assert await client.send("T2", given) == answer
        assert [row.id for row in await client.journal()] == [row.id for row in recorded]


async def test_what_was_not_sent_before_a_kill_arrives_once_and_in_order(mortal: Plant) -> None:
    async with AgentClient(mortal.agent.address) as client:
        await everything_sent(client)
        mortal.erp.kill()
        person = Person(client, "T3")
        await person.work_on("J-204")
        for number in range(1, 6):
            await person.type(str(number))
        waiting = (await client.health()).unsent
        assert waiting >= 6  # signed on, five reports; somebody else has begun the job
        await killed_and_back(mortal)
        assert (await client.health()).unsent == waiting
        await asyncio.to_thread(mortal.erp.start)
        await everything_sent(client)
    facts = kept(mortal.agent)
    assert arrived(mortal) == [fact.id for fact in facts]
    mine = [msgspec.to_builtins(fact.body) for fact in facts if fact.terminal == "T3"]
    assert [body["quantity"] for body in mine if "quantity" in body] == ["1", "2", "3", "4", "5"]


async def test_many_kills_lose_nothing_and_double_nothing(mortal: Plant) -> None:
    async with AgentClient(mortal.agent.address) as client:
        await Person(client, "T4").work_on(JOB)
        reporter = Reporter(client)
        working = asyncio.create_task(reporter.work())
        dice = random.Random(20261122)
        for _ in range(KILLS):
            target = len(reporter.answers) + dice.randint(1, 5)
            await until(lambda: reporter.has(target), f"{target} answers")  # noqa: B023
            await asyncio.wait({working}, timeout=dice.uniform(0.0, 0.02))  # anywhere within the next input
            await killed_and_back(mortal)
        reporter.stop = True
        await working
        await everything_sent(client)
    assert reporter.again > 0, "no kill fell into an input: the test has shown nothing"

    facts = kept(mortal.agent)
    told = [id for view in reporter.answers if view.message for id in view.message.facts]
    reports = [fact.id for fact in facts if fact.body.about == JOB][1:]  # the first is the start of the job
    assert told == reports
    assert len(told) == len(reporter.answers)
    assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1))
    assert Counter(arrived(mortal)) == Counter(fact.id for fact in facts)


async def killed_and_back(plant: Plant) -> None:
    """Pull the plug of the agent and start it again."""
    plant.agent.kill()
    await asyncio.to_thread(plant.agent.start)


class Reporter:
    """Reports one piece after the other; sends each until it is answered."""

    def __init__(self, client: AgentClient) -> None:
        self.answers: list[View] = []
        self.again = 0
        self.stop = False
        self._client = client

    async def work(self) -> None:
        """Until told to stop."""
        while not self.stop:
            self.answers.append(await self._send(an_input("entry", "1")))

    async def has(self, answers: int) -> bool:
        """Whether so many were answered."""
        return len(self.answers) >= answers

    async def _send(self, given: Input) -> View:
        async def sent() -> View | None:
            try:
                return await self._client.send("T4", given)
            except AgentAway:
                self.again += 1
                return None

        view = await until(sent, f"an answer to {given}")
        assert view is not None
        return view


def arrived(plant: Plant) -> list[str]:
    """The ids of all facts that the ERP has booked, in order of arrival."""
    bookings = plant.erp.bookings(AGENT)
    assert {booking.outcome for booking in bookings} == {"applied"}
    return [booking.fact for booking in bookings]


def kept(agent: AgentProcess) -> tuple[Fact, ...]:
    """The whole journal of a stopped agent, from a copy that nobody can write; its chain is whole."""
    assert not agent.runs or agent.stop() == 0, agent.log
    copy = Path(shutil.copy(agent.database, agent.folder / "copy.db"))
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
        assert journal.verify(connection) is None
        return journal.facts(connection, 0, 1_000_000)
