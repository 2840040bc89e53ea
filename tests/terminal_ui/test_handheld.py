"""On a handheld of 40 x 16 every key of a page is on the screen, and no word of the lower edge is cut."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import Verdict, View
from edge_agent.views.status import ItemValue
from terminal_ui.glyphs import UNICODE
from terminal_ui.keys import action
from terminal_ui.scene import Look, Note, Scene
from terminal_ui.screens.help import key_rows
from terminal_ui.screens.trend import trend_page
from terminal_ui.texts import Texts, languages
from terminal_ui.widgets.frame import KeyLine, StatusBar, handheld_keys, own_actions
from terminal_ui.widgets.lines import line
from terminal_ui.widgets.outcome import Outcome
from tests.terminal_ui.fake import FakeAgent, screen_text, shown, terminal
from tests.terminal_ui.pages import PAGES, PLANT, WATCHED, trend
from tests.terminal_ui.samples import NOW, STATUS, VIEWS, at

ALL = VIEWS | PAGES
MECHANIC = msgspec.structs.replace(
    PAGES["machine"], actions=("request", "work", "downtime", "link", "back", "sign_off")
)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("view", [*PAGES.values(), MECHANIC], ids=[*PAGES, "mechanic"])
def test_every_key_of_a_page_fits_and_no_word_is_cut(view: View, language: str) -> None:
    scene = Scene(NOW, view, PLANT)
    told = KeyLine(Look(Texts(language), UNICODE, NOW.tzinfo)).fitted(scene, 40, 1)[0].plain
    names = [name for name in own_actions(scene) if name != "sign_off" and action(name).shown]
    assert all(f" {action(name).shown} " in told for name in names), told
    assert "…" not in told


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("guide", ["", "Do it."], ids=["", "guided"])
def test_no_word_of_the_lower_edge_is_cut(name: str, guide: str) -> None:
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    scene = Scene(NOW, ALL[name], STATUS, guide=guide)
    for block in (KeyLine(look), StatusBar(look)):
        assert "…" not in block.fitted(scene, 40, 1)[0].plain
    assert "F1 help" in StatusBar(look).fitted(scene, 40, 1)[0].plain


def test_keys_stand_closer_before_one_is_left_out() -> None:
    scene = Scene(NOW, MECHANIC, PLANT)
    block = KeyLine(Look(Texts("en"), UNICODE, NOW.tzinfo))
    assert line(*handheld_keys(block, 39, own_actions(scene), scene)).plain.endswith("F3 back")


@pytest.mark.parametrize("name", ["line", "machine"])
async def test_line_and_machine_show_their_keys_on_a_handheld(name: str) -> None:
    agent = FakeAgent(PAGES[name], PLANT)
    app = terminal(agent)
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: "F3 back" in screen_text(app))
        text = screen_text(app)
    assert "D stops" in text
    if name == "machine":
        assert "N ask" in text
        assert "I link" in text


def test_work_on_a_machine_is_not_ended_as_a_job() -> None:
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    view = msgspec.structs.replace(VIEWS["work"], scenario="maintain", step="work", actions=("finish", "undo", "back"))
    assert "E end work" in KeyLine(look).fitted(Scene(NOW, view, PLANT), 80, 1)[0].plain
    words = {row.key: row.words for row in key_rows(view, look)}
    assert words["E"] == "end the work on this machine"
    assert words["F7 U"] == "take the last part off the list"
    assert "E end job" in KeyLine(look).fitted(Scene(NOW, VIEWS["work"], PLANT), 80, 1)[0].plain


@pytest.mark.parametrize("width", [80, 40])
def test_the_value_of_a_trend_has_status_and_age(width: int) -> None:
    page = PAGES["trend"].page
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)

    def told(item: ItemValue | None) -> str:
        values = () if item is None else (item,)
        status = msgspec.structs.replace(PLANT, watched=msgspec.structs.replace(WATCHED, values=values))
        scene = Scene(NOW, PAGES["trend"], status, trend=trend())
        return "\n".join(row.plain for row in trend_page(page, scene, look, width, 16))  # type: ignore[arg-type]

    good = ItemValue(name=page.item, value=51.5, unit="°C", status="Good", source_time=at(seconds=2))  # type: ignore[union-attr]
    assert "now 51.5 °C  2 s" in told(good)
    lost = msgspec.structs.replace(good, status="Bad", source_time=at(4))
    assert "last good 51.5 °C  ! BAD 4 min old" in told(lost)
    assert "now 51.5" not in told(lost)
    assert "now unknown  ! BAD" in told(msgspec.structs.replace(lost, value=None, source_time=None))
    assert "now " in told(None)


@pytest.mark.parametrize("name", ["symptom", "priority", "requests"])
async def test_a_list_on_a_handheld_is_whole_and_none_of_its_words_is_cut(name: str) -> None:
    view = PAGES[name]
    app = terminal(FakeAgent(view, PLANT))
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: f"  {len(view.choices)}  " in screen_text(app))
        text = screen_text(app)
    assert "…" not in text
    assert "more: PageDown" not in text


@pytest.mark.parametrize("language", languages())
def test_the_signs_of_a_trend_are_explained_on_a_handheld(language: str) -> None:
    look = Look(Texts(language), UNICODE, NOW.tzinfo)
    scene = Scene(NOW, PAGES["trend"], PLANT, trend=trend())
    last = trend_page(PAGES["trend"].page, scene, look, 40, 12)[-1]  # type: ignore[arg-type]
    assert last.cell_length <= 40
    assert all(f"{sign} " in last.plain for sign in "~!?")


def test_on_a_handheld_the_refused_report_is_seen_and_not_those_that_wait_behind_it() -> None:
    view = VIEWS["work"]
    oldest, *rest = sorted(each.seq for each in view.log if each.seq is not None)
    status = msgspec.structs.replace(STATUS, parked=(*reversed(rest), oldest), held=tuple(reversed(rest)))
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    rows = [row.plain for row in Outcome(look).fitted(Scene(NOW, view, status), 40, 3)]
    assert sum("REFUSED by the ERP" in row for row in rows) == 1, rows


def test_a_report_that_the_erp_refused_since_is_told_below_its_verdict() -> None:
    view = VIEWS["work"]
    assert view.message is not None
    assert view.message.seq is not None
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    for parked in ((), (view.message.seq,)):
        status = msgspec.structs.replace(STATUS, parked=parked)
        told = "\n".join(row.plain for row in Outcome(look).fitted(Scene(NOW, view, status), 40, 4))
        assert "SAVED" in told
        assert ("REFUSED by the ERP" in told) == bool(parked)


def test_what_was_just_recorded_is_seen_below_a_note() -> None:
    saved = next(view for view in (VIEWS["work"], *VIEWS.values()) if view.message and view.log and not view.choices)
    recorded = saved.log[-1]
    saved = msgspec.structs.replace(saved, message=recorded)
    assert recorded.seq is not None
    look = Look(Texts("en"), UNICODE, NOW.tzinfo)
    words = look.say(recorded.code, **recorded.params)[:20]
    for note in (Note(Verdict.LATE, "ui.too_fast"), Note(Verdict.LATE, "ui.enter_nothing")):
        for height in (3, 4):
            rows = Outcome(look).fitted(Scene(NOW, saved, STATUS, note=note), 40, height)
            assert any(words in row.plain for row in rows), [row.plain for row in rows]
