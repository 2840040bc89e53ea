"""What exceptions remembers, and what its steps look like."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent import roles
from edge_agent.display import some
from edge_agent.doubts import COUNTED, OF_A_JOB, Doubt
from edge_agent.exception_rows import row_of
from edge_agent.roles import Action
from edge_agent.scanning.expected import PLANNED, Expected, Rule, Standing
from edge_agent.scenarios.contract import News, Said, Screen, Situation
from edge_agent.scenarios.pin_step import pin_screen
from edge_agent.views import Choice, Entry, Kind, Verdict
from edge_agent.views.exceptions import ExceptionPage, ExceptionRow, ExceptionsPage
from sync import exceptions
from sync.contract import DispatchStatus

_PURPOSE = "exception"  # of reasons that say to whom something goes, or how it is explained


class State(msgspec.Struct, frozen=True, tag="exceptions"):
    """`left` is the work that is gone on with afterwards, as the kernel keeps it; `job` the one it is on.

    `key` is the exception that is looked at, `choice` what is being decided. Of a correction `instead` is the
    quantity (None: nothing stands in its place) and `target` another job. `note` is what was typed, `released_by`
    whose PIN is asked for to confirm it. The list begins with number `skip`, which counts from 0. `resent` is the
    one that was sent again a moment ago: what the ERP says to that is told.
    """

    step: str = "list"
    job: str = ""
    left: str = ""
    key: str = ""
    choice: exceptions.Choice | None = None
    instead: Decimal | None = None
    target: str = ""
    note: str = ""
    released_by: str = ""
    skip: int = 0
    resent: str = ""


def at_list(state: State) -> State:
    """All exceptions."""
    return State(job=state.job, left=state.left, skip=state.skip)


def at_one(state: State, key: str = "") -> State:
    """One exception; the one that is looked at when none is named."""
    return State("one", state.job, state.left, key or state.key, skip=state.skip)


def doubt_of(state: State, here: Situation) -> Doubt | None:
    """The exception that is looked at; None when others, or the ERP, have answered it."""
    return here.doubt(state.key) if state.key else None


def in_pairs(choice: str, here: Situation) -> bool:
    """Whether the plant's rule asks for two people."""
    return choice in here.policies.four_eyes


def offered(doubt: Doubt, here: Situation) -> tuple[exceptions.Choice, ...]:
    """What the person may choose; where two decide, the other one must be allowed to."""
    return tuple(
        each for each in doubt.choices if in_pairs(each, here) or roles.may(here.person, Action(each))
    )


def has_quantity(doubt: Doubt) -> bool:
    """Whether another quantity can stand in place of the fact."""
    return doubt.fact is not None and isinstance(doubt.fact.body, COUNTED)


def expected(state: State, here: Situation) -> tuple[Expected, ...]:
    """A job that the pieces belong to, a reason in place of typed words, or the badge of somebody else."""
    doubt = doubt_of(state, here)
    if doubt is None:
        return ()
    match state.step:
        case "correct":
            rules = _jobs(doubt, here)
            return (Expected(Kind.JOB, "expect.other_job", rules, "exceptions.other_job"),) if rules else ()
        case "note":
            reasons = {reason.id: PLANNED for reason in here.book.reasons_for(_PURPOSE)}
            return (Expected(Kind.REASON, "expect.reason", reasons, "reason.unknown"),) if reasons else ()
        case "second":
            return (Expected(Kind.BADGE, "expect.second", _badges(here), any=True),)
        case _:
            return ()


def _jobs(doubt: Doubt, here: Situation) -> dict[str, Rule]:
    """The jobs that pieces of this item may have been made for."""
    body = doubt.fact.body if doubt.fact is not None else None
    if not isinstance(body, OF_A_JOB):
        return {}
    return {
        job.id: PLANNED for job in here.book.jobs.values()
        if job.material == body.material and job.dispatch_status is DispatchStatus.RELEASED
    }  # fmt: skip


def _badges(here: Situation) -> dict[str, Rule]:
    """Who may not confirm, and why: the same person, and who may not approve. Numbers of others are not named."""
    rules = {}
    for person in here.book.persons.values():
        code = ""
        if not person.active:
            code = "sign_on.not_active"
        elif here.person is not None and person.id == here.person.id:
            code = "exceptions.same_person"
        elif not roles.may(person, Action.APPROVE):
            code = "exceptions.no_lead"
        if code:
            rules[person.badge] = Rule(Standing.HELD, code, {"name": person.name})
    return rules


def approving(person: str, here: Situation) -> bool:
    """Whether a person may confirm what the one at the terminal decides."""
    known = here.book.persons.get(person)
    return known is not None and known.badge not in _badges(here)


def screen(state: State, here: Situation) -> Screen:
    """The question of the step, and what it is about."""
    doubt = doubt_of(state, here)
    if state.step == "list" or doubt is None:
        return _list(state, here)
    row = _row(doubt, here)
    choices = offered(doubt, here)
    page = ExceptionPage(row=row, choices=choices)
    params = {"job": state.target or row.about, "uom": row.params.get("uom", ""), "choice": state.choice or ""}
    params |= {"quantity": _text(state.instead), "was": row.params.get("quantity", "")}
    match state.step:
        case "one":
            params["seq"] = str(row.waits_for or "")
            waits = "waits_first" if row.waits_for else "look"
            prompt = "settled" if row.settled else "one" if choices else waits
            return Screen(f"exceptions.{prompt}", params, row.about, page, (*choices, "back"))
        case "correct" if has_quantity(doubt):
            entry = Entry("instead", "number", row.params.get("quantity", "") if state.target else "", params["uom"])
            prompt = "correct_job" if state.target else "correct"
            return Screen(f"exceptions.{prompt}", params, row.about, page, ("back",), entry=entry)
        case "note":
            actions = ("confirm", "back") if state.choice == "acknowledge" else ("back",)
            entry = Entry("note", "text")
            prompt = "note_acknowledge" if state.choice == "acknowledge" else "note"
            return Screen(f"exceptions.{prompt}", params, row.about, page, actions, entry=entry)
        case "second":
            return Screen("exceptions.second", params, row.about, page, ("back",))
        case "second_pin":
            return pin_screen("exceptions.second_pin", state.released_by, row.about, page, here)
        case _:
            prompt = "sure_quantity" if state.instead else "sure"
            return Screen(f"exceptions.{prompt}", params, row.about, page, ("confirm", "back"))


def _row(doubt: Doubt, here: Situation) -> ExceptionRow:
    """As people read it; a database that was mended may have lost the PINs: who needs one and has none."""
    row = row_of(doubt, here.book)
    if doubt.kind != "incident":
        return row
    looks = ((each.id, here.pin(each.id)) for each in here.book.persons.values() if each.active)
    lost = some(sorted(id for id, look in looks if look.needed and not look.known))
    return msgspec.structs.replace(row, params=row.params | {"pins": lost})


def further(state: State, here: Situation) -> State:
    """The next page of the list; behind the last one the first."""
    skip = state.skip + len(here.doubts(state.skip))
    return msgspec.structs.replace(state, skip=skip if skip < here.in_doubt() else 0)


def _list(state: State, here: Situation) -> Screen:
    skip = state.skip if state.skip < here.in_doubt() else 0  # others have answered so many
    rows = tuple(_row(each, here) for each in here.doubts(skip))
    others = here.in_doubt() - len(rows)
    choices = tuple(Choice(number, row.key, row.what) for number, row in enumerate(rows, 1))
    prompt = "exceptions.list" if rows else "exceptions.nothing"
    params, actions = ({"more": str(others)}, ("list", "back")) if others > 0 else ({}, ("back",))
    page = ExceptionsPage(rows=rows)
    return Screen(prompt, params, page=page, actions=actions, choices=choices, news=_refused_again(state, here))


def _refused_again(state: State, here: Situation) -> News | None:
    """What the ERP says to a fact that was sent again from here, when it refuses it once more."""
    doubt = here.doubt(state.resent) if state.resent else None
    if doubt is None or doubt.kind != "refused":
        return None
    about = doubt.fact.body.about if doubt.fact else ""
    params = {"about": about, "reason": doubt.reason or doubt.code}
    asked = doubt.decided.at if doubt.decided is not None else doubt.since
    return News(Said(Verdict.HELD, "exceptions.refused_again", params), asked, "exceptions.saved_resend")


def _text(quantity: Decimal | None) -> str:
    return "" if quantity is None else f"{quantity.normalize():f}"
