"""Who confirms what another one decides proves it by PIN where the role needs one."""

from __future__ import annotations

from edge_agent.pin_rules import PinLook
from edge_agent.scenarios.contract import Policies, Proved
from edge_agent.views import Kind
from sync.exceptions import ExceptionDecided
from sync.person_facts import PinRefused
from tests.scenarios.floor import Floor
from tests.scenarios.test_exceptions import LEAD, OPERATOR, at_one

NEEDED = PinLook(needed=True, known=True, left=5)


def confirming(look: PinLook) -> Floor:
    """An operator has corrected 500 to 40, and the badge of the lead was scanned."""
    floor = at_one(badge=OPERATOR, policies=Policies())
    floor.give("action", "correct")
    floor.give("entry", "40")
    floor.pins = {"p8": look}
    floor.scan(Kind.BADGE, LEAD)
    return floor


def decided(floor: Floor) -> list[str]:
    return [body.second for body in floor.bodies(ExceptionDecided)]


def test_the_badge_alone_is_not_enough_and_the_right_pin_is() -> None:
    floor = confirming(NEEDED)
    assert (floor.at, decided(floor)) == ("exceptions.second_pin", [])
    floor.proved = Proved("p8", right=True)
    floor.give("entry", "")
    assert (floor.at, floor.code, decided(floor)) == ("exceptions.list", "exceptions.saved_correct", ["p8"])


def test_a_wrong_pin_records_the_try_and_nothing_else() -> None:
    floor = confirming(NEEDED)
    floor.proved = Proved("p8", right=False)
    floor.give("entry", "")
    assert (floor.at, floor.code, len(floor.bodies(PinRefused))) == ("exceptions.second_pin", "pin.wrong", 1)
    floor.proved = None
    floor.give("action", "confirm")
    assert (floor.at, decided(floor)) == ("exceptions.second_pin", [])
    floor.give("action", "back")
    assert (floor.at, decided(floor)) == ("exceptions.second", [])


def test_the_proof_of_another_person_confirms_nothing() -> None:
    floor = confirming(NEEDED)
    floor.proved = Proved("p1", right=True)
    floor.give("entry", "")
    assert (floor.at, decided(floor)) == ("exceptions.second_pin", [])


def test_who_has_no_pin_only_a_start_code_or_is_locked_out_confirms_nothing() -> None:
    for look, code in (
        (PinLook(needed=True), "pin.none"),
        (PinLook(needed=True, known=True, start=True), "pin.start_first"),
        (PinLook(needed=True, known=True, locked_for=60.0), "pin.locked_out"),
    ):
        floor = confirming(look)
        assert (floor.at, floor.code, decided(floor)) == ("exceptions.second", code, [])
