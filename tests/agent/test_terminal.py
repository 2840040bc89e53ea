"""The terminal program at a running agent: it owns nothing, and it knows a scan from typing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edge_agent.scanning.labels import label
from edge_agent.views import Kind
from tests.agent.person import Person, at
from tests.agent.running import PATIENCE, Plant
from tests.agent.screen import Screen, screen_of


@contextmanager
def screen_for(plant: Plant, person: Person) -> Iterator[Screen]:
    """The screen at a person's terminal."""
    with screen_of(plant.agent.address, person.terminal) as screen:
        yield screen


async def test_a_terminal_that_was_killed_comes_back_to_the_same_step(plant: Plant, person: Person) -> None:
    await person.work_on()
    with screen_for(plant, person) as screen:
        screen.shows("J-204", "Running.")
        screen.type("s")
        screen.shows("How many")
        screen.type("2")
        screen.shows("2▏")
        screen.type("\r")
        screen.shows("flash", "test piece")
        screen.process.kill()
        before = steady(screen)
    assert at(await person.look()) == "report_production.scrap_reason"
    with screen_for(plant, person) as screen:
        screen.shows("flash", "test piece")
        assert steady(screen) == before
        screen.type("3")
        screen.shows("2 pc scrap: burr")
    assert at(await person.look()) == "report_production.running"


async def test_a_wedge_scan_signs_on(plant: Plant, person: Person) -> None:
    with screen_for(plant, person) as screen:
        screen.shows("Scan your badge")
        screen.type(label(Kind.BADGE, "1001") + "\r")
        screen.shows("Ana Silva", "J-204")
    assert at(await person.look()) == "choose_job.pick_one"


async def test_the_same_keys_are_a_scan_or_a_number_by_their_pace(plant: Plant, person: Person) -> None:
    await person.work_on()
    with screen_for(plant, person) as screen:
        screen.shows("Running.")
        screen.type("0004\r")
        screen.shows("UNKNOWN  0004")
        for typed in ("0", "00", "000", "0004"):
            screen.press(typed[-1])
            screen.shows(typed + "▏")  # the pace has told: it is typing
        screen.press("\r")
        screen.shows("4 pc good")
    rows = [row for row in await person.agent.journal(limit=1000) if row.terminal == person.terminal]
    assert [row.kind for row in rows[-2:]] == ["ScanRefused", "MaterialProduced"]
    assert (rows[-2].body["raw"], rows[-1].body["quantity"]) == ("0004", "4")


async def test_a_terminal_whose_line_is_gone_ends(plant: Plant, person: Person) -> None:
    with screen_for(plant, person) as screen:
        screen.shows("Scan your badge")
        screen.hang_up()
        screen.process.wait(PATIENCE)
    assert at(await person.sign_on()) == "choose_job.pick_one"


def steady(screen: Screen) -> list[str]:
    """The rows of the step: the others tell the time, the ticks of what is on its way, and the links."""
    return screen.text.splitlines()[1:15]
