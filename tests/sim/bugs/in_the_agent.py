"""Mistakes between an input and its commit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

import msgspec

from edge_agent.store import Connection, sessions
from edge_agent.store.errors import StoreError
from edge_agent.terminals import steps
from edge_agent.terminals.inputs import Terminals
from edge_agent.terminals.session import Session
from edge_agent.terminals.steps import Steps, Taken
from edge_agent.views import Input, View
from tests.sim.bugs import bug, swapped

_load = sessions.load


@bug("an input that is sent again is taken again")
def input_taken_twice() -> Iterator[None]:
    def load(conn: Connection, terminal: str) -> sessions.Session | None:
        saved = _load(conn, terminal)
        if saved is None:
            return None
        state = msgspec.structs.replace(msgspec.json.decode(saved.state, type=Session), answered=())
        return sessions.Session(msgspec.json.encode(state), "", saved.last_view)

    with swapped(sessions, "load", load):
        yield


def _apart() -> Iterator[None]:
    """The session goes to the disk in the next transaction."""
    waiting: dict[str, sessions.Session] = {}

    def save(conn: Connection, terminal: str, session: sessions.Session) -> None:
        waiting[terminal] = session

    ours = Terminals.handle

    async def handle(self: Terminals, terminal: str, given: Input, received_at: Any = None) -> View:
        view = await ours(self, terminal, given, received_at)
        session = waiting.pop(terminal, None)
        if session is not None:
            await self._store.write(lambda conn: keep(conn, terminal, session))
        return view

    keep = sessions.save
    with swapped(sessions, "save", save), swapped(Terminals, "handle", handle):
        yield


@bug("the session is saved in a transaction of its own, after that of the facts", seed=1)
def session_apart() -> Iterator[None]:
    yield from _apart()


@bug("an id is made for each try, not for each step; the session is saved apart")
def id_for_each_try() -> Iterator[None]:
    ours = Steps._recorded
    tries = iter(range(10**9))

    def recorded(self: Steps, conn: Any, station: Any, session: Session, given: Any, result: Any, moment: Any) -> Any:
        fresh = str(uuid5(UUID(session.intent), f"try {next(tries)}"))
        return ours(self, conn, station, msgspec.structs.replace(session, intent=fresh), given, result, moment)

    with swapped(Steps, "_recorded", recorded):
        yield from _apart()


@bug("what could not be kept is answered with the step that would have been", seed=4)
def not_saved_swallowed() -> Iterator[None]:
    ours = Terminals.handle
    take = Steps.take
    last: dict[str, Taken] = {}

    def taken(self: Steps, conn: Any, station: Any, given: Input, moment: Any, late: bool) -> Taken:
        last[given.id] = result = take(self, conn, station, given, moment, late)
        return result

    async def handle(self: Terminals, terminal: str, given: Input, received_at: Any = None) -> View:
        try:
            return await ours(self, terminal, given, received_at)
        except StoreError:
            if given.id in last:
                return last[given.id].view
            raise

    with swapped(steps.Steps, "take", taken), swapped(Terminals, "handle", handle):
        yield
