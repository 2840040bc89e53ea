"""The books of the reference ERP: one SQLite file, one connection, one transaction for each request.

The key of a fact and its effect are in the same transaction, and an applied key is kept for ever. A
refusal is kept as well, and makes way when the same fact is sent again and judged anew.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from sync import reference_rules as rules
from sync.contract import (
    HELD_BACK,
    AnyPlan,
    Applied,
    Booked,
    Correction,
    DispatchStatus,
    Duplicate,
    Fact,
    PlanKey,
    PlanPage,
    Receipt,
    Refused,
)
from sync.device import Device
from sync.exceptions import ExceptionDecided
from sync.maintenance import PREFIX, MaintenanceFact, MaintenancePartUsed
from sync.reference_decisions import SCHEMA as DECISION_SCHEMA
from sync.reference_decisions import Decision, Decisions
from sync.reference_exceptions import StruckOut
from sync.reference_plans import SCHEMA as PLAN_SCHEMA
from sync.reference_plans import PlanTable
from sync.reference_rules import No
from sync.reference_views import (
    Booking,
    ExceptionView,
    MaintenanceView,
    OrdersReply,
    OrderView,
    exception_view,
    maintenance_view,
    reference,
)  # fmt: skip
from sync.same_fact import digest

PAGE = 500  # plans in one answer
_SHOWN = 50  # bookings of one order on the page
_DIGITS = 19  # of a version that fits SQLite

_facts = msgspec.json.Decoder(Fact)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS book (id TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS device (agent TEXT PRIMARY KEY, key TEXT NOT NULL, epoch INTEGER NOT NULL) STRICT;
"""


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
        self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {DECISION_SCHEMA} {PLAN_SCHEMA} COMMIT;")
        with self._transaction():
            if self._db.execute("SELECT 1 FROM book").fetchone() is None:
                self._db.execute("INSERT INTO book VALUES (?)", (uuid.uuid4().hex[:12],))
        self._plans = PlanTable(self._db)
        self._decisions = Decisions(self._db)
        self._struck = StruckOut(self._db)
        self._id: str = self._db.execute("SELECT id FROM book").fetchone()[0]

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    # ------------------------------------------------------------ facts

    def admit(self, agent: str, device: Device | None) -> str:
        """Take note of the PC that speaks as an agent; why it may not, in words, empty: it may.

        A higher epoch takes over, and from then on the PC before it is refused.
        """
        with self._transaction():
            row = self._db.execute("SELECT key, epoch FROM device WHERE agent = ?", (agent,)).fetchone()
            if device is None:
                return "" if row is None else f"The PC that speaks as agent {agent} must say which it is."
            if row is None or device.epoch > row[1]:
                values = (agent, device.key, device.epoch)
                self._db.execute("INSERT OR REPLACE INTO device VALUES (?, ?, ?)", values)
                return ""
        if device.epoch < row[1]:
            return (
                f"Another PC has taken the place of this one as agent {agent}: a backup was restored there. "
                "Switch this PC off, or give it another agent id and an empty data folder."
            )
        return "" if device.key == row[0] else (
            f"Another PC works as agent {agent} already: two with one id would mix up their reports. Give this "
            "one another agent id, or restore a backup here with: floorhand restore"
        )

    def push(self, facts: Sequence[Fact]) -> tuple[Receipt, ...]:
        """Decide each fact, all in one commit; one receipt each, in order.

        A refusal changes nothing in the books, so it needs no transaction of its own.
        """
        refused: set[str] = set()
        receipts: list[Receipt] = []
        accepted_at = self._now().isoformat()
        with self._transaction(), self._plans.together():
            unheard_of = self._decisions.unheard_of(facts)
            for fact in facts:
                about = fact.body.about
                receipt = self._decide(fact, accepted_at, held=about in refused, is_new=fact.id in unheard_of)
                if isinstance(receipt, Refused):
                    refused.add(about)
                receipts.append(receipt)
        return tuple(receipts)

    def ask(self, ids: Sequence[str]) -> tuple[Receipt, ...]:
        """What was decided on these facts; unknown ones are left out."""
        known = ((id, self._decisions.of(id)) for id in ids)
        return tuple(
            self._struck.answer(id) or decision.answer(id) for id, decision in known if decision is not None
        )

    def _decide(self, fact: Fact, accepted_at: str, held: bool, is_new: bool) -> Receipt:
        """`is_new`: nothing is known of the fact."""
        payload = msgspec.json.encode(fact).decode()
        before = None if is_new else self._decisions.of(fact.id)
        if not is_new and (known := self._known(fact, payload, before)) is not None:
            return known
        if held:
            return Refused(fact.id, HELD_BACK, f"Waits for an earlier fact about {fact.body.about}.")
        refusal = self._judge(fact)
        if before is not None:
            self._decisions.forget(fact.id)
        number = self._decisions.keep(fact, payload, accepted_at, refusal)
        if refusal:
            return Refused(fact.id, refusal.code, refusal.reason)
        return Applied(fact.id, reference(number))

    def _known(self, fact: Fact, payload: str, before: Decision | None) -> Receipt | None:
        """What was decided about the fact before, by us or by people; None: it is to be judged."""
        if before is not None and not before.is_of(payload):
            return Refused(fact.id, "key_reused", "This id was used before for something else.")
        if before is not None and before.applied:
            return Duplicate(fact.id, reference(before.number), Booked(digest(msgspec.json.decode(before.payload))))
        if self._decisions.number_taken(fact):
            reason = f"Number {fact.seq} of agent {fact.agent} is another fact here: do two PCs work as it?"
            return Refused(fact.id, "number_reused", reason)
        return self._struck.answer(fact.id)

    def _judge(self, fact: Fact) -> No | None:
        """Book the effect of a fact; or why not, with nothing changed."""
        body = fact.body
        refusal = rules.objection(fact, self._plans)
        if refusal is not None or isinstance(body, rules.Evidence):
            return refusal
        if isinstance(body, Correction):
            return self._correct(body)
        if isinstance(body, ExceptionDecided):
            self._struck.strike_out(body)
            self._tell_again(body.job)
            return None
        if isinstance(body, MaintenanceFact):
            return rules.book_maintenance(body, [each.body for each in self._decisions.booked(body.about)])
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
        if self._struck.answer(correction.corrects) is not None:  # there is nothing to take back
            self._tell_again(correction.about)
            return None
        row = self._decisions.of(correction.corrects)
        booked = _facts.decode(row.payload) if row is not None and row.applied else None
        undone = row is not None and row.undone
        refusal = rules.wrong_correction(correction, booked.body if booked else None, undone)
        if refusal is not None or booked is None:
            return refusal
        account = self._plans.account(booked.body.about)
        if account is not None:
            self._plans.keep(account, rules.unbook(account, booked.id, booked.body))
            move = rules.move_of(booked.body)
            self._plans.move(move.back() if move else None)
        self._decisions.undo(booked.id)
        return None

    def _tell_again(self, order: str) -> None:
        """The floor counts what was never booked, until it has the figures of the order anew."""
        if account := self._plans.account(order):
            self._plans.tell_again(account.order)

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
            no_order = (
                "about NOT LIKE 'maintenance/%' AND about NOT LIKE 'exception/%'"
                " AND about NOT IN (SELECT id FROM plan WHERE kind = ?)"
            )
            other = self._bookings(no_order, "JobOrder", newest=True)
            return OrdersReply(orders, other, self._plans.words(), self._maintenance(), self._exceptions())

    def _exceptions(self) -> tuple[ExceptionView, ...]:
        """What people decided last, newest first, each with the fact that it is about."""
        return tuple(
            exception_view(
                [fact.body for fact in self._decisions.booked(about)], self._bookings("fact = ?", fact, newest=True),
                self._bookings("about = ?", about, newest=True),
            )
            for about, fact in self._struck.latest(_SHOWN)
        )  # fmt: skip

    def _maintenance(self) -> tuple[MaintenanceView, ...]:
        """The latest requests for maintenance, newest first, with what was booked about each."""
        rows = self._db.execute(
            "SELECT about FROM decision WHERE about LIKE ? GROUP BY about ORDER BY max(number) DESC LIMIT ?",
            (PREFIX + "%", _SHOWN),
        ).fetchall()
        return tuple(
            maintenance_view(
                [fact.body for fact in self._decisions.booked(about)], self._bookings("about = ?", about, newest=True)
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
    told = (getattr(body, name, "") for name in ("reason", "symptom", "suspected", "failure", "choice"))
    part = body.material if isinstance(body, MaintenancePartUsed) else ""
    return next((each for each in told if each), part)
