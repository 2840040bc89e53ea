"""Keeps the journal as large as the plant wants it, and looks it over while the agent works.

Both in small steps: nobody waits for more than a few milliseconds. What the clock says is believed when another
computer agrees, and never more than the newest fact: a PC that wakes up in the wrong year forgets nothing, whatever
it records there. Only while there is no room for new facts a clock that nothing speaks against has to do: what the
ERP has is worth less than a report that nobody could make.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from edge_agent.clock import Clock
from edge_agent.store import Connection, Store, StoreError, journal
from edge_agent.supervisor import Supervisor
from sync.contract import Fact

_EVERY = 1.0  # seconds between two steps
_LOOKED = 3600.0  # seconds until facts are looked for that may go, when there were none
_TRIED = 10.0  # the same while there is no room for new ones
_ROWS = 1000  # that are looked over in a step
_FIRST_ROWS = 5000  # the same after a start, until all were seen: a million in a few seconds
_BETWEEN = 0.001  # seconds that the others have then between two steps
_ROUND = 86_400.0  # seconds between the begins of two rounds over the whole journal

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keep:
    """How long facts stay that every connector has: usually, and while there is no room for new ones."""

    usual: timedelta
    full: timedelta


class Housekeeper:
    """Every `step` does a little; `run` does one a second."""

    def __init__(
        self, store: Store, clock: Clock, connectors: Collection[str], keep: Keep, told: bool = True
    ) -> None:
        """`told`: one of the connectors can say what time it is there, and is waited for. Where none can, a clock
        that nothing speaks against has to do, also while there is room."""
        self._store = store
        self._clock = clock
        self._connectors = connectors
        self._keep = keep
        self._told = told
        self._purge_at = float("-inf")
        self._round_at = float("-inf")
        self._going = False
        self._mirror_going = False
        self._failing = False

    async def run(self, supervisor: Supervisor) -> None:
        """Until cancelled."""
        await supervisor.attempt("housekeeping", self._see_all)
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _EVERY)
            if await supervisor.attempt("housekeeping", self.step):
                supervisor.alive("housekeeping")

    async def step(self) -> None:
        """Let some facts go that may, look at some rows. What the disk refuses is tried again later."""
        try:
            await self._look_over()
            await self._let_go()
        except StoreError as error:
            if not self._failing:
                _log.warning("housekeeping.failed", extra={"kind": error.kind, "what": str(error)})
            self._failing = True
            self._purge_at = self._clock.monotonic() + _TRIED
            return
        if self._failing:
            _log.info("housekeeping.back")
        self._failing = False

    async def _let_go(self) -> None:
        now = self._clock.monotonic()
        if self._store.damage or not self._clock.trusted() or now < self._purge_at:
            return
        full = self._store.tight or await self._store.crowded()
        if self._told and not full and not self._clock.confirmed():
            return
        newest = await self._store.read(_newest)
        keep = self._keep.full if full else self._keep.usual
        if not newest or not await self._store.let_go(
            self._connectors, min(self._clock.now(), newest[0].record_time) - keep
        ):
            self._purge_at = now + (_TRIED if full else _LOOKED)

    async def _look_over(self) -> None:
        now = self._clock.monotonic()
        if self._store.damage or (not self._going and now < self._round_at):
            return
        if not self._going:
            self._round_at = now + _ROUND
        if self._mirror_going or await self._store.look_over(_ROWS):
            self._mirror_going = not self._store.damage and not await self._store.look_over_mirror(_ROWS)
            self._going = self._mirror_going
        else:
            self._going = True

    async def _see_all(self) -> None:
        """What the start had no time for, without the pauses of later rounds."""
        with suppress(StoreError):  # a later round goes on
            await self._hurry()

    async def _hurry(self) -> None:
        while self._store.unseen and not self._store.damage:
            self._round_at = self._clock.monotonic() + _ROUND
            self._mirror_going = await self._store.look_over(_FIRST_ROWS)  # its turn comes with the next steps
            self._going = True
            await self._clock.sleep_until(self._clock.monotonic() + _BETWEEN)


def _newest(connection: Connection) -> tuple[Fact, ...]:
    return journal.tail(connection, 1)
