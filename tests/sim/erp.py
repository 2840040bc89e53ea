"""The ERP: the reference server over its real books, on a disk of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import httpx

from sync.contract import AnyPlan, Fact, PlanKey, Receipt, Refused
from sync.reference_books import Books
from sync.reference_decisions import Decision
from sync.reference_erp import ReferenceErp
from tests.sim.clock import Process, SimClock, SimLoop
from tests.sim.disk import Drive
from tests.sim.net import Answer, call
from tests.sim.plant import plans
from tests.sim.platter import Platter, PowerCut

BOOKS = Path("/erp/books.db")
TOKEN = "simulated"


class CarelessBooks(Books):
    """An ERP that looks at the key alone: what it has under an id, it says, it has."""

    def _known(self, fact: Fact, payload: str, before: Decision | None) -> Receipt | None:
        if before is not None and before.applied and not before.is_of(payload):
            return before.answer(fact.id)
        return super()._known(fact, payload, before)


class Erp:
    """Switched on and off; asked over the network (`tests.sim.net.Server`)."""

    def __init__(self, loop: SimLoop, dice: Random, note: Callable[..., None]) -> None:
        self.clock = SimClock(loop, Random(dice.getrandbits(64)))
        self.platter = Platter(Random(dice.getrandbits(64)), self._ended)
        self.drive = Drive(self.platter, Random(dice.getrandbits(64)).randbytes)
        self.books: Books | None = None
        self.troubled = True
        self.careless = False
        self._loop, self._dice, self._note = loop, dice, note
        self._process: Process | None = None
        self._app: Any = None

    def boot(self) -> None:
        """Switch it on."""
        disk = self.drive.plug()
        if self.troubled:
            self.platter.cut_at = self.platter.operations + self._dice.randint(10, 1500)
        self._process = Process(self._loop, "erp")
        self._process.spawn(self._live(disk))

    async def _live(self, disk: Any) -> None:
        books = (CarelessBooks if self.careless else Books)(BOOKS, self.clock.now, disk.connect)
        books_are_new = books.is_new()
        if books_are_new:
            books.put(plans())
        self._app = ReferenceErp(books, TOKEN).app()
        self.books = books
        self._note("erp up", books_are_new)

    def power_off(self) -> None:
        """Now."""
        self.platter.lose_power()
        self._ended()

    def _ended(self) -> None:
        self._note("erp off", self.platter.operations)
        self.books = self._app = None
        if self._process is not None:
            self._process.end()
            self._process = None
        self._loop.call_later(self._dice.uniform(0.1, 4.0), self._boot_if_off)

    def _boot_if_off(self) -> None:
        if self._process is None:
            self.boot()

    def ask(self, request: httpx.Request, reply: asyncio.Future[Answer | None]) -> None:
        """A request has arrived."""
        if self._app is None or self._process is None:
            _tell(reply, None)
            return
        self._process.spawn(self._answer(self._app, request, reply))

    async def _answer(self, app: Any, request: httpx.Request, reply: asyncio.Future[Answer | None]) -> None:
        try:
            answer = await call(app, request)
        except (asyncio.CancelledError, PowerCut):
            _tell(reply, None)
            raise
        self._note("answered", request.method, answer[0], len(answer[2]))
        _tell(reply, answer)

    def put(self, *changed: AnyPlan) -> bool:
        """The office changes plans; False when the ERP is off, or goes off over it."""
        return self._in_office(lambda books: books.put(changed))

    def withdraw(self, key: PlanKey) -> bool:
        """The office takes a plan back."""
        return self._in_office(lambda books: books.withdraw(key))

    def close_order(self, id: str) -> bool:
        """The office completes an order."""
        return self._in_office(lambda books: books.close_order(id))

    def has_another(self, fact: Fact) -> bool:
        """Something comes from another agent; False when the ERP is off, or has the id already."""
        receipts: list[Receipt] = []
        if self.books is not None and not self._in_office(lambda books: receipts.extend(books.push([fact]))):
            return True  # perhaps it has it
        return any(not isinstance(each, Refused) or each.code != "key_reused" for each in receipts)

    def _in_office(self, work: Callable[[Books], object]) -> bool:
        if self.books is None:
            return False
        try:
            work(self.books)
        except PowerCut:
            return False
        return True


def _tell(reply: asyncio.Future[Answer | None], answer: Answer | None) -> None:
    if not reply.done():
        reply.set_result(answer)
