"""Asks the agent for what a page needs beside its view: the past of a value, on the trend page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge_agent.client import AgentAway, InputRefused
from edge_agent.histories import Trend
from edge_agent.maintenance_pages import TrendPage
from edge_agent.views import View
from terminal_ui.clockface import Clock

_SOONEST = 5.0  # seconds between two questions: a curve does not change faster than an eye follows it
_LATEST = 60.0


class Historian(Protocol):
    """What the trend page needs of `edge_agent.client.AgentClient`."""

    async def trend(self, device: str, item: str, minutes: int, points: int) -> Trend:
        """One item in at most so many buckets. Raises AgentAway, InputRefused."""
        ...


class Asking:
    """One question at a time; `told` gets each answer, `refused` the code of why there is none."""

    def __init__(
        self, client: Historian, clock: Clock, told: Callable[[Trend], None], refused: Callable[[str], None]
    ) -> None:
        self._client = client
        self._clock = clock
        self._told = told
        self._refused = refused
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
            trend = await self._client.trend(page.device, page.item, page.minutes, points)
        except AgentAway:
            self._refused("trend_page.away")
        except InputRefused as error:
            self._refused(error.problem.code)
        else:
            self._told(trend)
        finally:
            self._waiting = False
