"""What the ERP refused, and what else is in doubt: looked at, sent again, corrected, handed over, acknowledged.

list --an exception, by number--> one; list --list--> list, the next page of it
one --resend--> list (recorded), or second
one --correct--> correct --quantity, 0: it did not happen--> sure --confirm--> list (recorded), or second
                 correct --another job, by label--> correct, for that job
one --hand_over, acknowledge--> note --words, or a reason by label--> list (recorded), or second
second --badge of somebody else who may approve--> (second_pin --PIN-->) list    recorded with both persons
list --back--> (the work that was left for this); anywhere else --back--> the step before
"""

from __future__ import annotations

from typing import cast

import msgspec

from edge_agent.doubts import Doubt, answered
from edge_agent.scanning.expected import Expected
from edge_agent.scenarios.contract import (
    LEFT,
    Chose,
    Did,
    Entered,
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
    no_quantity,
    quantity,
    refuse,
)  # fmt: skip
from edge_agent.scenarios.exceptions_page import (
    State,
    approving,
    at_list,
    at_one,
    doubt_of,
    expected,
    further,
    has_quantity,
    in_pairs,
    offered,
    screen,
)
from edge_agent.scenarios.pin_step import name_of, no_pin, right, tried, why_no_pin
from edge_agent.views import Kind, Verdict
from sync.contract import Person
from sync.exceptions import Choice

STEPS = ("list", "one", "correct", "note", "sure", "second", "second_pin")

_CHOICES = ("resend", "correct", "hand_over", "acknowledge")
_LONGEST = 200  # characters of a note


def begin(about: str, here: Situation) -> State:
    """`about` is the state of the work that is left for this; empty for none."""
    try:
        job = msgspec.json.decode(about).get("job", "")
    except (msgspec.DecodeError, AttributeError):
        return State()
    return State(left=about, job=str(job))


def leave(state: State) -> State:
    """Nothing is half decided; the work stays open."""
    return at_list(state)


def pin(state: State) -> PinAsked | None:
    """That of the person who confirms what another one decides."""
    return PinAsked(state.released_by) if state.step == "second_pin" else None


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    if state.step == "list":
        return _at_list(state, given, here)
    doubt = doubt_of(state, here)
    if doubt is None:
        return refuse(at_list(state), "exceptions.gone", Verdict.HELD)
    match state.step, given:
        case "one", Did("back"):
            return Outcome(at_list(state))
        case "second_pin", Did("back"):
            return Outcome(_asking_second(state))
        case _, Did("back"):
            return Outcome(at_one(state))
        case "one", Did(choice) if choice in _CHOICES:
            return _chosen(state, doubt, cast("Choice", choice), here)
        case "correct", (Scanned() | Entered()):
            return _corrected(state, doubt, given, here)
        case "note", (Scanned() | Entered() | Did("confirm")):
            return _noted(state, doubt, given, here)
        case "sure", Did("confirm"):
            return _decided(state, doubt, here)
        case "second", Scanned(what=what) if what.kind is Kind.BADGE:
            return _seconding(state, doubt, here.book.badges[what.id], here)
        case "second_pin", _:
            return _proved(state, doubt, given, here)
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _at_list(state: State, given: Given, here: Situation) -> Outcome:
    match given:
        case Chose(id):
            if doubt_of(at_one(state, id), here) is None:
                return refuse(state, "exceptions.gone")
            return Outcome(at_one(state, id))
        case Did("list"):
            return Outcome(further(state, here))
        case Did("back"):
            return Outcome(state, open=Open(LEFT, state.left) if state.left else home(here))
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _chosen(state: State, doubt: Doubt, choice: Choice, here: Situation) -> Outcome:
    if choice not in doubt.choices and doubt.waits_for:
        return refuse(state, "exceptions.waits", Verdict.HELD, seq=doubt.waits_for)
    if choice not in offered(doubt, here):
        return refuse(state, "step.not_here", Verdict.OTHER_TYPE)
    chosen = msgspec.structs.replace(state, choice=choice)
    match choice:
        case "resend":
            return _settled(chosen, doubt, here)
        case "correct" if doubt.correction is not None:  # what is right instead has been said
            was = doubt.correction
            return _settled(msgspec.structs.replace(chosen, instead=was.instead, target=was.job), doubt, here)
        case "correct" if has_quantity(doubt):
            return Outcome(msgspec.structs.replace(chosen, step="correct"))
        case "correct":
            return _settled(chosen, doubt, here)
        case _:
            return Outcome(msgspec.structs.replace(chosen, step="note"))


def _corrected(state: State, doubt: Doubt, given: Given, here: Situation) -> Outcome:
    if isinstance(given, Scanned):
        return Outcome(msgspec.structs.replace(state, target=given.what.id))
    text = given.text if isinstance(given, Entered) else ""
    body = doubt.fact.body if doubt.fact is not None else None
    uom = str(getattr(body, "uom", ""))
    amount = quantity(text, uom)
    if amount is None:
        return no_quantity(state, text, uom)
    unchanged = amount == getattr(body, "quantity", None) and state.target in ("", getattr(body, "about", ""))
    if unchanged:
        return refuse(state, "exceptions.same", quantity=text, uom=uom)
    return _settled(msgspec.structs.replace(state, instead=amount or None), doubt, here)


def _noted(state: State, doubt: Doubt, given: Given, here: Situation) -> Outcome:
    match given:
        case Scanned(what=what):
            words = next((each.text for each in here.book.reasons if each.id == what.id), what.id)
        case Entered(text):
            words = " ".join(text.split())
        case _:
            words = ""
    if len(words) > _LONGEST:
        return refuse(state, "exceptions.too_long", most=_LONGEST)
    if not words and state.choice != "acknowledge":
        return refuse(state, "exceptions.say_who")
    return _settled(msgspec.structs.replace(state, note=words), doubt, here)


def _settled(state: State, doubt: Doubt, here: Situation) -> Outcome:
    """All is said: another person confirms it, or the same one does, or it is recorded."""
    if state.choice is not None and in_pairs(state.choice, here):
        return Outcome(msgspec.structs.replace(state, step="second"))
    if state.choice == "correct":
        return Outcome(msgspec.structs.replace(state, step="sure"))
    return _decided(state, doubt, here)


def _asking_second(state: State) -> State:
    return msgspec.structs.replace(state, step="second", released_by="")


def _seconding(state: State, doubt: Doubt, person: Person, here: Situation) -> Outcome:
    """A badge alone is enough where its roles need no PIN."""
    if (said := why_no_pin(person.id, here)) is not None:
        return Outcome(state, said=said)
    look = here.pin(person.id)
    if look.start:
        return refuse(state, "pin.start_first", Verdict.HELD, name=person.name)
    if look.needed:
        return Outcome(msgspec.structs.replace(state, step="second_pin", released_by=person.id))
    return _decided(state, doubt, here, person.id)


def _proved(state: State, doubt: Doubt, given: Given, here: Situation) -> Outcome:
    """The PIN of whoever confirms; they may have left or lost the right since the badge."""
    if not isinstance(given, Proved) or given.person != state.released_by:
        return no_pin(state)
    if not approving(given.person, here):
        name = name_of(given.person, here)
        return refuse(_asking_second(state), "exceptions.no_lead", Verdict.HELD, name=name)
    refused = tried(state, _asking_second(state), given.person, given.right, here)
    return refused if refused is not None else right(_decided(state, doubt, here, given.person), given.person)


def _decided(state: State, doubt: Doubt, here: Situation, second: str = "") -> Outcome:
    if state.choice is None or state.choice not in doubt.choices:
        return refuse(at_one(state), "exceptions.gone", Verdict.HELD)
    facts = answered(
        doubt, state.choice, second=second, note=state.note, instead=state.instead, job=state.target
    )
    params = {"about": doubt.fact.body.about if doubt.fact else "", "note": state.note}
    code = "handed_on" if doubt.kind == "gone" and state.choice == "hand_over" else state.choice
    said = Said(Verdict.OK, f"exceptions.saved_{code}", params)
    resent = state.key if state.choice == "resend" else ""
    return Outcome(msgspec.structs.replace(at_list(state), resent=resent), facts, said)


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """See `exceptions_page.expected`."""
    return expected(state, here)


def show(state: State, here: Situation) -> Screen:
    """See `exceptions_page.screen`."""
    return screen(state, here)
