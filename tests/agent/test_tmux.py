"""The terminal in tmux, which is neither our emulator nor Textual's: what a person over SSH sees."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from edge_agent.client import AgentClient
from edge_agent.views import Kind
from tests.agent.person import Person, at
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


@pytest.mark.parametrize(
    "keys", [["4711"], ["12", "Enter"], ["LOT-XE12"], ["XE1-7"], ["7", "Enter"], ["5" * 520, "Enter"]],
    ids=["no_enter", "short", "letters", "actions", "one", "too_long"],
)  # fmt: skip
async def test_what_comes_as_fast_as_a_scan_is_never_typed(
    window: Tmux, person: Person, agent: AgentClient, keys: list[str]
) -> None:
    await person.work_on()
    window.shows("Running.")
    before = at(await person.look())
    window.press(*keys)
    window.shows("UNKNOWN")
    assert at(await person.look()) == before
    assert "▸  ▏" in window.screen  # the field is empty
    rows = [row for row in await agent.journal(limit=1000) if row.terminal == person.terminal]
    assert [row.kind for row in rows if row.kind in ("MaterialProduced", "ScanRefused")] == ["ScanRefused"]
    assert str(rows[-1].body["raw"]) == keys[0]


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
