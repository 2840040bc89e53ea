"""What holds in every flow, scan by scan, as a person meets it."""

from __future__ import annotations

import pytest

from docs.walk import Place, after, places, situation, view
from edge_agent import scenarios
from edge_agent.scanning.labels import label
from edge_agent.views import Input, Kind
from sync.contract import MaterialProduced
from tests.scenarios.floor import in_hand, picking, running, signed_on


def own_actions(place: Place) -> tuple[str, ...]:
    """What the step itself offers."""
    return scenarios.load()[scenarios.name_of(place.state)].show(place.state, situation(place)).actions


def test_whatever_a_key_does_a_label_does_too() -> None:
    for floor in (running(), picking(), signed_on(), in_hand()[0]):
        view = floor.view()
        assert {label(Kind.COMMAND, name.upper()) for name in view.actions} <= {each.label for each in view.expects}


def test_every_action_proposal_and_choice_has_a_label_that_does_it() -> None:
    tried: set[object] = set()
    for place in places():
        shown = view(place)
        labels = {each.label for each in shown.expects if each.kind is Kind.COMMAND}
        assert {label(Kind.COMMAND, name.upper()) for name in shown.actions} <= labels, place.at
        if shown.entry is not None and shown.entry.value and not place.asked:
            assert "confirm" in shown.actions, place.at
            sent = after(place, Input("", "entry", shown.entry.value))
            if "confirm" not in own_actions(place):
                assert after(place, Input("", "scan", label(Kind.COMMAND, "CONFIRM"))) == sent, place.at
                tried.add("proposal")
        for choice in shown.choices:
            assert choice.label, (place.at, choice.id)
            scanned, _ = after(place, Input("", "scan", choice.label))
            chosen, _ = after(place, Input("", "choice", choice.id))
            assert (scanned.state, scanned.facts) == (chosen.state, chosen.facts), (place.at, choice.id)
            tried.add(place.at)
    assert {"proposal", "report_production.unattributed", "maintain.priority", "maintain.stopped"} <= tried


def test_the_number_that_the_machine_counted_is_sent_by_a_label() -> None:
    floor = running(count=100)
    floor.count = 121
    floor.give("action", "report")
    entry = floor.view().entry
    assert entry is not None
    assert entry.value == "21"
    floor.scan(Kind.COMMAND, "CONFIRM")
    assert [body.quantity for body in floor.bodies(MaterialProduced)] == [21]
    assert floor.at == "report_production.running"


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
