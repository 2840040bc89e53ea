"""A scan with a number typed and not sent: the number counts, or nothing is done."""

from __future__ import annotations

from decimal import Decimal

from edge_agent.scanning.labels import label
from edge_agent.views import Kind, PickPage
from sync.contract import MaterialMoved, ScanRefused
from tests.scenarios.floor import Floor, in_hand
from tests.scenarios.test_exceptions import at_one


def taking() -> tuple[Floor, PickPage]:
    floor, _ = in_hand()
    page = floor.view().page
    assert isinstance(page, PickPage)
    return floor, page


def test_what_is_typed_is_booked_by_the_scan_of_the_destination() -> None:
    floor, page = taking()
    floor.give("scan", label(Kind.HANDLING_UNIT, page.destination), "1")
    assert [moved.quantity for moved in floor.bodies(MaterialMoved)] == [Decimal(1)]


def test_what_can_not_be_is_refused_as_with_enter() -> None:
    for typed, code in (("9999", "pick.too_many"), (",", "quantity.not_a_number"), ("1,5", "quantity.not_possible")):
        floor, page = taking()
        floor.give("scan", label(Kind.HANDLING_UNIT, page.destination), typed)
        assert (floor.at, floor.code, floor.bodies(MaterialMoved)) == ("pick.quantity", code, [])


def test_the_label_of_enter_sends_what_is_typed() -> None:
    floor, _ = taking()
    floor.give("scan", label(Kind.COMMAND, "CONFIRM"), "1")
    assert (floor.at, floor.state.quantity) == ("pick.into", Decimal(1))


def test_a_step_that_can_not_take_both_asks_for_enter_first() -> None:
    floor = at_one()
    floor.give("action", "correct")
    before, job = floor.at, label(Kind.JOB, "J-204")
    floor.give("scan", job, "7")
    assert (floor.at, floor.code) == (before, "scan.typed_first")
    assert [refused.code for refused in floor.bodies(ScanRefused)] == ["scan.typed_first"]
    floor.give("scan", job)
    assert floor.code != "scan.typed_first"
