"""Keeps tasks alive: starts them again after a loss, says so once, and never gives up."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from device_drivers.contract import DeviceError
from edge_agent.clock import Clock

FIRST = 0.2  # seconds: most losses are one dropped connection
LONGEST = 5.0  # seconds: who plugs a cable in waits for the green tile
WAITED = 1.0  # seconds: a try that took so long was not refused, it hung
STEADY = 3.0  # seconds online: what is lost sooner is no connection that works, and is tried later each time

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """How a kept task is doing. When lost: `reason` is a sentence, `tries` the failures in a row."""

    phase: Literal["starting", "online", "lost"]
    reason: str = ""
    tries: int = 0


def _nobody(state: State) -> None:
    """Nobody is told: the log says it."""


class Supervisor:
    """Runs each `keep` until it is cancelled. With `strict`, a bug ends it instead (tests).

    `bugs` counts, by name, the exceptions that nobody expected.
    """

    def __init__(self, clock: Clock, rng: Random, *, strict: bool = False) -> None:
        self.bugs: Counter[str] = Counter()
        self._clock = clock
        self._rng = rng
        self._strict = strict
        self._kept: dict[str, _Kept] = {}
        self._failing: dict[str, str] = {}  # name of a piece of work -> the bug that was logged

    async def keep(
        self, name: str, factory: Callable[[], Awaitable[None]], on_state: Callable[[State], None] = _nobody,
        longest: float = LONGEST,
    ) -> None:  # fmt: skip
        """Run `factory()`, again and again, with a jittered back-off of `longest` seconds at most; never returns.

        The back-off runs from the begin of a try. One that took long to fail has waited for an answer, and the next
        follows soon: whoever is silent is met at once when it speaks again. Who was online for some seconds is met
        at once too; who was for less is tried later each time, as if it had never been there.
        `on_state` is told at the start, at every failure, and when `alive(name)` was called after one.
        Names are unique among the running ones.
        """
        if name in self._kept:
            raise ValueError(f"{name!r} is kept alive already")
        kept = self._kept[name] = _Kept(name, self._clock, on_state)
        on_state(State("starting"))
        try:
            while True:
                began = self._clock.monotonic()
                reason, worked = await self._once(name, factory), kept.online
                kept.failed(reason)
                pause, now = delay(kept.tries, self._rng, longest), self._clock.monotonic()
                soon = now + min(pause, FIRST)
                if worked:
                    await self._clock.sleep_until(now + pause)
                else:
                    await self._clock.sleep_until(soon if now - began >= WAITED else max(began + pause, soon))
        finally:
            del self._kept[name]

    def alive(self, name: str) -> None:
        """The task of this name has shown that it works: after some seconds of that the back-off begins anew."""
        if kept := self._kept.get(name):
            kept.works()

    async def attempt(self, name: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Do one piece of work of a long task; returns whether it went well.

        A bug in it ends nothing else. It is counted, and logged again only when it went well between or
        fails in another way: a value that comes ten times a second must not fill the log.
        """
        try:
            await work()
        except Exception as error:
            self.bugs[name] += 1
            if self._strict:
                raise
            if self._failing.get(name) != repr(error):
                self._failing[name] = repr(error)
                _log.exception("work.bug", extra={"work": name})
            return False
        self._failing.pop(name, None)
        return True

    async def _once(self, name: str, factory: Callable[[], Awaitable[None]]) -> str:
        """Run it to its end; returns why it ended."""
        try:
            await factory()
        except DeviceError as error:
            return str(error)
        except Exception:  # a bug in one task must not end the others
            self.bugs[name] += 1
            if self._strict:
                raise
            _log.exception("task.bug", extra={"task": name})
            return "Internal error: see the log of the agent."
        return "It ended by itself."


class _Kept:
    """What is remembered of one task; logs and tells only what changed."""

    def __init__(self, name: str, clock: Clock, on_state: Callable[[State], None]) -> None:
        self.tries = 0
        self._name = name
        self._clock = clock
        self._on_state = on_state
        self._online_at: float | None = None
        self._lost_at: float | None = None

    @property
    def online(self) -> bool:
        """Whether it has shown in this try that it works."""
        return self._online_at is not None

    def failed(self, reason: str) -> None:
        now = self._clock.monotonic()
        if self._online_at is not None and now - self._online_at >= STEADY:
            self.tries = 0
        self.tries += 1
        self._online_at = None
        if self._lost_at is None:
            self._lost_at = now
            _log.warning("task.lost", extra={"task": self._name, "reason": reason})
        self._on_state(State("lost", reason, self.tries))

    def works(self) -> None:
        if self._online_at is not None:
            return
        self._online_at = self._clock.monotonic()
        if self._lost_at is not None:
            away = round(self._online_at - self._lost_at, 1)
            _log.info("task.back", extra={"task": self._name, "away_seconds": away})
            self._lost_at = None
        self._on_state(State("online"))


def delay(tries: int, rng: Random, longest: float = LONGEST) -> float:
    """Seconds before the next try after so many failures in a row (1 or more): doubling, at most `longest`.

    The upper half of each step is random, so that many terminals do not come back in one wave.

    >>> [round(delay(n, Random(7)), 2) for n in (1, 2, 3, 9, 500)]
    [0.13, 0.26, 0.53, 3.31, 3.31]
    """
    step = min(longest, FIRST * 2.0 ** min(max(tries, 1) - 1, 16))
    return step * (0.5 + 0.5 * rng.random())
