"""F1: what the view really has, in words that are never cut; and ASCII to the last sign."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from edge_agent.views import Choice, Expectation, Kind, Verdict, View
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.inputs import Tell, meant
from terminal_ui.keys import ACTIONS
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.help import HelpSheet, key_rows, scan_rows
from terminal_ui.screens.queue import QueueSheet
from terminal_ui.screens.step import Middle
from terminal_ui.texts import Texts, languages
from terminal_ui.widgets.frame import KeyLine, Prompt, StatusBar, TopLine
from terminal_ui.widgets.outcome import Outcome
from tests.scenarios.floor import in_hand
from tests.terminal_ui.pages import IN_DOUBT, PAGES
from tests.terminal_ui.samples import NOW, VIEWS, said

ALL = VIEWS | PAGES
SIZES = ((80, 24), (40, 16), (120, 40))
LOOK = Look(Texts("en"), UNICODE, NOW.tzinfo)


def every(view: View) -> View:
    """The view with all actions that there are, and a label for each."""
    names = tuple(row.name for row in ACTIONS)
    labels = tuple(Expectation(Kind.COMMAND, f"action.{name}", {}, f"C:{name.upper()}.X") for name in names)
    return msgspec.structs.replace(view, actions=names, expects=(*view.expects, *labels))


def test_the_list_of_exceptions_offers_its_numbers_and_not_itself() -> None:
    view = PAGES["exceptions"]
    told = {row.key: row.words for row in key_rows(view, LOOK)}
    assert told["1-5"] == "chooses what has that number"
    assert "V" not in told
    assert "V" in {row.key for row in key_rows(VIEWS["work"], LOOK)}
    assert meant(view, None, "v", "v") == Tell("ui.not_here", {"key": "V", "action": "exceptions"})
    assert all(row.key != "1-5" for row in key_rows(PAGES["exceptions_none"], LOOK))


def test_advice_on_an_exception_is_for_what_one_may_choose_and_only_while_one_does() -> None:
    def told(view: View) -> str:
        rows = Middle(LOOK).fitted(Scene(NOW, view, IN_DOUBT), 80, 20)
        return " ".join(" ".join(row.plain for row in rows).split())

    one = PAGES["exception"]
    assert "Ask the office" in told(one)
    operator = msgspec.structs.replace(one, page=msgspec.structs.replace(one.page, choices=("correct",)))
    assert "Anything else a lead decides" in told(operator)
    assert "lead" not in told(PAGES["exception_correct"])


def test_many_choices_are_typed_and_sent() -> None:
    many = tuple(Choice(number, f"j{number}", f"job {number}") for number in range(1, 13))
    rows = key_rows(msgspec.structs.replace(VIEWS["dispatch"], choices=many), LOOK)
    assert (rows[0].key, rows[0].words) == ("1-12", "type the number, then Enter: chooses")


def test_help_shows_the_label_of_a_number_and_of_what_is_proposed() -> None:
    numbers = tuple(Expectation(Kind.COMMAND, "expect.choice", {}, f"C:CHOOSE-{n}.X") for n in (1, 2))
    two = (Choice(1, "yes", "yes", code="maintain.yes", label="C:CHOOSE-1.X"), Choice(2, "no", "Nobody"))
    rows = key_rows(msgspec.structs.replace(VIEWS["dispatch"], choices=two, expects=numbers), LOOK)
    told = [(row.key, row.label) for row in rows if row.label]
    assert told == [("1", "C:CHOOSE-1.X"), ("2", "C:CHOOSE-2.X")]
    confirm = Expectation(Kind.COMMAND, "action.confirm", {}, "C:CONFIRM.9")
    proposed = msgspec.structs.replace(VIEWS["pick_quantity"], expects=(confirm,))
    assert (key_rows(proposed, LOOK)[0].key, key_rows(proposed, LOOK)[0].label) == ("Enter", "C:CONFIRM.9")


def test_a_note_stands_behind_the_answer() -> None:
    message = msgspec.structs.replace(said(Verdict.OK, "scan.ok", got="L75"), notes=("scan.bad_date",))
    rows = Outcome(LOOK).fitted(Scene(NOW, msgspec.structs.replace(VIEWS["pick_quantity"], message=message)), 80, 4)
    assert "L75 A date in this code does not exist" in " ".join(row.plain for row in rows)


@pytest.mark.parametrize("name", ALL)
def test_help_names_what_the_view_has_and_nothing_else(name: str) -> None:
    view = ALL[name]
    named = [row for row in key_rows(view, LOOK) if row.words not in ("", name)]
    typed = bool(view.choices or view.entry)
    assert len(named) == len(dict.fromkeys([*view.actions, *(["test_read"] if name == "link" else [])])) + typed


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ["pick_item", "exceptions"])
def test_no_word_of_help_is_cut(name: str, size: tuple[int, int], language: str) -> None:
    look, view = Look(Texts(language), UNICODE, NOW.tzinfo), every(ALL[name])
    sheet, scene = HelpSheet(look), Scene(NOW, view)
    shown = ""
    for at in range(sheet.stops(scene)):
        sheet.at = at
        rows = [row.plain for row in sheet.fitted(scene, size[0], size[1] - 6)]
        assert any(look.glyphs.arrow in row for row in rows), f"row {at} is not on the screen"
        shown += " ".join(" ".join(rows).split())
    assert "…" not in shown
    words = {word for row in (*scan_rows(view, look), *key_rows(view, look)) for word in row.words.split()}
    assert [word for word in words if word not in shown] == []


@pytest.mark.parametrize("language", languages())
def test_an_ascii_terminal_gets_ascii_also_where_something_is_cut(language: str) -> None:
    look = Look(Texts(language), ASCII, NOW.tzinfo)
    cut = 0
    for view, (width, height) in itertools.product(ALL.values(), SIZES):
        scene = Scene(NOW, view, IN_DOUBT)
        for kind in (HelpSheet, QueueSheet, Middle, TopLine, Prompt, Outcome, KeyLine, StatusBar):
            told = "\n".join(row.plain for row in kind(look).fitted(scene, width, height))
            assert told.isascii(), f"{kind.__name__} {width}: {told}"
            cut += "~" in told
    assert cut > 0


def test_reasons_are_told_by_their_words() -> None:
    floor = in_hand()[0]
    floor.give("action", "exception")
    floor.give("entry", "0")
    view = floor.view()
    told = [row.words for row in scan_rows(view, LOOK)]
    assert told == [choice.title for choice in view.choices]
