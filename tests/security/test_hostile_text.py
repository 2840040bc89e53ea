"""Text from outside is data: on every page, through every scanner, in every name of a file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.events import Key

from config.machine_maps import find_map
from device_drivers.opcua.trust import TrustFolder
from edge_agent import display
from edge_agent.command_line.export import write_columns, write_csv
from edge_agent.devices.scanner_trial import Trial
from edge_agent.local_api.label_page import page
from edge_agent.views import Kind, Message, Verdict, View
from edge_agent.views.histories import SampleGap, Samples
from edge_agent.views.labels import LabelRow
from edge_agent.views.scanner_report import ScannerReport
from sync.contract import ScanRefused, SignedOff, SignedOn
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.scene import Look, Note, Scene
from terminal_ui.texts import load
from tests.scenarios.floor import MACHINES, PRESS, WAREHOUSE, WORKSHOP, Floor, signed_on
from tests.security.drawn import WRONG, drawn, hostile
from tests.security.hostile import PATHS, TRICKS, of_each_class
from tests.terminal_ui.fake import FakeAgent, by_hand, screen_text, shown, terminal
from tests.terminal_ui.pages import FAULTY, FOUND, PAGES, SPOOFED, trend
from tests.terminal_ui.samples import NOW, TROUBLE, VIEWS
from tests.terminal_ui.test_screens import BLOCKS, TEXTS, poisoned, poisoned_report

_NO_CELL = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
_SIZES = ((78, 9), (40, 16))
SHOWN = 40  # on the real screen


def check(scene: Scene, look: Look) -> None:
    """Every block of every screen: nothing a terminal obeys, nothing that does something, no line too long."""
    for kind in BLOCKS:
        for width, height in _SIZES:
            for row in kind(look).fitted(scene, width, height):
                assert not {unicodedata.category(char) for char in row.plain} & _NO_CELL, (kind.__name__, row.plain)
                assert row.cell_length <= width, (kind.__name__, row.plain)
                assert not any("@" in str(span.style) for span in row.spans), (kind.__name__, row.spans)
                if not look.glyphs.unicode:
                    cut = row.plain.replace("\N{HORIZONTAL ELLIPSIS}", "")  # how a line is cut, with any signs
                    assert cut.isascii(), (kind.__name__, row.plain)


def scenes(view: View, text: str) -> list[Scene]:
    """The page with this text for every name, item, place, alarm, device word and message of the ERP."""
    status = SPOOFED if view.scenario == "maintain" else TROUBLE
    told = Scene(NOW, poisoned(view, text), poisoned(status, text), typed=text or None, guide=text, echo=text)
    note = Note(Verdict.WRONG, "pin.none", {"name": text, "person": text, "what": text})
    trended = msgspec.structs.replace(trend(), device=text, item=text)
    return [told, replace(told, echo=None, note=note, trend=trended), replace(told, away=NOW, away_reason=text)]


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("name", VIEWS | PAGES)
def test_every_page_shows_tricks_as_text(name: str, glyphs: Any) -> None:
    look, numbered = Look(TEXTS, glyphs), sorted(VIEWS | PAGES).index(name)
    for text in TRICKS[numbered % 20 :: 20]:  # each trick on every twentieth page: all of them on all kinds of blocks
        for scene in scenes((VIEWS | PAGES)[name], text):
            check(scene, look)


def test_every_class_of_code_points_is_shown_as_text() -> None:
    pages = list((VIEWS | PAGES).values())
    for number, text in enumerate(of_each_class()):
        for scene in scenes(pages[number % len(pages)], text)[:2]:
            check(scene, Look(TEXTS, UNICODE))


@pytest.mark.parametrize("text", TRICKS)
def test_a_scanner_under_test_shows_what_it_sends_as_text(text: str) -> None:
    for report in (FOUND, FAULTY):
        check(Scene(NOW, None, None, scanner=poisoned_report(report, text)), Look(TEXTS, UNICODE))


def test_a_hundred_strings_are_text_in_every_widget() -> None:
    told = drawn(0, 100)
    assert {name: told[name] for name in WRONG} == dict.fromkeys(WRONG, 0), told
    assert told["strings"] == 100
    assert told["drawn"] == 100 * (len(BLOCKS) + 2)


def test_a_door_that_lets_text_through_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_sign", lambda char: char)
    assert drawn(0, len(TRICKS))["raw"]


def test_no_message_makes_words_of_a_parameter() -> None:
    codes = sorted(load("en"))
    for number, text in enumerate((*TRICKS, *of_each_class())):
        names = ("name", "job", "got", "what", "text", "machine", "others", "who_may", "right", "material")
        said = TEXTS.say(codes[number % len(codes)], dict.fromkeys(names, text))
        assert not {unicodedata.category(char) for char in said} & _NO_CELL


async def test_the_real_screen_obeys_nothing() -> None:
    """One terminal is shown every trick, and some of what chance makes of them, one after the other, and goes on."""
    agent = FakeAgent(VIEWS["work"], TROUBLE)
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view is not None)
        for number, text in enumerate(map(hostile, range(SHOWN))):
            message = Message(verdict=Verdict.WRONG, code="scan.wrong", params={"got": text}, at=NOW)
            view: View = poisoned(list(VIEWS.values())[number % len(VIEWS)], text)
            app.show_view(msgspec.structs.replace(view, revision=1000 + number, message=message, overlay=""))
            app.show_echo(text)
            await pilot.pause()
            painted = screen_text(app)
            assert not {unicodedata.category(char) for char in painted.replace("\n", "")} & _NO_CELL, repr(text)
        assert app.is_running
        assert not any(strip for strip in app.screen._compositor.render_strips() if clickable(strip))


def clickable(strip: Any) -> bool:
    """Whether something happens when a person clicks there."""
    return any(segment.style and "@click" in (segment.style.meta or {}) for segment in strip)


async def test_keys_and_scans_that_would_end_a_program_do_nothing() -> None:
    agent = FakeAgent(VIEWS["work"])
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view is not None)
        before = app.screen
        for key in ("ctrl+q", "ctrl+p", "ctrl+z", "ctrl+d", "ctrl+backslash", "ctrl+s", "ctrl+w", "f12", "escape"):
            await by_hand(pilot, key)
        for text in ("\x11\x11\x11\x11", "AB\x1b]52;c;ZXZpbA==\x07", "[@click=app.quit]", "\x10quit"):
            for char in text:
                app.post_message(Key({"\x11": "ctrl+q", "\x10": "ctrl+p", "\x1b": "escape"}.get(char, char), char))
            app.post_message(Key("enter", "\r"))
        await pilot.pause()
        assert app.is_running
        assert app.screen is before


@pytest.mark.parametrize("station", [PRESS, WAREHOUSE, WORKSHOP], ids=lambda station: station.terminal)
def test_no_scan_and_no_entry_does_more_than_be_refused(station: Any) -> None:
    for floor in (Floor(station=station, machines=MACHINES), signed_on(station, machines=MACHINES)):
        at, who = floor.at, floor.person
        for text in (*TRICKS, *of_each_class()):
            for kind in ("scan", "entry", "choice", "action"):
                floor.give(kind, text[:4096])
                assert (floor.at, floor.person) == (at, who), (kind, text)
            floor.view()
        harmless = (ScanRefused, SignedOn, SignedOff)
        assert {type(body) for _, body in floor.facts} <= set(harmless)
        for refused in floor.bodies(ScanRefused):
            assert refused.raw.isascii()
            assert refused.raw.isprintable()


# ---------------------------------------------------------------- names of files


def inside(folder: Path) -> set[str]:
    """Every file below; none has anything but plain signs in its name."""
    names = {path.name for path in folder.rglob("*")}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name) for name in names), names
    assert all(path.resolve().is_relative_to(folder.resolve()) for path in folder.rglob("*"))
    return names


class NoScanners:
    """Scanners that are not there."""

    def tap(self, name: str, take: Any) -> None:
        """Nothing."""

    def signal(self, name: str, verdict: Any) -> None:
        """Nothing."""


@pytest.mark.parametrize("text", TRICKS)
def test_the_file_of_a_scanner_stays_in_its_folder(text: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    trial = Trial({}, NoScanners(), None)  # type: ignore[arg-type]
    trial._report = named(text[:60])
    trial.write(folder)
    assert len(inside(folder)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def named(scanner: str) -> ScannerReport:
    """A report of a scanner of this name."""
    return msgspec.structs.replace(FOUND, scanner=scanner)


@pytest.mark.parametrize("text", TRICKS)
def test_the_certificate_of_a_server_stays_in_its_folder(text: str, tmp_path: Path) -> None:
    folder = TrustFolder(tmp_path / "pki")
    folder.prepare()
    folder.reject(f"opc.tcp://{text}", b"certificate")
    assert folder.trust(f"opc.tcp://{text}") == b"certificate"
    inside(tmp_path)


def test_no_map_is_found_outside_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("x = 1")
    inner = tmp_path / "site"
    inner.mkdir()
    assert all(find_map(name, inner) is None for name in ("../secret", *PATHS))


async def stream(text: str) -> AsyncIterator[Samples | SampleGap]:
    """Values of a device and an item of this name."""
    moment = int(datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1_000_000)
    shown = text.encode("utf-8", "replace").decode()  # as JSON brings it
    yield Samples(device=shown, item=shown, times=[moment], statuses=["Good"], values=[shown])
    yield SampleGap(since=moment, until=moment, device=shown, item=shown, reason="dropped", count=1)


@pytest.mark.parametrize("text", TRICKS)
async def test_an_export_is_no_formula_and_no_path(text: str, tmp_path: Path) -> None:
    await write_csv(tmp_path / "samples.csv", stream(text))
    await write_columns(tmp_path / "columns", stream(text))
    assert inside(tmp_path) == {"samples.csv", "columns", "item-00001.csv", "items.csv", "gaps.csv"}
    for row in (tmp_path / "samples.csv").read_text().splitlines()[1:]:
        assert not row.partition(",")[2].lstrip('"').startswith(("=", "+", "-", "@"))


class Tags(HTMLParser):
    """The tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)


def test_a_page_of_labels_has_no_tags_of_others() -> None:
    rows = [LabelRow(Kind.JOB, "J:1.X", text.encode("utf-8", "replace").decode()) for text in TRICKS]
    tags = Tags()
    tags.feed(page(rows))
    assert tags.seen == {"html", "meta", "title", "style", "h2", "div", "svg", "path", "b", "i"}
