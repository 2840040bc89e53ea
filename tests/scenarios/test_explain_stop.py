"""Why the machine stood, asked without getting in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from config import UnitState
from edge_agent.machines.stops import Stop
from edge_agent.scenarios import explain_stop
from edge_agent.scenarios.contract import Station
from edge_agent.terminals.session import job_run_by
from edge_agent.views import Kind, Verdict, View, WorkPage
from sync.contract import DowntimeRecorded, DowntimeSplit, MaterialProduced
from terminal_ui.texts import Texts
from tests.scenarios.floor import BOOK, NOW, PRESS, Floor, running

OVER = Stop("s1", NOW - timedelta(minutes=40), "HELD", "Coil end", ended=NOW - timedelta(minutes=20))
STANDS = Stop("s2", NOW - timedelta(minutes=5), "ABORTED")


def explaining(*stops: Stop) -> Floor:
    """At the list of stops, with J-204 in work."""
    floor = running(stood=stops or (STANDS, OVER))
    floor.give("action", "explain")
    assert floor.at == "explain_stop.choose"
    return floor


def told(floor: Floor) -> list[DowntimeRecorded]:
    return floor.bodies(DowntimeRecorded)


def test_the_work_goes_on_while_stops_wait_to_be_explained() -> None:
    floor = running(stood=(STANDS, OVER))
    page = floor.view().page
    assert isinstance(page, WorkPage)
    assert page.stops_to_explain == 2
    assert "explain" in floor.view().actions
    floor.give("entry", "5")
    assert (floor.at, len(floor.bodies(MaterialProduced))) == ("report_production.running", 1)


def test_without_stops_nobody_is_asked() -> None:
    floor = running()
    assert "explain" not in floor.view().actions
    assert floor.give("action", "explain").state == floor.state
    assert floor.at == "report_production.running"


def test_a_stop_that_lasts_is_explained_by_its_number_and_is_not_late() -> None:
    floor = explaining()
    assert [choice.id for choice in floor.view().choices] == ["s2", "s1"]
    floor.give("choice", "s2")
    floor.give("choice", "STOP-4")
    assert told(floor) == [
        DowntimeRecorded(
            about="equipment/PRESS-03", stop="s2", equipment="PRESS-03", began=STANDS.began, state="ABORTED",
            reason="STOP-4",
        )
    ]  # fmt: skip
    assert [choice.id for choice in floor.view().choices] == ["s1"]


def test_a_stop_that_is_over_is_explained_late_by_the_label() -> None:
    floor = explaining()
    floor.give("choice", "s1")
    floor.scan(Kind.REASON, "STOP-3")
    assert [(body.stop, body.reason, body.late, body.ended) for body in told(floor)] == [
        ("s1", "STOP-3", True, OVER.ended)
    ]


def test_two_reasons_are_split_at_a_time() -> None:
    floor = explaining()
    floor.give("choice", "s1")
    floor.give("action", "split")
    floor.give("entry", "25")
    assert (floor.code, floor.at) == ("explain_stop.not_inside", "explain_stop.split_at")
    floor.give("entry", "12,5")
    floor.give("choice", "STOP-1")
    assert floor.at == "explain_stop.second"
    floor.give("choice", "STOP-2")
    (body,) = told(floor)
    assert (body.reason, body.splits) == (
        "STOP-1", (DowntimeSplit(OVER.began + timedelta(minutes=12.5), "STOP-2"),),
    )  # fmt: skip


def test_a_reason_may_change_as_often_as_it_did() -> None:
    floor = explaining()
    floor.give("choice", "s1")
    for minutes, reason in (("5", "STOP-1"), ("12", "STOP-2")):
        floor.give("action", "split")
        floor.give("entry", minutes)
        assert "split" not in floor.view().actions, "a piece in the middle has one reason"
        floor.give("choice", reason)
    floor.give("action", "split")
    floor.give("entry", "12")
    assert floor.code == "explain_stop.not_inside"
    floor.give("action", "back")
    assert told(floor) == []
    floor.give("choice", "s1")
    for minutes, reason in (("5", "STOP-1"), ("12", "STOP-2")):
        floor.give("action", "split")
        floor.give("entry", minutes)
        floor.give("choice", reason)
    floor.give("choice", "STOP-3")
    (body,) = told(floor)
    cuts = [OVER.began + timedelta(minutes=minutes) for minutes in (5, 12)]
    assert (body.reason, body.splits) == (
        "STOP-1", (DowntimeSplit(cuts[0], "STOP-2"), DowntimeSplit(cuts[1], "STOP-3")),
    )  # fmt: skip


def test_the_reason_that_an_alarm_had_last_is_proposed_and_never_assumed() -> None:
    again = replace(STANDS, alarm="Coil end")
    before = replace(OVER, id="s0", reason="STOP-3", said=9)
    floor = explaining(again, before, replace(STANDS, id="s3"))
    floor.give("choice", "s2")
    view = floor.view()
    assert view.choices[0].id == "STOP-3"
    assert view.prompt_params["usual"] == view.choices[0].title
    assert view.prompt_params["number"] == str(view.choices[0].number)
    assert told(floor) == []
    floor.give("action", "back")
    floor.give("choice", "s3")
    assert "usual" not in floor.view().prompt_params, "no alarm says nothing"


PRESS_THAT_WAITS = replace(PRESS, stop_reasons={"SUSPENDED": "STOP-4", "HELD": ""})
SUSPENDED = replace(STANDS, state="SUSPENDED")


def reasons_for(stop: Stop, *before: Stop, station: Station = PRESS_THAT_WAITS) -> View:
    """What is asked of a stop that began last."""
    floor = running(station=station, stood=(stop, *before))
    floor.give("action", "explain")
    floor.give("choice", stop.id)
    assert told(floor) == []
    return floor.view()


def test_the_reason_that_the_site_has_for_the_state_is_proposed_and_taken_by_its_number_alone() -> None:
    floor = running(station=PRESS_THAT_WAITS, stood=(SUSPENDED,))
    floor.give("action", "explain")
    floor.give("choice", "s2")
    view, first = floor.view(), floor.view().choices[0]
    assert (first.id, first.number) == ("STOP-4", 4), "its number is that of the plans"
    assert f"Proposed: 4 {first.title}." in Texts().say(view.prompt, view.prompt_params)
    floor.give("action", "confirm")
    assert (floor.code, told(floor)) == ("step.not_here", []), "nothing is recorded by itself"
    floor.scan(Kind.REASON, "STOP-4")
    assert [body.reason for body in told(floor)] == ["STOP-4"]


@pytest.mark.parametrize("state", [*UnitState, "UNDEFINED"])
def test_nothing_is_proposed_for_a_state_of_which_the_site_says_nothing(state: str) -> None:
    in_order = [reason.id for reason in BOOK.reasons_for("stop")]
    for station in (PRESS, PRESS_THAT_WAITS):
        view = reasons_for(replace(STANDS, state=state), station=station)
        proposed = station is PRESS_THAT_WAITS and state == "SUSPENDED"
        assert ("likely" in view.prompt_params) is proposed
        assert ([choice.id for choice in view.choices] == in_order) is not proposed


def test_what_the_same_alarm_had_last_goes_before_what_the_state_may_mean() -> None:
    before = replace(OVER, id="s0", reason="STOP-3", said=9)
    view = reasons_for(replace(SUSPENDED, alarm="Coil end"), before)
    assert (view.choices[0].id, "likely" in view.prompt_params) == ("STOP-3", False)
    assert reasons_for(replace(SUSPENDED, alarm="Door open"), before).choices[0].id == "STOP-4"


def test_a_reason_that_the_plans_do_not_have_is_not_proposed() -> None:
    for reason in ("STOP-99", "SCRAP-1"):
        view = reasons_for(SUSPENDED, station=replace(PRESS, stop_reasons={"SUSPENDED": reason}))
        assert not {"likely", "number"} & set(view.prompt_params)


def test_of_several_reasons_none_is_proposed() -> None:
    floor = running(station=PRESS_THAT_WAITS, stood=(SUSPENDED,))
    for kind, data in (("action", "explain"), ("choice", "s2"), ("action", "split"), ("entry", "2")):
        floor.give(kind, data)
    assert "likely" not in floor.view().prompt_params


def test_the_last_explanation_is_taken_back() -> None:
    floor = explaining()
    for stop in ("s1", "s2"):
        floor.give("choice", stop)
        floor.give("choice", "STOP-1")
    floor.give("action", "undo")
    floor.give("action", "confirm")
    assert [(body.stop, body.reason) for body in told(floor)][-1] == ("s2", "")
    assert [choice.id for choice in floor.view().choices] == ["s2"]


def test_a_stop_that_somebody_else_explained_is_not_explained_again() -> None:
    floor = explaining()
    floor.give("choice", "s1")
    floor.stood = (STANDS,)
    floor.give("choice", "STOP-1")
    assert (floor.code, floor.at, told(floor)) == ("explain_stop.gone", "explain_stop.choose", [])
    assert floor.said is not None
    assert floor.said.verdict is Verdict.HELD


def test_the_work_is_as_it_was_left_and_the_job_ran_on() -> None:
    floor = running(stood=(OVER,), count=7)
    before = floor.state
    floor.give("action", "explain")
    assert job_run_by(explain_stop, floor.state) is None, "the machine goes on"  # type: ignore[arg-type]
    floor.give("choice", "s1")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1001")
    assert floor.at == "explain_stop.choose"
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1002")
    assert floor.state == before


def test_a_state_that_nobody_left_begins_nothing() -> None:
    assert explain_stop.begin("", running().here()) == explain_stop.State()
    assert explain_stop.begin("[1]", running().here()) == explain_stop.State()
    assert msgspec.structs.asdict(explain_stop.State())["left"] == ""
