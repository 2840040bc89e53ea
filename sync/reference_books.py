"""The books of the reference ERP: one SQLite file, one connection, one transaction for each request.

The key of a fact and its effect are in the same transaction, and an applied key is kept for ever. A
refusal is kept as well, and makes way when the same fact is sent again and judged anew.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from sync import reference_rules as rules
from sync.contract import (
    HELD_BACK,
    AnyPlan,
    Applied,
    Correction,
    DispatchStatus,
    Duplicate,
    Fact,
    PlanKey,
    PlanPage,
    Receipt,
    Refused,
)
from sync.maintenance import PREFIX, MaintenanceFact, MaintenancePartUsed
from sync.reference_plans import SCHEMA as PLAN_SCHEMA
from sync.reference_plans import PlanTable
from sync.reference_rules import No
from sync.reference_views import Booking, MaintenanceView, OrdersReply, OrderView, maintenance_view

PAGE = 500  # plans in one answer
_SHOWN = 50  # bookings of one order on the page
_DIGITS = 19  # of a version that fits SQLite

_facts = msgspec.json.Decoder(Fact)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS book (id TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS decision (
  number INTEGER PRIMARY KEY AUTOINCREMENT, fact TEXT NOT NULL UNIQUE,
  agent TEXT NOT NULL, seq INTEGER NOT NULL, about TEXT NOT NULL, payload TEXT NOT NULL,
  accepted_at TEXT NOT NULL, outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'refused')),
  code TEXT NOT NULL, reason TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0,
  CHECK ((outcome = 'refused') = (code <> ''))) STRICT;
CREATE INDEX IF NOT EXISTS decision_agent ON decision (agent, seq);
CREATE INDEX IF NOT EXISTS decision_about ON decision (about, number);
"""


@dataclass(frozen=True)
class _Decision:
    """One row of what was decided."""

    number: int
    payload: str
    applied: bool
    code: str
    reason: str
    undone: bool

    def answer(self, fact: str) -> Receipt:
        """What a question about the fact is told."""
        if self.applied:
            return Duplicate(fact, reference(self.number))
        return Refused(fact, self.code, self.reason)


def reference(number: int) -> str:
    """The ERP's own number of a booking, as people see it."""
    return f"RB-{number:06d}"


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


class Books:
    """Blocking and not thread-safe: one thread for all calls. `now` gives aware UTC times."""

    def __init__(
        self, path: Path, now: Callable[[], datetime], connect: Callable[[Path], sqlite3.Connection] = _connect
    ) -> None:
        self._now = now
        self._db = connect(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {PLAN_SCHEMA} COMMIT;")
        with self._transaction():
            if self._db.execute("SELECT 1 FROM book").fetchone() is None:
                self._db.execute("INSERT INTO book VALUES (?)", (uuid.uuid4().hex[:12],))
        self._plans = PlanTable(self._db)
        self._id: str = self._db.execute("SELECT id FROM book").fetchone()[0]

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    # ------------------------------------------------------------ facts

    def push(self, facts: Sequence[Fact]) -> tuple[Receipt, ...]:
        """Decide each fact, all in one commit; one receipt each, in order.

        A refusal changes nothing in the books, so it needs no transaction of its own.
        """
        refused: set[str] = set()
        receipts: list[Receipt] = []
        with self._transaction():
            for fact in facts:
                about = fact.body.about
                receipt = self._decide(fact, held=about in refused)
                if isinstance(receipt, Refused):
                    refused.add(about)
                receipts.append(receipt)
        return tuple(receipts)

    def ask(self, ids: Sequence[str]) -> tuple[Receipt, ...]:
        """What was decided on these facts; unknown ones are left out."""
        known = ((id, self._decision(id)) for id in ids)
        return tuple(decision.answer(id) for id, decision in known if decision is not None)

    def _decide(self, fact: Fact, held: bool) -> Receipt:
        payload = msgspec.json.encode(fact).decode()
        before = self._decision(fact.id)
        if before is not None and before.payload != payload:
            return Refused(fact.id, "key_reused", "This id was used before for something else.")
        if before is not None and before.applied:
            return Duplicate(fact.id, reference(before.number))
        if held:
            return Refused(fact.id, HELD_BACK, f"Waits for an earlier fact about {fact.body.about}.")
        refusal = self._judge(fact)
        self._db.execute("DELETE FROM decision WHERE fact = ?", (fact.id,))
        code, reason = (refusal.code, refusal.reason) if refusal else ("", "")
        number = self._db.execute(
            "INSERT INTO decision (fact, agent, seq, about, payload, accepted_at, outcome, code, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                fact.id, fact.agent, fact.seq, fact.body.about, payload, self._now().isoformat(),
                "refused" if refusal else "applied", code, reason,
            ),
        ).lastrowid  # fmt: skip
        if refusal:
            return Refused(fact.id, code, reason)
        return Applied(fact.id, reference(number or 0))

    def _judge(self, fact: Fact) -> No | None:
        """Book the effect of a fact; or why not, with nothing changed."""
        body = fact.body
        refusal = rules.objection(fact, self._plans)
        if refusal is not None or isinstance(body, rules.Evidence):
            return refusal
        if isinstance(body, Correction):
            return self._correct(body)
        if isinstance(body, MaintenanceFact):
            return rules.book_maintenance(body, [each.body for each in self._booked(body.about)])
        account = self._plans.account(body.about)
        if account is None:
            return No("unknown_order", f"There is no order {body.about} here.")
        after = rules.book(account, fact.id, body)
        if isinstance(after, No):
            return after
        self._plans.keep(account, after)
        self._plans.move(rules.move_of(body))
        return None

    def _correct(self, correction: Correction) -> No | None:
        row = self._decision(correction.corrects)
        booked = _facts.decode(row.payload) if row is not None and row.applied else None
        refusal = rules.wrong_correction(
            correction, booked.body if booked else None, row is not None and row.undone
        )
        if refusal is not None or booked is None:
            return refusal
        account = self._plans.account(booked.body.about)
        if account is not None:
            self._plans.keep(account, rules.unbook(account, booked.id, booked.body))
            move = rules.move_of(booked.body)
            self._plans.move(move.back() if move else None)
        self._db.execute("UPDATE decision SET undone = 1 WHERE fact = ?", (booked.id,))
        return None

    def _booked(self, about: str) -> list[Fact]:
        """The facts about a thing that were booked and not taken back, in order."""
        rows = self._db.execute(
            "SELECT payload FROM decision WHERE about = ? AND outcome = 'applied' AND NOT undone ORDER BY number",
            (about,),
        )
        return [_facts.decode(payload) for (payload,) in rows]

    def _decision(self, fact: str) -> _Decision | None:
        row = self._db.execute(
            "SELECT number, payload, outcome = 'applied', code, reason, undone FROM decision WHERE fact = ?",
            (fact,),
        ).fetchone()
        if row is None:
            return None
        return _Decision(row[0], row[1], bool(row[2]), row[3], row[4], bool(row[5]))

    # ------------------------------------------------------------ plans

    def is_new(self) -> bool:
        """Whether no plan was ever put in."""
        return self._plans.is_empty()

    def put(self, plans: Sequence[AnyPlan]) -> None:
        """Add or replace plans, all or none."""
        with self._transaction():
            for plan in plans:
                self._plans.put(plan)

    def withdraw(self, key: PlanKey) -> bool:
        """Take a plan back; False when there is none."""
        with self._transaction():
            return self._plans.withdraw(key)

    def close_order(self, id: str) -> bool:
        """The office completes an order; False when there is none."""
        with self._transaction():
            account = self._plans.account(id)
            if account is None:
                return False
            order = msgspec.structs.replace(account.order, dispatch_status=DispatchStatus.COMPLETED)
            self._plans.keep(account, msgspec.structs.replace(account, order=order, closed_by=""))
            return True

    def pull(self, agent: str, cursor: str | None) -> PlanPage:
        """The plans that changed since the cursor; a cursor of other books starts from the beginning."""
        book, _, version = (cursor or "").partition(":")
        known = book == self._id and version.isascii() and version.isdigit() and len(version) < _DIGITS
        since = int(version) if known else 0
        with self._transaction():
            changes = self._plans.since(since, PAGE + 1)
            decided = self._db.execute("SELECT max(seq) FROM decision WHERE agent = ?", (agent,)).fetchone()
        page = changes[:PAGE]
        return PlanPage(
            cursor=f"{self._id}:{page[-1][0] if page else since}",
            as_of_seq=decided[0] or 0,
            plans=tuple(plan for _, plan in page if not isinstance(plan, PlanKey)),
            withdrawn=tuple(key for _, key in page if isinstance(key, PlanKey)),
            more=len(changes) > PAGE,
            reset=not known,
        )

    # ------------------------------------------------------------ for people

    def orders(self) -> OrdersReply:
        """All orders with their latest bookings, and the latest bookings about none of them."""
        with self._transaction():
            orders = tuple(
                OrderView(a.order, a.short, self._bookings("about = ?", a.order.id, newest=True))
                for a in self._plans.accounts()
            )
            no_order = "about NOT LIKE 'maintenance/%' AND about NOT IN (SELECT id FROM plan WHERE kind = ?)"
            other = self._bookings(no_order, "JobOrder", newest=True)
            return OrdersReply(orders, other, self._plans.words(), self._maintenance())

    def _maintenance(self) -> tuple[MaintenanceView, ...]:
        """The latest requests for maintenance, newest first, with what was booked about each."""
        rows = self._db.execute(
            "SELECT about FROM decision WHERE about LIKE ? GROUP BY about ORDER BY max(number) DESC LIMIT ?",
            (PREFIX + "%", _SHOWN),
        ).fetchall()
        return tuple(
            maintenance_view(
                [fact.body for fact in self._booked(about)], self._bookings("about = ?", about, newest=True)
            )
            for (about,) in rows
        )

    def bookings(self, agent: str) -> tuple[Booking, ...]:
        """Every decided fact of an agent, in order of arrival."""
        return self._bookings("agent = ?", agent, newest=False)

    def _bookings(self, where: str, value: str, *, newest: bool) -> tuple[Booking, ...]:
        order = "number DESC LIMIT ?" if newest else "number LIMIT ?"
        rows = self._db.execute(
            "SELECT number, payload, accepted_at, outcome, code, reason, undone FROM decision"  # noqa: S608
            f" WHERE {where} ORDER BY {order}",  # both are texts of this file
            (value, _SHOWN if newest else -1),
        )
        return tuple(_booking(row) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")


def _booking(row: tuple[int, str, str, str, str, str, int]) -> Booking:
    number, payload, accepted_at, outcome, code, reason, undone = row
    fact = _facts.decode(payload)
    body = fact.body
    return Booking(
        number=number, fact=fact.id, agent=fact.agent, seq=fact.seq, about=body.about,
        kind=type(body).__name__, person=fact.person, event_time=fact.event_time,
        accepted_at=datetime.fromisoformat(accepted_at), outcome=outcome, code=code, reason=reason,
        quantity=getattr(body, "quantity", None), note=_note(body), undone=bool(undone),
    )  # fmt: skip


def _note(body: object) -> str:
    """What a fact says in one word: the id of a reason, or of the part."""
    told = (getattr(body, name, "") for name in ("reason", "symptom", "suspected", "failure"))
    part = body.material if isinstance(body, MaintenancePartUsed) else ""
    return next((each for each in told if each), part)
