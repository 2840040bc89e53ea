"""Mistakes in what becomes of a decision on a refused fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec

from edge_agent import doubts
from edge_agent.scenarios import exceptions, exceptions_page
from edge_agent.store import doubts as store_doubts
from edge_agent.store import parking
from edge_agent.store.database import Connection
from edge_agent.terminals import steps
from sync.connectors.rest import Connector
from sync.contract import AnyFact, Correction, Fact, Receipt
from sync.exceptions import ExceptionDecided
from tests.sim.bugs import bug, swapped


@bug("a fact that is sent again has a new key")
def resent_with_new_key() -> Iterator[None]:
    again: set[int] = set()
    resend, push_ours = parking.resend, Connector.push

    def noted(conn: Connection, connector: str, seq: int) -> None:
        resend(conn, connector, seq)
        again.add(seq)

    async def push(self: Connector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        renamed = [
            msgspec.structs.replace(f, id=str(uuid5(NAMESPACE_OID, f"{f.id} again"))) if f.seq in again else f
            for f in facts
        ]
        receipts = await push_ours(self, renamed)
        return [msgspec.structs.replace(r, fact=f.id) for f, r in zip(facts, receipts, strict=True)]

    with swapped(parking, "resend", noted), swapped(Connector, "push", push):
        yield


@bug("what is handed over is sent as well", seed=10)
def hand_over_sent() -> Iterator[None]:
    ours = store_doubts.carry_out

    def carry_out(conn: Connection, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact.body, ExceptionDecided) and fact.body.choice == "hand_over":
                fact = msgspec.structs.replace(fact, body=msgspec.structs.replace(fact.body, choice="resend"))
            ours(conn, [fact])

    with swapped(steps, "carry_out", carry_out):
        yield


@bug("a correction is recorded, and what was refused is not settled", seed=8)
def corrected_unsettled() -> Iterator[None]:
    with swapped(parking, "_correct", lambda *given: None):
        yield


@bug("a correction settles every fact of the job that waits", seed=8)
def correction_settles_all() -> Iterator[None]:
    ours = parking._correct

    def correct(conn: Connection, connector: str, decision: int) -> None:
        abouts = [row[1] for row in conn.execute(parking._CORRECTED, (connector, decision)).fetchall()]
        ours(conn, connector, decision)
        for about in abouts:
            conn.execute("UPDATE parked SET state = 'booked' WHERE connector = ? AND about = ?", (connector, about))

    with swapped(parking, "_correct", correct):
        yield


def _without(kind: type) -> Iterator[None]:
    """One of the facts of a correction is forgotten."""
    ours = doubts.answered

    def answered(*given: Any, **more: Any) -> tuple[AnyFact, ...]:
        return tuple(each for each in ours(*given, **more) if not isinstance(each, kind))

    with swapped(exceptions, "answered", answered):
        yield


@bug("a correction puts another fact in the place of the refused one, which still counts here", seed=7)
def corrected_not_taken_back() -> Iterator[None]:
    yield from _without(Correction)


@bug("the person who decides may be the second one as well")
def seconded_by_oneself() -> Iterator[None]:
    with swapped(exceptions_page, "_badges", lambda here: {}):
        yield
