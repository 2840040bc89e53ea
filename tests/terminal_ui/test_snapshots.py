"""The screens as they look. After a change that is meant: `pytest tests/terminal_ui --snapshot-update`, and look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Status
from terminal_ui.app import Setup
from terminal_ui.keys import ACTIONS
from tests.terminal_ui.fake import FakeAgent, by_hand, screen_text, shown, terminal
from tests.terminal_ui.pages import ASKED, FOUND, IN_DOUBT, PAGES, PLANT, READING, SPOOFED, trend
from tests.terminal_ui.samples import STATUS, TROUBLE, VIEWS
from tests.terminal_ui.test_help import every

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


PAGE_PICTURES: dict[str, tuple[str, Status, tuple[int, int], str, str]] = {
    "line": ("line", PLANT, WIDE, "dark", "6 CNC-02"),
    "line_light": ("line", PLANT, WIDE, "light", "6 CNC-02"),
    "line_handheld": ("line", PLANT, HANDHELD, "dark", "2 more"),
    "line_handheld_light": ("line", PLANT, HANDHELD, "light", "2 more"),
    "machine": ("machine", PLANT, WIDE, "dark", "leaks oil"),
    "machine_light": ("machine", PLANT, WIDE, "light", "leaks oil"),
    "machine_handheld": ("machine", PLANT, HANDHELD, "dark", "Values now"),
    "machine_handheld_light": ("machine", PLANT, HANDHELD, "light", "Values now"),
    "machine_red": ("machine_red", PLANT, WIDE, "dark", "2/3: F"),
    "machine_red_handheld": ("machine_red", PLANT, HANDHELD, "dark", "2/3: F"),
    "trend": ("trend", PLANT, WIDE, "dark", "band:"),
    "trend_light": ("trend", PLANT, WIDE, "light", "band:"),
    "link_insecure": ("link", SPOOFED, WIDE, "dark", "12 days"),
    "link_insecure_light": ("link", SPOOFED, WIDE, "light", "12 days"),
    "exceptions": ("exceptions", IN_DOUBT, WIDE, "dark", "Karla"),
    "exceptions_light": ("exceptions", IN_DOUBT, WIDE, "light", "Karla"),
    "exceptions_handheld": ("exceptions", IN_DOUBT, HANDHELD, "dark", "more"),
    "exception": ("exception", IN_DOUBT, WIDE, "dark", "Weber"),
    "exception_handheld": ("exception", IN_DOUBT, HANDHELD, "dark", "closed"),
    "exception_correct_handheld": ("exception_correct", IN_DOUBT, HANDHELD, "dark", "How many"),
    "downtime": ("downtime", PLANT, WIDE, "dark", "cleaning"),
    "downtime_light": ("downtime", PLANT, WIDE, "light", "cleaning"),
}


@pytest.mark.parametrize("name", PAGE_PICTURES)
def test_a_page_looks_as_it_did(name: str, snap_compare: Callable[..., bool]) -> None:
    sample, status, size, theme, waited_for = PAGE_PICTURES[name]
    agent = FakeAgent(PAGES[sample], status)
    agent.trends = [trend()]
    app = terminal(agent, Setup("T1", theme=theme))

    async def until_painted(pilot: Pilot[Any]) -> None:
        await shown(pilot, lambda: waited_for in screen_text(app))

    assert snap_compare(app, terminal_size=size, run_before=until_painted)


@pytest.mark.parametrize("size", [WIDE, HANDHELD], ids=["wide", "handheld"])
def test_a_test_read_looks_as_it_did(size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    agent = FakeAgent(PAGES["link"], PLANT)
    agent.readings.put_nowait(READING)
    app = terminal(agent)

    async def until_read(pilot: Pilot[Any]) -> None:
        await shown(pilot, lambda: "R " in screen_text(app))
        await by_hand(pilot, "r")
        await shown(pilot, lambda: app.feed.current().reading)
        while size == HANDHELD and "Hydraulic" not in screen_text(app):
            await by_hand(pilot, "pagedown")
            await pilot.pause()
        await shown(pilot, lambda: "Hydraulic" in screen_text(app))

    assert snap_compare(app, terminal_size=size, run_before=until_read)


@pytest.mark.parametrize(("report", "theme"), [(FOUND, "dark"), (ASKED, "light")], ids=["found", "asked_light"])
def test_the_scanner_page_looks_as_it_did(
    report: ScannerReport, theme: str, snap_compare: Callable[..., bool]
) -> None:
    agent = FakeAgent(VIEWS["work"], PLANT)
    agent.reports.put_nowait(report)
    app = terminal(agent, Setup("T1", theme=theme))

    async def until_painted(pilot: Pilot[Any]) -> None:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9", "t")
        await shown(pilot, lambda: "hand-1" in screen_text(app) or "Listening" in screen_text(app))

    assert snap_compare(app, terminal_size=WIDE, run_before=until_painted)


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
        await by_hand(pilot, "f1")
        await shown(pilot, lambda: "L:A-02-1.T" in screen_text(app))

    assert snap_compare(app, terminal_size=WIDE, run_before=until_help)


@pytest.mark.parametrize("size", [WIDE, HANDHELD], ids=["wide", "handheld"])
def test_the_longest_help_looks_as_it_did(size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    """Every action there is; the arrow stands on the one with the most words."""
    app = terminal(FakeAgent(every(VIEWS["work"])))
    at = [row.name for row in ACTIONS].index("assign") + 1  # what is typed comes first

    async def until_help(pilot: Pilot[Any]) -> None:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f1", *["down"] * at)
        await shown(pilot, lambda: "without a job" in " ".join(screen_text(app).split()))

    assert snap_compare(app, terminal_size=size, run_before=until_help)
