"""One running plant for all tests that do it no harm; each test works at a terminal of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from edge_agent import pin_hash
from edge_agent.client import AgentClient
from tests.agent.person import Person
from tests.agent.running import Plant, plant_in, short_folder

TERMINALS = 90  # more than tests that ask for one; the first has the scanner

# Long enough that no busy machine makes two trigger pulls of one, and that no failure outlasts it.
PATIENT = "repeat_window = 60.0"


@pytest.fixture(scope="session")
def plant() -> Iterator[Plant]:
    """The shared one."""
    with short_folder() as folder, plant_in(folder, TERMINALS, policies=PATIENT) as running:
        yield running


@pytest.fixture(scope="session")
def free_terminals(plant: Plant) -> Iterator[str]:
    """Terminals where nobody has worked yet."""
    return iter(plant.terminals[1:])


@pytest.fixture
async def agent(plant: Plant) -> AsyncIterator[AgentClient]:
    """A client of the shared agent."""
    async with AgentClient(plant.agent.address) as client:
        yield client


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As safe as can be is as slow as can be: one test has the real costs."""
    monkeypatch.setattr(pin_hash, "_MEMORY_KIB", 8)
    monkeypatch.setattr(pin_hash, "_PASSES", 1)


@pytest.fixture
def person(agent: AgentClient, free_terminals: Iterator[str]) -> Person:
    """Somebody at a terminal of their own."""
    return Person(agent, next(free_terminals))


@pytest.fixture
def other(agent: AgentClient, free_terminals: Iterator[str]) -> Person:
    """Somebody at another terminal."""
    return Person(agent, next(free_terminals))
