"""An order is picked, scan by scan, as a person meets it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from edge_agent.demo.plans import plans
from edge_agent.planbook import PlanBook
from edge_agent.scenarios.contract import Station
from edge_agent.views import Kind, PickPage, Verdict
from sync.contract import (
    DispatchStatus,
    MaterialMoved,
    MaterialShort,
    ScanRefused,
    StorageUnit,
    WorkType,
)
from tests.scenarios.floor import BOOK, NOW, WAREHOUSE, Floor, in_hand, picking, signed_on, with_job

FIRST = BOOK.jobs["SO-771"].requirements


def first_line_label() -> str:
    return picking().view().expects[0].label or ""


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


def test_back_from_a_short_pick_is_where_it_was_begun() -> None:
    floor = picking()
    floor.give("action", "exception")
    floor.give("action", "back")
    assert floor.at == "pick.go"
    floor.scan(Kind.LOCATION, floor.view().page.location)  # type: ignore[union-attr]
    line = floor.view().page
    floor.give("action", "exception")
    assert floor.at == "pick.short_reason"
    floor.give("action", "back")
    assert (floor.at, floor.view().page) == ("pick.item", line), "the bin is not scanned again"
    floor.give("action", "back")
    assert floor.at == "pick.go"


def dated(dates: str) -> Floor:
    """The planned lot is in hand, and these element strings stand on its label too."""
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    gtin = BOOK.materials[page.material].gtin
    floor.give("scan", f"]C101{gtin}{dates}10{page.lot}")
    return floor


def planned_date(floor: Floor) -> date:
    page = floor.view().page
    assert isinstance(page, PickPage)
    return date.fromisoformat(page.expires)


def test_a_label_whose_use_by_date_has_passed_is_held_whoever_says_yes() -> None:
    floor = dated("17200101")
    known = planned_date(floor).isoformat()
    assert floor.said is not None
    assert floor.said.verdict is Verdict.HELD
    assert (floor.at, floor.code) == ("pick.item", "scan.past_use_by")
    assert (floor.said.params["printed"], floor.said.params["known"]) == ("2020-01-01", known)
    assert floor.bodies(ScanRefused)[-1].code == "scan.past_use_by"
    floor.give("action", "confirm")
    assert floor.at == "pick.item"


def test_a_use_by_date_that_the_plans_do_not_have_is_held_and_both_are_said() -> None:
    day = planned_date(picking())
    floor = dated(f"17{day + timedelta(days=1):%y%m%d}")
    assert (floor.at, floor.code) == ("pick.item", "scan.other_use_by")
    assert floor.said is not None
    assert floor.said.params["known"] == day.isoformat()
    assert dated(f"17{day:%y%m%d}").at == "pick.quantity"


def test_a_best_before_date_asks() -> None:
    day = planned_date(picking())
    for dates, code in (
        ("15200101", "scan.past_best_before"), (f"15{day + timedelta(days=1):%y%m%d}", "scan.other_best_before"),
        (f"1520010117{day:%y%m%d}", "scan.past_best_before"),
    ):  # fmt: skip
        floor = dated(dates)
        assert floor.said is not None
        assert (floor.at, floor.code, floor.said.verdict) == ("pick.item", code, Verdict.CONFIRM), dates
        floor.give("action", "confirm")
        assert floor.at == "pick.quantity"
    assert dated(f"15{day:%y%m%d}").at == "pick.quantity"


def test_a_date_that_does_not_exist_is_told_beside_the_answer() -> None:
    floor = dated("17260231")
    assert floor.said is not None
    assert (floor.at, floor.said.notes) == ("pick.quantity", ("scan.bad_date",))


def test_of_another_lot_one_question_says_both() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    other = next(
        number for number, lots in BOOK.lots.items() if lots[0].material == page.material and number != page.lot
    )
    floor.give("scan", f"]C101{BOOK.materials[page.material].gtin}1520010110{other}")
    assert floor.said is not None
    assert (floor.code, floor.said.notes) == ("pick.other_lot", ("scan.past_best_before",))
    assert floor.said.params["printed"] == "2020-01-01"


def test_a_bare_number_is_judged_by_what_the_step_waits_for_and_never_guessed() -> None:
    line = FIRST[0]
    gtin = BOOK.materials[line.material].gtin or ""
    bin = StorageUnit(id=gtin.lstrip("0"), zone="A", walk=999)
    order = BOOK.jobs["SO-771"]
    second = msgspec.structs.replace(FIRST[1], source=bin.id)
    order = msgspec.structs.replace(order, requirements=(msgspec.structs.replace(line, lot=None), second))
    item = msgspec.structs.replace(BOOK.materials[line.material], lot_tracked=False)
    floor = signed_on(WAREHOUSE, book=PlanBook.of([*plans(NOW), bin, item, order]))
    floor.scan(Kind.JOB, "SO-771")
    floor.scan(Kind.LOCATION, line.source or "")
    assert floor.at == "pick.item"
    floor.give("scan", bin.id)
    assert (floor.at, floor.code) == ("pick.item", "scan.ambiguous")
    assert floor.said is not None
    assert floor.said.params["count"] == "2"
    floor.give("scan", f"]E0{bin.id}")
    assert floor.at == "pick.quantity"


def test_a_gs1_code_without_its_aim_identifier_is_refused_with_words_about_the_scanner() -> None:
    floor = picking()
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    code = f"01{BOOK.materials[page.material].gtin}10{page.lot}"
    floor.give("scan", code)
    assert (floor.at, floor.code) == ("pick.item", "scan.no_aim")
    floor.give("scan", f"]C1{code}")
    assert floor.at == "pick.quantity"


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


@pytest.mark.parametrize("found", ["0", "1"])
def test_short_with_a_reason_moves_what_was_found_and_closes_the_line(found: str) -> None:
    floor, page = in_hand()
    floor.give("action", "exception")
    floor.give("entry", found)
    floor.give("choice", "SHORT-2")
    if found == "0":
        assert (floor.at, floor.bodies(MaterialShort)) == ("pick.short_sure", [])
        floor.give("action", "confirm")
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
    view = floor.view()
    assert (view.prompt, view.prompt_params["missing"]) == ("pick.short_reason_all", f"{page.quantity:f}")
    before = list(floor.facts)
    floor.give("choice", "SHORT-1")
    assert (floor.at, floor.facts) == ("pick.short_sure", before), "nothing is booked by a number alone"
    floor.give("action", "back")
    assert floor.at == "pick.short_reason"
    floor.give("choice", "SHORT-1")
    floor.give("action", "confirm")
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
    order = next(
        job for job in BOOK.jobs.values()
        if job.work_type is WorkType.INVENTORY and job.requirements[0].quantity > 3
    )  # fmt: skip
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
        floor.give("action", "confirm")
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


@pytest.mark.parametrize("steps", range(6))
def test_the_list_is_one_key_away_at_every_step_and_nothing_is_recorded(steps: int) -> None:
    floor = picking()
    item = "]C1010400638133401310L207"
    done = [
        ("scan", first_line_label()), ("scan", item), ("action", "exception"), ("entry", "1"), ("choice", "SHORT-1")
    ]  # fmt: skip
    for kind, data in done[:steps]:
        floor.give(kind, data)
    recorded = len(floor.facts)
    assert "list" in floor.view().actions, floor.at
    floor.give("action", "list")
    assert (floor.at, len(floor.facts)) == ("choose_job.pick_one", recorded)
    floor.scan(Kind.JOB, "SO-771")
    assert floor.at == "pick.go"
