"""Brings plans down: one cursor, page by page."""

from __future__ import annotations

from random import Random

from sync.health import Health
from sync.pause import Pause
from sync.ports import Ambiguous, Clock, Connector, Inbox, Link, Taken
from sync.turns import Turns


class Puller:
    """One task for one connector; `run` until cancelled. Asks every `interval` seconds and at a poke."""

    def __init__(
        self, inbox: Inbox, connector: Connector, link: Link, clock: Clock, rng: Random, interval: float = 5.0,
        turns: Turns | None = None,
    ) -> None:  # fmt: skip
        self._inbox = inbox
        self._connector = connector
        self._clock = clock
        self._interval = interval
        self._health = Health("puller", link, rng)
        self._pause = Pause(clock)
        self._turns = turns or Turns(clock)
        self._gone_back: int | None = None  # the as_of_seq that facts were last offered again for

    def poke(self) -> None:
        """Ask now: somebody waits for a plan."""
        self._pause.poke()

    async def run(self) -> None:
        """Pull until nothing more is there, wait, again."""
        while True:
            started = self._clock.monotonic()
            try:
                while await self._pull_page():
                    pass
                due = started + self._interval
            except Exception as error:  # a bug of a connector must not end the plans of this PC
                due = self._clock.monotonic() + self._health.bad(error)
            await self._pause.until(due)

    async def _pull_page(self) -> bool:
        """Take one page; returns whether there is more."""
        cursor, last = await self._inbox.cursor(), await self._inbox.accepted()
        await self._turns.take()
        page = await self._connector.pull(cursor)
        if page.more and page.cursor == cursor:
            raise Ambiguous("The ERP says there are more plans, and gives the same cursor again.")
        await self._inbox.take(page)
        if last is not None and page.as_of_seq < last.seq and page.as_of_seq != self._gone_back:
            await self._look_back(page.as_of_seq, last)
        self._health.good()
        return page.more

    async def _look_back(self, as_of_seq: int, last: Taken) -> None:
        """Before it was asked, the ERP had taken a fact that its plans were made without.

        They may have been made some time ago: so it is asked for that fact by id, beside one that it must have. An
        ERP that knows the one and not the other was set back: an old backup of it was restored.
        """
        before = await self._inbox.accepted(as_of_seq)
        await self._turns.take()
        known = await self._connector.ask([each.id for each in (before, last) if each is not None])
        if last.id in known or (before is not None and before.id not in known):
            return
        self._gone_back = as_of_seq
        await self._inbox.forgotten(as_of_seq)
