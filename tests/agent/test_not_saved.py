"""Nothing is called saved before its commit: another program holds the database, and people are told."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing, contextmanager
from pathlib import Path

import pytest

from edge_agent.client import AgentClient, Event, InputRefused
from edge_agent.scanning.labels import label
from edge_agent.views import Kind, View
from tests.agent.person import Person, an_input, at, said
from tests.agent.running import PATIENCE, Plant, until


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Another program has begun to write and does not end: longer than the agent waits (0.25 s)."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


async def recorded(person: Person) -> list[str]:
    """The kinds of fact that were recorded at the terminal, oldest first."""
    rows = await person.agent.journal(limit=1000)
    return [row.kind for row in rows if row.terminal == person.terminal]


async def test_an_input_that_can_not_be_kept_is_refused_and_can_be_sent_again(
    plant: Plant, person: Person
) -> None:
    await person.work_on()
    before, step = await recorded(person), at(await person.look())
    given = an_input("entry", "7")
    with held(plant.agent.database):
        with pytest.raises(InputRefused) as refused:
            await person.agent.send(person.terminal, given)
        assert refused.value.problem.code == "store.not_saved"
        assert "Another program holds the database" in refused.value.problem.params["what"]
    assert (await recorded(person), at(await person.look())) == (before, step)
    answers = [await person.agent.send(person.terminal, given) for _ in range(2)]
    assert answers[0] == answers[1]
    assert said(answers[0]) == "report_production.saved_good"
    assert await recorded(person) == [*before, "MaterialProduced"]


async def test_a_disk_that_takes_nothing_is_logged_once_and_its_return_once(plant: Plant, person: Person) -> None:
    def logged() -> list[str]:
        lines = map(json.loads, plant.agent.log.splitlines())
        return [line["event"] for line in lines if line["event"].startswith("input.")]

    await person.work_on()
    before = logged()
    with held(plant.agent.database):
        for _ in range(3):
            with pytest.raises(InputRefused):
                await person.type("7")
    for _ in range(2):
        await person.type("7")
    assert logged()[len(before) :] == ["input.not_saved", "input.saved_again"]


async def test_a_scan_that_can_not_be_kept_says_so_where_it_was_made(
    plant: Plant, agent: AgentClient
) -> None:
    person, badge = Person(agent, plant.terminals[0]), label(Kind.BADGE, "1003")
    async with aclosing(agent.events(person.terminal)) as events:  # type: ignore[type-var]
        first, before = await anext(events), await recorded(person)
        with held(plant.agent.database):
            plant.scanner.scan(badge)
            told = await the_view_that_says("store.not_saved", events)
    assert told.message is not None
    assert (told.message.seq, told.message.facts, told.log) == (None, (), ())
    assert isinstance(first, View)
    assert at(told) == at(first) == "sign_on.badge"
    assert await recorded(person) == before

    plant.scanner.scan(badge)  # the same label at once: what was not kept was not scanned

    async def signed_on() -> bool:
        return (await person.look()).who is not None

    await until(signed_on, "the second scan to be taken")
    assert await recorded(person) == [*before, "SignedOn"]


async def test_who_looks_is_answered_while_scans_wait_to_be_saved(plant: Plant, agent: AgentClient) -> None:
    person = Person(agent, plant.terminals[0])
    with held(plant.agent.database):
        for number in range(1, 6):
            plant.scanner.scan(label(Kind.LOCATION, f"A-0{number}-1"))
        async with asyncio.timeout(1.0):  # a client gives up after 5 s
            await person.look()
            await agent.health()


async def the_view_that_says(code: str, events: AsyncIterator[Event]) -> View:
    """The first view with that message."""
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if isinstance(event, View) and said(event) == code:
                return event
    raise AssertionError(f"the stream ended without {code}")
