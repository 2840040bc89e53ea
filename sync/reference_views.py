"""What the reference ERP shows beside the contract: for its page, for audits and for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from sync.contract import FactBody, JobOrder
from sync.maintenance import PREFIX, MaintenanceCompleted, MaintenanceRequested, MaintenanceStarted


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


class OrdersReply(msgspec.Struct, frozen=True):
    """All orders, and what was booked about none of them (people, terminals), newest first.

    `words` are the names of persons and the texts of reasons by id. `maintenance` are the latest requests.
    """

    orders: tuple[OrderView, ...]
    other: tuple[Booking, ...]
    words: dict[str, str]
    maintenance: tuple[MaintenanceView, ...] = ()


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
