"""A job is chosen and begins, scan by scan, as a person meets it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from edge_agent.views import Kind
from sync.contract import (
    JobStarted,
    ScanRefused,
    WorkType,
)
from terminal_ui.texts import Texts
from tests.scenarios.floor import signed_on, with_job


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"work_type": WorkType.MAINTENANCE}, "choose_job.no_flow"),
        ({"material": ""}, "choose_job.incomplete"),
        ({"quantity": Decimal(0)}, "choose_job.incomplete"),
    ],
)
def test_a_job_that_could_not_be_reported_is_not_started(changes: dict[str, object], code: str) -> None:
    floor = with_job(signed_on(), "J-204", **changes)
    floor.scan(Kind.JOB, "J-204")
    assert (floor.at, floor.code) == ("choose_job.pick_one", code)
    assert floor.bodies(JobStarted) == []


def test_the_right_drawing_starts_the_job_and_says_what_was_in_hand() -> None:
    floor = signed_on()
    floor.scan(Kind.JOB, "J-201")
    assert floor.at == "choose_job.scan_drawing"
    floor.scan(Kind.DRAWING, "DRW-1001", "B")
    assert floor.at == "report_production.running"
    assert floor.bodies(JobStarted)[0].revisions[0].revision == "B"


def test_an_old_drawing_is_held_before_the_first_part() -> None:
    floor = signed_on()
    floor.scan(Kind.JOB, "J-201")
    floor.scan(Kind.DRAWING, "DRW-1001", "A")
    assert (floor.at, floor.code) == ("choose_job.scan_drawing", "choose_job.revision_held")
    assert not floor.bodies(JobStarted)
    assert floor.bodies(ScanRefused)[0].verdict == "held"


def test_three_departments_with_three_versions_are_caught_at_the_first_part() -> None:
    floor = signed_on()
    floor.scan(Kind.JOB, "J-205")
    floor.scan(Kind.DRAWING, "DRW-1033", "C")
    assert floor.said is not None
    assert floor.said.params["others"] == "drawing C, purchasing B, costing A"
    for language, words in (
        ("en", "You hold revision C; planned are drawing C, purchasing B, costing A."),
        ("de", "In der Hand: Stand C; geplant: drawing C, purchasing B, costing A."),
    ):
        assert words in Texts(language).say(floor.said.code, floor.said.params), "what agrees stands behind no 'but'"
    floor.give("action", "exception")
    assert (floor.at, floor.bodies(JobStarted)) == ("choose_job.deviate", []), "one key starts nothing"
    floor.give("action", "confirm")
    started = floor.bodies(JobStarted)[0]
    assert (started.deviation, started.revisions[0].revision) == ("revisions_disagree", "C")


def test_a_job_of_another_station_asks_first_and_the_same_scan_says_yes() -> None:
    floor = signed_on()
    floor.scan(Kind.JOB, "J-207")
    assert (floor.at, floor.code) == ("choose_job.pick_one", "choose_job.other_station")
    floor.scan(Kind.JOB, "J-207")
    assert floor.state.job == "J-207"


def test_a_question_is_answered_by_its_key_as_well_and_forgotten_after_another_scan() -> None:
    floor = signed_on()
    floor.scan(Kind.JOB, "J-207")
    assert "confirm" in floor.view().actions
    floor.scan(Kind.JOB, "J-999")
    assert "confirm" not in floor.view().actions
    floor.scan(Kind.JOB, "J-207")
    floor.give("action", "confirm")
    assert floor.state.job == "J-207"


def test_a_held_job_can_not_be_started_and_says_so() -> None:
    floor = signed_on()
    floor.scan(Kind.JOB, "J-210")
    assert floor.code == "choose_job.not_released"
    assert not floor.bodies(JobStarted)


def test_a_job_that_is_not_in_the_list_is_refused() -> None:
    floor = signed_on()
    floor.give("choice", "J-999")
    assert floor.code == "choose_job.not_listed"
