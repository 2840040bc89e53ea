"""Who takes a machine back proves it by PIN where the role needs one."""

from __future__ import annotations

from edge_agent.pin_rules import PinLook
from edge_agent.scenarios.contract import Proved
from edge_agent.views import Kind
from sync.maintenance import MaintenanceCompleted
from sync.person_facts import PinRefused
from tests.scenarios.floor import Floor
from tests.scenarios.test_maintain import at_work

NEEDED = PinLook(needed=True, known=True, left=5)


def handing_over(look: PinLook) -> Floor:
    floor = at_work()
    floor.give("action", "finish")
    floor.give("choice", "FAILURE-2")
    floor.give("action", "confirm")
    floor.pins = {"p1": look}
    floor.scan(Kind.BADGE, "1001")
    return floor


def test_the_badge_alone_is_not_enough_and_the_right_pin_is() -> None:
    floor = handing_over(NEEDED)
    assert (floor.at, floor.bodies(MaintenanceCompleted)) == ("maintain.accept_pin", [])
    floor.proved = Proved("p1", right=True)
    floor.give("entry", "")
    assert (floor.at, floor.code) == ("maintain.machine", "maintain.saved_completed")
    assert [body.accepted_by for body in floor.bodies(MaintenanceCompleted)] == ["p1"]


def test_a_wrong_pin_records_the_try_and_nothing_else() -> None:
    floor = handing_over(NEEDED)
    floor.proved = Proved("p1", right=False)
    floor.give("entry", "")
    assert (floor.at, floor.code, len(floor.bodies(PinRefused))) == ("maintain.accept_pin", "pin.wrong", 1)
    assert floor.bodies(MaintenanceCompleted) == []
    floor.proved = None
    floor.give("action", "back")
    assert floor.at == "maintain.accept"


def test_who_has_no_pin_yet_or_only_a_start_code_takes_nothing_back() -> None:
    start = PinLook(needed=True, known=True, start=True)
    for look, code in ((PinLook(needed=True), "pin.none"), (start, "pin.start_first")):
        floor = handing_over(look)
        assert (floor.at, floor.code) == ("maintain.accept", code)
