"""The screens as they look. After a change that is meant: `pytest tests/terminal_ui --snapshot-update`, and look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from edge_agent.views import Status
from tests.terminal_ui.fake import FakeAgent, screen_text, shown, terminal
from tests.terminal_ui.samples import STATUS, TROUBLE, VIEWS

WIDE, HANDHELD = (80, 24), (40, 16)

PICTURES: dict[str, tuple[str, Status, tuple[int, int], str]] = {
    "sign_on": ("sign_on", STATUS, WIDE, "Scan your badge."),
    "dispatch": ("dispatch", STATUS, WIDE, "Choose a job"),
    "work_in_trouble": ("work", TROUBLE, WIDE, "ERP DOWN"),
    "work_wrong_scan": ("work_wrong", STATUS, WIDE, "UNKNOWN"),
    "pick": ("pick_go", STATUS, WIDE, "Go to A-02-1"),
    "pick_handheld": ("pick_go", STATUS, HANDHELD, "Go to A-02-1"),
    "pick_wrong_scan_handheld": ("pick_wrong", STATUS, HANDHELD, "WRONG"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_screen_looks_as_it_did(name: str, snap_compare: Callable[..., bool]) -> None:
    sample, status, size, waited_for = PICTURES[name]
    app = terminal(FakeAgent(VIEWS[sample], status))

    async def until_painted(pilot: Pilot[Any]) -> None:
        await shown(pilot, lambda: waited_for in screen_text(app))

    assert snap_compare(app, terminal_size=size, run_before=until_painted)


def test_away_looks_as_it_did(snap_compare: Callable[..., bool]) -> None:
    agent = FakeAgent(VIEWS["pick_go"])
    app = terminal(agent)

    async def until_away(pilot: Pilot[Any]) -> None:
        await shown(pilot, lambda: app.feed.view)
        agent.go_away()
        await shown(pilot, lambda: "AGENT AWAY" in screen_text(app))

    assert snap_compare(app, terminal_size=WIDE, run_before=until_away)


def test_help_looks_as_it_did(snap_compare: Callable[..., bool]) -> None:
    app = terminal(FakeAgent(VIEWS["pick_go"]))

    async def until_help(pilot: Pilot[Any]) -> None:
        await shown(pilot, lambda: app.feed.view)
        await pilot.press("f1")
        await shown(pilot, lambda: "L:A-02-1.T" in screen_text(app))

    assert snap_compare(app, terminal_size=WIDE, run_before=until_help)
