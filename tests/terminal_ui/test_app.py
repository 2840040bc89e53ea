"""A person at the terminal: keys, scans, help, the agent's absence, and the way out."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.events import Key, Paste
from textual.widget import Widget

from edge_agent.scanning.labels import label
from edge_agent.views import Echo, Kind, View
from terminal_ui.app import Setup, TerminalApp
from terminal_ui.guide import Guide
from terminal_ui.screens.help import HelpScreen
from terminal_ui.screens.queue import QueueScreen
from tests.terminal_ui.fake import FakeAgent, HandClock, by_hand, has_revision, screen_text, shown, terminal
from tests.terminal_ui.samples import VIEWS

SIZE = (80, 24)


def answer(name: str, revision: int = 8) -> View:
    return msgspec.structs.replace(VIEWS[name], revision=revision)


def wedge(app: TerminalApp, text: str) -> None:
    """A keyboard-wedge scan: all characters within one moment, then Enter."""
    names = {"\x1b": "escape", "\x11": "ctrl+q", "\x10": "ctrl+p", "\x03": "ctrl+c"}
    for char in text:
        app.post_message(Key(names.get(char, char), char))
    app.post_message(Key("enter", "\r"))


async def test_a_number_is_typed_and_sent() -> None:
    agent = FakeAgent(VIEWS["work"])
    agent.answers = [answer("work")]
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        for key in "50":
            await by_hand(pilot, key)
        await shown(pilot, lambda: "50▏" in screen_text(app))
        await by_hand(pilot, "enter")
        await shown(pilot, lambda: has_revision(app, 8))
        assert [(sent.kind, sent.data) for sent in agent.sent] == [("entry", "50")]
        assert "50▏" not in screen_text(app)


async def test_a_wedge_scan_is_sent_whole_and_never_typed_into_the_entry() -> None:
    agent = FakeAgent(VIEWS["work"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        wedge(app, "4006381333931")
        await shown(pilot, lambda: agent.sent)
        assert [(sent.kind, sent.data) for sent in agent.sent] == [("scan", "4006381333931")]
        assert app.feed.typed is None
        assert "4006381333931" in screen_text(app)


async def test_control_characters_in_a_scan_act_on_nothing() -> None:
    agent = FakeAgent(VIEWS["pick_item"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        wedge(app, "AB\x11\x10\x03\x03\x1bCD")
        await shown(pilot, lambda: agent.sent)
        assert [sent.kind for sent in agent.sent] == ["scan"]
        assert app.is_running
        await shown(pilot, lambda: "␛" in screen_text(app))


async def test_library_keys_do_nothing() -> None:
    agent = FakeAgent(VIEWS["work"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "ctrl+q", "ctrl+p", "tab", "ctrl+backslash", "shift+tab")
        assert app.is_running
        assert len(app.screen_stack) == 2
        assert not agent.sent


async def test_a_paste_of_one_line_is_a_scan_and_of_more_is_nothing() -> None:
    agent = FakeAgent(VIEWS["work"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        app.post_message(Paste("rm -rf\nB:1001.K\n"))
        app.post_message(Paste("B:1001.K\r"))
        await shown(pilot, lambda: agent.sent)
        assert [sent.data for sent in agent.sent] == ["B:1001.K"]


async def test_a_letter_acts_and_a_key_without_meaning_says_so() -> None:
    agent = FakeAgent(VIEWS["work"])
    agent.answers = [answer("work_good")]
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f6")
        await shown(pilot, lambda: "F6 does nothing at this step" in screen_text(app))
        await by_hand(pilot, "r")
        await shown(pilot, lambda: has_revision(app, 8))
        assert [(sent.kind, sent.data) for sent in agent.sent] == [("action", "report")]


async def test_a_digit_chooses_a_reason() -> None:
    agent = FakeAgent(VIEWS["work_scrap_reason"])
    agent.answers = [answer("work")]
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "3")
        await shown(pilot, lambda: has_revision(app, 8))
        assert [(sent.kind, sent.data) for sent in agent.sent] == [("choice", "SCRAP-3")]


async def test_help_tells_what_may_be_scanned_and_gives_way_to_a_scan() -> None:
    agent = FakeAgent(VIEWS["pick_go"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f1")
        await shown(pilot, lambda: isinstance(app.screen, HelpScreen) and "L:A-02-1.T" in screen_text(app))
        text = screen_text(app)
        assert "a place of this order" in text
        assert label(Kind.COMMAND, "EXCEPTION") in text
        agent.tell(Echo("T1", "L:A-02-1.T"))
        agent.tell(answer("pick_item"))
        await shown(pilot, lambda: "Scan BRG-6204" in screen_text(app))
        assert not isinstance(app.screen, HelpScreen)


async def test_a_command_label_opens_a_page_too() -> None:
    agent = FakeAgent(VIEWS["pick_go"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        agent.tell(msgspec.structs.replace(VIEWS["pick_go"], revision=8, overlay="queue"))
        await shown(pilot, lambda: "Links and unsent reports" in screen_text(app))
        agent.tell(msgspec.structs.replace(VIEWS["pick_go"], revision=9, overlay="help"))
        await shown(pilot, lambda: "What can I do now?" in screen_text(app))
        agent.tell(answer("pick_item", 10))
        await shown(pilot, lambda: "Scan BRG-6204" in screen_text(app))


async def test_the_queue_is_read_scrolled_and_left() -> None:
    app = terminal(FakeAgent(VIEWS["work"]))
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9")
        await shown(pilot, lambda: isinstance(app.screen, QueueScreen) and "Reports" in screen_text(app))
        for _ in range(12):
            await by_hand(pilot, "down")
        await shown(pilot, lambda: "hand-1" in screen_text(app))
        await by_hand(pilot, "f3")
        await shown(pilot, lambda: not isinstance(app.screen, QueueScreen))


async def test_away_keeps_the_last_view_says_so_and_comes_back() -> None:
    agent = FakeAgent(VIEWS["pick_go"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        agent.go_away()
        await shown(pilot, lambda: "Reports can not be saved" in screen_text(app))
        assert "Go to A-02-1" in screen_text(app)
        wedge(app, "L:A-02-1.T")
        await shown(pilot, lambda: app.feed.current().note is not None)
        assert not agent.sent
        agent.come_back(answer("pick_item"))
        await shown(pilot, lambda: "Scan BRG-6204" in screen_text(app))
        assert "AGENT AWAY" not in screen_text(app)


async def test_scans_that_waited_when_the_agent_went_away_are_shown_as_not_taken() -> None:
    agent = FakeAgent(VIEWS["pick_go"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        for text in ("SCAN-1", "SCAN-2", "SCAN-3"):
            wedge(app, text)
        await shown(pilot, lambda: app.attachment.waiting == 3)
        agent.go_away()
        await shown(pilot, lambda: app.attachment.away)
        agent.answers = [answer("pick_item")]
        agent.come_back(answer("pick_item"))
        await shown(pilot, lambda: "did not reach the agent" in screen_text(app))
        assert "NOT SAVED  SCAN-2 and 1 more did not reach" in screen_text(app)
        assert "WRONG" not in screen_text(app)
        assert [sent.data for sent in agent.sent] == ["SCAN-1"]


async def test_ctrl_c_twice_leaves_and_once_does_not() -> None:
    app, clock = terminal(FakeAgent(VIEWS["work"]), clock=(clock := HandClock())), clock
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "ctrl+c")
        await shown(pilot, lambda: "Ctrl+C once more" in screen_text(app))
        clock.move(10)
        await by_hand(pilot, "ctrl+c")
        await pilot.pause()
        assert app.is_running
        await by_hand(pilot, "ctrl+c")
        await shown(pilot, lambda: not app.is_running)


async def test_only_what_changed_is_painted() -> None:
    agent = FakeAgent(VIEWS["pick_go"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        middle = app.screen.query_one("#middle")
        painted: list[str | None] = []

        def watched(block: Widget) -> Callable[..., Widget]:
            original = block.refresh

            def refresh(*regions: Any, **options: Any) -> Widget:
                painted.append(block.id)
                return original(*regions, **options)

            return refresh

        for block in app.screen.query(Widget):
            block.refresh = watched(block)  # type: ignore[method-assign]
        agent.tell(msgspec.structs.replace(VIEWS["pick_wrong"], revision=8))
        await shown(pilot, lambda: "Wrong place" in screen_text(app))
        assert "outcome" in painted
        assert middle.id not in painted
        assert "top" not in painted


@pytest.fixture
def guide(tmp_path: Path) -> Guide:
    path = tmp_path / "guide.toml"
    path.write_text(
        '[pick.go]\ntext = "Press F12 for {location}."\nscan = "{location}"\nwrong = "L:A-02-3.V"\n'
        '[pick.item]\ntext = "Scan it."\nscan = "{expect}"\n[report_production]\ntext = "Press R."\n'
    )
    return Guide(path)


async def test_the_guide_says_what_is_next_and_plays_the_scan(guide: Guide, tmp_path: Path) -> None:
    pipe = tmp_path / "scan"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    app = terminal(FakeAgent(VIEWS["pick_go"]), Setup("T1", guide=guide, scan_pipe=pipe))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: "Press F12 for L:A-02-1.T." in screen_text(app))
        await by_hand(pilot, "f12")
        await by_hand(pilot, "f11")
        await by_hand(pilot, "p")
        played = bytearray()

        def three() -> bool:
            with suppress(BlockingIOError):
                played.extend(os.read(reader, 200))
            return played.count(b"\n") == 3

        await shown(pilot, three)
        assert played == b"L:A-02-1.T\nL:A-02-3.V\nL:A-02-1.T\n"
    os.close(reader)


async def test_a_guide_without_a_scanner_says_so(guide: Guide, tmp_path: Path) -> None:
    app = terminal(FakeAgent(VIEWS["pick_go"]), Setup("T1", guide=guide, scan_pipe=tmp_path / "none"))
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f12")
        await shown(pilot, lambda: "demo scanner does not listen" in screen_text(app))


def test_a_guide_keeps_barcodes_as_they_are(guide: Guide) -> None:
    assert guide.hint(VIEWS["pick_item"]).scan == "]C1010400638133401610L2291"
    assert guide.hint(VIEWS["work_good"]).text == "Press R."
    assert guide.hint(VIEWS["sign_on"]).text == ""


def test_a_file_that_is_no_guide_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "guide.toml"
    for text in ("[pick.go]\ntext = 1\n", "pick = 3\n", "[[", '[pick.go]\ntext = "x"\nanother = "y"\n'):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"guide|table"):
            Guide(path)


async def test_keys_that_are_typed_are_told_where_somebody_is_signed_on() -> None:
    agent = FakeAgent(VIEWS["work"])
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "5")
        await shown(pilot, lambda: agent.keys)
        assert agent.sent == []


async def test_keys_at_a_locked_terminal_are_not_told() -> None:
    agent = FakeAgent(msgspec.structs.replace(VIEWS["work"], who=None))
    app = terminal(agent)
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "5")
        await shown(pilot, lambda: "5▏" in screen_text(app))
        assert agent.keys == 0
