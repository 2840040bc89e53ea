"""What the reference ERP shows beside the contract: for its page, for audits and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from sync.contract import FactBody, JobOrder
from sync.exceptions import PREFIX as EXCEPTION
from sync.exceptions import ExceptionDecided
from sync.maintenance import PREFIX, MaintenanceCompleted, MaintenanceRequested, MaintenanceStarted


def reference(number: int) -> str:
    """The ERP's own number of a booking, as people see it."""
    return f"RB-{number:06d}"


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """One decided fact. `number` rises with the order of arrival; `outcome` is applied or refused."""

    number: int
    fact: str
    agent: str
    seq: int
    about: str
    kind: str
    person: str
    event_time: datetime
    accepted_at: datetime
    outcome: str
    code: str = ""
    reason: str = ""
    quantity: Decimal | None = None
    note: str = ""
    undone: bool = False


class OrderView(msgspec.Struct, frozen=True):
    """One order with its bookings, newest first; `short` by line."""

    order: JobOrder
    short: dict[str, Decimal]
    bookings: tuple[Booking, ...]


class MaintenanceView(msgspec.Struct, frozen=True, kw_only=True):
    """A request for maintenance with its bookings, newest first. `state` is open, started or completed.

    `symptom` and `failure` are ids of reasons; `priority` is 0 when the request itself was refused.
    """

    request: str
    equipment: str
    state: str
    symptom: str
    priority: int
    stopped: bool
    failure: str
    bookings: tuple[Booking, ...]


class ExceptionView(msgspec.Struct, frozen=True, kw_only=True):
    """A refused or doubtful fact on which people decided. `fact` is its booking, None: it never came here.

    `choice`, `second` and `note` are of the last decision that was taken; empty: each was refused. `open`: it
    waits for somebody still.
    """

    exception: str
    open: bool
    choice: str
    second: str
    note: str
    fact: Booking | None
    bookings: tuple[Booking, ...]


class OrdersReply(msgspec.Struct, frozen=True):
    """All orders, and what was booked about none of them (people, terminals), newest first.

    `words` are the names of persons and the texts of reasons by id. `maintenance` are the latest requests,
    `exceptions` the latest things in doubt on which people decided.
    """

    orders: tuple[OrderView, ...]
    other: tuple[Booking, ...]
    words: dict[str, str]
    maintenance: tuple[MaintenanceView, ...] = ()
    exceptions: tuple[ExceptionView, ...] = ()


class BookingsReply(msgspec.Struct, frozen=True):
    """Every fact of an agent that was decided, in order of arrival."""

    bookings: tuple[Booking, ...]


def maintenance_view(booked: Sequence[FactBody], bookings: tuple[Booking, ...]) -> MaintenanceView:
    """A request from what was booked about it; `bookings` has at least one row."""
    asked = next((each for each in booked if isinstance(each, MaintenanceRequested)), None)
    begun = next((each for each in booked if isinstance(each, MaintenanceStarted)), None)
    done = next((each for each in booked if isinstance(each, MaintenanceCompleted)), None)
    return MaintenanceView(
        request=bookings[0].about.removeprefix(PREFIX), equipment=asked.equipment if asked else "",
        state="completed" if done else "started" if begun else "open",
        symptom=asked.symptom if asked else "", priority=asked.priority if asked else 0,
        stopped=asked.stopped if asked else False,
        failure=done.failure if done else begun.suspected if begun else "", bookings=bookings,
    )  # fmt: skip


def exception_view(
    decided: Sequence[FactBody], of_fact: Sequence[Booking], bookings: tuple[Booking, ...]
) -> ExceptionView:
    """An exception from what was booked about it; `bookings` has at least one row."""
    last = next((each for each in reversed(decided) if isinstance(each, ExceptionDecided)), None)
    fact = of_fact[0] if of_fact else None
    refused = fact is not None and fact.outcome == "refused" and not fact.undone
    return ExceptionView(
        exception=bookings[0].about.removeprefix(EXCEPTION),
        open=refused or (last is not None and last.choice == "hand_over"),
        choice=last.choice if last else "", second=last.second if last else "", note=last.note if last else "",
        fact=fact, bookings=bookings,
    )  # fmt: skip
