"""A person signs on with the badge; everything else waits.

badge --badge of an active person--> (the flow that was open here, or choose_job)
badge --badge of somebody who left--> badge (held)
"""

from __future__ import annotations

import msgspec

from edge_agent.scanning.expected import Expected, Rule, Standing
from edge_agent.scenarios.contract import Given, Open, Outcome, Said, Scanned, Screen, Situation, refuse
from edge_agent.views import Field, Kind, StepPage, Verdict
from sync.contract import SignedOn

STEPS = ("badge",)


class State(msgspec.Struct, frozen=True, tag="sign_on"):
    """`resume` and `about` name the flow that the last person left open."""

    step: str = "badge"
    resume: str = "choose_job"
    about: str = ""


def begin(about: str, here: Situation) -> State:
    """Locked, `about` is the flow to come back to as `scenario:job`; empty: the dispatch list."""
    resume, _, job = about.partition(":")
    return State(resume=resume or "choose_job", about=job)


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    if not isinstance(given, Scanned) or given.what.kind is not Kind.BADGE:
        return refuse(state, "sign_on.badge_first", Verdict.OTHER_TYPE)
    person = here.book.badges[given.what.id]
    return Outcome(
        state,
        facts=(SignedOn(about=f"person/{person.id}"),),
        said=Said(Verdict.OK, "sign_on.welcome", {"name": person.name}),
        open=Open(state.resume, state.about),
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
    fields = (Field("field.open_job", state.about),) if state.about else ()
    return Screen("sign_on.badge", page=StepPage(fields=fields))
