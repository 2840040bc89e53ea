"""The plans of the ERP: a copy that is replaced page by page, and the book made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from edge_agent.planbook import PlanBook
from edge_agent.store import cursor
from edge_agent.store.cursor import Accepted
from edge_agent.store.database import Connection, Transactions
from edge_agent.store.errors import StoreError
from edge_agent.store.journal import time_text
from edge_agent.store.parking import plans_came
from sync.contract import AnyPlan, JobOrder, PlanKey, PlanPage
from sync.ports import Clock
from sync.receipts import LONGEST, shortened

_TEXTS = ("description", "name", "text", "hold", "customer")

_plan: msgspec.json.Decoder[AnyPlan] = msgspec.json.Decoder(AnyPlan)


class Books(Transactions, Protocol):
    """The store as an inbox sees it: transactions, and the book of all plans that are kept."""

    book: PlanBook


class PlanInbox:
    """`sync.ports.Inbox` over the store, whose `book` it keeps. `on_change` gets each new one; `on_forgotten` is told
    that facts are to be sent again."""

    def __init__(
        self, store: Books, connector: str, clock: Clock, on_change: Callable[[PlanBook], None],
        on_forgotten: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._store = store
        self._connector = connector
        self._clock = clock
        self._on_change = on_change
        self._on_forgotten = on_forgotten

    async def cursor(self) -> str | None:
        """The cursor of the last page taken; None: never pulled."""
        return await self._store.read(lambda conn: _pulled(conn, self._connector)[0])

    async def accepted(self, upto: int | None = None) -> Accepted | None:
        """The last fact, with a seq up to `upto`, that the ERP has taken at once; None: the journal has none.

        Where it is no longer known how far the ERP is, whoever sends is told: with nothing new to send nobody looks.
        """
        name = self._connector
        sound, last = await self._store.read(
            lambda conn: (cursor.is_sound(conn, name), cursor.accepted(conn, name, upto))
        )
        if not sound:
            self._on_forgotten()
        return last

    async def forgotten(self, as_of_seq: int) -> None:
        """The ERP no longer has all that it took: everything is offered again, and people are told."""
        now = self._clock.now()
        await self._store.write(lambda conn: cursor.forgotten(conn, self._connector, as_of_seq, now))
        self._on_forgotten()

    async def take(self, page: PlanPage) -> None:
        """Replace the plans of the page and its cursor, in one commit.

        After a `reset`, plans that did not come again go with the last page of the new beginning. Texts that nobody
        could read to their end are shortened.
        """
        page, now = msgspec.structs.replace(page, plans=tuple(map(_readable, page.plans))), self._clock.now()
        try:
            gone = await self._store.write(lambda conn: take(conn, self._connector, page, now))
        except StoreError:  # it may stand all the same: what is on the disk counts
            self._store.book = await self._store.read(load_book)
            self._on_change(self._store.book)
            raise
        if page.plans or gone:
            # Commits are answered in their order, and nothing is awaited from here on: of several
            # inboxes each changes the book that the one before has left.
            self._store.book = self._store.book.with_changes(page.plans, gone)
            self._on_change(self._store.book)


def _readable(plan: AnyPlan) -> AnyPlan:
    """The plan without the rest of texts that are too long for any screen; what names something stays as it is."""
    texts = {name: text for name in _TEXTS if len(text := getattr(plan, name, None) or "") > LONGEST}
    if not texts:
        return plan
    return msgspec.structs.replace(plan, **{name: shortened(text) for name, text in texts.items()})


def load_book(conn: Connection) -> PlanBook:
    """The book of all plans that are kept. Raises msgspec.MsgspecError for one that can not be read."""
    rows = conn.execute("SELECT CAST(payload AS BLOB) FROM plan ORDER BY kind, id")  # what rotted may be no text
    return PlanBook.of(_plan.decode(payload) for (payload,) in rows)


def load_sound(conn: Connection) -> PlanBook:
    """The same at a start: where the next pull goes on must be readable as well. Raises ValueError, of msgspec too."""
    for next_pull, at in conn.execute("SELECT CAST(cursor AS BLOB), CAST(at AS BLOB) FROM pulled"):
        next_pull.decode()
        datetime.fromisoformat(at.decode())
    return load_book(conn)


def planned_reasons(conn: Connection) -> frozenset[str]:
    """The reasons of stops that are planned downtime."""
    rows = conn.execute("SELECT id FROM plan WHERE kind = 'Reason' AND json_extract(payload, '$.planned')")
    return frozenset(id for (id,) in rows)


def forget_unreadable(conn: Connection) -> None:
    """Drop plans that no program can read, from a disk that rots; all are asked for again, and those that do not come
    again go then. In a transaction."""
    for kind, id, payload in conn.execute("SELECT kind, id, CAST(payload AS BLOB) FROM plan").fetchall():
        try:
            _plan.decode(payload)
        except msgspec.MsgspecError:
            conn.execute("DELETE FROM plan WHERE kind = ? AND id = ?", (kind, id))
    conn.execute("DELETE FROM pulled")
    conn.execute("UPDATE plan SET generation = 0")  # generations are counted anew, from 1


def pulled_at(conn: Connection) -> datetime | None:
    """When plans were last asked for with success, whether something had changed or not; None: never."""
    (at,) = conn.execute("SELECT max(at) FROM pulled").fetchone()
    return None if at is None else datetime.fromisoformat(at)


def _pulled(conn: Connection, connector: str) -> tuple[str | None, int]:
    """The cursor and the generation that the connector is at."""
    row = conn.execute("SELECT cursor, generation FROM pulled WHERE connector = ?", (connector,)).fetchone()
    return row or (None, 0)


def take(conn: Connection, connector: str, page: PlanPage, now: datetime) -> tuple[PlanKey, ...]:
    """`PlanInbox.take`, inside a transaction; returns the plans that are gone."""
    generation = _pulled(conn, connector)[1] + page.reset
    conn.executemany(
        """
        INSERT OR REPLACE INTO plan (kind, id, connector, generation, as_of_seq, payload)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        [
            (type(plan).__name__, plan.id, connector, generation, page.as_of_seq, _encoded(plan))
            for plan in page.plans
        ],
    )
    plans_came(conn, connector, [plan.id for plan in page.plans if isinstance(plan, JobOrder)])
    gone = [key for key in page.withdrawn if _withdraw(conn, connector, key)]
    if not page.more:
        old = "DELETE FROM plan WHERE connector = ? AND generation < ? RETURNING kind, id"
        gone += [PlanKey(*row) for row in conn.execute(old, (connector, generation)).fetchall()]
    conn.execute(
        "INSERT OR REPLACE INTO pulled (connector, cursor, generation, at) VALUES (?, ?, ?, ?)",
        (connector, page.cursor, generation, time_text(now)),
    )
    return tuple(gone)


def _withdraw(conn: Connection, connector: str, key: PlanKey) -> bool:
    """Whether there was such a plan of this connector."""
    delete = "DELETE FROM plan WHERE kind = ? AND id = ? AND connector = ?"
    return conn.execute(delete, (key.kind, key.id, connector)).rowcount > 0


def _encoded(plan: AnyPlan) -> str:
    return msgspec.json.encode(plan).decode()
