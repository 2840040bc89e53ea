"""A person signs on with the badge, and with a PIN where their roles need one; everything else waits.

badge --badge of an active person--> (the flow that was open here, or that of the station)
badge --badge of somebody who left--> badge (held)
badge --badge of somebody who needs a PIN--> pin --PIN--> (as after a badge)
pin   --start code of an admin--> new_pin --PIN--> repeat_pin --the same--> (as after a badge), recorded
pin   --wrong, once too often--> badge (no more tries for a while)
badge, locked by itself --badge of who was here--> (the same step); --another badge, twice--> (the open work)
"""

from __future__ import annotations

import msgspec

from edge_agent.scanning.expected import Expected, Rule, Standing
from edge_agent.scenarios.contract import (
    LEFT,
    Did,
    Given,
    Open,
    Outcome,
    PinAsked,
    Proved,
    Said,
    Scanned,
    Screen,
    Situation,
    home,
    refuse,
)
from edge_agent.scenarios.pin_step import ENTRY, chosen, name_of, no_pin, right, tried, why_no_pin
from edge_agent.views import Field, Kind, StepPage, Verdict
from sync.contract import Person, SignedOn

STEPS = ("badge", "pin", "new_pin", "repeat_pin")


class State(msgspec.Struct, frozen=True, tag="sign_on"):
    """`left` is what the last person left open, as the kernel keeps it; `job` is shown on the lock screen.

    `own` is where `own_by`, who signed off, goes on. When the terminal locked itself, `held` is the step at which
    `held_by` stood. `person` is who has to type a PIN, `hash` that of a new one, and `start` that of the
    start code which it replaces.
    """

    step: str = "badge"
    left: str = ""
    job: str = ""
    own: str = ""
    own_by: str = ""
    held: str = ""
    held_by: str = ""
    person: str = ""
    hash: str = ""
    start: str = ""


def begin(about: str, here: Situation) -> State:
    """Locked, with nothing left open."""
    return State()


def lock(left: str, job: str) -> State:
    """Locked, and whoever signs on next goes on with what is `left`."""
    return State(left=left, job=job)


def pin(state: State) -> PinAsked | None:
    """The PIN that is kept, a new one, or the new one once more."""
    match state.step:
        case "pin":
            return PinAsked(state.person)
        case "new_pin":
            return PinAsked(state.person, new=True, instead=state.start)
        case "repeat_pin":
            return PinAsked(state.person, hash=state.hash, instead=state.start)
    return None


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    match state.step, given:
        case _, Scanned(what=what) if what.kind is Kind.BADGE:
            return _shown(_locked(state), here.book.badges[what.id], here)
        case "badge", _:
            return refuse(state, "sign_on.badge_first", Verdict.OTHER_TYPE)
        case _, Did("back"):
            return Outcome(_locked(state))
        case _, Proved() if given.person == state.person:
            return _typed(state, given, here)
    return no_pin(state)


def _locked(state: State) -> State:
    return msgspec.structs.replace(state, step="badge", person="", hash="", start="")


def _shown(state: State, person: Person, here: Situation) -> Outcome:
    """A badge was shown: a PIN is asked for, or the person is signed on."""
    if (said := why_no_pin(person.id, here)) is not None:
        return Outcome(state, said=said)
    if here.pin(person.id).needed:
        return Outcome(msgspec.structs.replace(state, step="pin", person=person.id))
    return _signed_on(state, person, here)


def _typed(state: State, given: Proved, here: Situation) -> Outcome:
    person = here.book.persons.get(state.person)
    if person is None or not person.active:
        return refuse(_locked(state), "sign_on.no_longer", Verdict.HELD, name=name_of(state.person, here))
    match state.step:
        case "new_pin" if given.problem:
            return refuse(state, given.problem, Verdict.WRONG)
        case "new_pin":
            return Outcome(msgspec.structs.replace(state, step="repeat_pin", hash=given.hash))
        case "repeat_pin" if given.right:
            return chosen(_signed_on(state, person, here), person.id, state.hash)
        case "repeat_pin":
            return refuse(msgspec.structs.replace(state, step="new_pin", hash=""), "pin.not_the_same", Verdict.WRONG)
    if (refused := tried(state, _locked(state), person.id, given.right, here)) is not None:
        return refused
    if here.pin(person.id).start:
        return right(Outcome(msgspec.structs.replace(state, step="new_pin", start=given.against)), person.id)
    return right(_signed_on(state, person, here), person.id)


def _signed_on(state: State, person: Person, here: Situation) -> Outcome:
    """In: at the step where the person stood, in the work that is open here, or at the beginning."""
    own = state.held if state.held_by == person.id else state.own if state.own_by == person.id else ""
    mine = own or state.left
    return Outcome(
        _locked(state),
        facts=(SignedOn(about=f"person/{person.id}"),),
        said=Said(Verdict.OK, "sign_on.welcome", {"name": person.name}),
        open=Open(LEFT, mine) if mine else home(here),
        person=person,
    )


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """Any badge that is known here; those of people who left are held, and where a person's work is held
    another one is asked first."""
    rules: dict[str, Rule] = {}
    for person in here.book.persons.values():
        if not person.active:
            rules[person.badge] = Rule(Standing.HELD, "sign_on.not_active", {"name": person.name})
        elif state.held_by and person.id != state.held_by and state.person != person.id:
            told = {"name": name_of(state.held_by, here), "job": state.job}
            rules[person.badge] = Rule(Standing.ASK, "sign_on.held", told)
    return (Expected(Kind.BADGE, "expect.badge", rules=rules, any=True),)


def show(state: State, here: Situation) -> Screen:
    """The lock screen: what runs here stays visible. Or the question for a PIN, of which nothing is shown."""
    fields = (Field("field.open_job", state.job),) if state.job else ()
    if state.held_by:
        fields = (*fields, Field("field.held_by", name_of(state.held_by, here)))
    page = StepPage(fields=fields)
    if state.step == "badge":
        return Screen("sign_on.badge", page=page)
    params = {"name": name_of(state.person, here)}
    return Screen(f"sign_on.{state.step}", params, page=page, actions=("back",), entry=ENTRY)
