"""Look at the machines, ask for work, do it, hand the machine back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from edge_agent.machines.stops import Span, Stop
from edge_agent.scanning.labels import label
from edge_agent.scenarios import maintain
from edge_agent.scenarios.contract import Station
from edge_agent.terminals.session import job_run_by
from edge_agent.views import Kind, StepPage, Verdict
from edge_agent.views.maintenance import DowntimePage, LinePage, LinkPage, MachinePage, StateSpan, TrendPage
from sync.contract import Correction, DowntimeSplit, ScanRefused
from sync.maintenance import (
    MaintenanceCompleted,
    MaintenancePartUsed,
    MaintenanceRequested,
    MaintenanceStarted,
)
from terminal_ui.texts import Texts
from tests.scenarios.floor import BOOK, DEVICES, MACHINES, NOW, PRESS, WORKSHOP, Floor, running

OVER = Stop(
    "s1", NOW - timedelta(minutes=90), "ABORTED", "Oil low", ended=NOW - timedelta(minutes=60), reason="STOP-5",
    splits=(DowntimeSplit(NOW - timedelta(minutes=70), "STOP-7"),),
)  # fmt: skip
STANDS = Stop("s2", NOW - timedelta(minutes=30), "ABORTED", "Oil low")
SPANS = (
    Span("EXECUTE", NOW - timedelta(hours=2), ended=OVER.began),
    Span("ABORTED", OVER.began, ended=OVER.ended),
    Span("EXECUTE", OVER.ended or NOW, ended=STANDS.began),
    Span("ABORTED", STANDS.began),
)
BOLT, LOT = "]C10104006381334044", next(iter(BOOK.lots))


def at_home(badge: str = "1007", station: Station = WORKSHOP, **more: Any) -> Floor:
    """Somebody at a terminal that begins with the machines; the mechanic unless it is said otherwise."""
    floor = Floor(station=station, machines=MACHINES, stood=(STANDS, OVER), spans=SPANS, **more)
    floor.scan(Kind.BADGE, badge)
    return floor


def at_press(badge: str = "1007") -> Floor:
    """The same, looking at the press."""
    floor = at_home(badge)
    floor.give("choice", "PRESS-03")
    assert floor.at == "maintain.machine"
    return floor


def test_who_may_not_go_back_to_the_open_work_is_led_to_sign_off() -> None:
    floor = running()
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1007")
    assert floor.at == "maintain.line"
    floor.give("action", "back")
    assert (floor.at, floor.code) == ("maintain.line", "step.not_yours")
    assert floor.said is not None
    assert floor.said.verdict is Verdict.OTHER_TYPE, "a key that the step offers is not answered in red"
    assert "J-204" in Texts("en").say(floor.code, floor.said.params)
    assert "F10" in Texts("en").say(floor.code, floor.said.params)


def asked(floor: Floor, stopped: str = "yes") -> MaintenanceRequested:
    """A request for the press."""
    floor.give("action", "request")
    floor.scan(Kind.REASON, "SYMPTOM-3")
    floor.give("choice", "1")
    floor.give("choice", stopped)
    assert (floor.at, floor.code) == ("maintain.machine", "maintain.saved_request")
    request: MaintenanceRequested = floor.bodies(MaintenanceRequested)[-1]
    return request


def at_work() -> Floor:
    """The mechanic works on a request of somebody else."""
    floor = at_press("1001")
    request = asked(floor)
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1007")
    assert floor.at == "maintain.line", "the page of somebody else is not gone on with"
    floor.give("choice", "PRESS-03")
    floor.give("action", "work")
    floor.give("choice", request.request)
    floor.give("choice", "FAILURE-1")
    assert floor.at == "maintain.work"
    return floor


# ---------------------------------------------------------------- looking


def test_a_terminal_of_maintenance_begins_with_its_machines() -> None:
    floor = at_home()
    page = floor.view().page
    assert isinstance(page, LinePage)
    assert [(row.id, row.state, row.unexplained) for row in page.machines] == [
        ("PRESS-03", "ABORTED", 1), ("CNC-02", "NO DATA", 0), ("LINE-9/OVEN-1", "EXECUTE", 0),
    ]  # fmt: skip
    assert [choice.id for choice in floor.view().choices] == [row.id for row in page.machines]
    assert page.machines[0].strip[0] == StateSpan("NO DATA", page.began, NOW - timedelta(hours=2))
    assert page.machines[0].strip[-1].ended == page.ended


def test_a_device_that_seems_to_be_there_and_gives_nothing_good_is_silent_on_the_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quiet = tuple(msgspec.structs.replace(each, silent_since=NOW) for each in DEVICES)
    monkeypatch.setattr("tests.scenarios.floor.DEVICES", quiet)
    page = at_home().view().page
    assert isinstance(page, LinePage)
    assert [row.device_state for row in page.machines] == ["silent", "none", "none"]


@pytest.mark.parametrize("where", ["list", "work"])
def test_the_work_is_gone_on_with_after_a_look(where: str) -> None:
    floor = running(machines=MACHINES) if where == "work" else at_home("1001", PRESS)
    before = floor.state
    assert "machines" in floor.view().actions
    floor.give("action", "machines")
    assert floor.at == "maintain.line"
    assert job_run_by(maintain, floor.state) is None, "the machine goes on"  # type: ignore[arg-type]
    floor.scan(Kind.WORKSTATION, "CNC-02")
    floor.give("action", "back")
    floor.give("action", "back")
    assert floor.state == before


def test_where_no_machine_is_nobody_is_led_to_one() -> None:
    floor = running()
    assert "machines" not in floor.view().actions


def test_the_machines_of_the_own_line_are_listed_and_another_asks_first() -> None:
    floor = at_home(station=PRESS)
    floor.give("action", "machines")
    assert [choice.id for choice in floor.view().choices] == ["PRESS-03", "CNC-02"]
    floor.scan(Kind.WORKSTATION, "LINE-9/OVEN-1")
    assert floor.said is not None
    assert (floor.said.verdict, floor.code, floor.at) == (Verdict.CONFIRM, "maintain.other_line", "maintain.line")
    floor.give("action", "confirm")
    assert (floor.at, floor.state.equipment) == ("maintain.machine", "LINE-9/OVEN-1")


def test_the_label_of_no_machine_is_refused_and_the_try_is_kept() -> None:
    floor = at_home()
    floor.scan(Kind.WORKSTATION, "PRESS-99")
    assert (floor.at, floor.code) == ("maintain.line", "maintain.unknown_machine")
    assert floor.bodies(ScanRefused)[-1].code == "maintain.unknown_machine"


def test_a_machine_says_how_reliable_it_is() -> None:
    page = at_press().view().page
    assert isinstance(page, MachinePage)
    assert (page.failures, page.mtbf, page.mttr) == (2, 30 * 60, (30 * 60 + 29 * 60) / 2)  # up to a minute ago
    assert [(stop.id, stop.reason) for stop in page.stops] == [("s2", ""), ("s1", "mechanical fault")]


def test_a_value_is_drawn_further_and_further_back() -> None:
    floor = at_press()
    floor.give("choice", "oil")
    page = floor.view().page
    assert page == TrendPage(equipment="PRESS-03", device="press-plc", item="oil", unit="°C", minutes=60)
    spans = []
    for _ in range(3):
        floor.give("action", "span")
        spans.append(msgspec.structs.asdict(floor.view().page)["minutes"])
    assert spans == [480, 1440, 60]
    floor.give("choice", "force")
    assert msgspec.structs.asdict(floor.view().page)["item"] == "force"
    floor.give("choice", "no such value")
    assert floor.code == "maintain.unknown_value"
    floor.give("action", "back")
    assert floor.at == "maintain.machine"


def test_the_link_says_where_the_device_is_and_a_machine_without_one_has_none() -> None:
    floor = at_press()
    floor.give("action", "link")
    assert floor.view().page == LinkPage(
        device="press-plc", driver="modbus", endpoint="10.0.0.5:502", equipment="PRESS-03"
    )
    floor.give("action", "back")
    floor.scan(Kind.WORKSTATION, "CNC-02")
    assert "link" not in floor.view().actions


def test_downtime_of_a_machine_and_of_all() -> None:
    floor = at_press()
    floor.give("action", "downtime")
    page = floor.view().page
    assert isinstance(page, DowntimePage)
    assert [(row.reason, row.seconds, row.stops) for row in page.rows] == [
        ("", 29 * 60, 1), ("mechanical fault", 20 * 60, 1), ("cleaning", 10 * 60, 1),
    ]  # fmt: skip
    floor.give("action", "back")
    floor.give("action", "back")
    floor.give("action", "downtime")
    assert msgspec.structs.asdict(floor.view().page)["equipment"] == ""
    floor.give("action", "back")
    assert floor.at == "maintain.line"


@pytest.mark.parametrize(
    ("short", "words"),
    [
        (0, "No stop of Press 3 asks for a reason in the last 24 hours."),
        (1, "No stop of Press 3 asks for a reason in the last 24 hours: only 1 short one."),
        (2, "No stop of Press 3 asks for a reason in the last 24 hours: only 2 short ones."),
    ],
)
def test_where_only_short_stops_were_the_downtime_says_so(short: int, words: str) -> None:
    floor = at_press()
    began = [NOW - timedelta(minutes=10 * n) for n in range(9, 0, -1)]
    states = ["HELD" if n % 2 and n < 2 * short else "EXECUTE" for n in range(9)]
    ends = (*began[1:], None)
    floor.spans = tuple(Span(state, at, ended=end) for state, at, end in zip(states, began, ends, strict=True))
    floor.stood = ()
    floor.give("action", "downtime")
    view = floor.view()
    assert isinstance(view.page, DowntimePage)
    assert (view.page.rows, view.page.short) == ((), short)
    assert Texts().say(view.prompt, view.prompt_params) == words


# ---------------------------------------------------------------- asking for work


def test_whoever_is_there_may_ask_for_work_and_the_open_stop_goes_with_it() -> None:
    floor = at_press("1001")
    request = asked(floor)
    assert (request.equipment, request.symptom, request.priority, request.stopped, request.stop) == (
        "PRESS-03", "SYMPTOM-3", 1, True, "s2",
    )  # fmt: skip
    assert request.about == f"maintenance/{request.request}"
    page = floor.view().page
    assert isinstance(page, MachinePage)
    assert [(row.symptom, row.priority, row.person, row.stop) for row in page.requests] == [
        ("leak", "1", "Ana Silva", "s2")
    ]


def test_a_machine_that_still_works_is_asked_for_without_a_stop() -> None:
    request = asked(at_press("1001"), "no")
    assert (request.stopped, request.stop) == (False, "")


def test_half_a_request_is_left_with_back_or_with_the_badge() -> None:
    floor = at_press("1001")
    floor.give("action", "request")
    floor.give("choice", "SYMPTOM-1")
    floor.give("action", "back")
    assert floor.at == "maintain.symptom"
    floor.give("choice", "SYMPTOM-2")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1001")
    assert (floor.at, floor.state.symptom, floor.bodies(MaintenanceRequested)) == ("maintain.machine", "", [])


# ---------------------------------------------------------------- working


def test_work_from_the_request_to_the_badge_of_the_operator() -> None:
    floor = at_work()
    floor.give("scan", BOLT)
    floor.give("scan", BOLT)
    floor.give("action", "undo")
    floor.give("action", "confirm")
    page = floor.view().page
    assert isinstance(page, StepPage)
    assert [field.value for field in page.fields] == ["leak", "Ana Silva", "worn part", "BOLT-M8"]
    floor.give("action", "finish")
    floor.give("choice", "FAILURE-2")
    floor.give("action", "confirm")
    floor.scan(Kind.BADGE, "1001")
    assert (floor.at, floor.code) == ("maintain.machine", "maintain.saved_completed")
    (started,), (done,) = floor.bodies(MaintenanceStarted), floor.bodies(MaintenanceCompleted)
    assert (started.suspected, done.failure, done.tested, done.accepted_by) == ("FAILURE-1", "FAILURE-2", True, "p1")
    parts = [(body.material, body.quantity) for body in floor.bodies(MaintenancePartUsed)]
    assert parts == [("BOLT-M8", Decimal(1))] * 2
    taken_back = floor.bodies(Correction)[0].corrects
    assert isinstance(dict(floor.facts)[taken_back], MaintenancePartUsed)
    assert floor.person == "p7"
    assert "work" not in floor.view().actions


@pytest.mark.parametrize(
    ("badge", "code"),
    [("1007", "maintain.same_person"), ("1009", "sign_on.not_active"), ("1008", "maintain.no_operator")],
)
def test_nobody_else_takes_the_machine_back(badge: str, code: str) -> None:
    floor = at_work()
    second = msgspec.structs.replace(BOOK.persons["p7"], id="p8", name="Second mechanic", badge="1008")
    floor.book = BOOK.with_changes([second])
    floor.give("action", "finish")
    floor.give("choice", "FAILURE-2")
    floor.give("action", "confirm")
    floor.scan(Kind.BADGE, badge)
    assert (floor.at, floor.code) == ("maintain.accept", code)
    assert floor.said is not None
    assert floor.said.verdict is Verdict.HELD
    assert floor.bodies(MaintenanceCompleted) == []
    assert badge not in str(floor.bodies(ScanRefused)[-1]) + str(floor.said.params)


def test_who_is_no_mechanic_may_look_and_does_not_work() -> None:
    floor = at_press("1001")
    asked(floor)
    assert "work" not in floor.view().actions
    floor.give("action", "work")
    assert floor.at == "maintain.machine"


def test_whose_role_was_taken_away_works_no_further() -> None:
    floor = at_work()
    floor.book = BOOK.with_changes([msgspec.structs.replace(BOOK.persons["p7"], roles=("operator",))])
    floor.give("scan", BOLT)
    assert (floor.at, floor.code, floor.bodies(MaintenancePartUsed)) == ("maintain.machine", "maintain.read_only", [])


def test_another_mechanic_goes_on_with_work_that_was_begun() -> None:
    floor = at_work()
    request = floor.state.request
    floor.give("action", "back")
    floor.give("action", "work")
    floor.give("choice", request)
    assert floor.at == "maintain.work"
    assert len(floor.bodies(MaintenanceStarted)) == 1


def test_a_part_that_is_kept_by_lot_needs_its_lot() -> None:
    floor = at_work()
    floor.give("scan", "]C10104006381334013")  # a bearing, without its lot
    assert (floor.code, floor.bodies(MaintenancePartUsed)) == ("maintain.lot_missing", [])
    floor.give("scan", "]C1010400638133401310" + BOOK.lots_by_id["BRG-6204/L207"].id.partition("/")[2])
    assert [(body.material, body.lot) for body in floor.bodies(MaintenancePartUsed)] == [("BRG-6204", "L207")]


def test_work_that_others_completed_is_not_completed_again() -> None:
    floor = at_work()
    about = floor.bodies(MaintenanceStarted)[0].about
    done = MaintenanceCompleted(
        about=about, request=floor.state.request, equipment="PRESS-03", failure="FAILURE-1", tested=True,
        accepted_by="p2",
    )  # fmt: skip
    floor.facts.append(("other", done))
    floor.people["other"] = "p8"
    floor.give("scan", BOLT)
    assert (floor.at, floor.code) == ("maintain.machine", "maintain.gone")


def test_a_machine_that_left_the_site_file_leads_back_to_the_line() -> None:
    floor = at_press()
    floor.machines = MACHINES[1:]
    assert isinstance(floor.view().page, LinePage)
    floor.give("action", "list")
    assert floor.at == "maintain.line"


def test_command_labels_work() -> None:
    floor = at_press()
    floor.give("scan", label(Kind.COMMAND, "REQUEST"))
    assert floor.at == "maintain.symptom"
