"""Badge on, badge off, scan by scan, as a person meets it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from edge_agent import scenarios
from edge_agent.scanning.labels import label
from edge_agent.terminals.session import Turn
from edge_agent.views import Kind, Verdict
from sync.contract import (
    MaterialProduced,
    ScanRefused,
    SignedOff,
    SignedOn,
)
from terminal_ui.texts import Texts
from tests.scenarios.floor import BOOK, MACHINES, WAREHOUSE, Floor, running, signed_on


def test_a_badge_signs_on_and_opens_the_list_of_the_station() -> None:
    floor = signed_on()
    assert (floor.at, floor.code, floor.person) == ("choose_job.pick_one", "sign_on.welcome", "p1")
    assert floor.bodies(SignedOn)[0].about == "person/p1"
    assert signed_on(WAREHOUSE).view().prompt_params == {"list": "picking"}


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (label(Kind.BADGE, "1009"), Verdict.HELD),
        (label(Kind.BADGE, "7777"), Verdict.UNKNOWN),
        (label(Kind.JOB, "J-201"), Verdict.OTHER_TYPE),
        ("B:1001.Q", Verdict.UNKNOWN),
    ],
)
def test_nobody_else_gets_in_and_the_try_is_kept(code: str, verdict: Verdict) -> None:
    floor = Floor()
    floor.give("scan", code)
    assert floor.at == "sign_on.badge"
    assert floor.said is not None
    assert floor.said.verdict is verdict
    assert [body.verdict for body in floor.bodies(ScanRefused)] == [verdict.value]


def test_the_number_of_a_badge_is_written_down_nowhere() -> None:
    floor = running()
    floor.scan(Kind.BADGE, "1002")
    evidence = floor.bodies(ScanRefused)[-1]
    assert "1002" not in str(evidence)
    assert all("1001" not in str(each.label) for each in Floor().view().expects)


@pytest.mark.parametrize("frame", ["1001", "B:1001.Q", "b:1001", "8841", label(Kind.BADGE, "1009")])
def test_neither_a_bare_nor_a_misread_badge_stands_in_fact_or_session(frame: str) -> None:
    floor = Floor()
    floor.give("scan", frame)
    number = frame.removeprefix("B:").removeprefix("b:").partition(".")[0]
    assert floor.said is not None
    assert number not in str(floor.bodies(ScanRefused)) + str(floor.said.params)


def test_what_is_no_known_badge_is_said_to_be_none() -> None:
    floor = Floor()
    floor.give("scan", "HELLO")
    assert floor.said is not None
    words = Texts("en").say(floor.code, floor.said.params)
    assert words == "No badge that is known here. Scan yours, or ask who makes the badges."


def test_whoever_signs_on_next_finds_the_job_that_was_left() -> None:
    floor = running()
    floor.give("action", "sign_off")
    assert floor.at == "sign_on.badge"
    assert floor.bodies(SignedOff)
    floor.scan(Kind.BADGE, "1002")
    assert (floor.at, floor.state.job, floor.person) == ("report_production.running", "J-204", "p2")


@pytest.mark.parametrize("gone", ["withdrawn", "not active"])
def test_nothing_is_recorded_for_somebody_whom_the_office_took_away(gone: str) -> None:
    floor = running()
    ana = msgspec.structs.replace(BOOK.persons["p1"], active=False)
    floor.book = replace(BOOK, persons={} if gone == "withdrawn" else {"p1": ana})
    floor.give("entry", "5")
    assert (floor.at, floor.code, floor.person) == ("sign_on.badge", "sign_on.no_longer", "")
    assert floor.bodies(MaterialProduced) == []


@pytest.mark.parametrize("page", ["machines", "exceptions"])
@pytest.mark.parametrize("begun", [True, False])
def test_nobody_lands_on_a_page_that_somebody_else_left_open(page: str, begun: bool) -> None:
    floor = running(machines=MACHINES) if begun else signed_on(machines=MACHINES)
    before = floor.state
    floor.give("action", page)
    if page == "machines":
        floor.give("choice", "PRESS-03")
        floor.give("action", "exceptions")  # a page over a page
    left = floor.state
    floor.give("action", "sign_off")
    locked = floor.state
    floor.scan(Kind.BADGE, "1002")
    assert floor.state == before
    floor.state, floor.person = locked, ""
    floor.scan(Kind.BADGE, "1001")
    assert floor.state == left, "their own page"


def test_half_done_work_on_a_page_is_held_for_the_same_person_only() -> None:
    floor = running(machines=MACHINES)
    work = floor.state
    for given in (("action", "machines"), ("choice", "PRESS-03"), ("action", "request")):
        floor.give(*given)
    asked = floor.state
    assert floor.at == "maintain.symptom"
    turn = Turn(scenarios.load(), "maintain", asked, "", floor.here())
    locked = turn.idle().state
    for number, expected in (("1001", asked), ("1002", work)):
        floor.state, floor.person = locked, ""
        floor.scan(Kind.BADGE, number)
        if floor.at == "sign_on.badge":
            assert floor.code == "sign_on.held"
            floor.scan(Kind.BADGE, number)
        assert floor.state == expected
