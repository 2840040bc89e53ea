"""A PC whose disk rots: the agent itself, killed, damaged and started, works within 10 s and tells what it found."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from random import Random

import pytest

from edge_agent.client import AgentClient
from tests.agent.person import Person, everything_sent
from tests.agent.running import AGENT, Plant, plant_in, short_folder
from tests.agent.test_kill import arrived, kept
from tests.crash.images import DAMAGES

JOB = "J-206"
BACK = 10.0  # seconds


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with short_folder() as folder, plant_in(folder) as running:
        yield running


async def test_an_agent_comes_back_from_damage_with_every_report(plant: Plant) -> None:
    confirmed = set[str]()
    for kind in ("log one bit", "database page zeroed", "database removed"):
        async with AgentClient(plant.agent.address) as client:
            person = Person(client, "T1")
            await person.work_on(JOB)  # where people stood is not trusted after damage
            for quantity in ("1", "2", "3"):
                view = await person.type(quantity)
                assert view.message is not None
                confirmed.update(view.message.facts)
            plant.agent.kill()
            DAMAGES[kind](plant.agent.database.parent, Random(1))
            began = time.monotonic()
            await asyncio.to_thread(plant.agent.start)
            assert time.monotonic() - began < BACK, kind
            assert "mended" in " ".join((await client.health()).problems), kind
            await everything_sent(client)
    facts = kept(plant.agent)
    assert confirmed <= {fact.id for fact in facts}
    assert len(confirmed) == 9
    assert sorted(arrived(plant)) == sorted(fact.id for fact in facts)
    assert {each.agent for each in facts} == {AGENT}
