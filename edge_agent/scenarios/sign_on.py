"""A person signs on with the badge; everything else waits.

badge --badge of an active person--> (the flow that was open here, or that of the station)
badge --badge of somebody who left--> badge (held)
"""

from __future__ import annotations

import msgspec

from edge_agent.scanning.expected import Expected, Rule, Standing
from edge_agent.scenarios.contract import (
    LEFT,
    Given,
    Open,
    Outcome,
    Said,
    Scanned,
    Screen,
    Situation,
    home,
    refuse,
)
from edge_agent.views import Field, Kind, StepPage, Verdict
from sync.contract import SignedOn

STEPS = ("badge",)


class State(msgspec.Struct, frozen=True, tag="sign_on"):
    """`left` is what the last person left open, as the kernel keeps it; `job` is shown on the lock screen.

    `machine_job` is the job that the machine goes on with meanwhile.
    """

    step: str = "badge"
    left: str = ""
    job: str = ""
    machine_job: str = ""


def begin(about: str, here: Situation) -> State:
    """Locked, with nothing left open."""
    return State()


def lock(left: str, job: str) -> State:
    """Locked, and whoever signs on next goes on with what is `left`."""
    return State(left=left, job=job)


def runs(state: State) -> str:
    """What was left running: a person who leaves does not stop the machine."""
    return state.machine_job


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    if not isinstance(given, Scanned) or given.what.kind is not Kind.BADGE:
        return refuse(state, "sign_on.badge_first", Verdict.OTHER_TYPE)
    person = here.book.badges[given.what.id]
    return Outcome(
        state,
        facts=(SignedOn(about=f"person/{person.id}"),),
        said=Said(Verdict.OK, "sign_on.welcome", {"name": person.name}),
        open=Open(LEFT, state.left) if state.left else home(here),
        person=person,
    )


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """Any badge that is known here; the badges of people who left are held."""
    left = {
        person.badge: Rule(Standing.HELD, "sign_on.not_active", {"name": person.name})
        for person in here.book.persons.values()
        if not person.active
    }
    return (Expected(Kind.BADGE, "expect.badge", rules=left, any=True),)


def show(state: State, here: Situation) -> Screen:
    """The lock screen: what runs here stays visible."""
    fields = (Field("field.open_job", state.job),) if state.job else ()
    return Screen("sign_on.badge", page=StepPage(fields=fields))
