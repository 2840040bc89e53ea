"""A connector that does what the test wrote down, over books that keep the ERP's promise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.contract import Applied, Booked, Duplicate, Fact, PlanPage, Receipt, Refused
from sync.device import Device
from sync.ports import Ambiguous, NotUnderstood
from sync.same_fact import booked, members
from tests.sync.plant import fact

Step = Callable[["ScriptedConnector", Sequence[Fact]], Sequence[Receipt]]


class ScriptedConnector:
    """Books facts once. `script` holds the next steps of `push`, used up one by one; then it books.

    `calls` lists what was asked: ("push" | "ask", ids). `gate`, when set, holds each push until open.
    """

    def __init__(self, options: Any = None, agent: str = "pc1") -> None:
        self.script: list[Step | Exception] = []
        self.pages: list[PlanPage | Exception] = []
        self.cursors: list[str | None] = []
        self.calls: list[tuple[str, list[str]]] = []
        self.booked: list[str] = []
        self.seen: dict[str, Fact] = {}
        self.refuses: dict[str, str] = {}
        self.refused: dict[str, str] = {}  # before, and remembered
        self.gate: asyncio.Event | None = None
        self.arrived = asyncio.Event()

    def introduce(self, device: Device) -> None:
        self.device = device

    async def push(self, facts: Sequence[Fact]) -> Sequence[Receipt]:
        self.calls.append(("push", [fact.id for fact in facts]))
        self.seen.update({fact.id: fact for fact in facts})
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        step = self.script.pop(0) if self.script else book
        if isinstance(step, Exception):
            raise step
        return step(self, facts)

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Receipt]:
        self.calls.append(("ask", list(ids)))
        remembered = {id: Refused(id, self.refused[id], "no") for id in ids if id in self.refused}
        return remembered | {id: Duplicate(id, "RB", self.keeps(id)) for id in ids if id in self.booked}

    def keeps(self, id: str) -> Booked:
        """What it can tell of a fact that it has."""
        return booked(members(self.seen.get(id) or fact(int(id.rpartition("-")[2]))))

    async def pull(self, cursor: str | None) -> PlanPage:
        self.cursors.append(cursor)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    async def close(self) -> None:
        pass

    @property
    def pushes(self) -> list[list[str]]:
        """The ids of each push."""
        return [ids for what, ids in self.calls if what == "push"]


def book(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
    """Book what is new and refuse what `refuses` names."""
    receipts: list[Receipt] = []
    for each in facts:
        if each.id in connector.refuses:
            receipts.append(Refused(each.id, connector.refuses[each.id], "no"))
        elif each.id in connector.booked:
            receipts.append(Duplicate(each.id, "RB", connector.keeps(each.id)))
        else:
            connector.booked.append(each.id)
            receipts.append(Applied(each.id, "RB"))
    return receipts


def book_and_lose_the_reply(count: int) -> Step:
    """Book the first `count` facts; nobody hears of it."""

    def step(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        book(connector, facts[:count])
        raise Ambiguous("The reply was lost.")

    return step


def stumble_on(*poison: str) -> Step:
    """Give no clear answer to a batch that holds one of these facts, and book nothing of it."""

    def step(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        connector.script.insert(0, step)
        if any(fact.id in poison for fact in facts):
            raise Ambiguous("HTTP 500.")
        return book(connector, facts)

    return step


def choke_on(*poison: str) -> Step:
    """Refuse each batch that holds one of these facts, as a whole."""

    def step(connector: ScriptedConnector, facts: Sequence[Fact]) -> Sequence[Receipt]:
        if any(fact.id in poison for fact in facts):
            connector.script.insert(0, step)
            raise NotUnderstood("Field 7 is odd.")
        connector.script.insert(0, step)
        return book(connector, facts)

    return step
