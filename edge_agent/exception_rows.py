"""Exceptions as people read them: who, what and why in the words of the plant. Pure."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent.doubts import Doubt
from edge_agent.planbook import PlanBook
from edge_agent.views.exceptions import ExceptionRow
from sync.contract import AnyFact

_NAMED = 12  # numbers of lost facts that are told one by one


def row_of(doubt: Doubt, book: PlanBook) -> ExceptionRow:
    """One exception; ids of people and reasons in words where the plans have them."""
    fact, decided = doubt.fact, doubt.decided
    return ExceptionRow(
        key=doubt.key, kind=doubt.kind, what=what_of(doubt), params=_params(doubt, book),
        about=fact.body.about if fact else "", person=name_of(fact.person if fact else "", book),
        terminal=fact.terminal if fact else "", happened=fact.event_time if fact else None, since=doubt.since,
        seq=doubt.seq, code=doubt.code, reason=doubt.reason, attempts=doubt.attempts, held=doubt.held,
        waits_for=doubt.waits_for, choice=decided.choice if decided else "",
        decided_by=name_of(decided.person, book) if decided else "",
        second=name_of(decided.second, book) if decided else "", decided_at=decided.at if decided else None,
        note=decided.note if decided else "", settled=doubt.corrected,
        connector=doubt.connector,
    )  # fmt: skip


def what_of(doubt: Doubt) -> str:
    """The kind of the fact, or of the doubt where it is about none, or several: which words tell it."""
    if doubt.again:
        return "offered_again"
    return type(doubt.fact.body).__name__ if doubt.fact is not None and doubt.facts < 2 else doubt.kind


def name_of(person: str, book: PlanBook) -> str:
    """What people call somebody; the id of one whom the plans do not have."""
    known = book.persons.get(person)
    return known.name if known is not None else person


def _params(doubt: Doubt, book: PlanBook) -> dict[str, str]:
    if doubt.fact is not None and doubt.facts < 2:
        return {**_of_fact(doubt.fact.body, book), "seq": str(doubt.seq)}
    lost = ", ".join(map(str, doubt.lost[:_NAMED])) + (" ..." if len(doubt.lost) > _NAMED else "")
    told = {"n": str(doubt.facts), "first": str(doubt.seq), "last": str(doubt.last), "lost": lost}
    return told | {"connector": doubt.connector}


def _of_fact(body: AnyFact, book: PlanBook) -> dict[str, str]:
    words = {reason.id: reason.text for reason in book.reasons}
    told = {"job": body.about}
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if isinstance(value, Decimal):
            told[name] = f"{value.normalize():f}"
        elif isinstance(value, bool | int | float | str):
            told[name] = words.get(str(value), str(value))
    return {name: value for name, value in told.items() if not name.startswith("_")} | _state(body)


def _state(body: msgspec.Struct) -> dict[str, str]:
    """What a decision was about, in words of its own."""
    return {"choice": str(getattr(body, "choice", ""))}
