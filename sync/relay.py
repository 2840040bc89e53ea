"""Carries the outbox to one connector, in order, until every fact has a receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from random import Random

from sync.answers import checked, decisions
from sync.contract import Fact, Receipt, Refused
from sync.health import Health
from sync.pause import Pause
from sync.ports import Ambiguous, Clock, Connector, Link, NotAllowed, NotUnderstood, Outbox, Unreachable

GRACE = 5.0  # seconds that a cancelled relay gives the request in hand
_FIRST = 100  # facts in the first request: nobody knows yet how fast the other side is


class Relay:
    """One task for one connector; `run` until cancelled.

    Facts whose fate is unknown (an unclear answer, a start after a crash) are asked for by id before
    anything is sent. A batch grows while answers come and shrinks when one does not. One that the ERP
    can not read is halved until the one fact stands alone that nobody can read; that one is parked as
    not_understood and the others flow.
    """

    def __init__(
        self, outbox: Outbox, connector: Connector, link: Link, clock: Clock, rng: Random, batch: int = 500
    ) -> None:
        self._outbox = outbox
        self._connector = connector
        self._clock = clock
        self._batch = batch
        self._limit = min(batch, _FIRST)
        self._health = Health("relay", link, rng)
        self._pause = Pause(clock)
        # Ids whose fate is unknown; None at the start: whoever ran before us may have died between a
        # request and its answer.
        self._doubtful: tuple[str, ...] | None = None

    def poke(self) -> None:
        """Try again now, whatever the back-off says."""
        self._pause.poke()

    async def run(self) -> None:
        """Send what is pending, wait for more; a cancel lets the request in hand finish (<= GRACE)."""
        while True:
            try:
                facts = await self._outbox.pending(self._limit)
                if not facts:
                    await self._outbox.wait()
                    continue
                await self._finish(self._carry(facts))
                self._health.good()
            except Exception as error:  # a bug of a connector must not end the deliveries of this PC
                await self._pause.until(self._clock.monotonic() + self._health.bad(error))

    async def _carry(self, facts: Sequence[Fact]) -> None:
        """One step: settle what was in doubt, or send."""
        if self._doubtful is None:
            self._doubtful = tuple(fact.id for fact in facts)
        if self._doubtful and await self._settle_known(self._doubtful):
            return
        await self._push(facts)

    async def _settle_known(self, ids: Sequence[str]) -> bool:
        """Settle what the ERP knows of these facts; False when it knows none: nothing was booked."""
        known: dict[str, Receipt] = {}
        try:
            known.update(await self._connector.ask(ids))
        except NotUnderstood:
            for id in ids:
                known.update(await self._ask_one(id))
        settled = decisions([known[id] for id in ids if id in known])
        if settled:
            await self._outbox.settle(settled)
        self._doubtful = ()
        return bool(settled)

    async def _ask_one(self, id: str) -> Mapping[str, Receipt]:
        try:
            return await self._connector.ask([id])
        except NotUnderstood:  # nothing was ever booked under an id that can not be read
            return {}

    async def _push(self, facts: Sequence[Fact]) -> None:
        self._doubtful = tuple(fact.id for fact in facts)
        try:
            receipts = checked(facts, await self._connector.push(facts))
        except NotUnderstood as error:
            self._doubtful = ()
            await self._isolate(facts, str(error))
            return
        except (Unreachable, NotAllowed):
            self._doubtful = ()
            raise
        except Ambiguous:  # perhaps more than the other side books within its time
            self._limit = max(1, len(facts) // 2)
            raise
        await self._outbox.settle(decisions(receipts))
        self._doubtful = ()
        self._limit = min(self._batch, self._limit * 2)

    async def _isolate(self, facts: Sequence[Fact], reason: str) -> None:
        """Halve the batch; a fact that is refused alone is the poison."""
        self._limit = max(1, len(facts) // 2)
        if len(facts) == 1:
            await self._outbox.settle([Refused(facts[0].id, "not_understood", reason)])

    async def _finish(self, work: Coroutine[None, None, None]) -> None:
        """Await `work`; when cancelled, let it end first, so that an answer on its way is kept."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            timer = asyncio.ensure_future(self._clock.sleep_until(self._clock.monotonic() + GRACE))
            try:
                await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                task.cancel()
                await asyncio.gather(task, timer, return_exceptions=True)
            raise
