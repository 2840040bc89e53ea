"""The facts of maintenance: asked for, begun, parts used, done and accepted.

Words are those of B2MML: a request (MaintenanceRequest) is answered by work, whose end (MaintenanceResponse)
says what was found. `about` of all of them is `maintenance/<request>`, so that they arrive in order.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from sync.fact_body import FactBody


class MaintenanceRequested(FactBody, frozen=True, kw_only=True):
    """Somebody asks for work on a machine; `request` is its id, minted on the floor.

    `symptom` is a Reason of purpose "symptom". `priority` is 1 (at once), 2 (today) or 3 (when it suits).
    `stopped`: the machine can not work; `stop` is then the stop it is in, as in DowntimeRecorded, empty when
    none was known.
    """

    request: str
    equipment: str
    symptom: str
    priority: Annotated[int, Meta(ge=1, le=3)]
    stopped: bool
    stop: str = ""


class MaintenanceStarted(FactBody, frozen=True, kw_only=True):
    """Somebody of maintenance took the work; `suspected` is a Reason of purpose "failure"."""

    request: str
    equipment: str
    suspected: str


class MaintenancePartUsed(FactBody, frozen=True, kw_only=True):
    """A part went into the machine (a MaterialActual that was Consumed)."""

    request: str
    material: str
    lot: str | None
    quantity: Decimal
    uom: str


class MaintenanceCompleted(FactBody, frozen=True, kw_only=True):
    """The work is over. `failure` is what it was in the end, a Reason of purpose "failure".

    `tested`: the machine ran a test before it was handed over. `accepted_by` is the operator who took it back:
    never one of those who worked on it; who did the work is the person of the fact.
    """

    request: str
    equipment: str
    failure: str
    tested: bool
    accepted_by: str


MaintenanceFact = MaintenanceRequested | MaintenanceStarted | MaintenancePartUsed | MaintenanceCompleted

# Whose `about` names a request.
PREFIX = "maintenance/"


def about(request: str) -> str:
    """The ordering key of all facts of a request.

    >>> about("0190")
    'maintenance/0190'
    """
    return PREFIX + request

