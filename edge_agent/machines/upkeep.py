"""A request for maintenance and the work on it, from its facts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sync.contract import Correction, Fact
from sync.maintenance import (
    MaintenanceCompleted,
    MaintenancePartUsed,
    MaintenanceRequested,
    MaintenanceStarted,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part that went into the machine; `fact` is the id of the fact that says so."""

    fact: str
    body: MaintenancePartUsed


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `person` asked for it at `at`; `workers` are those who worked on it, in order.

    `suspected` is empty while nobody has begun. `parts` without those that were taken back.
    """

    id: str
    equipment: str
    at: datetime
    person: str
    symptom: str
    priority: int
    stopped: bool
    stop: str = ""
    suspected: str = ""
    workers: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    completed: bool = False


def request_of(facts: Sequence[Fact]) -> Request | None:
    """What the facts about one request come to, in order; None when it was never asked for."""
    found: Request | None = None
    for fact in facts:
        body = fact.body
        if isinstance(body, MaintenanceRequested):
            found = Request(
                body.request, body.equipment, fact.event_time, fact.person, body.symptom, body.priority,
                body.stopped, body.stop,
            )  # fmt: skip
        elif found is not None:
            found = _next(found, fact)
    return found


def _next(before: Request, fact: Fact) -> Request:
    match fact.body:
        case MaintenanceStarted(suspected=suspected):
            return replace(_worked(before, fact.person), suspected=suspected)
        case MaintenancePartUsed() as part:
            return replace(_worked(before, fact.person), parts=(*before.parts, Part(fact.id, part)))
        case MaintenanceCompleted():
            return replace(_worked(before, fact.person), completed=True)
        case Correction(corrects=wrong):
            return replace(before, parts=tuple(part for part in before.parts if part.fact != wrong))
        case _:
            return before


def _worked(before: Request, person: str) -> Request:
    return before if person in before.workers else replace(before, workers=(*before.workers, person))
