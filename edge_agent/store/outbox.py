"""The journal is the outbox: what one connector has to send, and how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from edge_agent.store import cursor, parking
from edge_agent.store.database import Connection, Transactions
from edge_agent.store.journal import last_seq
from sync.contract import Fact, Receipt
from sync.ports import Clock

_SHOWN = 50  # parked facts that a terminal is told one by one


@dataclass(frozen=True, slots=True)
class QueueState:
    """Every fact is in one of three places: delivered, unsent or parked.

    `unsent`: on its way, or sent again by a person. `parked`: refused, or held back behind a refused one about the
    same thing; the newest 50 seqs, newest first, `parked_count` all. Of them, `held` only wait and `handed_over`
    are refused and with somebody else. `corrected`: the ERP refused them and never will have them, since the
    decision that says so was taken, or a later decision stands for them; the newest 50, newest first. Every fact up
    to `delivered_seq` was accepted unless its seq is in `parked` or `corrected`. `safe_seq` is the last committed
    one, `oldest_unsent` when the first unsent one was recorded.
    """

    safe_seq: int
    delivered_seq: int
    unsent: int
    oldest_unsent: datetime | None
    parked: tuple[int, ...]
    parked_count: int
    held: tuple[int, ...] = ()
    handed_over: tuple[int, ...] = ()
    corrected: tuple[int, ...] = ()


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

    async def pending(self, limit: int, without: Sequence[str] = ()) -> Sequence[Fact]:
        """The next facts to send, in seq order, at most `limit`, none about what is in `without`; empty: nothing.

        A cursor that is not what was written is mended first. Raises StoreError, also for a fact that is not.
        """
        # Before the look, so that a fact committed meanwhile is not slept over.
        self._more.clear()
        look = partial(_offered, connector=self._connector, limit=limit, without=without)
        while (facts := await self._database.read(look)) is None:
            await self._prepare(self._clock.now())
        return facts

    async def unclear(self) -> Sequence[Fact]:
        """What a person sends again while nobody knows whether the ERP has it."""
        return await self._database.read(lambda conn: parking.unclear(conn, self._connector))

    async def _prepare(self, now: datetime) -> None:
        def work(conn: Connection) -> None:
            cursor.mend(conn, self._connector, now)
            parking.hold(conn, self._connector, now)

        await self._database.write(work)

    async def settle(self, receipts: Sequence[Receipt]) -> None:
        """Keep the answers, in one commit. The first that accepts a fact stands. Raises StoreError."""
        now = self._clock.now()
        await self._database.write(lambda conn: parking.settle(conn, self._connector, receipts, now))


def _offered(conn: Connection, connector: str, limit: int, without: Sequence[str]) -> Sequence[Fact] | None:
    """As `parking.pending`; None when something is to be held or mended first. One look: a fact that is committed
    between two would go past the refused one that it stands behind."""
    if parking.must_hold(conn, connector) or not cursor.is_sound(conn, connector):
        return None
    return parking.pending(conn, connector, limit, without)


def queue(conn: Connection, connector: str) -> QueueState:
    """How far the connector is; cheap, however long the journal."""
    safe, reached = last_seq(conn), cursor.cursor(conn, connector)
    rows = conn.execute(
        """
        SELECT k.seq, k.state, d.choice FROM parked k JOIN journal j ON j.seq = k.seq
        LEFT JOIN decided d ON d.exception = j.id
        WHERE k.connector = ? AND k.state IN ('refused', 'held')
        ORDER BY k.seq DESC LIMIT ?
        """,
        (connector, _SHOWN + 1),
    ).fetchall()
    newest = tuple(seq for seq, _, _ in rows)
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
    return QueueState(
        safe_seq=safe,
        delivered_seq=delivered,
        unsent=safe - reached - ahead + again,
        oldest_unsent=parking.waits_since(conn, connector),
        parked=newest[:_SHOWN],
        parked_count=parked,
        held=tuple(seq for seq, state, _ in rows[:_SHOWN] if state == "held"),
        handed_over=tuple(
            seq for seq, state, choice in rows[:_SHOWN] if state == "refused" and choice == "hand_over"
        ),
        corrected=parking.never_booked(conn, connector, _SHOWN),
    )
