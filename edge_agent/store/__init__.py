"""All that this PC keeps: the journal, the plans, where the terminals stand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from edge_agent.clock import Clock
from edge_agent.planbook import PlanBook
from edge_agent.store import journal, schema
from edge_agent.store.database import Connection, Database
from edge_agent.store.errors import StoreError
from edge_agent.store.journal import Entry
from edge_agent.store.plans import load_book
from sync.contract import Fact

__all__ = ["Connection", "Entry", "Store", "StoreError"]

T = TypeVar("T")


class Store:
    """The database of one agent. `book` is the current PlanBook; whoever takes plans sets the new one."""

    def __init__(self, database: Database, agent: str, clock: Clock, book: PlanBook) -> None:
        self.agent = agent
        self.book = book
        self._database = database
        self._clock = clock

    @classmethod
    async def open(cls, path: Path, agent: str, clock: Clock) -> Store:
        """Open or create the file, bring it to the schema of this program, read the plans.

        Raises StoreError; `other_agent` when the journal in it is not of this agent: its numbers count
        the facts of one agent only.
        """
        database = await Database.open(path, schema.upgrade)
        try:
            await database.read(lambda conn: _same_agent(conn, agent))
            return cls(database, agent, clock, await database.read(load_book))
        except BaseException:
            await database.close()
            raise

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction; returns after its commit. See `Database.write`."""
        return await self._database.write(fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on committed rows. See `Database.read`."""
        return await self._database.read(fn)

    def record(
        self, conn: Connection, entries: Sequence[Entry], event_time: datetime, terminal: str, person: str
    ) -> tuple[Fact, ...]:
        """Append facts of this agent, now; inside `write`. See `journal.append`."""
        now, trusted = self._clock.now(), self._clock.trusted()
        return journal.append(conn, self.agent, entries, event_time, now, trusted, terminal, person)

    async def close(self) -> None:
        """Finish what waits and close the file."""
        await self._database.close()


def _same_agent(conn: Connection, agent: str) -> None:
    last = journal.tail(conn, 1)
    if last and last[0].agent != agent:
        raise StoreError(
            "other_agent",
            f"The journal in the data folder is of agent {last[0].agent!r}, the site file says {agent!r}. "
            "Put the old id back into the site file, or choose an empty data folder.",
        )
