"""Stays attached to the agent: listens to its events and hands in inputs, for ever.

One input is in hand at a time; it is sent again with the same id until the agent has answered, so it
counts once however often the line breaks. What is scanned meanwhile waits in order (bounded), as long
as the line holds. While the agent is away nothing new is taken, and what waited is dropped and said so:
the screen may be old, and a scan made against it could be booked minutes later. A scan tells how long it waited
behind others: the agent asks for it again when that was too long. What is in hand was promised to be kept, and its
age does not count while the agent is away.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Literal, Protocol

import msgspec

from edge_agent.client import AgentAway, InputRefused
from edge_agent.views import Echo, Input, Typed, View
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import DeviceReading
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Problem, Status
from terminal_ui.clockface import Clock

FIRST_WAIT = 0.2  # seconds
LONGEST_WAIT = 2.0
InputKind = Literal["scan", "unended", "unprefixed", "action", "entry", "choice"]
KEYS_PACE = 10.0  # seconds between two words about keys; less than a terminal waits before it locks itself
_SEEN = 1.0  # seconds: what waited less is as good as new
_LONGEST = 86_400.0  # seconds that an input may say
WAITING_LIMIT = 16  # inputs; more than a person makes while one is answered


class Client(Protocol):
    """What the terminal needs of `edge_agent.client.AgentClient`."""

    async def send(self, terminal: str, given: Input) -> View:
        """Raises AgentAway, InputRefused."""
        ...

    async def keys_pressed(self, terminal: str, typed: Typed | None = None) -> None:
        """Somebody types; `typed` stands in the entry. Raises AgentAway, InputRefused."""
        ...

    def events(self, terminal: str) -> AsyncIterator[View | Status | Echo]:
        """The current view and status, then every change. Raises AgentAway when the stream ends."""
        ...

    async def trend(self, device: str, item: str, since: str = "", until: str = "", points: int = 240) -> Trend:
        """The past of a value. Raises AgentAway, InputRefused."""
        ...

    async def read_device(self, device: str, terminal: str = "") -> DeviceReading:
        """Every point of a device, read once, now. Raises AgentAway, InputRefused."""
        ...

    def scanner_test(self, terminal: str) -> AsyncGenerator[ScannerReport, None]:
        """Test the scanners of the terminal. Raises AgentAway, InputRefused."""
        ...

    async def write_scanner(self, terminal: str) -> ScannerReport:
        """Write what the test found. Raises AgentAway, InputRefused."""
        ...

    async def close(self) -> None: ...


class Listener(Protocol):
    """Who draws what the attachment learns. Called in the event loop; never raises."""

    def show_view(self, view: View) -> None: ...
    def show_status(self, status: Status) -> None: ...
    def show_echo(self, text: str) -> None: ...
    def show_away(self, reason: str) -> None: ...
    def show_attached(self) -> None: ...
    def show_refused(self, problem: Problem) -> None: ...

    def show_dropped(self, given: Sequence[Input]) -> None:
        """These inputs were given, oldest first, and will not be sent."""
        ...


class Attachment:
    """One terminal's line to its agent. `run` it as a task; `give` it inputs."""

    def __init__(self, client: Client, terminal: str, listener: Listener, clock: Clock) -> None:
        self._client = client
        self._terminal = terminal
        self._listener = listener
        self._clock = clock
        self._inputs: deque[Input] = deque()
        self._given_at: dict[str, float] = {}  # of those that were not handed in yet, monotonic
        self._given = asyncio.Event()
        self._pressed = asyncio.Event()
        self._typed = Typed()
        self._retyped = asyncio.Event()
        self._in_hand: Input | None = None
        self._dropped: tuple[Input, ...] = ()
        self._revision = -1
        self.away = False

    @property
    def waiting(self) -> int:
        """How many inputs the agent has not answered."""
        return len(self._inputs)

    def give(self, kind: InputKind, data: str, typed: str | None = None) -> Input | None:
        """Take an input, with its id; None when it is not taken (agent away, too many waiting).

        `typed`: what stood in the entry when a scan was made."""
        if self.away or len(self._inputs) >= WAITING_LIMIT:
            return None
        given = Input(self._clock.new_id(), kind, data, typed=typed)
        self._inputs.append(given)
        self._given_at[given.id] = self._clock.monotonic()
        self._given.set()
        return given

    def key_pressed(self) -> None:
        """Somebody is at the keys, also when nothing is sent for long: the agent is told, now and then."""
        self._pressed.set()

    def typing(self, typed: Typed) -> None:
        """What stands in the entry now, and is not sent. The agent is told at once when it is something else: a
        scanner at the PC hands its scans to the agent, and not to this terminal."""
        if typed != self._typed:
            self._typed = typed
            self._retyped.set()

    async def run(self) -> None:
        """Listen and deliver until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._deliver())
                tasks.create_task(self._tell_of_keys())
                tasks.create_task(self._tell_typed())
        finally:
            await self._client.close()

    async def _listen(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                await self._tell_at_first()
                async for event in self._client.events(self._terminal):
                    wait = FIRST_WAIT
                    self._heard(event)
                reason = ""
            except AgentAway as error:
                reason = str(error)
            except InputRefused as error:
                self._listener.show_refused(error.problem)
                reason = ""
            self._lost(reason)
            await self._clock.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 2)

    async def _tell_at_first(self) -> None:
        """The agent may know nothing of what is typed here, or what a terminal had that ended: it knows before a view
        is shown, so that a scan books what the screen says."""
        with contextlib.suppress(AgentAway, InputRefused):  # older than this, or it says so to whoever listens
            await self._client.keys_pressed(self._terminal, self._typed)

    def _heard(self, event: View | Status | Echo) -> None:
        if self.away or self._revision < 0:
            self.away = False
            self._revision = -1
            self._listener.show_attached()
        match event:
            case View():
                self._seen(event)
            case Status():
                self._listener.show_status(event)
            case Echo():
                self._listener.show_echo(event.text)

    def _seen(self, view: View) -> None:
        if self.away or view.revision >= self._revision:  # a restarted agent may count its views anew
            self._revision = view.revision
            self._listener.show_view(view)

    def _lost(self, reason: str) -> None:
        self.away = True
        self._drop_waiting()
        self._listener.show_away(reason)

    def _drop_waiting(self) -> None:
        """Forget what was never sent, and say so."""
        kept = [given for given in self._inputs if given is self._in_hand]
        if dropped := tuple(given for given in self._inputs if given is not self._in_hand):
            self._inputs = deque(kept)
            self._given_at.clear()
            told = (*self._dropped, *dropped)
            self._dropped = told if kept else ()
            self._listener.show_dropped(told)

    async def _tell_of_keys(self) -> None:
        while True:
            await self._pressed.wait()
            self._pressed.clear()
            with contextlib.suppress(AgentAway, InputRefused):  # away, or older than this: it locks as it did
                await self._client.keys_pressed(self._terminal)
            await self._clock.sleep(KEYS_PACE)

    async def _tell_typed(self) -> None:
        while True:
            await self._retyped.wait()
            self._retyped.clear()
            with contextlib.suppress(AgentAway, InputRefused):  # told at first when attached
                await self._client.keys_pressed(self._terminal, self._typed)

    async def _deliver(self) -> None:
        wait = FIRST_WAIT
        while True:
            while not self._inputs:
                self._given.clear()
                await self._given.wait()
            given = self._take_in_hand()
            try:
                view = await self._client.send(self._terminal, given)
            except AgentAway:
                self._drop_waiting()
                await self._clock.sleep(wait)
                wait = min(LONGEST_WAIT, wait * 2)
                continue
            except InputRefused as error:
                self._answered()
                self._listener.show_refused(error.problem)
            else:
                self._answered()
                self._seen(view)
            if self._dropped:  # the answer has taken the place of these words
                self._listener.show_dropped(self._dropped)
                self._dropped = ()
            wait = FIRST_WAIT

    def _take_in_hand(self) -> Input:
        """The first that waits, with the time that it waited behind others; sent again it stays as it is."""
        given, at = self._inputs[0], self._given_at
        if given is not self._in_hand:
            waited = self._clock.monotonic() - at.pop(given.id, self._clock.monotonic())
            if given.kind == "scan" and waited >= _SEEN:
                given = self._inputs[0] = msgspec.structs.replace(given, waited=min(waited, _LONGEST))
            self._in_hand = given
        return given

    def _answered(self) -> None:
        self._inputs.popleft()
        self._in_hand = None
