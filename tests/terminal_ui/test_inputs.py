"""What a key means at a step."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views import Choice, Entry, Verdict, View
from terminal_ui.inputs import Intent, Leaf, Local, Send, Tell, Typing, meant
from terminal_ui.keys import ACTIONS, GUIDE_ACTIONS, pressed
from terminal_ui.texts import Texts, languages
from tests.terminal_ui.samples import VIEWS, said, view

WORK, QUANTITY, REASONS = VIEWS["work"], VIEWS["pick_quantity"], VIEWS["work_scrap_reason"]
TEXT = view("x", "note", entry=Entry("note", "text"), actions=("report", "confirm"))
MANY = view("x", "many", choices=tuple(Choice(number, f"J-{number}", f"job {number}") for number in range(1, 13)))


def press(view: View, key: str, typed: str | None = None, guide: bool = False) -> Intent:
    return meant(view, typed, key, key if len(key) == 1 else None, guide)


@pytest.mark.parametrize("action", ACTIONS + GUIDE_ACTIONS, ids=lambda action: action.name)
def test_every_action_has_a_key_and_words(action: object) -> None:
    name, shown = action.name, action.shown  # type: ignore[attr-defined]
    assert shown
    for language in languages():
        texts = Texts(language)
        assert f"action.{name}" in texts
        assert f"help.{name}" in texts


def test_no_key_means_two_things_that_are_offered_together() -> None:
    for name, shown in VIEWS.items():
        keys = [
            key for action in ACTIONS if action.name in shown.actions or action.local for key in action.keys
        ]
        assert len(keys) == len(set(keys)), name


def test_digits_go_into_the_entry_and_enter_sends_it() -> None:
    assert press(WORK, "5") == Typing("5")
    assert press(WORK, "0", "5") == Typing("50")
    assert press(WORK, "enter", "50") == Send("entry", "50")


def test_a_proposed_value_counts_only_when_it_is_sent() -> None:
    assert press(QUANTITY, "enter") == Send("entry", "12")
    assert press(QUANTITY, "4") == Typing("4")
    assert press(QUANTITY, "backspace") == Typing("")
    assert press(QUANTITY, "enter", "") == Tell("ui.type_first", {"name": "quantity"})


def test_one_decimal_sign_is_enough() -> None:
    assert press(WORK, ",", "2") == Typing("2,")
    assert press(WORK, ".", "2,") is None


def test_escape_takes_back_what_was_typed_before_it_goes_back() -> None:
    assert press(QUANTITY, "escape", "4") == Typing(None)
    assert press(QUANTITY, "escape") == Send("action", "back")


def test_backspace_never_leaves_the_step() -> None:
    assert press(WORK, "backspace", "50") == Typing("5")
    assert press(WORK, "backspace") is None


def test_a_digit_chooses_at_once_among_nine() -> None:
    assert press(REASONS, "3") == Send("choice", "SCRAP-3")
    assert press(REASONS, "9") == Tell("ui.no_such_choice", {"n": "9", "last": "6"})


def test_more_than_nine_choices_wait_for_enter() -> None:
    assert press(MANY, "1") == Typing("1")
    assert press(MANY, "2", "1") == Typing("12")
    assert press(MANY, "enter", "12") == Send("choice", "J-12")
    assert isinstance(press(MANY, "enter", "13"), Tell)


def test_letters_act_beside_a_number_but_not_in_a_text() -> None:
    assert press(WORK, "r") == Send("action", "report")
    assert press(WORK, "S") == Send("action", "scrap")
    assert press(WORK, "e") == Send("action", "finish")
    assert press(TEXT, "r") == Typing("r")


def test_one_key_means_the_action_that_is_offered() -> None:
    assert press(VIEWS["pick_go"], "f5") == Send("action", "exception")
    assert press(view("x", "y", actions=("park",)), "f6") == Send("action", "park")


def test_a_key_that_does_nothing_here_says_so() -> None:
    assert press(WORK, "f6") == Tell("ui.not_here", {"key": "F6", "action": "park"})


def test_confirm_sends_a_number_that_was_typed() -> None:
    assert press(QUANTITY, "f2") == Send("entry", "12")
    proposed = view("x", "y", entry=Entry("quantity", "number", "3"), actions=("confirm",))
    assert press(proposed, "f2") == Send("entry", "3")  # the number that is shown, whatever is counted meanwhile
    asked = msgspec.structs.replace(proposed, message=said(Verdict.CONFIRM, "scan.confirm"))
    assert press(asked, "f2") == Send("action", "confirm")
    assert press(asked, "f2", "4") == Send("entry", "4")


def test_enter_never_confirms() -> None:
    assert press(VIEWS["work_over"], "enter") == Tell("ui.enter_nothing", {})


def test_help_and_queue_are_local_and_the_guide_only_with_a_guide() -> None:
    assert press(WORK, "f1") == Local("help")
    assert press(WORK, "f9") == Local("queue")
    assert press(WORK, "f12") is None
    assert press(WORK, "f12", guide=True) == Local("guide_scan")
    assert press(WORK, "p", guide=True) == Local("guide_scan")
    assert press(WORK, "pagedown") == Leaf(1)


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+p", "ctrl+c", "ctrl+x", "tab", "ctrl+z", "f13"])
def test_no_other_key_does_anything(key: str) -> None:
    assert all(press(shown, key) is None for shown in VIEWS.values())
    assert pressed(key, None, (), letters=True, guide=True) is None
