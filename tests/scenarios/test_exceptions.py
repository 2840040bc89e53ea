"""What is in doubt, decided at a terminal: by whom, with whom, and what is recorded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from edge_agent import scenarios
from edge_agent.doubts import Doubt
from edge_agent.scenarios.contract import Policies
from edge_agent.terminals.session import job_run_by
from edge_agent.views import Kind, Verdict
from edge_agent.views.exceptions import ExceptionPage, ExceptionsPage
from sync.contract import AnyFact, Correction, Fact, JobCompleted, MaterialProduced
from sync.exceptions import ExceptionDecided
from sync.maintenance import MaintenanceRequested
from tests.scenarios.floor import NOW, Floor, refused_fact

REFUSED = Doubt(
    "d1", "refused", NOW, refused_fact(), "over_quantity", "Order J-204 takes 800 pc.", 1, held=(2, 3), seq=1
)
CLOCK = Doubt("clock/7", "clock", NOW, seq=7, last=9, facts=3)
ALONE = Policies(four_eyes=frozenset())
LEAD, OPERATOR = "1008", "1001"


def at_list(*doubts: Doubt, badge: str = LEAD, policies: Policies = ALONE) -> Floor:
    """J-204 in work, and the list of what is in doubt on the screen."""
    floor = Floor(in_doubt=doubts or (REFUSED,), policies=policies)
    floor.scan(Kind.BADGE, badge)
    floor.scan(Kind.JOB, "J-204")
    floor.give("action", "exceptions")
    assert floor.at == "exceptions.list"
    return floor


def at_one(*doubts: Doubt, badge: str = LEAD, policies: Policies = ALONE) -> Floor:
    floor = at_list(*doubts, badge=badge, policies=policies)
    floor.give("choice", (doubts or (REFUSED,))[0].key)
    assert floor.at == "exceptions.one"
    return floor


def decided(floor: Floor) -> list[ExceptionDecided]:
    return floor.bodies(ExceptionDecided)


def test_from_every_step_and_back_to_the_same() -> None:
    floor = Floor(in_doubt=(REFUSED,))
    assert "exceptions" not in floor.view().actions, "badge first"
    floor.scan(Kind.BADGE, LEAD)
    floor.scan(Kind.JOB, "J-204")
    floor.give("action", "scrap")
    floor.give("entry", "2")
    before = floor.state
    floor.scan(Kind.COMMAND, "EXCEPTIONS")
    page = floor.view().page
    assert isinstance(page, ExceptionsPage)
    (row,) = page.rows
    assert (row.what, row.params["quantity"], row.person, row.code) == (
        "MaterialProduced", "50", "Bo Lindqvist", "over_quantity",
    )  # fmt: skip
    assert (row.reason, row.held) == ("Order J-204 takes 800 pc.", (2, 3))
    floor.give("action", "back")
    assert floor.state == before


def test_the_machine_goes_on_with_its_job_and_the_next_person_finds_the_work() -> None:
    floor = at_one()
    assert job_run_by(scenarios.load()["exceptions"], floor.state) is None
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, LEAD)
    assert (floor.at, floor.state.job) == ("exceptions.list", "J-204")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1001")
    assert (floor.at, floor.state.job) == ("report_production.running", "J-204")


def test_a_lead_sends_it_again_with_one_key() -> None:
    floor = at_one()
    floor.give("action", "resend")
    assert (floor.at, floor.code) == ("exceptions.list", "exceptions.saved_resend")
    assert decided(floor) == [ExceptionDecided(about="exception/d1", exception="d1", choice="resend")]


def test_a_correction_takes_back_and_reports_anew_and_says_so_last() -> None:
    floor = at_one()
    floor.give("action", "correct")
    floor.give("entry", "50")
    assert (floor.at, floor.code) == ("exceptions.correct", "exceptions.same")
    floor.give("entry", "40")
    assert (floor.at, floor.view().prompt) == ("exceptions.sure", "exceptions.sure_quantity")
    assert decided(floor) == []
    floor.give("action", "confirm")
    taken_back, instead, decision = [body for _, body in floor.facts[-3:]]
    assert taken_back == Correction(about="J-204", corrects="d1", reason="incorrect_data")
    assert isinstance(instead, MaterialProduced)
    assert (instead.about, instead.quantity, instead.material) == ("J-204", Decimal(40), "GRIP-A")
    assert decision == ExceptionDecided(
        about="exception/d1", exception="d1", choice="correct", instead=Decimal(40), job="J-204"
    )
    floor.give("choice", "d1")
    assert floor.view().prompt == "exceptions.settled"
    assert not {"resend", "correct", "hand_over"} & set(floor.view().actions)


def test_zero_says_that_it_did_not_happen() -> None:
    floor = at_one()
    floor.give("action", "correct")
    floor.give("entry", "0")
    floor.give("action", "confirm")
    assert floor.bodies(MaterialProduced) == []
    assert floor.bodies(Correction)[0].reason == "did_not_occur"
    assert decided(floor)[0].instead is None


def test_a_job_by_its_label_takes_the_pieces_if_it_is_of_the_same_item() -> None:
    floor = at_one()
    floor.give("action", "correct")
    floor.scan(Kind.JOB, "J-201")
    assert (floor.code, floor.state.target) == ("exceptions.other_job", "")
    wrong = replace(REFUSED, fact=refused_fact("J-999"))
    floor = at_one(wrong)
    floor.give("action", "correct")
    floor.scan(Kind.JOB, "J-204")
    view = floor.view()
    assert view.entry is not None
    assert (view.prompt, view.entry.value) == ("exceptions.correct_job", "50")
    floor.give("entry", "50")
    floor.give("action", "confirm")
    assert [body.about for body in floor.bodies(MaterialProduced)] == ["J-204"]
    assert (decided(floor)[0].job, floor.bodies(Correction)[0].about) == ("J-204", "J-999")


def test_a_long_list_says_how_many_more_there_are_and_turns_the_page() -> None:
    floor = at_list(*(replace(CLOCK, key=f"clock/{n}", seq=n, last=n, facts=1) for n in range(1, 121)))
    view = floor.view()
    assert (len(view.choices), view.prompt_params["more"], "list" in view.actions) == (99, "21", True)
    floor.give("action", "list")
    view = floor.view()
    assert [each.id for each in view.choices] == [f"clock/{n}" for n in range(100, 121)]
    floor.give("choice", "clock/120")
    floor.give("action", "acknowledge")
    floor.give("action", "confirm")
    assert (floor.at, len(decided(floor)), len(floor.view().choices)) == ("exceptions.list", 1, 20)
    floor.give("action", "list")
    assert floor.view().choices[0].id == "clock/1"


def test_two_people_decide_where_the_plant_says_so() -> None:
    floor = at_one(badge=OPERATOR, policies=Policies())
    assert "correct" in floor.view().actions
    assert "resend" not in floor.view().actions, "alone it takes a lead"
    floor.give("action", "correct")
    floor.give("entry", "40")
    assert floor.at == "exceptions.second"
    for badge, code in ((OPERATOR, "same_person"), ("1002", "no_lead")):
        floor.scan(Kind.BADGE, badge)
        assert (floor.at, floor.code, decided(floor)) == ("exceptions.second", f"exceptions.{code}", [])
    floor.scan(Kind.BADGE, "1009")
    assert floor.code == "sign_on.not_active"
    floor.give("action", "confirm")
    assert decided(floor) == []
    floor.scan(Kind.BADGE, LEAD)
    assert floor.at == "exceptions.list"
    assert (decided(floor)[0].second, floor.person) == ("p8", "p1")
    assert "1008" not in str(floor.facts)


def test_whoever_may_not_decide_may_look() -> None:
    floor = at_one(badge=OPERATOR)
    assert floor.view().prompt == "exceptions.look"
    for choice in ("resend", "correct", "hand_over"):
        floor.give("action", choice)
        assert floor.at == "exceptions.one"
    assert decided(floor) == []


def test_it_is_handed_over_with_words_typed_or_scanned_and_stays() -> None:
    floor = at_one()
    floor.give("action", "hand_over")
    floor.give("action", "confirm")
    assert floor.at == "exceptions.note"
    floor.give("entry", "x" * 201)
    assert floor.code == "exceptions.too_long"
    floor.scan(Kind.REASON, "EXCEPTION-1")
    assert (floor.at, decided(floor)[0].note) == ("exceptions.list", "ask the planner")
    floor.give("choice", "d1")
    page = floor.view().page
    assert isinstance(page, ExceptionPage)
    assert (page.row.choice, page.row.decided_by, page.row.note) == ("hand_over", "Ines Costa", "ask the planner")
    floor.give("action", "hand_over")
    floor.give("entry", "  Karla\tfrom the office ")
    assert decided(floor)[-1].note == "Karla from the office"


def test_what_is_explained_is_acknowledged_with_or_without_words() -> None:
    floor = at_one(CLOCK)
    assert "resend" not in floor.view().actions
    floor.give("action", "acknowledge")
    floor.give("action", "confirm")
    assert decided(floor) == [ExceptionDecided(about="exception/clock/7", exception="clock/7", choice="acknowledge")]
    assert (floor.at, floor.view().prompt) == ("exceptions.list", "exceptions.nothing")


def test_one_that_waits_for_an_earlier_one_says_which() -> None:
    floor = at_one(replace(REFUSED, waits_for=4))
    assert set(floor.view().actions) & {"resend", "correct", "hand_over"} == {"hand_over"}
    assert floor.give("action", "resend").said is not None
    assert decided(floor) == []


def test_one_that_others_have_answered_is_gone_at_any_step() -> None:
    for actions in (["resend"], ["correct"], ["hand_over"]):
        floor = at_one()
        floor.in_doubt = ()
        for action in actions:
            floor.give("action", action)
        assert (floor.at, floor.code) == ("exceptions.list", "exceptions.gone") or floor.code == "step.not_here"
        assert decided(floor) == []


@pytest.mark.parametrize(
    ("body", "choices"),
    [
        (JobCompleted(about="J-204", good=Decimal(1), scrap=Decimal(0)), ("resend", "correct", "hand_over")),
        (Correction(about="J-204", corrects="x", reason="did_not_occur"), ("resend", "correct", "hand_over")),
        (
            MaintenanceRequested(
                about="maintenance/1", request="1", equipment="E", symptom="S", priority=1, stopped=False
            ),
            ("resend", "hand_over"),
        ),
        (
            ExceptionDecided(about="exception/x", exception="x", choice="correct"),
            ("resend", "hand_over", "acknowledge"),
        ),
    ],
)
def test_what_may_become_of_a_fact_depends_on_what_it_says(body: AnyFact, choices: tuple[str, ...]) -> None:
    doubt = replace(REFUSED, fact=fact_of(body))
    assert doubt.choices == choices
    floor = at_one(doubt)
    if "correct" in choices:
        floor.give("action", "correct")
        assert (floor.at, floor.view().prompt) == ("exceptions.sure", "exceptions.sure")
        floor.give("action", "confirm")
        is_correction = isinstance(body, Correction)
        assert len(floor.bodies(Correction)) == (0 if is_correction else 1)
        assert decided(floor)[0].choice == "correct"
    assert floor.said is None or floor.said.verdict is not Verdict.WRONG


def fact_of(body: AnyFact) -> Fact:
    return Fact(
        id="d1", seq=1, agent="a", event_time=NOW, record_time=NOW, clock_ok=True, terminal="T1", person="p2", body=body
    )


def test_what_the_erp_did_not_hear_of_is_decided_again_without_another_quantity() -> None:
    said_so = ExceptionDecided(about="exception/d1", exception="d1", choice="correct", instead=Decimal(5), job="J-204")
    floor = at_one(replace(REFUSED, correction=said_so, not_taken=True))
    floor.give("action", "correct")
    assert floor.at == "exceptions.sure"
    floor.give("action", "confirm")
    (again,) = decided(floor)
    assert (again.choice, again.instead, again.job) == ("correct", Decimal(5), "J-204")
    assert floor.bodies(Correction) == []
    assert floor.bodies(MaterialProduced) == []


def test_what_waits_for_a_connector_that_is_gone_is_settled_by_handing_it_over() -> None:
    gone = replace(REFUSED, kind="gone", connector="erp", held=())
    floor = at_one(gone)
    page = floor.view().page
    assert isinstance(page, ExceptionPage)
    assert (page.choices, page.row.connector) == (("acknowledge", "hand_over"), "erp")
    floor.give("action", "hand_over")
    floor.give("entry", "Karla books it")
    assert floor.code == "exceptions.saved_handed_on"
    assert [each.choice for each in decided(floor)] == ["hand_over"]
