"""The plan table of the reference ERP: plans, the accounts of orders, the stock picture.

Part of the books: every call runs inside a transaction of `sync.reference_books`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from sync import reference_rules as rules
from sync.contract import (
    AnyPlan,
    JobOrder,
    MaterialDefinition,
    MaterialLot,
    Person,
    Plan,
    PlanKey,
    Stock,
)
from sync.reference_rules import Account, Move

if TYPE_CHECKING:
    from sqlite3 import Connection

SCHEMA = """
CREATE TABLE IF NOT EXISTS plan (
  kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL UNIQUE,
  payload TEXT,                                  -- NULL: withdrawn
  PRIMARY KEY (kind, id)) STRICT;
CREATE INDEX IF NOT EXISTS plan_stock ON plan (payload ->> 'location') WHERE kind = 'Stock';
CREATE TABLE IF NOT EXISTS account (             -- what a plan has no place for, by order
  id TEXT PRIMARY KEY, short TEXT NOT NULL, closed_by TEXT NOT NULL) STRICT;
"""

_P = TypeVar("_P", bound=Plan)
_plans = msgspec.json.Decoder(AnyPlan)
_short = msgspec.json.Decoder(dict[str, Decimal])


class PlanTable:
    """Plans by kind and id. Each change gets the next version, so that a cursor finds it."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        # While many changes are made together: what was read or changed, and of the latter what is to be written.
        self._known: dict[tuple[str, str], Plan | None] | None = None
        self._places: dict[tuple[str, str, str | None], str] = {}
        self._accounts: dict[str, Account] = {}
        self._changed: dict[tuple[str, str], Plan] = {}

    @contextmanager
    def together(self) -> Iterator[None]:
        """Read each plan once and write it once, at the end, however often it changes; inside one transaction.

        A failure writes nothing of it: the transaction is to be undone.
        """
        self._known = {}
        try:
            yield
            changed, accounts = self._changed.values(), self._accounts.values()
            self._known = None
            for account in accounts:
                self._write_account(account)
            for plan in changed:
                self._write(plan)
        finally:
            self._known = None
            self._places, self._accounts, self._changed = {}, {}, {}

    def is_empty(self) -> bool:
        """Whether no plan was ever put in."""
        return self._db.execute("SELECT 1 FROM plan").fetchone() is None

    def put(self, plan: AnyPlan) -> None:
        """Add a plan or replace the one with the same key; what was booked on an order stays booked."""
        if isinstance(plan, JobOrder):
            before = self.account(plan.id)
            self.keep(before, rules.replan(before, plan))
        else:
            self._write(plan)

    def withdraw(self, key: PlanKey) -> bool:
        """Take a plan back; False when there is none."""
        changed = self._db.execute(
            "UPDATE plan SET payload = NULL, version = (SELECT max(version) + 1 FROM plan)"
            " WHERE kind = ? AND id = ? AND payload IS NOT NULL",
            (key.kind, key.id),
        )
        return changed.rowcount == 1

    def since(self, version: int, limit: int) -> list[tuple[int, AnyPlan | PlanKey]]:
        """The next changes after a version, each with its own version; a PlanKey was withdrawn."""
        rows = self._db.execute(
            "SELECT kind, id, version, payload FROM plan WHERE version > ? ORDER BY version LIMIT ?",
            (version, limit),
        )
        return [
            (at, PlanKey(kind, id) if payload is None else _plans.decode(payload))
            for kind, id, at, payload in rows
        ]

    def account(self, id: str) -> Account | None:
        """An order with what the books keep beside it."""
        order = self._get(JobOrder, id)
        if order is None:
            return None
        if (changed := self._accounts.get(id)) is not None:
            return msgspec.structs.replace(changed, order=order)
        row = self._db.execute("SELECT short, closed_by FROM account WHERE id = ?", (id,)).fetchone()
        if row is None:
            return Account(order=order)
        return Account(order=order, short=_short.decode(row[0]), closed_by=row[1])

    def accounts(self) -> list[Account]:
        """All orders, in the planner's order."""
        rows = self._db.execute("SELECT id FROM plan WHERE kind = 'JobOrder'").fetchall()
        accounts = [account for (id,) in rows if (account := self.account(id)) is not None]
        return sorted(accounts, key=lambda account: (account.order.sequence, account.order.id))

    def keep(self, before: Account | None, after: Account) -> None:
        """Store an account that has changed."""
        if before == after:
            return
        if self._known is None:
            self._write_account(after)
        else:
            self._accounts[after.order.id] = after
        self._write(after.order)

    def _write_account(self, account: Account) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO account VALUES (?, ?, ?)",
            (account.order.id, msgspec.json.encode(account.short).decode(), account.closed_by),
        )

    def tell_again(self, order: JobOrder) -> None:
        """The order goes down once more, as it is: what a terminal makes of it is another."""
        self._write(order)

    def move(self, move: Move | None) -> None:
        """Change the stock picture of both places; a place may go below zero, the floor was there."""
        if move is None or move.source == move.destination:
            return
        for place, quantity in ((move.source, -move.quantity), (move.destination, move.quantity)):
            stock = self._stock(place, move.material, move.lot)
            self._write(msgspec.structs.replace(stock, quantity=stock.quantity + quantity))

    def material(self, id: str) -> MaterialDefinition | None:
        """The item of that id."""
        return self._get(MaterialDefinition, id)

    def has_lot(self, material: str, number: str) -> bool:
        """Whether the item has a lot with that number on its label."""
        lots = (self._get(MaterialLot, id) for id in (number, f"{material}/{number}"))
        return any(lot is not None and lot.material == material for lot in lots)

    def has_person(self, id: str) -> bool:
        """Whether that person is known."""
        return self._get(Person, id) is not None

    def words(self) -> dict[str, str]:
        """What people call the persons and reasons that bookings name by id."""
        rows = self._db.execute(
            "SELECT id, payload ->> 'name' FROM plan WHERE kind = 'Person' AND payload IS NOT NULL"
            " UNION SELECT id, payload ->> 'text' FROM plan WHERE kind = 'Reason' AND payload IS NOT NULL"
        )
        return {id: words for id, words in rows if words}

    def _stock(self, place: str, material: str, lot: str | None) -> Stock:
        known = self._places.get((place, material, lot))
        if known is not None and (stock := self._get(Stock, known)) is not None:
            return stock
        row = self._db.execute(
            "SELECT payload FROM plan WHERE kind = 'Stock' AND payload ->> 'location' = ?"
            " AND payload ->> 'material' = ? AND (payload ->> 'lot' IS ? OR payload ->> 'lot' = ?)",
            (place, material, lot, f"{material}/{lot}"),
        ).fetchone()
        alike = self._places.get((place, material, f"{material}/{lot}"))
        if row is not None:
            stock = msgspec.json.decode(row[0], type=Stock)
        else:
            id = alike or f"{place}/{material}/{lot or ''}"
            stock = Stock(id=id, location=place, material=material, lot=lot, quantity=Decimal(0))
        if self._known is None:
            return stock
        self._places[place, material, lot] = stock.id
        known_now = self._known.setdefault(("Stock", stock.id), stock)
        return known_now if isinstance(known_now, Stock) else stock

    def _get(self, kind: type[_P], id: str) -> _P | None:
        key = (kind.__name__, id)
        if self._known is not None and key in self._known:
            plan = self._known[key]
            return plan if isinstance(plan, kind) else None
        row = self._db.execute("SELECT payload FROM plan WHERE kind = ? AND id = ?", key).fetchone()
        found = msgspec.json.decode(row[0], type=kind) if row and row[0] is not None else None
        if self._known is not None:
            self._known[key] = found
        return found

    def _write(self, plan: Plan) -> None:
        key = (type(plan).__name__, plan.id)
        if self._known is not None:
            self._known[key] = plan
            self._changed.pop(key, None)  # the last change says where it stands in the order of versions
            self._changed[key] = plan
            return
        self._db.execute(
            "INSERT OR REPLACE INTO plan SELECT ?, ?, coalesce(max(version), 0) + 1, ? FROM plan",
            (*key, msgspec.json.encode(plan).decode()),
        )
