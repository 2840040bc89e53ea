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

from edge_agent.views import Status, View
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.help import HelpSheet
from terminal_ui.screens.queue import QueueSheet
from terminal_ui.screens.step import Middle
from terminal_ui.texts import Texts
from terminal_ui.widgets.block import Block
from terminal_ui.widgets.frame import GuideStrip, KeyLine, Prompt, StatusBar, TopLine
from terminal_ui.widgets.outcome import Outcome
from tests.terminal_ui.fake import FakeAgent, has_revision, screen_text, shown, terminal
from tests.terminal_ui.samples import NOW, STATUS, STOPPED, TROUBLE, VIEWS

SIZES = [(80, 24), (40, 16), (120, 40)]
BLOCKS: list[type[Block]] = [
    TopLine, Prompt, Middle, Outcome, GuideStrip, KeyLine, StatusBar, HelpSheet, QueueSheet,
]  # fmt: skip
TEXTS = Texts("en")


def joined(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_every_step_shows_its_question_and_its_verdict(size: tuple[int, int]) -> None:
    agent = FakeAgent(VIEWS["sign_on"])
    app = terminal(agent)
    async with app.run_test(size=size) as pilot:
        for number, (name, view) in enumerate(VIEWS.items(), 100):
            agent.tell(msgspec.structs.replace(view, revision=number))
            await shown(pilot, partial(has_revision, app, number))
            text = joined(screen_text(app))
            assert joined(TEXTS.say(view.prompt, view.prompt_params)) in text, name
            if view.message is not None:
                word = TEXTS.say(f"verdict.{view.message.verdict}").upper()
                assert word in text, name
                assert joined(TEXTS.say(view.message.code, view.message.params))[:24] in text, name
            assert "unsent" in text, name
            assert "F1 help" in text, name


@pytest.mark.parametrize("status", [STATUS, TROUBLE, STOPPED], ids=["calm", "trouble", "stopped"])
def test_the_state_of_the_links_is_told_in_words(status: Status) -> None:
    text = content(StatusBar, Scene(NOW, VIEWS["work"], status), 80, 1)
    assert ("ERP ok" in text) == (status is not TROUBLE)
    assert f"{status.unsent} unsent" in text
    assert ("1 refused" in text) == (status is TROUBLE)
    assert ("2 devices LOST" in text) == (status is TROUBLE)


def test_a_silent_device_is_told_though_it_is_online() -> None:
    machine, scanner = STATUS.devices[:2]
    silent = msgspec.structs.replace(machine, silent_since=NOW - timedelta(minutes=3))
    scene = Scene(NOW, VIEWS["work"], msgspec.structs.replace(STATUS, devices=(silent, scanner)))
    bar, page = content(StatusBar, scene, 80, 1), content(QueueSheet, scene, 80, 20)
    assert f"{machine.name} SILENT 3 min" in bar
    assert "machine ok" not in bar
    assert "gives no good value. Tell maintenance." in page


def test_the_ticks_tell_how_far_a_report_got() -> None:
    calm = content(Outcome, Scene(NOW, VIEWS["work"], STATUS), 80, 5).splitlines()[1:]
    assert [row.split()[0] for row in calm] == ["✓✓", "✓✓", "✓"]
    trouble = content(Outcome, Scene(NOW, VIEWS["work"], TROUBLE), 80, 5).splitlines()[1:]
    assert [row.split()[0] for row in trouble] == ["✓", "!", "✓"]
    assert "REFUSED by the ERP" in trouble[1]


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
    look = Look(TEXTS, glyphs)
    for view in VIEWS.values():
        scene = Scene(NOW, poisoned(view, text), poisoned(TROUBLE, text), typed=text or None, guide=text)
        check(scene, look)
    check(replace(scene, echo=text), look)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(VIEWS)), st.text(st.characters(exclude_categories=()), max_size=40))
def test_any_text_stays_text(name: str, text: str) -> None:
    check(Scene(NOW, poisoned(VIEWS[name], text), poisoned(TROUBLE, text)), Look(TEXTS, UNICODE))


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_painted_and_the_terminal_lives(text: str) -> None:
    view: View = poisoned(VIEWS["work_wrong"], text)
    agent = FakeAgent(view, poisoned(TROUBLE, text))
    app = terminal(agent)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view is not None)
        await pilot.press("f9")
        await pilot.press("f1")
        painted = screen_text(app)
        assert not {char for char in painted if unicodedata.category(char) in ("Cc", "Cf", "Cs")} - {"\n"}
