"""Parts that were counted while no job was open: the work screen says so, and a person says whose they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from edge_agent.views import Verdict, WorkPage
from edge_agent.views.maintenance import MachinePage, Unattributed
from sync.contract import CountAssigned, MaterialProduced
from tests.scenarios.floor import MACHINES, NOW, Floor, running, signed_on

LOOSE = Unattributed(214, NOW - timedelta(hours=2))


def test_the_work_screen_says_so_and_the_work_goes_on() -> None:
    floor = running(loose=LOOSE)
    page = floor.view().page
    assert isinstance(page, WorkPage)
    assert page.unattributed == LOOSE
    assert "assign" in floor.view().actions
    floor.give("entry", "12")  # a quantity means the job, not the question
    assert [body.quantity for body in floor.bodies(MaterialProduced)] == [12]


@pytest.mark.parametrize(
    ("answer", "job", "code"),
    [("take", "J-204", "report_production.saved_taken"), ("leave", "", "report_production.saved_left")],
)
def test_the_answer_is_a_fact_and_nobody_is_asked_again(answer: str, job: str, code: str) -> None:
    floor = running(loose=LOOSE)
    floor.give("action", "assign")
    assert (floor.at, [each.id for each in floor.view().choices]) == (
        "report_production.unattributed", ["take", "leave"],
    )  # fmt: skip
    assert floor.view().prompt_params["parts"] == "214"
    floor.give("choice", answer)
    assert (floor.at, floor.code) == ("report_production.running", code)
    (fact,) = floor.bodies(CountAssigned)
    assert (fact.about, fact.parts, fact.since, fact.job) == ("equipment/PRESS-03", 214, LOOSE.since, job)
    page = floor.view().page
    assert isinstance(page, WorkPage)
    assert page.unattributed is None
    assert "assign" not in floor.view().actions


def test_an_answer_that_somebody_else_gave_is_not_given_twice() -> None:
    floor = running(loose=LOOSE)
    floor.give("action", "assign")
    floor.loose = None
    floor.give("choice", "take")
    assert (floor.at, floor.code) == ("report_production.running", "report_production.assigned_already")
    assert floor.said is not None
    assert floor.said.verdict is Verdict.HELD
    assert floor.bodies(CountAssigned) == []


def test_without_such_parts_there_is_no_question() -> None:
    floor = running()
    assert "assign" not in floor.view().actions
    floor.give("action", "assign")
    assert floor.at == "report_production.running"


def test_the_page_of_the_machine_says_so_as_well() -> None:
    floor: Floor = signed_on(machines=MACHINES, loose=LOOSE)
    floor.give("action", "machines")
    floor.give("choice", "PRESS-03")
    page = floor.view().page
    assert isinstance(page, MachinePage)
    assert page.unattributed == LOOSE
