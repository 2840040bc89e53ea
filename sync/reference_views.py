"""What the reference ERP shows beside the contract: for its page, for audits and for tests."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from sync.contract import JobOrder


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


class OrdersReply(msgspec.Struct, frozen=True):
    """All orders, and what was booked about none of them (people, terminals), newest first.

    `words` are the names of persons and the texts of reasons by id.
    """

    orders: tuple[OrderView, ...]
    other: tuple[Booking, ...]
    words: dict[str, str]


class BookingsReply(msgspec.Struct, frozen=True):
    """Every fact of an agent that was decided, in order of arrival."""

    bookings: tuple[Booking, ...]
