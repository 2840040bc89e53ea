"""The questions for a PIN, for every flow that asks one: whose badge it goes with, right or wrong, locked out.

The PIN itself never gets here. It is compared or hashed before the step (`Proved`), and what the flow
remembers of a new one is its hash, until it was typed twice.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from edge_agent.scenarios.contract import Outcome, PinChange, Said, Screen, Situation, refuse
from edge_agent.views import Entry, Page, Verdict
from sync.person_facts import PinChanged, PinRefused

ENTRY = Entry("pin", "pin")


def why_no_pin(person: str, here: Situation) -> Said | None:
    """Why a person who needs a PIN can not give one now; None: they can, or need none."""
    look = here.pin(person)
    if not look.needed:
        return None
    name = {"name": name_of(person, here)}
    if not look.known:
        return Said(Verdict.HELD, "pin.none", {**name, "person": person})
    if look.locked_for > 0:
        return Said(Verdict.HELD, "pin.locked_out", {**name, "minutes": minutes(look.locked_for)})
    return None


def tried(state: Any, away: Any, person: str, right: bool, here: Situation) -> Outcome | None:
    """What comes of a PIN that was typed: None when it is right and counts.

    `away` is the state to go to when no more tries are taken.
    """
    if (said := why_no_pin(person, here)) is not None:
        return Outcome(away, said=said)
    if right:
        return None
    look, name = here.pin(person), name_of(person, here)
    locked = look.left <= 1
    fact = PinRefused(about=f"person/{person}", tries=look.tries + 1, locked=locked)
    if locked:
        params = {"name": name, "minutes": minutes(here.policies.pin.lockout)}
        said = Said(Verdict.HELD, "pin.locked_out", params)
    else:
        said = Said(Verdict.WRONG, "pin.wrong", {"name": name, "left": str(look.left - 1)})
    return Outcome(away if locked else state, (fact,), said, pin=PinChange(person, "wrong"))


def right(outcome: Outcome, person: str) -> Outcome:
    """The outcome, and the wrong tries forgotten."""
    return replace(outcome, pin=PinChange(person, "right"))


def chosen(outcome: Outcome, person: str, hash: str) -> Outcome:
    """The outcome, and the person has the PIN of this hash from now on."""
    changed = PinChanged(about=f"person/{person}")
    return replace(outcome, facts=(changed, *outcome.facts), pin=PinChange(person, "new", hash))


def pin_screen(prompt: str, person: str, title: str, page: Page, here: Situation) -> Screen:
    """The question for the PIN of somebody who releases something."""
    return Screen(prompt, {"name": name_of(person, here)}, title, page, ("back",), entry=ENTRY)


def no_pin(state: Any) -> Outcome:
    """Something came that was no PIN."""
    return refuse(state, "pin.type_it", Verdict.OTHER_TYPE)


def name_of(person: str, here: Situation) -> str:
    """A person as people call them."""
    known = here.book.persons.get(person)
    return known.name if known is not None else person


def minutes(seconds: float) -> str:
    """Whole minutes, rounded up: nobody comes too early."""
    return str(math.ceil(seconds / 60))
