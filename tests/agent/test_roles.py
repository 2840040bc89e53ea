"""Who may do what: the matrix as a table, and no way past it."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent import roles, scenarios
from edge_agent.roles import MATRIX, Action, Role, may, missing, to_record, who_may
from edge_agent.scanning.labels import label
from edge_agent.views import Kind
from sync.contract import (
    AnyFact,
    FactLost,
    JobStarted,
    MaterialProduced,
    Person,
    SignedOff,
    SignedOn,
)
from sync.machine_facts import MachineWriteFinished, MachineWriteRefused, MachineWriteRequested
from terminal_ui.texts import Texts
from tests.scenarios.floor import BOOK, MACHINES, PRESS, WAREHOUSE, WORKSHOP, Floor
from tests.scenarios.test_walk import STOOD, inputs, offered

# What the agent records by itself, through other gates than a step of a flow.
NOT_OF_A_STEP = {FactLost, MachineWriteRequested, MachineWriteRefused, MachineWriteFinished}

ALLOWED = {
    Role.OPERATOR: "look produce deviate explain_stop request_work accept_work see_exceptions",
    Role.PICKER: "look pick request_work see_exceptions",
    Role.MAINTENANCE: "look explain_stop request_work maintain see_exceptions set_scanner read_device",
    Role.LEAD: "look produce deviate explain_stop pick request_work accept_work override see_exceptions resend "
    "correct hand_over acknowledge approve set_scanner read_device read_journal",
    Role.ADMIN: "look see_exceptions resend hand_over acknowledge approve set_pin set_scanner read_device read_journal "
    "back_up",
}


def somebody(*has: str, active: bool = True) -> Person:
    return Person(id="p1", name="Ana", badge="1001", roles=has, active=active)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_each_role_may_what_the_table_says(role: Role, action: Action) -> None:
    assert may(somebody(role), action) is (action.value in ALLOWED[role].split())
    assert (role.value in who_may(action)) is may(somebody(role), action)


@given(st.lists(st.text(max_size=12)).map(tuple), st.sampled_from(Action))
def test_roles_of_others_give_nothing_but_a_look(others: tuple[str, ...], action: Action) -> None:
    strangers = tuple(each for each in others if each not in set(Role))
    assert may(somebody(*strangers), action) is (action is Action.LOOK)


@pytest.mark.parametrize("action", Action)
def test_nobody_and_who_left_may_do_nothing(action: Action) -> None:
    assert not may(None, action)
    assert not may(somebody(*Role, active=False), action)


def test_every_flow_and_every_fact_has_a_row() -> None:
    assert set(roles.FLOWS) == set(scenarios.load())
    assert set(MATRIX) == set(Action)
    assert set(get_args(AnyFact)) == {*roles.FACTS, *roles.JUDGED, *NOT_OF_A_STEP}


def test_what_has_no_row_is_refused_to_everybody() -> None:
    anybody = somebody(*Role)
    assert missing(anybody, "a_flow_of_tomorrow", ()) == "a_flow_of_tomorrow"
    assert missing(anybody, "choose_job", [FactLost(about="journal/a")]) == "FactLost"


def test_a_deviation_is_more_than_a_start() -> None:
    started = JobStarted(about="J-1", equipment="PRESS")
    assert to_record(started) is Action.PRODUCE
    assert to_record(msgspec.structs.replace(started, deviation="drawing_not_scanned")) is Action.DEVIATE


def test_every_right_and_role_has_words() -> None:
    for language in ("en", "de"):
        texts = Texts(language)
        assert all(f"right.{action}" in texts for action in Action)
        assert all(f"role.{role}" in texts for role in Role)


def with_roles(*has: str) -> Floor:
    """The press, with Ana, who has these roles, signed on."""
    ana = msgspec.structs.replace(BOOK.persons["p1"], roles=has)
    floor = Floor(book=BOOK.with_changes([ana]), machines=MACHINES, stood=STOOD)
    floor.scan(Kind.BADGE, "1001")
    return floor


def test_a_picker_is_told_who_may_produce() -> None:
    floor = with_roles("picker")
    floor.scan(Kind.JOB, "J-204")
    assert (floor.at, floor.code) == ("choose_job.pick_one", "roles.may_not")
    assert floor.said is not None
    words = Texts().say(floor.code, floor.said.params)
    assert words.startswith("Ana Silva may not start or report production. Roles that may: operator, lead.")
    assert floor.bodies(JobStarted) == []


def test_who_may_not_go_on_looks_at_the_machines_and_leaves_the_work_as_it_was() -> None:
    floor = with_roles("operator")
    floor.scan(Kind.JOB, "J-204")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1007")
    assert floor.at == "maintain.line"
    floor.give("action", "back")
    assert (floor.at, floor.code) == ("maintain.line", "step.not_yours")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1001")
    assert (floor.at, floor.state.job) == ("report_production.running", "J-204")


def test_a_picker_begins_with_the_list_and_the_operator_finds_the_work_again() -> None:
    floor = with_roles("operator")
    floor.book = floor.book.with_changes([msgspec.structs.replace(floor.book.persons["p2"], roles=("picker",))])
    floor.scan(Kind.JOB, "J-204")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1002")
    assert (floor.at, floor.state.listing) == ("choose_job.pick_one", "production")
    floor.give("action", "list")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, "1001")
    assert (floor.at, floor.state.job) == ("report_production.running", "J-204")


def test_a_role_that_the_office_takes_away_holds_at_once() -> None:
    floor = with_roles("operator")
    floor.scan(Kind.JOB, "J-204")
    floor.book = floor.book.with_changes([msgspec.structs.replace(floor.book.persons["p1"], roles=("picker",))])
    floor.give("entry", "5")
    assert (floor.at, floor.code) == ("report_production.running", "roles.may_not")
    assert floor.bodies(MaterialProduced) == []
    floor.give("action", "list")
    assert floor.at == "choose_job.pick_one"


@settings(max_examples=150)
@given(
    st.sampled_from((PRESS, WAREHOUSE, WORKSHOP)), st.sets(st.sampled_from(Role)),
    st.lists(inputs, min_size=15, max_size=50),
)  # fmt: skip
def test_whatever_is_done_nothing_is_recorded_past_the_matrix(
    station: object, has: set[Role], given_: list[tuple[str, str]]
) -> None:
    ana = msgspec.structs.replace(BOOK.persons["p1"], roles=tuple(has))
    floor = Floor(station=station, book=BOOK.with_changes([ana]), machines=MACHINES, stood=STOOD)  # type: ignore[arg-type]
    for kind, data in [("scan", label(Kind.BADGE, "1001")), *given_]:
        person = floor.book.persons.get(floor.person)
        given_data = offered(floor) if data.startswith("(any") else data
        result = floor.give(kind, given_data)
        who = floor.book.persons.get(result.person or "") or person
        for body in result.facts:
            action = to_record(body)
            assert action is None or may(who, action), (body, who)
        if not isinstance(floor.state, scenarios.load()["sign_on"].State):
            assert any(isinstance(body, SignedOn) for _, body in floor.facts)
    assert len(floor.bodies(SignedOff)) <= len(floor.bodies(SignedOn))
