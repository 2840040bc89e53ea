"""An agent that says what the test wants, and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import msgspec
from textual.pilot import Pilot

from edge_agent.client import AgentAway, InputRefused
from edge_agent.views import Echo, Input, Typed, View
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import DeviceReading
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Status
from terminal_ui.app import Setup, TerminalApp
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.scene import Look
from terminal_ui.texts import Texts
from tests.terminal_ui.samples import NOW, STATUS


class HandClock:
    """Stands still until it is moved. A sleep is over when it is noted down: nothing here takes time."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._monotonic = 1000.0
        self._ids = 0
        self.slept: list[float] = []

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def new_id(self) -> str:
        self._ids += 1
        return f"id-{self._ids}"

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0.001)


class FakeAgent:
    """The client's side of an agent: `views` are what it answers, `sent` what it was given."""

    def __init__(self, view: View, status: Status | None = STATUS) -> None:
        self.answers: list[View | Exception] = []
        self.sent: list[Input] = []
        self.trends: list[Trend | Exception] = []
        self.trends_asked: list[tuple[str, str, str, int]] = []
        self.read: list[str] = []
        self.readings: asyncio.Queue[DeviceReading | Exception] = asyncio.Queue()
        self.reports: asyncio.Queue[ScannerReport | Exception] = asyncio.Queue()
        self.testing = 0
        self.written: ScannerReport | Exception | None = None
        self.keys = 0
        self.typed: list[Typed] = []
        self.down = False
        self.closed = False
        self._first = [event for event in (view, status) if event is not None]
        self._events: asyncio.Queue[View | Status | Echo | None] = asyncio.Queue()

    def tell(self, event: View | Status | Echo) -> None:
        """Push an event to the terminal."""
        self._events.put_nowait(event)

    def go_away(self) -> None:
        self.down = True
        self._events.put_nowait(None)

    def come_back(self, view: View) -> None:
        self._first = [view, *(event for event in self._first if isinstance(event, Status))]
        self.down = False

    async def send(self, terminal: str, given: Input) -> View:
        self.sent.append(given)
        if self.down:
            raise AgentAway("The agent does not answer.")
        while not self.answers:
            await asyncio.sleep(0.001)
        answer = self.answers.pop(0)
        if isinstance(answer, InputRefused | AgentAway):
            raise answer
        assert isinstance(answer, View)
        return msgspec.structs.replace(answer, input=given.id)

    async def events(self, terminal: str) -> AsyncIterator[View | Status | Echo]:
        if self.down:
            raise AgentAway("The agent does not answer.")
        for event in self._first:
            yield event
        while (waiting := await self._events.get()) is not None:
            yield waiting
        raise AgentAway("The agent does not answer.")

    async def keys_pressed(self, terminal: str, typed: Typed | None = None) -> None:
        if typed is None:
            self.keys += 1
        else:
            self.typed.append(typed)
        if self.down:
            raise AgentAway("The agent does not answer.")

    async def read_device(self, device: str, terminal: str = "") -> DeviceReading:
        self.read.append(device)
        answer = await self.readings.get()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def trend(self, device: str, item: str, since: str = "", until: str = "", points: int = 240) -> Trend:
        self.trends_asked.append((device, item, since, points))
        if self.down:
            raise AgentAway("The agent does not answer.")
        while not self.trends:
            await asyncio.sleep(0.001)
        answer = self.trends[0] if len(self.trends) == 1 else self.trends.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def scanner_test(self, terminal: str) -> AsyncGenerator[ScannerReport, None]:
        self.testing += 1
        try:
            while True:
                report = await self.reports.get()
                if isinstance(report, Exception):
                    raise report
                yield report
        finally:
            self.testing -= 1

    async def write_scanner(self, terminal: str) -> ScannerReport:
        if isinstance(self.written, ScannerReport):
            return self.written
        raise self.written or AgentAway("The agent does not answer.")

    async def close(self) -> None:
        self.closed = True


def terminal(
    agent: FakeAgent, setup: Setup | None = None, ascii_only: bool = False, clock: HandClock | None = None
) -> TerminalApp:
    """A terminal of a fake agent, in English, at a plant in UTC."""
    look = Look(Texts("en"), ASCII if ascii_only else UNICODE, UTC)
    return TerminalApp(agent, setup or Setup("T1"), look, clock or HandClock())


def screen_text(app: TerminalApp) -> str:
    """What stands on the screen, line by line."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text[:width].rstrip() for strip in strips[:height])


def has_revision(app: TerminalApp, revision: int) -> bool:
    """Whether the terminal shows this view of its agent."""
    return app.feed.view is not None and app.feed.view.revision == revision


async def shown(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Return when the condition holds and what it led to has been painted."""
    async with asyncio.timeout(seconds):
        while not condition():
            await pilot.pause(0.005)
        await pilot.pause()


async def by_hand(pilot: Pilot[None], *keys: str) -> None:
    """Press keys at the pace of a person: the next one when the pace of the last has told that it is no scan."""
    app = pilot.app
    assert isinstance(app, TerminalApp)
    for key in keys:
        await pilot.press(key)
        await shown(pilot, lambda: not app.wedge.holding)


async def until(condition: Callable[[], object]) -> None:
    """Wait until it is true; TimeoutError after five seconds."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)
