"""A number is typed and the tote is scanned without Enter: what was typed is booked, or nothing is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from edge_agent.client import AgentClient
from edge_agent.scanning.labels import label
from edge_agent.views import Kind, PickPage
from tests.agent.person import Person, an_input, at
from tests.agent.running import Plant, plant_in, short_folder
from tests.agent.tmux import Tmux


@pytest.fixture
def bench() -> Iterator[Plant]:
    """A plant of its own: its scanner is at T1."""
    with short_folder() as folder, plant_in(folder) as running:
        yield running


@pytest.fixture(params=[(80, 24), (40, 16)], ids=["80x24", "40x16"])
def window(request: pytest.FixtureRequest, bench: Plant) -> Iterator[Tmux]:
    columns, rows = request.param
    program = [sys.executable, "-m", "terminal_ui", "--terminal", "T1", "--address", bench.agent.address]
    tmux = Tmux([*program, "--language", "en"], columns, rows)
    try:
        yield tmux
    finally:
        tmux.run("kill-server")


async def taking(person: Person) -> PickPage:
    """Somebody with the item of a line of several in hand, who is asked for the quantity."""
    view = await person.work_on("SO-771")
    assert isinstance(view.page, PickPage)
    await person.scan(Kind.LOCATION, view.page.location)
    item = next(each.label for each in (await person.look()).expects if each.kind is Kind.MATERIAL)
    await agent_scan(person, item or "")
    view = await person.look()
    assert (at(view), isinstance(view.page, PickPage)) == ("pick.quantity", True)
    assert isinstance(view.page, PickPage)
    assert view.page.quantity > 1
    return view.page


async def agent_scan(person: Person, text: str) -> None:
    """One frame of a scanner."""
    await person.agent.send(person.terminal, an_input("scan", text))


async def booked(agent: AgentClient) -> list[Any]:
    """The quantities that were moved."""
    return [row.body["quantity"] for row in await agent.journal(limit=1000) if row.kind == "MaterialMoved"]


@pytest.mark.parametrize("by", ["serial", "wedge"])
async def test_the_number_that_is_typed_is_booked_by_the_scan_of_the_tote(bench: Plant, window: Tmux, by: str) -> None:
    async with AgentClient(bench.agent.address) as agent:
        page = await taking(Person(agent, "T1"))
        window.shows(f"Take {page.quantity:f}")
        typed = f"{page.quantity - 1:f}"
        window.press(typed)
        window.shows(f"▸  {typed}▏")
        tote = label(Kind.HANDLING_UNIT, page.destination)
        if by == "serial":
            bench.scanner.scan(tote)
        else:
            window.press(tote, "Enter")
        window.shows("SAVED")
        assert await booked(agent) == [typed]


@pytest.mark.parametrize("by", ["serial", "wedge"])
async def test_a_number_that_can_not_be_is_refused_and_nothing_is_booked(bench: Plant, window: Tmux, by: str) -> None:
    async with AgentClient(bench.agent.address) as agent:
        page = await taking(Person(agent, "T1"))
        window.shows(f"Take {page.quantity:f}")
        window.press("9")
        window.shows("▸  9▏")
        window.press("9")
        window.shows("▸  99▏")
        tote = label(Kind.HANDLING_UNIT, page.destination)
        if by == "serial":
            bench.scanner.scan(tote)
        else:
            window.press(tote, "Enter")
        window.shows("too many")
        assert await booked(agent) == []
        assert "▸  99▏" in window.screen, "what was typed stands there still"
        window.press("Escape")
        window.shows(f"▸  {page.quantity:f} ")


async def test_a_terminal_that_ended_leaves_nothing_typed_behind(bench: Plant, window: Tmux) -> None:
    async with AgentClient(bench.agent.address) as agent:
        page = await taking(Person(agent, "T1"))
        window.shows(f"Take {page.quantity:f}")
        window.press("1")
        window.shows("▸  1▏")
        window.run("respawn-pane", "-k")
        window.shows(f"▸  {page.quantity:f} ")
        bench.scanner.scan(label(Kind.HANDLING_UNIT, page.destination))
        window.shows("SAVED")
        assert await booked(agent) == [f"{page.quantity:f}"], "what the screen shows"
