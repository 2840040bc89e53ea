"""The terminal in tmux, which is neither our emulator nor Textual's: what a person over SSH sees."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from edge_agent.client import AgentClient
from edge_agent.views import Kind
from tests.agent.person import Person
from tests.agent.running import Plant
from tests.agent.tmux import Tmux


@pytest.fixture(params=[(80, 24), (40, 16)], ids=["80x24", "40x16"])
def window(request: pytest.FixtureRequest, plant: Plant, person: Person) -> Iterator[Tmux]:
    columns, rows = request.param
    program = [
        sys.executable,
        "-m",
        "terminal_ui",
        "--terminal",
        person.terminal,
        "--address",
        plant.agent.address,
    ]
    tmux = Tmux([*program, "--language", "en"], columns, rows)
    try:
        yield tmux
    finally:
        tmux.run("kill-server")


async def test_a_person_in_tmux_sees_the_step_the_verdict_and_the_help(
    window: Tmux, person: Person, agent: AgentClient
) -> None:
    window.shows("Scan your badge.")
    await person.sign_on()
    window.shows("Choose a job")
    await person.scan(Kind.LOCATION, "PACK-1")
    screen = window.shows("That is a place: PACK-1")
    assert all(len(row) <= 80 for row in screen.splitlines())
    window.press("F1")
    window.shows("What can I do now?")
    window.press("Escape")
    window.shows("Choose a job")
