"""The pattern of an override: what a rule holds goes on with the badge of somebody else who may release it.

    asking --badge of another person with the right--> (done, both in the fact)
    asking --that badge, where its roles need a PIN--> <asking>_pin --PIN--> (done, both in the fact)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from edge_agent.roles import Action, may
from edge_agent.scanning.expected import PLANNED, Expected, Rule, Standing
from edge_agent.scenarios.contract import Given, Outcome, Proved, Scanned, Situation, refuse
from edge_agent.scenarios.pin_step import no_pin, right, tried, why_no_pin
from edge_agent.views import Kind, Verdict

RULES = ("wrong_revision", "over_quantity")  # what a site may want a second badge for


def needed(rule: str, here: Situation) -> bool:
    """Whether this plant wants a second badge for it."""
    return rule in here.policies.second_badge


def badges(here: Situation) -> Expected:
    """The badges that may release something here, and why others may not."""
    rules = {}
    for person in here.book.persons.values():
        code = ""
        if not person.active:
            code = "sign_on.not_active"
        elif here.person is not None and person.id == here.person.id:
            code = "second_badge.same_person"
        elif not may(person, Action.OVERRIDE):
            code = "second_badge.no_right"
        rules[person.badge] = Rule(Standing.HELD, code, {"name": person.name}) if code else PLANNED
    return Expected(Kind.BADGE, "expect.second_badge", rules, any=True)


def answered(state: Any, asking: str, given: Given, here: Situation, done: Callable[[str], Outcome]) -> Outcome:
    """A badge at the step `asking`, or the PIN at `<asking>_pin`. `state` has a `released_by`: who is asked for it.

    `done` gets the id of the person who released it. Raises nothing; whoever may not was refused by `badges`.
    """
    back = msgspec.structs.replace(state, step=asking, released_by="")
    if isinstance(given, Scanned) and given.what.kind is Kind.BADGE:
        person = here.book.badges[given.what.id]
        if not may(person, Action.OVERRIDE) or (here.person is not None and person.id == here.person.id):
            return refuse(back, "second_badge.no_right", Verdict.HELD, name=person.name)
        if (said := why_no_pin(person.id, here)) is not None:
            return Outcome(back, said=said)
        look = here.pin(person.id)
        if look.start:
            return refuse(back, "pin.start_first", Verdict.HELD, name=person.name)
        if look.needed:
            return Outcome(msgspec.structs.replace(state, step=f"{asking}_pin", released_by=person.id))
        return done(person.id)
    if isinstance(given, Proved) and state.released_by == given.person:
        refused = tried(state, back, given.person, given.right, here)
        return refused if refused is not None else right(done(given.person), given.person)
    return no_pin(state)
