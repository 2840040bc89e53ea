"""Pieces, scrap and the end of a job, scan by scan, as a person meets it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from edge_agent.views import Kind, MaterialLine, WorkPage
from sync.contract import (
    Correction,
    DispatchStatus,
    JobCompleted,
    MaterialLot,
    MaterialProduced,
    MaterialRequirement,
    MaterialScrapped,
    MaterialUse,
)
from terminal_ui.texts import Texts
from tests.scenarios.floor import BOOK, running, with_job


def test_good_pieces_are_recorded_at_once() -> None:
    floor = running()
    floor.give("entry", "12")
    fact = floor.bodies(MaterialProduced)[0]
    assert (floor.code, fact.quantity, fact.equipment) == ("report_production.saved_good", 12, "PRESS-03")
    page = floor.view().page
    assert isinstance(page, WorkPage)
    assert page.good == 12


def test_the_machines_count_is_proposed_and_kept_beside_the_report() -> None:
    floor = running(count=100)
    floor.count = 148
    floor.give("action", "report")
    entry = floor.view().entry
    assert entry is not None
    assert entry.value == "48"
    floor.give("entry", "47")
    assert floor.bodies(MaterialProduced)[0].machine_count == 48


@pytest.mark.parametrize(
    ("reported", "words"),
    [
        (10, "10 pc good reported for J-204."),
        (9, "9 pc good reported for J-204. The machine counted 10, within the tolerance of 2."),
        (12, "12 pc good reported for J-204. The machine counted 10, within the tolerance of 2."),
        (7, "7 pc good reported for J-204. The machine counted 10: a difference of 3."),
    ],
)
def test_where_two_figures_differ_the_answer_says_both(reported: int, words: str) -> None:
    floor = running(count=100)
    floor.count = 110
    floor.give("entry", str(reported))
    assert floor.said is not None
    assert Texts().say(floor.code, floor.said.params) == words
    assert floor.at == "report_production.running", "no key more"


def test_more_than_the_machine_counted_is_asked_and_then_taken() -> None:
    floor = running(count=100)
    floor.count = 105
    floor.give("entry", "60")
    assert (floor.at, floor.bodies(MaterialProduced)) == ("report_production.confirm", [])
    floor.give("action", "confirm")
    fact = floor.bodies(MaterialProduced)[0]
    assert (fact.quantity, fact.machine_count) == (60, 5)


def test_scrap_needs_a_reason_by_digit_or_label() -> None:
    floor = running()
    for answered in ("digit", "label"):
        floor.give("action", "scrap")
        floor.give("entry", "2")
        assert floor.at == "report_production.scrap_reason"
        assert len(floor.bodies(MaterialScrapped)) == (answered == "label")
        if answered == "digit":
            floor.give("choice", "SCRAP-3")
        else:
            floor.scan(Kind.REASON, "SCRAP-3")
    assert [body.reason for body in floor.bodies(MaterialScrapped)] == ["SCRAP-3", "SCRAP-3"]


def test_more_than_planned_asks_and_more_than_allowed_is_held() -> None:
    floor = running()  # 800 planned, 5 % more are taken
    floor.give("entry", "820")
    assert floor.code == "report_production.over_planned"
    floor.give("action", "confirm")
    floor.give("entry", "21")
    assert floor.code == "report_production.too_many"
    assert [body.quantity for body in floor.bodies(MaterialProduced)] == [820]


@pytest.mark.parametrize("typed", ["0", "", "-3", "1e9", "abc", "12345678901", "1.5", ",5"])
def test_what_is_no_quantity_records_nothing(typed: str) -> None:
    floor = running()
    floor.give("entry", typed)
    assert floor.code in ("quantity.not_a_number", "quantity.not_possible")
    assert not floor.bodies(MaterialProduced)


def test_the_last_report_is_taken_back_by_a_correction_never_by_erasing() -> None:
    floor = running()
    floor.give("entry", "12")
    floor.give("action", "undo")
    floor.give("action", "confirm")
    assert floor.said is not None
    assert Texts("en").say(floor.code, floor.said.params) == "Taken back: 12 good for J-204."
    assert floor.bodies(Correction)[0].corrects == floor.facts[-2][0]
    assert len(floor.bodies(MaterialProduced)) == 1
    assert floor.progress("J-204").good == 0
    floor.give("action", "undo")
    assert floor.code == "report_production.nothing_to_undo"


def test_a_job_that_ends_short_says_why() -> None:
    floor = running()
    floor.give("entry", "12")
    floor.give("action", "finish")
    assert floor.at == "report_production.finish_reason"
    floor.give("choice", "FINISH-1")
    done = floor.bodies(JobCompleted)[0]
    assert (done.good, done.reason, floor.at) == (12, "FINISH-1", "choose_job.pick_one")


def test_the_end_of_a_job_says_what_was_counted_and_is_not_reported() -> None:
    floor = running(count=100)
    floor.count = 197
    floor.give("action", "finish")
    shown = floor.view()
    words = Texts("en").say(shown.prompt, shown.prompt_params)
    assert words.startswith(f"{floor.counted('J-204')} counted parts are not reported: F3 goes back.")
    floor.give("action", "back")
    assert floor.at == "report_production.running"


def test_a_full_job_ends_without_a_reason() -> None:
    floor = running()
    floor.give("entry", "800")
    floor.give("action", "finish")
    floor.give("action", "confirm")
    assert floor.bodies(JobCompleted)[0].reason == ""


def test_a_second_report_after_an_undo_is_measured_by_the_same_pieces() -> None:
    floor = running(count=100)
    floor.count = 110
    floor.give("entry", "10")
    floor.give("action", "undo")
    floor.give("action", "confirm")
    floor.give("entry", "10")
    assert [body.machine_count for body in floor.bodies(MaterialProduced)] == [10, 10]


def test_pieces_made_while_nobody_was_signed_on_are_proposed() -> None:
    floor = running(count=100)
    floor.give("action", "sign_off")
    floor.count = 150
    floor.scan(Kind.BADGE, "1002")
    floor.give("action", "report")
    entry = floor.view().entry
    assert entry is not None
    assert entry.value == "50"


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (DispatchStatus.CANCELLED, "job.stopped"),
        (DispatchStatus.HELD, "job.stopped"),
        (DispatchStatus.COMPLETED, "job.closed"),
    ],
)
def test_nothing_is_reported_on_a_job_that_the_office_stopped(status: DispatchStatus, why: str) -> None:
    floor = with_job(running(), "J-204", dispatch_status=status)
    assert floor.view().prompt == why
    floor.give("entry", "5")
    assert (floor.at, floor.code) == ("choose_job.pick_one", why)
    assert floor.bodies(MaterialProduced) == []


def test_a_question_that_was_left_open_is_judged_by_what_others_reported_meanwhile() -> None:
    floor = running()
    floor.give("entry", "810")
    assert floor.at == "report_production.confirm"
    other = MaterialProduced(about="J-204", material="GRIP-A", quantity=Decimal(100), uom="pc", equipment="X")
    floor.facts.append(("other", other))
    floor.give("action", "confirm")
    assert (floor.code, floor.at) == ("report_production.too_many", "report_production.good")
    assert len(floor.bodies(MaterialProduced)) == 1


def test_a_full_job_that_somebody_took_back_from_does_not_end_without_a_reason() -> None:
    floor = running()
    floor.give("entry", "800")
    floor.give("action", "finish")
    assert floor.at == "report_production.finish"
    floor.facts.append(("other", Correction(about="J-204", corrects=floor.facts[-1][0], reason="did_not_occur")))
    floor.give("action", "confirm")
    assert (floor.at, floor.code) == ("report_production.finish_reason", "report_production.changed")
    assert floor.bodies(JobCompleted) == []


def test_a_short_job_that_somebody_filled_does_not_end_with_a_reason() -> None:
    floor = running()
    floor.give("action", "finish")
    filled = MaterialProduced(about="J-204", material="GRIP-A", quantity=Decimal(800), uom="pc", equipment="X")
    floor.facts.append(("other", filled))
    floor.give("choice", "FINISH-1")
    assert (floor.at, floor.code) == ("report_production.finish", "report_production.changed")
    floor.give("action", "confirm")
    assert floor.bodies(JobCompleted)[0].reason == ""


def test_a_job_that_the_office_withdrew_never_leaves_an_empty_screen() -> None:
    floor = running()
    floor.book = replace(BOOK, jobs={})
    assert floor.view().prompt == "job.gone"
    floor.give("entry", "5")
    assert (floor.at, floor.code) == ("choose_job.pick_one", "job.gone")


def takes(id: str, quantity: str, **more: Any) -> MaterialRequirement:
    """A line of what the job takes."""
    return MaterialRequirement(
        id=id, material=f"RAW-{id}", use=MaterialUse.CONSUMED, quantity=Decimal(quantity), uom="kg", **more
    )


def test_what_the_rest_of_the_job_takes_is_told_with_lot_and_date() -> None:
    lines = (takes("1", "60", lot="R1"), takes("2", "0.50"), takes("3", "60", done=Decimal(55)))
    moved = msgspec.structs.replace(takes("4", "9"), use=MaterialUse.MOVED)
    floor = with_job(running(), "J-204", quantity=Decimal(300), requirements=(*lines, moved))
    floor.book = floor.book.with_changes([MaterialLot(id="RAW-1/R1", material="RAW-1", expires=date(2027, 3, 31))])

    def told() -> tuple[MaterialLine, ...]:
        page = floor.view().page
        assert isinstance(page, WorkPage)
        return page.materials

    assert [(each.material, each.lot, each.expires, each.uom) for each in told()] == [
        ("RAW-1", "R1", "2027-03-31", "kg"), ("RAW-2", "", "", "kg"), ("RAW-3", "", "", "kg"),
    ]  # fmt: skip
    before = [each.left for each in told()]
    assert (before[0], before[2]) == (Decimal(60), Decimal(5))
    floor.give("entry", "101")
    floor.give("action", "scrap")
    floor.give("entry", "1")
    floor.give("choice", "SCRAP-1")
    assert [str(each.left) for each in told()] == ["40", "0.33", "5"], "scrap took material too"
