"""A PIN is typed and not shown; what was typed before a lock is there again for who typed it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from edge_agent.views import Entry, Message, StepPage, Verdict, View, Who
from terminal_ui.feed import Feed, echo_words
from terminal_ui.glyphs import ASCII
from terminal_ui.inputs import Send, Typing, meant
from terminal_ui.scene import Look
from terminal_ui.texts import Texts
from terminal_ui.widgets.frame import Prompt
from tests.terminal_ui.fake import HandClock

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def a_view(who: str, entry: Entry | None, step: str = "good", said: str = "", revision: int = 1) -> View:
    message = Message(verdict=Verdict.LATE, code=said, at=NOW) if said else None
    return View(
        terminal="T1", terminal_name="Press", revision=revision, input="", scenario="x", step=step, title="",
        who=Who(who, who) if who else None, prompt="pin.type_it", page=StepPage(), entry=entry, message=message,
    )  # fmt: skip


PIN = a_view("", Entry("pin", "pin"), "pin")
GOOD = a_view("ana", Entry("good", "number"))
LOCKED = a_view("", None, "badge", "sign_on.locked_idle", 2)


def test_digits_only_and_enter_sends_them() -> None:
    assert meant(PIN, "12", "3", "3") == Typing("123")
    assert meant(PIN, "12", "full_stop", ".") != Typing("12.")
    assert meant(PIN, "1234", "enter", None) == Send("entry", "1234")


def test_neither_the_field_nor_the_echo_shows_a_digit() -> None:
    field = Prompt(Look(Texts(), ASCII))._field(Entry("pin", "pin"), "2580", 60).plain
    assert "****" in field
    assert not set("2580") & set(field)
    assert echo_words("entry", "2580", Texts(), PIN) == "****"
    assert echo_words("entry", "2580", Texts(), GOOD) == "2580"


def typed_before_the_lock() -> Feed:
    feed = Feed(HandClock())
    feed.saw_view(GOOD)
    feed.type("17")
    feed.saw_view(LOCKED)
    return feed


def test_what_was_typed_waits_for_who_typed_it() -> None:
    feed = typed_before_the_lock()
    assert feed.typed is None
    feed.saw_view(PIN)
    assert feed.typed is None
    feed.saw_view(msgspec.structs.replace(GOOD, revision=4))
    assert feed.typed == "17"


def test_nobody_else_gets_what_was_typed() -> None:
    feed = typed_before_the_lock()
    feed.saw_view(a_view("bo", Entry("good", "number"), revision=4))
    assert feed.typed is None
    feed.saw_view(msgspec.structs.replace(GOOD, revision=5))
    assert feed.typed is None


def test_a_half_typed_pin_is_forgotten() -> None:
    feed = Feed(HandClock())
    feed.saw_view(msgspec.structs.replace(PIN, who=Who("ana", "ana")))
    feed.type("25")
    feed.saw_view(LOCKED)
    feed.saw_view(msgspec.structs.replace(PIN, who=Who("ana", "ana"), revision=4))
    assert feed.typed is None
