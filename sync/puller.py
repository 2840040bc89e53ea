"""Brings plans down: one cursor, page by page."""

from __future__ import annotations

from random import Random

from sync.health import Health
from sync.pause import Pause
from sync.ports import Ambiguous, Clock, Connector, Inbox, Link


class Puller:
    """One task for one connector; `run` until cancelled. Asks every `interval` seconds and at a poke."""

    def __init__(
        self, inbox: Inbox, connector: Connector, link: Link, clock: Clock, rng: Random, interval: float = 5.0
    ) -> None:
        self._inbox = inbox
        self._connector = connector
        self._clock = clock
        self._interval = interval
        self._health = Health("puller", link, rng)
        self._pause = Pause(clock)

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
        cursor = await self._inbox.cursor()
        page = await self._connector.pull(cursor)
        if page.more and page.cursor == cursor:
            raise Ambiguous("The ERP says there are more plans, and gives the same cursor again.")
        await self._inbox.take(page)
        self._health.good()
        return page.more
