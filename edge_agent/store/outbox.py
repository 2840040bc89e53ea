"""The journal is the outbox: what one connector has to send, and how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from edge_agent.store import parking
from edge_agent.store.database import Connection, Transactions
from edge_agent.store.journal import last_seq
from sync.contract import Fact, Receipt
from sync.ports import Clock

_SHOWN = 50  # parked facts that a terminal is told one by one


@dataclass(frozen=True, slots=True)
class QueueState:
    """Every fact is in one of three places: delivered, unsent or parked.

    `unsent`: on its way, or sent again by a person. `parked`: refused, or held back behind a refused
    one about the same thing; the newest 50 seqs, newest first, `parked_count` all. Every fact up to
    `delivered_seq` was accepted unless its seq is in `parked`. `safe_seq` is the last committed one,
    `oldest_unsent` when the first unsent one was recorded.
    """

    safe_seq: int
    delivered_seq: int
    unsent: int
    oldest_unsent: datetime | None
    parked: tuple[int, ...]
    parked_count: int


class JournalOutbox:
    """`sync.ports.Outbox` over the journal, for the connector of this name.

    A refused fact is parked, and so are the later facts about the same thing, before any of them is
    sent: the cursor stays contiguous and the facts about other things flow.
    """

    def __init__(self, database: Transactions, connector: str, clock: Clock) -> None:
        self._database = database
        self._connector = connector
        self._clock = clock
        self._more = asyncio.Event()
        self._more.set()

    def notify(self) -> None:
        """Facts were committed: whoever waits looks again."""
        self._more.set()

    async def wait(self) -> None:
        """Return when there may be something to send."""
        await self._more.wait()

    async def pending(self, limit: int) -> Sequence[Fact]:
        """The next facts to send, in seq order, at most `limit`; empty: nothing to do."""
        # Before the look, so that a fact committed meanwhile is not slept over.
        self._more.clear()
        while (facts := await self._database.read(lambda conn: _offered(conn, self._connector, limit))) is None:
            await self._hold(self._clock.now())
        return facts

    async def _hold(self, now: datetime) -> None:
        await self._database.write(lambda conn: parking.hold(conn, self._connector, now))

    async def settle(self, receipts: Sequence[Receipt]) -> None:
        """Keep the answers, in one commit. The first that accepts a fact stands. Raises StoreError."""
        now = self._clock.now()
        await self._database.write(lambda conn: parking.settle(conn, self._connector, receipts, now))


def _offered(conn: Connection, connector: str, limit: int) -> Sequence[Fact] | None:
    """As `parking.pending`; None when something is to be held first. One look: a fact that is committed
    between two would go past the refused one that it stands behind."""
    return None if parking.must_hold(conn, connector) else parking.pending(conn, connector, limit)


def queue(conn: Connection, connector: str) -> QueueState:
    """How far the connector is; cheap, however long the journal."""
    safe, reached = last_seq(conn), parking.cursor(conn, connector)
    rows = conn.execute(
        """
        SELECT seq FROM parked WHERE connector = ? AND state IN ('refused', 'held')
        ORDER BY seq DESC LIMIT ?
        """,
        (connector, _SHOWN + 1),
    ).fetchall()
    newest = tuple(seq for (seq,) in rows)
    parked, again, first_again, ahead = conn.execute(
        """
        SELECT count(*) FILTER (WHERE state IN ('refused', 'held')),
            count(*) FILTER (WHERE state IN ('retry', 'unsure')),
            min(seq) FILTER (WHERE state IN ('retry', 'unsure')),
            count(*) FILTER (WHERE seq > ?)
        FROM parked WHERE connector = ?
        """,
        (reached, connector),
    ).fetchone()
    delivered = reached if first_again is None else min(reached, first_again - 1)
    if len(newest) > _SHOWN:  # below the ones that can be named, nothing may look delivered
        delivered = min(delivered, newest[_SHOWN] - 1)
    first = parking.pending(conn, connector, 1)
    return QueueState(
        safe_seq=safe,
        delivered_seq=delivered,
        unsent=safe - reached - ahead + again,
        oldest_unsent=first[0].record_time if first else None,
        parked=newest[:_SHOWN],
        parked_count=parked,
    )
