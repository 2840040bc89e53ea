"""Each flow, scan by scan, as a person meets it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Station
from edge_agent.views import Kind, PickPage, Verdict, WorkPage
from sync.contract import (
    Correction,
    DispatchStatus,
    JobCompleted,
    JobStarted,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    MaterialShort,
    ScanRefused,
    SignedOff,
    SignedOn,
    WorkType,
)
from tests.scenarios.floor import BOOK, WAREHOUSE, Floor, picking, running, signed_on, with_job

FIRST = BOOK.jobs["SO-771"].requirements


def first_line_label() -> str:
    return picking().view().expects[0].label or ""


# ---------------------------------------------------------------- sign_on


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


# ---------------------------------------------------------------- choose_job


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


# ---------------------------------------------------------------- report_production


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


@pytest.mark.parametrize("status", [DispatchStatus.CANCELLED, DispatchStatus.HELD, DispatchStatus.COMPLETED])
def test_nothing_is_reported_on_a_job_that_the_office_stopped(status: DispatchStatus) -> None:
    floor = with_job(running(), "J-204", dispatch_status=status)
    assert floor.view().prompt == "job.stopped"
    floor.give("entry", "5")
    assert (floor.at, floor.code) == ("choose_job.pick_one", "job.stopped")
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


# ---------------------------------------------------------------- pick


def test_three_scans_pick_a_line() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    floor.give("scan", next(each.label for each in floor.view().expects if each.kind is Kind.MATERIAL) or "")
    floor.scan(Kind.HANDLING_UNIT, page.destination)
    moved = floor.bodies(MaterialMoved)[0]
    assert (moved.quantity, moved.lot, moved.source) == (page.quantity, page.lot or None, page.location)
    assert (floor.at, floor.code) == ("pick.go", "pick.saved")


def test_the_walk_goes_bin_by_bin() -> None:
    floor = picking()
    walked = []
    while floor.at.startswith("pick"):
        page = floor.view().page
        assert isinstance(page, PickPage)
        walked.append(BOOK.locations[page.location].walk)
        floor.scan(Kind.LOCATION, page.location)
        floor.give(
            "scan", next(each.label for each in floor.view().expects if each.kind is Kind.MATERIAL) or ""
        )
        floor.scan(Kind.HANDLING_UNIT, page.destination)
    assert walked == sorted(walked)
    assert (floor.code, floor.at) == ("pick.saved_order_done", "choose_job.pick_one")
    assert len(floor.bodies(MaterialMoved)) == len(FIRST)


def test_a_wrong_bin_says_where_to_go_and_is_evidence() -> None:
    floor = picking()
    floor.scan(Kind.LOCATION, "PACK-1")
    assert floor.said is not None
    assert (floor.code, floor.said.params["expected"]) == ("pick.wrong_location", floor.view().page.location)  # type: ignore[union-attr]
    refused = floor.bodies(ScanRefused)[0]
    assert (refused.job, refused.step, refused.got) == ("SO-771", "go", "location PACK-1")


def test_another_bin_of_the_order_takes_its_line_next() -> None:
    floor = picking()
    other = floor.view().page.next_locations[1]  # type: ignore[union-attr]
    floor.scan(Kind.LOCATION, other)
    assert (floor.at, floor.code) == ("pick.item", "pick.other_line")
    assert floor.view().page.location == other  # type: ignore[union-attr]


def test_another_lot_asks_and_a_blocked_one_is_held() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    planned = page.lot
    others = [
        number
        for number, lots in BOOK.lots.items()
        if lots[0].material == page.material and number != planned
    ]
    floor.give("scan", others[0])
    assert (floor.at, floor.code) == ("pick.item", "pick.other_lot")
    floor.give("scan", others[0])
    assert floor.at == "pick.quantity"
    floor.scan(Kind.HANDLING_UNIT, page.destination)
    assert floor.bodies(MaterialMoved)[0].lot == others[0]


def test_quarantine_and_expiry_hold_whatever_the_person_says() -> None:
    for item, code in (("SEAL-20", "pick.lot_held"), ("GREASE-1", "pick.lot_expired")):
        order = next(
            job for job in BOOK.jobs.values() if any(line.material == item for line in job.requirements)
        )
        floor = picking(order.id)
        line = next(line for line in order.requirements if line.material == item)
        floor.scan(Kind.LOCATION, line.source or "")
        blocked = next(
            number for number, lots in BOOK.lots.items()
            if lots[0].material == item and (lots[0].hold or str(lots[0].expires) < "2026-11-23")
        )  # fmt: skip
        for _ in range(2):
            floor.give("scan", blocked)
            assert (floor.at, floor.code) == ("pick.item", code)


def test_the_item_without_its_lot_asks_for_the_lot() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    floor.give("scan", "]C101" + (BOOK.materials[page.material].gtin or ""))
    assert (floor.at, floor.code) == ("pick.item", "pick.scan_the_lot")


def test_too_many_is_refused_and_fewer_leaves_the_line_open() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    floor.give("scan", next(each.label for each in floor.view().expects if each.kind is Kind.MATERIAL) or "")
    floor.give("entry", str(page.quantity + 1))
    assert floor.code == "pick.too_many"
    floor.give("entry", "1")
    floor.scan(Kind.HANDLING_UNIT, page.destination)
    assert floor.at == "pick.item"
    assert floor.view().page.quantity == page.quantity - 1  # type: ignore[union-attr]


def test_a_wrong_tote_is_refused() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    floor.give("scan", next(each.label for each in floor.view().expects if each.kind is Kind.MATERIAL) or "")
    floor.scan(Kind.HANDLING_UNIT, "TOTE-8")
    assert floor.code == "pick.wrong_destination"
    assert not floor.bodies(MaterialMoved)


def in_hand(order: str = "SO-771") -> tuple[Floor, PickPage]:
    """The first item of an order was scanned; its destination is next."""
    floor = picking(order)
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    floor.give("scan", next(each.label for each in floor.view().expects if each.kind is Kind.MATERIAL) or "")
    assert floor.at == "pick.quantity"
    return floor, page


@pytest.mark.parametrize("found", ["0", "1"])
def test_short_with_a_reason_moves_what_was_found_and_closes_the_line(found: str) -> None:
    floor, page = in_hand()
    floor.give("action", "exception")
    floor.give("entry", found)
    floor.give("choice", "SHORT-2")
    if found == "1":
        assert floor.at == "pick.into"
        floor.scan(Kind.HANDLING_UNIT, page.destination)
    short = floor.bodies(MaterialShort)[0]
    assert (short.quantity, short.reason) == (page.quantity - Decimal(found), "SHORT-2")
    assert [body.quantity for body in floor.bodies(MaterialMoved)] == [Decimal(1)] * int(found)
    assert floor.view().page.lines_left == page.lines_left - 1  # type: ignore[union-attr]


@pytest.mark.parametrize("step", ["go", "item"])
def test_goods_that_were_not_scanned_are_never_booked_as_found(step: str) -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    if step == "item":
        floor.scan(Kind.LOCATION, page.location)
    floor.give("action", "exception")
    assert floor.at == "pick.short_reason"
    floor.give("choice", "SHORT-1")
    assert floor.bodies(MaterialShort)[0].quantity == page.quantity
    assert floor.bodies(MaterialMoved) == []


@pytest.mark.parametrize("step", ["item", "quantity", "into", "short_quantity", "short_reason"])
def test_a_line_that_somebody_else_finished_is_never_booked_on_another(step: str) -> None:
    floor, page = in_hand()
    match step:
        case "item":
            floor.give("action", "back")
        case "into":
            floor.give("entry", "1")
        case "short_quantity":
            floor.give("action", "exception")
        case "short_reason":
            floor.give("action", "exception")
            floor.give("entry", "0")
    assert floor.at == f"pick.{step}"
    gone = floor.state.line
    rest = tuple(line for line in FIRST if line.id != gone)
    with_job(floor, "SO-771", requirements=rest)
    assert floor.view().prompt == "pick.line_gone"
    floor.scan(Kind.HANDLING_UNIT, page.destination)
    floor.give("entry", "1")
    floor.give("choice", "SHORT-1")
    assert floor.bodies(MaterialMoved) == floor.bodies(MaterialShort) == []
    assert floor.at == "pick.go"


def test_what_somebody_else_took_meanwhile_is_told_not_booked_twice_and_not_clipped() -> None:
    floor, page = in_hand()
    assert page.quantity == 2
    other = MaterialMoved(
        about="SO-771", requirement=floor.state.line, material=page.material, lot=page.lot, quantity=Decimal(1),
        uom="pc", source=page.location, destination=page.destination,
    )  # fmt: skip
    floor.facts.append(("other", other))
    floor.scan(Kind.HANDLING_UNIT, page.destination)
    assert (floor.code, floor.at) == ("pick.too_many", "pick.quantity")
    assert floor.view().page.quantity == 1  # type: ignore[union-attr]
    floor.scan(Kind.HANDLING_UNIT, page.destination)
    assert [body.quantity for body in floor.bodies(MaterialMoved)] == [1, 1]


def test_a_lot_that_nobody_knows_is_held() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    for _ in range(2):
        floor.give("scan", f"]C101{BOOK.materials[page.material].gtin}10NOSUCH")
        assert (floor.at, floor.code) == ("pick.item", "pick.lot_not_known")


def test_the_count_on_a_label_is_proposed_where_it_is_not_more_than_needed() -> None:
    order = next(job for job in BOOK.jobs.values() if job.requirements and job.requirements[0].quantity > 3)
    floor = picking(order.id)
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    lot = f"10{page.lot}\x1d" if page.lot else ""
    floor.give("scan", f"]C101{BOOK.materials[page.material].gtin}{lot}302")
    entry = floor.view().entry
    assert entry is not None
    assert entry.value == "2"


def test_a_line_without_a_place_begins_with_its_item_and_goes_anywhere_known() -> None:
    bare = msgspec.structs.replace(FIRST[0], source=None, destination=None)
    floor = with_job(picking(), "SO-771", requirements=(bare,))
    assert floor.view().prompt == "pick.item"
    floor.give("scan", f"]C101{BOOK.materials[bare.material].gtin}10{bare.lot}")
    floor.scan(Kind.LOCATION, "PACK-1")
    assert floor.bodies(MaterialMoved)[0].destination == "PACK-1"
    assert floor.code == "pick.saved_order_done"


def test_an_order_that_is_picked_is_not_in_the_list_whatever_the_office_knows() -> None:
    floor = picking()
    assert "SO-771" not in [choice.id for choice in finished(floor).view().choices]


def finished(floor: Floor) -> Floor:
    """Every line of the open order is reported short."""
    while floor.at.startswith("pick"):
        floor.give("action", "exception")
        floor.give("choice", "SHORT-1")
    return floor


def test_a_skipped_line_comes_last() -> None:
    floor = picking()
    first = floor.view().page.location  # type: ignore[union-attr]
    floor.give("action", "park")
    assert floor.view().page.location != first  # type: ignore[union-attr]
    assert len(floor.bodies(MaterialMoved)) == 0
    assert first in {line.source for line in FIRST}


def test_an_order_cancelled_under_the_pickers_hands_stops_with_words() -> None:
    floor = with_job(picking(), "SO-771", dispatch_status=DispatchStatus.CANCELLED)
    assert floor.view().prompt == "pick.stopped"
    floor.give("scan", first_line_label())
    assert not floor.bodies(MaterialMoved)


def test_a_picker_of_another_zone_is_not_sent_into_this_one() -> None:
    floor = signed_on(Station("T9", "Cold store", zone="COLD", home="picking"))
    assert floor.view().choices == ()
    assert len(signed_on(WAREHOUSE).view().choices) == 8


# ---------------------------------------------------------------- everywhere


def test_whatever_a_key_does_a_label_does_too() -> None:
    for floor in (running(), picking(), signed_on(), in_hand()[0]):
        view = floor.view()
        assert {label(Kind.COMMAND, name.upper()) for name in view.actions} <= {each.label for each in view.expects}


@pytest.mark.parametrize("page", ["help", "queue"])
def test_a_label_opens_help_and_queue_and_the_next_input_closes_them(page: str) -> None:
    floor = picking()
    before = floor.state
    assert label(Kind.COMMAND, page.upper()) in {each.label for each in floor.view().expects}
    floor.scan(Kind.COMMAND, page.upper())
    assert (floor.state, floor.view().overlay) == (before, page)
    floor.scan(Kind.LOCATION, "PACK-1")
    assert floor.view().overlay == ""


def test_a_command_label_that_does_not_go_now_says_so() -> None:
    floor = picking()
    floor.scan(Kind.COMMAND, "SCRAP")
    assert floor.code == "scan.command_not_now"
