"""Carries the outbox to one connector, in order, until every fact has a receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from random import Random

from sync.answers import checked, decisions
from sync.contract import Duplicate, Fact, Receipt, Refused
from sync.health import Health
from sync.pause import Pause
from sync.ports import Ambiguous, Clock, Connector, Link, NotAllowed, NotUnderstood, Outbox, Unreachable
from sync.same_fact import compared, told
from sync.stumbles import Stumbles
from sync.turns import Turns

GRACE = 5.0  # seconds that a cancelled relay gives the request in hand
ASKED = 50  # ids in one question: what fits into an address
_FIRST = 100  # facts in the first request: nobody knows yet how fast the other side is


class Relay:
    """One task for one connector; `run` until cancelled.

    Facts whose fate is unknown (an unclear answer, a start after a crash) are asked for by id before
    anything is sent. A batch grows while answers come and shrinks when one does not, and so does a question,
    whose answer tells each fact again: on a slow line both must come to their end in time. A batch that the ERP
    can not read is halved until the one fact stands alone that nobody can read; that one is parked as
    not_understood and the others flow. One that stands alone and gets no clear answer holds up its own job only, and
    is parked as unclear when that lasts (see `Stumbles`).
    """

    def __init__(
        self, outbox: Outbox, connector: Connector, link: Link, clock: Clock, rng: Random, batch: int = 500,
        turns: Turns | None = None,
    ) -> None:  # fmt: skip
        """Every request waits for its turn in `turns`; without them none waits."""
        self._outbox = outbox
        self._connector = connector
        self._clock = clock
        self._batch = batch
        self._limit = min(batch, _FIRST)
        self._asked = ASKED
        self._health = Health("relay", link, rng)
        self._pause = Pause(clock)
        self._turns = turns or Turns(clock)
        self._stumbles = Stumbles()
        self._waits = False  # for a turn: nothing is on its way
        # Facts whose fate is unknown; None at the start: whoever ran before us may have died between a
        # request and its answer.
        self._doubtful: tuple[Fact, ...] | None = None

    def poke(self) -> None:
        """Try again now, whatever the back-off says."""
        self._pause.poke()

    async def run(self) -> None:
        """Send what is pending, wait for more; a cancel lets the request in hand finish (<= GRACE)."""
        while True:
            try:
                facts = await self._next()
                if not facts:
                    await self._outbox.wait()
                    continue
                await self._finish(self._carry(facts))
                self._health.good()
            except Exception as error:  # also a bug of a connector must not end the deliveries of this PC
                await self._pause.until(self._clock.monotonic() + self._health.bad(error))

    async def _next(self) -> Sequence[Fact]:
        """What goes now; a fact that the ERP stumbles over goes alone, in turn with what is about other jobs."""
        if due := self._stumbles.due():
            return due
        others = await self._outbox.pending(self._limit, self._stumbles.jobs)
        return others or self._stumbles.turn() or await self._outbox.pending(self._limit)

    async def _carry(self, facts: Sequence[Fact]) -> None:
        """One step: settle what was in doubt, or send."""
        if self._doubtful is None:
            self._doubtful = tuple(facts)
        sent_again = await self._outbox.unclear()
        doubtful = [*self._doubtful, *(fact for fact in sent_again if fact not in self._doubtful)]
        if doubtful and await self._settle_known(doubtful):
            return
        if lasting := self._stumbles.lasting():
            await self._outbox.settle(lasting)
            return
        await self._push(facts)

    async def _settle_known(self, facts: Sequence[Fact]) -> bool:
        """Settle what the ERP knows of these facts; False when it knows none: nothing was booked.

        What it has under one of their ids and with another body is not ours: such a fact is parked. A refusal that
        it knows may be older than the decision to send the fact again: it is sent, and judged anew.
        """
        ids = [fact.id for fact in facts]
        known: dict[str, Receipt] = {}
        for start in range(0, len(ids), self._asked):
            known.update(await self._ask(ids[start : start + self._asked]))
        self._asked = min(ASKED, self._asked * 2)  # behind the whole round, which could else never come to its end
        answers = [(known[fact.id], compared(fact, known[fact.id])) for fact in facts if told(known.get(fact.id))]
        settled = decisions([now for said, now in answers if now is not said or not isinstance(said, Refused)])
        if settled:
            await self._outbox.settle(settled)
        self._doubtful = ()
        decided = {receipt.fact for receipt in settled}
        self._stumbles.not_there([fact for fact in facts if fact.id not in decided])
        self._stumbles.settled([fact for fact in facts if fact.id in decided])
        return bool(settled)

    async def _ask(self, ids: Sequence[str]) -> Mapping[str, Receipt]:
        try:
            await self._turn()
            return await self._connector.ask(ids)
        except Ambiguous:  # perhaps more than the line carries in time
            self._asked = max(1, len(ids) // 2)
            raise
        except NotUnderstood:  # nothing was ever booked under an id that can not be read
            alone = [await self._ask([id]) for id in ids] if len(ids) > 1 else []
            return {id: receipt for known in alone for id, receipt in known.items()}

    async def _push(self, facts: Sequence[Fact]) -> None:
        await self._turn(len(facts))
        self._doubtful = tuple(facts)
        try:
            receipts = checked(facts, await self._connector.push(facts))
        except NotUnderstood as error:
            self._doubtful = ()
            await self._isolate(facts, str(error))
            return
        except (Unreachable, NotAllowed):
            self._doubtful = ()
            self._stumbles.failed()
            raise
        except Ambiguous as error:
            self._unclear(facts, error)
            raise
        try:
            receipts = await self._judged(facts, receipts)
        except Ambiguous as error:
            self._unclear(facts, error)
            raise
        await self._outbox.settle(decisions(receipts))
        self._doubtful = ()
        self._stumbles.answered(facts)
        self._limit = min(self._batch, self._limit * 2)

    def _unclear(self, facts: Sequence[Fact], error: Ambiguous) -> None:
        if not self._stumbles.has(facts):  # perhaps more than the other side books within its time
            self._limit = max(1, len(facts) // 2)
        self._stumbles.unclear(facts, str(error))

    async def _judged(self, facts: Sequence[Fact], receipts: Sequence[Receipt]) -> Sequence[Receipt]:
        """The receipts of a push, each about the same body as ours: who has had the id before must have had our fact.

        What does not say so is asked for by id. Raises Ambiguous for a fact of which the ERP never says it.
        """
        bare = [receipt.fact for receipt in receipts if isinstance(receipt, Duplicate) and not told(receipt)]
        known: dict[str, Receipt] = {}
        for start in range(0, len(bare), self._asked):
            known.update(await self._ask(bare[start : start + self._asked]))
        if strange := [id for id in bare if not (isinstance(known.get(id), Duplicate) and told(known[id]))]:
            raise Ambiguous(
                f"The ERP says that it has report {strange[0]} already, and not with which content: its answer must "
                "hold the digest of what it booked."
            )
        return [compared(fact, known.get(fact.id, said)) for fact, said in zip(facts, receipts, strict=True)]

    async def _turn(self, facts: int = 0) -> None:
        self._waits = True
        await self._turns.take(facts)
        self._waits = False

    async def _isolate(self, facts: Sequence[Fact], reason: str) -> None:
        """Halve the batch; a fact that is refused alone is the poison."""
        self._limit = max(1, len(facts) // 2)
        if len(facts) == 1:
            await self._outbox.settle([Refused(facts[0].id, "not_understood", reason)])
            self._stumbles.answered(facts)

    async def _finish(self, work: Coroutine[None, None, None]) -> None:
        """Await `work`; when cancelled, let it end first, so that an answer on its way is kept."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if self._waits:
                task.cancel()
            timer = asyncio.ensure_future(self._clock.sleep_until(self._clock.monotonic() + GRACE))
            try:
                await asyncio.wait({task, timer}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
                task.cancel()
                await asyncio.gather(task, timer, return_exceptions=True)
            raise
