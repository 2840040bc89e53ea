"""Asks the agent for what a page needs beside its view: the past of a value, or a test read of a device."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from edge_agent.client import AgentAway, InputRefused
from edge_agent.views import View
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import DeviceReading, LinkPage, TrendPage
from edge_agent.views.status import Problem
from terminal_ui.clockface import Clock

_SOONEST = 5.0  # seconds between two questions: a curve does not change faster than an eye follows it
_LATEST = 60.0


class Historian(Protocol):
    """What the trend page and the link page need of `edge_agent.client.AgentClient`."""

    async def trend(self, device: str, item: str, since: str = "", until: str = "", points: int = 240) -> Trend:
        """One item in at most so many buckets. Raises AgentAway, InputRefused."""
        ...

    async def read_device(self, device: str, terminal: str = "") -> DeviceReading:
        """Every point of a device, once, for whoever is signed on at the terminal. Raises AgentAway, InputRefused."""
        ...


class Hearer(Protocol):
    """Who is told what came of a question. Never raises."""

    def show_trend(self, trend: Trend | None, refused: str = "") -> None:
        """The past of a value, or the code of why there is none."""
        ...

    def show_reading(self, reading: DeviceReading | None, problem: Problem | None = None) -> None:
        """The points of a device, or why there are none."""
        ...


class Asking:
    """One question of a kind at a time, at one terminal. `now` is the agent's time."""

    def __init__(
        self, client: Historian, terminal: str, clock: Clock, now: Callable[[], datetime], hearer: Hearer
    ) -> None:
        self._client = client
        self._terminal = terminal
        self._clock = clock
        self._now = now
        self._hearer = hearer
        self._asked: tuple[TrendPage, int] | None = None
        self._asked_at = float("-inf")
        self._waiting = False

    def due(self, view: View | None, points: int) -> TrendPage | None:
        """The page to ask for now; None when there is none, or its answer is fresh enough."""
        page = view.page if view is not None else None
        if not isinstance(page, TrendPage):
            self._asked = None
            return None
        pace = min(_LATEST, max(_SOONEST, page.minutes * 60 / max(1, points)))
        fresh = self._asked == (page, points) and self._clock.monotonic() - self._asked_at < pace
        return None if fresh or self._waiting else page

    async def ask(self, page: TrendPage, points: int) -> None:
        """Ask for a page, and tell what came of it."""
        self._asked, self._asked_at = (page, points), self._clock.monotonic()
        self._waiting = True
        try:
            since = (self._now() - timedelta(minutes=page.minutes)).isoformat()
            trend = await self._client.trend(page.device, page.item, since, points=points)
        except AgentAway:
            self._hearer.show_trend(None, "trend_page.away")
        except InputRefused as error:
            self._hearer.show_trend(None, error.problem.code)
        else:
            self._hearer.show_trend(trend)
        finally:
            self._waiting = False

    async def read(self, page: LinkPage) -> None:
        """Read every point of the device of a page, and tell what came of it."""
        try:
            reading = await self._client.read_device(page.device, self._terminal)
        except AgentAway:
            self._hearer.show_reading(None, Problem("link_page.away"))
        except InputRefused as error:
            self._hearer.show_reading(None, error.problem)
        else:
            self._hearer.show_reading(reading)
