"""Mistakes between the journal and the ERP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec

from edge_agent.store import cursor, parking, plans
from edge_agent.store.database import Connection
from edge_agent.store.journal import last_seq, to_fact
from sync import relay
from sync.connectors.rest import Connector
from sync.contract import Applied, Fact, PlanPage, Receipt, Refused
from sync.pause import Pause
from sync.ports import Ambiguous
from sync.relay import Relay
from tests.sim.bugs import bug, swapped

_push, _ask = Connector.push, Connector.ask


@bug("facts are marked as delivered before the ERP has answered")
def marked_before_reply() -> Iterator[None]:
    ours = Relay._push

    async def push(self: Relay, facts: Sequence[Fact]) -> None:
        await self._outbox.settle([Applied(fact.id, "?") for fact in facts])
        await ours(self, facts)

    with swapped(Relay, "_push", push):
        yield


@bug("every try has a key of its own")
def key_for_each_try() -> Iterator[None]:
    tries = iter(range(10**9))

    async def push(self: Connector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        attempt = next(tries)
        renamed = [msgspec.structs.replace(f, id=str(uuid5(NAMESPACE_OID, f"{f.id} {attempt}"))) for f in facts]
        receipts = await _push(self, renamed)
        return [msgspec.structs.replace(r, fact=f.id) for f, r in zip(facts, receipts, strict=True)]

    with swapped(Connector, "push", push):
        yield


@bug("the back-off reads the wall clock")
def wall_clock_back_off() -> Iterator[None]:
    ours = Pause.until

    async def until(self: Pause, monotonic: float) -> None:
        clock = self._clock
        due = clock.now().timestamp() + monotonic - clock.monotonic()
        while (left := due - clock.now().timestamp()) > 0:
            await ours(self, clock.monotonic() + min(left, 0.5))

    with swapped(Pause, "until", until):
        yield


@bug("an answer that nobody knows the meaning of counts as booked")
def ambiguous_is_success() -> Iterator[None]:
    async def push(self: Connector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        try:
            return await _push(self, facts)
        except Ambiguous:
            return [Applied(fact.id, "?") for fact in facts]

    with swapped(Connector, "push", push):
        yield


@bug("any answer with status 200 is a receipt: also the page of a hotel", seed=0)
def any_200_is_a_receipt() -> Iterator[None]:
    async def push(self: Connector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        try:
            return await _push(self, facts)
        except Ambiguous as error:
            if "web page" in str(error) or "JSON" in str(error):
                return [Applied(fact.id, "?") for fact in facts]
            raise

    with swapped(Connector, "push", push):
        yield


@bug("the cursor goes on over facts that have no answer")
def cursor_past_unanswered() -> Iterator[None]:
    def advance(conn: Connection, connector: str) -> None:
        cursor.reach(conn, connector, last_seq(conn))
        parking._forget_done(conn, connector)

    with swapped(parking, "_advance", advance):
        yield


@bug("a refused fact is dropped")
def refused_dropped() -> Iterator[None]:
    ours = parking._keep

    def keep(conn: Connection, row: Any, state: str | None, receipt: Receipt, now: Any) -> None:
        ours(conn, row, state, Applied(receipt.fact, "?") if isinstance(receipt, Refused) else receipt, now)

    with swapped(parking, "_keep", keep):
        yield


@bug("facts behind a refused one about the same job are sent")
def held_back_sent() -> Iterator[None]:
    def hold(conn: Connection, connector: str, now: Any) -> None:
        parking._advance(conn, connector)

    with swapped(parking, "hold", hold), swapped(parking, "must_hold", lambda conn, connector: False):
        yield


@bug("facts are sent in the order of the wall clock", seed=7)
def ordered_by_clock() -> Iterator[None]:
    ours = parking.pending

    def pending(conn: Connection, connector: str, limit: int, without: Sequence[str] = ()) -> tuple[Fact, ...]:
        return tuple(sorted(ours(conn, connector, 1000, without), key=lambda fact: fact.record_time)[:limit])

    with swapped(parking, "pending", pending):
        yield


@bug("a refused fact holds back every job", seed=7)
def refused_holds_all() -> Iterator[None]:
    ours = parking.pending

    def pending(conn: Connection, connector: str, limit: int, without: Sequence[str] = ()) -> tuple[Fact, ...]:
        waits = conn.execute("SELECT 1 FROM parked WHERE connector = ? AND state = 'refused'", (connector,)).fetchone()
        again = [fact for fact in ours(conn, connector, limit, without) if fact.seq <= cursor.cursor(conn, connector)]
        return tuple(again) if waits else ours(conn, connector, limit, without)

    with swapped(parking, "pending", pending):
        yield


@bug("the cursor of the plans is saved before the plans", seed=19)
def plan_cursor_first() -> Iterator[None]:
    ours = plans.PlanInbox.take

    async def take(self: plans.PlanInbox, page: PlanPage) -> None:
        now = self._clock.now()
        empty = msgspec.structs.replace(page, plans=(), withdrawn=(), reset=False, more=True)
        await self._store.write(lambda conn: plans.take(conn, self._connector, empty, now))
        await ours(self, page)

    with swapped(plans.PlanInbox, "take", take):
        yield


@bug("what the ERP does not know is taken for booked")
def unknown_is_booked() -> Iterator[None]:
    async def ask(self: Connector, ids: Sequence[str]) -> Mapping[str, Receipt]:
        known = dict(await _ask(self, ids))
        return {id: known.get(id, Applied(id, "?")) for id in ids}

    with swapped(Connector, "ask", ask), swapped(relay, "told", lambda receipt: receipt is not None):
        yield


@bug("how far the ERP is is believed, whatever the disk has made of it", seed=6)
def cursor_not_checked() -> Iterator[None]:
    with swapped(cursor, "_REACHED", "SELECT seq FROM delivered WHERE connector = :connector"):
        yield


@bug("a report is sent as the disk has it", seed=24)
def rotten_sent() -> Iterator[None]:
    def unchecked(row: Any) -> Fact:
        seq, _, _, _, *parts = row
        id, agent, event_time, record_time, clock_ok, *rest = (part.decode() for part in parts)
        return to_fact((seq, id, agent, event_time, record_time, int(clock_ok), *rest))

    with swapped(parking, "checked", unchecked):
        yield


@bug("a duplicate of anything counts as delivered", seed=9)
def duplicate_of_anything() -> Iterator[None]:
    async def judged(self: Relay, facts: Sequence[Fact], receipts: Sequence[Receipt]) -> Sequence[Receipt]:
        return receipts

    with swapped(Relay, "_judged", judged):
        yield
