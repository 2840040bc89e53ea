"""The plans of the ERP: a copy that is replaced page by page, and the book made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from edge_agent.planbook import PlanBook
from edge_agent.store.database import Connection, Transactions
from edge_agent.store.journal import time_text
from edge_agent.store.parking import plan_came
from sync.contract import AnyPlan, JobOrder, PlanPage
from sync.ports import Clock

_plan: msgspec.json.Decoder[AnyPlan] = msgspec.json.Decoder(AnyPlan)


class PlanInbox:
    """`sync.ports.Inbox` over the database. `on_change` gets the new book after a page that changed it."""

    def __init__(
        self, database: Transactions, connector: str, clock: Clock, on_change: Callable[[PlanBook], None]
    ) -> None:
        self._database = database
        self._connector = connector
        self._clock = clock
        self._on_change = on_change

    async def cursor(self) -> str | None:
        """The cursor of the last page taken; None: never pulled."""
        return await self._database.read(lambda conn: _pulled(conn, self._connector)[0])

    async def take(self, page: PlanPage) -> None:
        """Replace the plans of the page and its cursor, in one commit.

        After a `reset`, plans that did not come again go with the last page of the new beginning.
        """
        now = self._clock.now()
        if await self._database.write(lambda conn: take(conn, self._connector, page, now)):
            self._on_change(await self._database.read(load_book))


def load_book(conn: Connection) -> PlanBook:
    """The book of all plans that are kept."""
    rows = conn.execute("SELECT payload FROM plan ORDER BY kind, id")
    return PlanBook.of(_plan.decode(payload) for (payload,) in rows)


def pulled_at(conn: Connection) -> datetime | None:
    """When plans were last asked for with success, whether something had changed or not; None: never."""
    (at,) = conn.execute("SELECT max(at) FROM pulled").fetchone()
    return None if at is None else datetime.fromisoformat(at)


def _pulled(conn: Connection, connector: str) -> tuple[str | None, int]:
    """The cursor and the generation that the connector is at."""
    row = conn.execute("SELECT cursor, generation FROM pulled WHERE connector = ?", (connector,)).fetchone()
    return row or (None, 0)


def take(conn: Connection, connector: str, page: PlanPage, now: datetime) -> bool:
    """`PlanInbox.take`, inside a transaction; returns whether a plan came or went."""
    before = conn.total_changes
    generation = _pulled(conn, connector)[1] + page.reset
    for plan in page.plans:
        _replace(conn, connector, generation, page.as_of_seq, plan)
    conn.executemany(
        "DELETE FROM plan WHERE kind = ? AND id = ? AND connector = ?",
        [(key.kind, key.id, connector) for key in page.withdrawn],
    )
    if not page.more:
        conn.execute("DELETE FROM plan WHERE connector = ? AND generation < ?", (connector, generation))
    changed = conn.total_changes > before
    conn.execute(
        "INSERT OR REPLACE INTO pulled (connector, cursor, generation, at) VALUES (?, ?, ?, ?)",
        (connector, page.cursor, generation, time_text(now)),
    )
    return changed


def _replace(conn: Connection, connector: str, generation: int, as_of_seq: int, plan: AnyPlan) -> None:
    conn.execute(
        """
        INSERT OR REPLACE INTO plan (kind, id, connector, generation, as_of_seq, payload)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        (type(plan).__name__, plan.id, connector, generation, as_of_seq, msgspec.json.encode(plan).decode()),
    )
    if isinstance(plan, JobOrder):
        plan_came(conn, connector, plan.id)
