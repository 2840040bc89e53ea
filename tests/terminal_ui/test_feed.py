"""What the terminal knows, without a screen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from edge_agent.views import Entry, Verdict
from edge_agent.views.status import Problem
from terminal_ui.clockface import age_words, due_words
from terminal_ui.feed import Feed, rings
from terminal_ui.scene import Note
from terminal_ui.widgets.machine import HourStrip, Pace, group
from tests.terminal_ui.fake import HandClock
from tests.terminal_ui.pages import PAGES
from tests.terminal_ui.samples import MACHINE, NOW, STATUS, STOPPED, TROUBLE, VIEWS, at

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def newer(name: str, revision: int = 8, **changes: object) -> object:
    return msgspec.structs.replace(VIEWS[name], revision=revision, **changes)


def test_an_echo_stays_until_the_view_comes() -> None:
    feed = Feed(HandClock())
    feed.saw_view(VIEWS["pick_go"])
    feed.heard_scan("L:A-02-1.T")
    assert feed.current().echo == "L:A-02-1.T"
    feed.saw_view(newer("pick_item"))  # type: ignore[arg-type]
    assert feed.current().echo is None


def test_the_same_view_again_keeps_what_the_terminal_said_and_what_was_typed() -> None:
    feed = Feed(HandClock())
    feed.saw_view(VIEWS["work"])
    feed.type("5")
    feed.tell(Note(Verdict.LATE, "ui.enter_nothing"))
    assert not feed.saw_view(VIEWS["work"])
    assert feed.typed == "5"
    assert feed.current().note is not None


def test_a_wrong_scan_does_not_empty_the_entry_but_the_answer_to_the_entry_does() -> None:
    feed = Feed(HandClock())
    feed.saw_view(VIEWS["work"])
    feed.type("50")
    assert feed.saw_view(newer("work_wrong"))  # type: ignore[arg-type]
    assert feed.typed == "50"
    feed.sent_entry("id-1")
    feed.saw_view(newer("work", 9, input="id-1"))  # type: ignore[arg-type]
    assert feed.typed is None


def test_another_step_or_another_question_empties_the_entry() -> None:
    for other in (newer("work_scrap"), newer("work", entry=Entry("found", "number", "", "pc"))):
        feed = Feed(HandClock())
        feed.saw_view(VIEWS["work"])
        feed.type("50")
        feed.saw_view(other)  # type: ignore[arg-type]
        assert feed.typed is None


def test_a_proposal_that_moves_with_the_machine_takes_nothing_away_that_was_typed() -> None:
    feed = Feed(HandClock())
    feed.saw_view(VIEWS["work"])
    for digit in ("4", "42"):
        feed.type(digit)
        feed.saw_view(newer("work", entry=Entry("good", "number", digit + "9", "pc")))  # type: ignore[arg-type]
        assert feed.typed == digit


def test_time_is_the_agents_and_goes_on_between_its_words() -> None:
    clock = HandClock(datetime(2030, 1, 1, tzinfo=UTC))
    feed = Feed(clock)
    feed.saw_status(STATUS)
    clock.move(61)
    assert feed.current().now == NOW + timedelta(seconds=61)


def test_away_keeps_its_beginning_and_ends_when_attached() -> None:
    clock = HandClock()
    feed = Feed(clock)
    feed.lost("gone")
    clock.move(5)
    feed.lost("")
    assert feed.current().away == NOW
    assert feed.current().away_reason == "gone"
    feed.attached()
    assert feed.current().away is None


def test_away_counts_from_when_the_agent_was_last_heard() -> None:
    clock = HandClock()
    feed = Feed(clock)
    feed.saw_view(VIEWS["work"])
    feed.saw_status(STATUS)
    clock.move(16)
    feed.lost("it is frozen")
    scene = feed.current()
    assert age_words(scene.away, scene.now) == "16 s"
    feed.attached()
    feed.saw_status(msgspec.structs.replace(STATUS, now=NOW + timedelta(seconds=60)))
    clock.move(3)
    feed.lost("again")
    scene = feed.current()
    assert age_words(scene.away, scene.now) == "3 s"


def test_a_refusal_of_the_agent_is_told() -> None:
    feed = Feed(HandClock())
    feed.refused(Problem("store.not_saved", {"what": "disk full"}))
    note = feed.current().note
    assert note is not None
    assert (note.code, note.verdict) == ("store.not_saved", Verdict.WRONG)


def test_why_the_agent_lets_nobody_in_is_told_until_it_does() -> None:
    feed = Feed(HandClock())
    feed.refused(Problem("agent.wrong_token"))
    feed.lost("")
    note = feed.current().note
    assert note is not None
    assert note.keeps_away
    feed.attached()
    assert feed.current().note is None


def test_the_bell_tells_good_from_trouble() -> None:
    assert rings(VIEWS["work"]) == 1
    assert rings(VIEWS["pick_wrong"]) == 2
    assert rings(VIEWS["pick_held"]) == 3
    assert rings(VIEWS["dispatch_empty"]) == 0


def test_pace_counts_whole_buckets_and_forgives_a_reset() -> None:
    pace = Pace(timedelta(seconds=15), keep=4)
    for seconds, count in ((0, 100), (5, 101), (14, 103), (16, 103), (31, 2), (46, 4)):
        pace.note(count, at(0) + timedelta(seconds=seconds))
    assert pace.per_minute == (12.0, 0.0, 0.0)
    pace.note(None, at(0) + timedelta(hours=1))
    assert set(pace.per_minute) == {0.0}


def test_the_hour_keeps_the_worst_of_a_minute_and_begins_anew() -> None:
    strip = HourStrip()
    start = NOW.replace(minute=0)
    for minute, state in ((0, "EXECUTE"), (0, "ABORTED"), (0, "EXECUTE"), (1, "IDLE"), (2, "NO DATA")):
        strip.note(state, start + timedelta(minutes=minute))
    assert strip.minutes[:4] == "SIN "
    strip.note("EXECUTE", start + timedelta(hours=1))
    assert strip.minutes == "R" + " " * 59


def test_states_are_grouped_for_people() -> None:
    assert [group(state) for state in ("execute", "ABORTED", "IDLE", "NO DATA", "", "anything")] == [
        "run", "stop", "idle", "none", "none", "idle",
    ]  # fmt: skip


def test_the_live_count_feeds_pace_and_hour() -> None:
    feed = Feed(HandClock())
    for number in range(4):
        machine = msgspec.structs.replace(MACHINE, count=100 + number * 5)
        feed.saw_status(
            msgspec.structs.replace(STOPPED, now=NOW + timedelta(seconds=20 * number), machine=machine)
        )
    assert sum(feed.current().pace) > 0
    assert "R" in feed.current().hour


def test_live_values_have_time_and_news_have_not() -> None:
    feed = Feed(HandClock())
    assert feed.saw_status(STATUS)
    live = msgspec.structs.replace(STATUS, machine=msgspec.structs.replace(MACHINE, count=153))
    assert not feed.saw_status(live)
    for news in (STOPPED, TROUBLE, msgspec.structs.replace(STATUS, delivered_seq=41)):
        assert feed.saw_status(news)


def test_ages_and_dates_are_short() -> None:
    assert [age_words(at(minutes), NOW) for minutes in (0, 3, 200, 5000)] == ["0 s", "3 min", "3 h", "3 d"]
    assert age_words(None, NOW) == ""
    assert age_words(at(-5), NOW) == "0 s"
    assert due_words(at(-120), NOW, UTC, DAYS) == "12:42"
    assert due_words(at(-60 * 24), NOW, UTC, DAYS) == "Sat 10:42"
    assert due_words(at(-60 * 24 * 9), NOW, UTC, DAYS) == "2026-11-29"


def test_what_was_typed_and_not_sent_is_there_again_after_a_look_elsewhere() -> None:
    feed = Feed(HandClock())
    feed.saw_view(VIEWS["work"])
    feed.type("50")
    feed.saw_view(msgspec.structs.replace(PAGES["line"], revision=8, who=VIEWS["work"].who))
    assert feed.typed is None
    page = msgspec.structs.replace(VIEWS["work"].page, count_since_report=99)  # the machine went on meanwhile
    feed.saw_view(newer("work", 9, page=page))  # type: ignore[arg-type]
    assert feed.typed == "50"


def test_what_was_typed_is_not_shown_to_another_person_at_the_same_step() -> None:
    who = VIEWS["work"].who
    assert who is not None
    other = msgspec.structs.replace(who, name="Bo Lind")
    for person, typed in ((who, "50"), (other, None)):
        feed = Feed(HandClock())
        feed.saw_view(VIEWS["work"])
        feed.type("50")
        feed.saw_view(newer("work", who=person))  # type: ignore[arg-type]
        assert feed.typed == typed
    feed.saw_view(newer("work", 9))  # type: ignore[arg-type]
    assert feed.typed is None, "nor kept for when the first one comes back"


def test_what_was_typed_is_for_its_own_job_and_person_and_gone_when_something_was_sent() -> None:
    other = msgspec.structs.replace(VIEWS["work"].page, job="J-999")
    for between, after in (
        (newer("work_scrap"), newer("work", 9, page=other)),
        (newer("sign_on", who=None), newer("work", 9)),
        (newer("work_scrap", input="id-1"), newer("work", 9)),
    ):
        feed = Feed(HandClock())
        feed.saw_view(VIEWS["work"])
        feed.type("50")
        feed.sent_entry("id-1")
        feed.saw_view(between)  # type: ignore[arg-type]
        feed.saw_view(after)  # type: ignore[arg-type]
        assert feed.typed is None
