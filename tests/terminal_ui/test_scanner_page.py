"""The test of a scanner on the screen: from F9, in words, with its bytes; and back at work when it is closed."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.client import AgentAway, InputRefused
from edge_agent.views.status import Problem
from terminal_ui.screens.queue import QueueScreen
from terminal_ui.screens.scanner import ScannerScreen
from tests.terminal_ui.fake import FakeAgent, by_hand, has_revision, screen_text, shown, terminal
from tests.terminal_ui.pages import ASKED, FAULTY, FOUND, ONCE, PLANT
from tests.terminal_ui.samples import STATUS, VIEWS


async def test_the_way_from_the_links_to_a_file_for_the_site() -> None:
    agent = FakeAgent(VIEWS["work"], PLANT)
    app = terminal(agent)
    async with app.run_test(size=(80, 40)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9")
        await shown(pilot, lambda: "T  tests the scanner" in screen_text(app))
        await by_hand(pilot, "t")
        await shown(pilot, lambda: isinstance(app.screen, ScannerScreen))
        agent.reports.put_nowait(ASKED)
        await shown(pilot, lambda: "Scan this code 3 times" in screen_text(app))
        assert ASKED.code[1] in screen_text(app)
        agent.reports.put_nowait(ONCE)
        await shown(pilot, lambda: "]C110A1<GS>217<CR>" in screen_text(app))
        assert "5D 43 31" in screen_text(app)
        agent.reports.put_nowait(FOUND)
        await shown(pilot, lambda: "The scanner is set well." in screen_text(app))
        assert 'profile = "honeywell"' in screen_text(app)
        agent.written = msgspec.structs.replace(FOUND, written="/srv/floorhand/scanner-hand-1.toml")
        await by_hand(pilot, "f2")
        await shown(pilot, lambda: "Written to /srv/floorhand/scanner-hand-1.toml" in screen_text(app))
        assert agent.testing == 1
        assert not agent.sent
        await by_hand(pilot, "f3")
        await shown(pilot, lambda: agent.testing == 0)
        assert not isinstance(app.screen, ScannerScreen | QueueScreen)


async def test_what_is_wrong_with_a_scanner_is_said_in_words() -> None:
    agent = FakeAgent(VIEWS["work"], PLANT)
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9", "t")
        agent.reports.put_nowait(FAULTY)
        await shown(pilot, lambda: "FNC1 is lost" in screen_text(app))
        text = screen_text(app)
        assert "Nothing ends a scan" in text
        assert "AIM off" in text
        assert "F2" not in text.replace("F2 confirm", "")
        agent.written = InputRefused(Problem("scanner_page.nothing_found"))
        await by_hand(pilot, "f2")
        await shown(pilot, lambda: "There is nothing to write yet" in screen_text(app))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InputRefused(Problem("scanner_page.no_scanner")), "No serial scanner belongs to this terminal."),
        (InputRefused(Problem("scanner_page.busy")), "Another screen tests this scanner already."),
        (AgentAway("gone"), "the scanner can not be tested"),
    ],
)
async def test_why_there_is_no_test(error: Exception, words: str) -> None:
    agent = FakeAgent(VIEWS["work"], PLANT)
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9", "t")
        agent.reports.put_nowait(error)
        await shown(pilot, lambda: words in " ".join(screen_text(app).split()))


async def test_a_handheld_asks_for_the_printed_label() -> None:
    agent = FakeAgent(VIEWS["work"], PLANT)
    app = terminal(agent)
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9", "t")
        agent.reports.put_nowait(ASKED)
        await shown(pilot, lambda: "printed label 10A1<FNC1>217" in " ".join(screen_text(app).split()))


async def test_an_answer_to_somebody_else_closes_the_test() -> None:
    agent = FakeAgent(VIEWS["work"], PLANT)
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9", "t")
        await shown(pilot, lambda: agent.testing == 1)
        agent.tell(msgspec.structs.replace(VIEWS["pick_go"], revision=8))
        await shown(pilot, lambda: has_revision(app, 8) and agent.testing == 0)
        assert "Go to A-02-1" in screen_text(app)


async def test_where_no_scanner_is_there_is_no_key_for_it() -> None:
    status = msgspec.structs.replace(STATUS, devices=STATUS.devices[:1])
    app = terminal(FakeAgent(VIEWS["work"], status))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9")
        await shown(pilot, lambda: "Links and unsent" in screen_text(app))
        assert "tests the scanner" not in screen_text(app)


async def test_what_is_wrong_is_said_before_the_bytes_of_three_scans() -> None:
    agent = FakeAgent(VIEWS["work"], PLANT)
    app = terminal(agent)
    three = msgspec.structs.replace(ONCE, readings=ONCE.readings[:1] * 3, problem="differs")
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9", "t")
        agent.reports.put_nowait(three)
        await shown(pilot, lambda: "The scans came in different ways" in screen_text(app))
