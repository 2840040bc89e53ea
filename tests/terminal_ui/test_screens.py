"""Every step at every size: the question can be read, the verdict says its word, hostile text stays text."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.views import View, WorkPage
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Status
from terminal_ui.glyphs import ASCII, UNICODE, Glyphs
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.help import HelpSheet
from terminal_ui.screens.queue import QueueSheet
from terminal_ui.screens.scanner import ScannerSheet
from terminal_ui.screens.step import Middle
from terminal_ui.texts import Texts
from terminal_ui.widgets.block import Block
from terminal_ui.widgets.frame import AboutRule, Banner, GuideStrip, KeyLine, Prompt, StatusBar, TopLine
from terminal_ui.widgets.outcome import Outcome
from tests.terminal_ui.fake import FakeAgent, by_hand, has_revision, screen_text, shown, terminal
from tests.terminal_ui.pages import FAULTY, FOUND, PAGES, SPOOFED, trend
from tests.terminal_ui.samples import NOW, STATUS, STOPPED, TROUBLE, VIEWS

SIZES = [(80, 24), (40, 16), (120, 40)]
BLOCKS: list[type[Block]] = [
    TopLine, Banner, Prompt, AboutRule, Middle, Outcome, GuideStrip, KeyLine, StatusBar, HelpSheet, QueueSheet,
    ScannerSheet,
]  # fmt: skip
TEXTS = Texts("en")


def joined(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("status", [STATUS, TROUBLE], ids=["calm", "trouble"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_step_shows_its_question_and_its_verdict(size: tuple[int, int], status: Status) -> None:
    agent = FakeAgent(VIEWS["sign_on"], status)
    app = terminal(agent)
    async with app.run_test(size=size) as pilot:
        for number, (name, view) in enumerate((VIEWS | PAGES).items(), 100):
            agent.tell(msgspec.structs.replace(view, revision=number))
            await shown(pilot, partial(has_revision, app, number))
            text = joined(screen_text(app))
            assert joined(TEXTS.say(view.prompt, view.prompt_params)) in text, name
            if view.message is not None:
                told = view.message.verdict if view.message.seq is None else "saved"
                word = TEXTS.say(f"verdict.{told}").upper()
                assert word in text, name
                assert joined(TEXTS.say(view.message.code, view.message.params))[:24] in text, name
            if isinstance(view.page, WorkPage) and (size == (40, 16) or not view.choices):
                assert "rev C" in text, name
                assert view.page.description in text, name
            if status is STATUS:
                assert "2 unsent" in text, name
                assert "F1 help" in text, name
                continue
            for words in ("ERP DOWN", "4 unsent 17 min", "LOST", "1 doubt" if size == (40, 16) else "1 in doubt"):
                assert words in text, (name, words)
            assert "F1 help" in text or size == (40, 16), name


@pytest.mark.parametrize(
    ("lost", "unsent", "words"),
    [
        ((), 1, "ERP DOWN 17 min · 1 unsent 17 min"),
        ((1,), 1, "ERP DOWN·1 unsent 17 min·scanner LOST"),
        ((), 0, "ERP DOWN 17 min F1 help F9 queue"),
        ((0,), 0, "ERP DOWN 17 min · press-03 LOST 3 min"),
        ((0, 1), 1, "ERP DOWN · 1 unsent 17 min · 2 LOST"),
    ],
)
def test_on_a_handheld_the_keys_give_way_to_what_is_wrong(
    lost: tuple[int, ...], unsent: int, words: str
) -> None:
    devices = tuple(TROUBLE.devices[number] for number in lost)
    status = msgspec.structs.replace(TROUBLE, devices=devices, unsent=unsent, doubts=0)
    assert joined(content(StatusBar, Scene(NOW, VIEWS["work"], status), 40, 1)) == words


@pytest.mark.parametrize("status", [STATUS, TROUBLE, STOPPED], ids=["calm", "trouble", "stopped"])
def test_the_state_of_the_links_is_told_in_words(status: Status) -> None:
    text = content(StatusBar, Scene(NOW, VIEWS["work"], status), 80, 1)
    assert ("ERP ok" in text) == (status is not TROUBLE)
    assert f"{status.unsent} unsent" in text
    assert ("1 in doubt" in text) == (status is TROUBLE)
    assert ("2 devices LOST" in text) == (status is TROUBLE)


def test_a_silent_device_is_told_though_it_is_online() -> None:
    machine, scanner = STATUS.devices[:2]
    silent = msgspec.structs.replace(machine, silent_since=NOW - timedelta(minutes=3))
    scene = Scene(NOW, VIEWS["work"], msgspec.structs.replace(STATUS, devices=(silent, scanner)))
    bar, page = content(StatusBar, scene, 80, 1), content(QueueSheet, scene, 80, 20)
    assert f"{machine.name} SILENT 3 min" in bar
    assert "machine ok" not in bar
    assert "gives no good value. Tell maintenance." in page


def test_a_scanner_that_is_gone_is_lost_since_then_and_not_since_its_last_scan() -> None:
    machine, scanner = STATUS.devices[:2]
    ages = {"state": "lost", "since": NOW - timedelta(seconds=5), "last_good": NOW - timedelta(minutes=9)}
    for device, age in ((scanner, "5 s"), (machine, "9 min")):
        lost = msgspec.structs.replace(device, **ages)
        scene = Scene(NOW, VIEWS["work"], msgspec.structs.replace(STATUS, devices=(lost,)))
        assert f"LOST {age}" in content(StatusBar, scene, 80, 1)
        assert f"lost {age}" in joined(content(QueueSheet, scene, 80, 20))


def test_without_an_erp_nothing_is_said_to_be_with_it() -> None:
    alone = msgspec.structs.replace(STATUS, links=(), unsent=2, oldest_unsent=NOW, plans_at=None)
    page = joined(content(QueueSheet, Scene(NOW, VIEWS["work"], alone), 80, 20))
    assert "No ERP is set up in the site file: reports stay on this PC. No plans have come yet." in page
    assert "with the ERP" not in page


@pytest.mark.parametrize("width", [80, 40])
def test_the_keys_of_the_queue_page_are_read_to_their_end(width: int) -> None:
    page = joined(content(QueueSheet, Scene(NOW, VIEWS["work"], STATUS), width, 40))
    assert "V what is in doubt, 0 now: who decides what" in page
    assert "T tests the scanner: what it sends, and how it is set" in page


def test_the_ticks_tell_how_far_a_report_got() -> None:
    calm = content(Outcome, Scene(NOW, VIEWS["work"], STATUS), 80, 5).splitlines()[1:]
    assert [row.split()[0] for row in calm] == ["✓✓", "✓✓", "✓"]
    trouble = content(Outcome, Scene(NOW, VIEWS["work"], TROUBLE), 80, 5).splitlines()[1:]
    assert [row.split()[0] for row in trouble] == ["✓", "!", "✓"]
    assert "REFUSED by the ERP" in trouble[1]


def test_a_refused_report_that_is_settled_or_only_waits_is_told_apart() -> None:
    refused, handed, waits = _numbers()
    kinds = {"parked": (waits, handed, refused), "held": (waits,), "handed_over": (handed,)}
    for glyphs, signs in ((UNICODE, ["!", "▸", "…"]), (ASCII, ["!", ">", ".."])):
        scene = Scene(NOW, VIEWS["work"], msgspec.structs.replace(STATUS, **kinds))
        rows = _rows(scene, glyphs)
        assert [row.split()[0] for row in rows] == signs
        assert ["REFUSED by the ERP" in row for row in rows] == [True, False, False]
        assert "refused, handed over" in rows[1]
        assert "waits behind a refused report" in rows[2]


def test_a_corrected_report_never_has_two_ticks() -> None:
    status = msgspec.structs.replace(STATUS, delivered_seq=50, corrected=(_numbers()[1],))
    rows = _rows(Scene(NOW, VIEWS["work"], status), UNICODE)
    assert [row.split()[0] for row in rows] == ["✓✓", "×", "✓✓"]
    assert "refused, corrected" in rows[1]
    # The status names the newest 50: what is older than these may be one of them.
    named = tuple(range(141, 91, -1))
    rows = _rows(Scene(NOW, VIEWS["work"], msgspec.structs.replace(status, corrected=named)), UNICODE)
    assert [row.split()[0] for row in rows] == ["✓", "✓", "✓"]


def _numbers() -> list[int]:
    return [each.seq for each in VIEWS["work"].log if each.seq is not None]


def _rows(scene: Scene, glyphs: Glyphs) -> list[str]:
    look = Look(TEXTS, glyphs, NOW.tzinfo)
    return [row.plain for row in Outcome(look).fitted(scene, 80, 5)][1:]


def test_a_machine_without_data_says_so_without_colour() -> None:
    text = content(Middle, Scene(NOW, VIEWS["work"], TROUBLE), 80, 12)
    assert "? NO DATA" in text
    assert "? old" in text


def test_the_big_figures_are_those_of_the_view() -> None:
    ascii_text = content(Middle, Scene(NOW, VIEWS["work"], STATUS), 80, 12, Look(TEXTS, ASCII))
    assert ascii_text.isascii()
    huge = msgspec.structs.replace(
        VIEWS["work"],
        page=msgspec.structs.replace(VIEWS["work"].page, good=Decimal("123456.5")),
    )
    assert "123456.5" in content(Middle, Scene(NOW, huge, STATUS), 80, 12)


def test_a_long_list_says_what_it_does_not_show() -> None:
    view = VIEWS["dispatch"]
    many = msgspec.structs.replace(
        view, choices=tuple(msgspec.structs.replace(view.choices[0], number=n) for n in range(1, 41))
    )
    text = content(Middle, Scene(NOW, many, STATUS), 80, 10)
    assert "more: PageDown" in text
    rows = text.splitlines()
    assert len(rows) <= 10


# ------------------------------------------------------------ hostile text

HOSTILE = [
    "[/red] x[bold]",
    "[/",
    "\x1b[2J\x1b[31m",
    "\u202eevil\u202c",
    "a\u0301\u0302\u0303\u0304\u0305",
    "\x9b31m",
    "\ud800",
    "x" * 500,
    "轴承轴承轴承轴承轴承轴承",
    "line\r\nbreak\ttab",
    "\u200b\u2066",
    "{job} {0} %s",
    "👩‍🔧🔧",
    "",
]


def content(kind: type[Block], scene: Scene, width: int, height: int, look: Look | None = None) -> str:
    block = kind(look or Look(TEXTS, UNICODE))
    lines = block.fitted(scene, width, height)
    return "\n".join(line.plain for line in lines)


def poisoned(value: Any, text: str) -> Any:
    """The same structure with every free text in it replaced."""
    if isinstance(value, msgspec.Struct):
        changes = {
            name: poisoned(getattr(value, name), text)
            for name in value.__struct_fields__
            if name
            not in ("code", "kind", "prompt", "scenario", "step", "phase", "state", "columns", "actions")
        }
        return msgspec.structs.replace(value, **changes)
    if isinstance(value, tuple):
        return tuple(poisoned(item, text) for item in value)
    if isinstance(value, dict):
        return {name: text for name in value}
    is_text = isinstance(value, str) and type(value) is str and value not in ("Good", "Bad", "Uncertain")
    return text if is_text else value


def poisoned_report(report: ScannerReport, text: str) -> ScannerReport:
    """A report whose scanner, file and bytes say this."""
    readings = tuple(msgspec.structs.replace(each, shown=text) for each in report.readings)
    assert report.finding is not None
    finding = msgspec.structs.replace(report.finding, prefix=text, suffix=text, instead=text, table=text)
    return msgspec.structs.replace(report, scanner=text, written=text, readings=readings, finding=finding)


def check(scene: Scene, look: Look) -> None:
    for kind in BLOCKS:
        for width, height in ((78, 9), (40, 4), (118, 30)):
            block = kind(look)
            lines = block.fitted(scene, width, height)
            for line in lines:
                assert "\n" not in line.plain
                assert line.cell_length <= width, (kind.__name__, line.plain)
                bad = {
                    char
                    for char in line.plain
                    if unicodedata.category(char) in ("Cc", "Cf", "Co", "Cn", "Cs")
                }
                assert not bad, (kind.__name__, bad)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_hostile_text_stays_text(text: str, glyphs: Any) -> None:
    # Each text on every third page, with other signs on every ninth: all of them on all kinds of blocks.
    look, first, every = Look(TEXTS, glyphs), HOSTILE.index(text) % 3, 3 if glyphs is UNICODE else 9
    for view in list((VIEWS | PAGES).values())[first::every]:
        status = SPOOFED if view.scenario == "maintain" else TROUBLE
        scene = Scene(NOW, poisoned(view, text), poisoned(status, text), typed=text or None, guide=text)
        check(scene, look)
        check(replace(scene, trend=msgspec.structs.replace(trend(), device=text, item=text)), look)
    check(replace(scene, echo=text), look)
    for report in (FOUND, FAULTY):
        check(replace(scene, scanner=poisoned_report(report, text)), look)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(VIEWS | PAGES)), st.text(st.characters(exclude_categories=()), max_size=40))
def test_any_text_stays_text(name: str, text: str) -> None:
    check(Scene(NOW, poisoned((VIEWS | PAGES)[name], text), poisoned(TROUBLE, text)), Look(TEXTS, UNICODE))


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_painted_and_the_terminal_lives(text: str) -> None:
    view: View = poisoned(VIEWS["work_wrong"], text)
    agent = FakeAgent(view, poisoned(TROUBLE, text))
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view is not None)
        await by_hand(pilot, "f9")
        await by_hand(pilot, "f1")
        painted = screen_text(app)
        assert not {char for char in painted if unicodedata.category(char) in ("Cc", "Cf", "Cs")} - {"\n"}
