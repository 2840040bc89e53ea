"""A person at a terminal, as a program: scans through the real scanner, types through the real socket."""

from __future__ import annotations

from fractions import Fraction

from edge_agent.client import AgentAway
from edge_agent.clock import SystemClock
from edge_agent.demo.entries import Entry
from edge_agent.demo.plant import Plant
from edge_agent.scanning.labels import label
from edge_agent.views import Input, Kind, Verdict, View

_LOOK = 0.02  # seconds between two looks at the screen
_AGAIN = 1.0  # after this long without an answer a person pulls the trigger again
_GIVE_UP = 30.0


class Stuck(Exception):
    """The terminal does not do what a person at it expects. The text says what was done and seen."""


class Robot:
    """One person at one terminal. `confirmed` are the ids of all facts that the screen called saved, `entered` is
    what the person knows to have entered."""

    def __init__(self, plant: Plant, terminal: str, scanner: int, pace: float = 0.05) -> None:
        self.confirmed: set[str] = set()
        self.entered: list[Entry] = []
        self.reports = 0
        self._plant = plant
        self._terminal = terminal
        self._scanner = scanner
        self._pace = pace
        self._clock = SystemClock()

    async def look(self) -> View:
        """What the screen shows; waits while the agent is away."""
        give_up = self._clock.monotonic() + _GIVE_UP
        while self._clock.monotonic() < give_up:
            try:
                return self._seen(await self._plant.client.view(self._terminal))
            except AgentAway:
                await self._wait(_LOOK)
        raise Stuck(f"{self._terminal}: the agent was away for {_GIVE_UP:.0f} s")

    async def scan(self, text: str) -> View:
        """Scan until the screen answers. A scan that fell into the agent's absence is pulled again."""
        before = await self.look()
        give_up = self._clock.monotonic() + _GIVE_UP
        pulls = 0
        while self._clock.monotonic() < give_up:
            if pulls:  # what was pulled before may be read all the same, and then this one is out of place
                self._enter("", "ScanRefused", f"terminal/{self._terminal}", answered=False)
            self._plant.scan(self._scanner, text)
            pulls += 1
            again = self._clock.monotonic() + _AGAIN
            while self._clock.monotonic() < again:
                view = await self.look()
                if view.revision > before.revision:
                    await self._wait(self._pace)
                    return view
                await self._wait(_LOOK)
        raise Stuck(f"{self._terminal}: no answer to the scan {text!r} at {before.scenario}.{before.step}")

    async def label(self, kind: Kind, id: str, revision: str | None = None) -> View:
        """Scan one of the plant's own labels."""
        return await self.scan(label(kind, id, revision))

    async def do(self, action: str) -> View:
        """Press the key of an action."""
        return await self._send("action", action)

    async def type(self, text: str) -> View:
        """Type a number and send it."""
        return await self._send("entry", text)

    async def choose(self, number: int) -> View:
        """Press the digit of a choice."""
        view = await self.look()
        choice = next((each for each in view.choices if each.number == number), None)
        if choice is None:
            raise Stuck(f"{self._terminal}: no choice {number} at {view.scenario}.{view.step}")
        return await self._send("choice", choice.id)

    async def expect(self, wanted: str, view: View) -> None:
        """Raises Stuck when the screen is not at `scenario.step`."""
        if f"{view.scenario}.{view.step}" != wanted:
            said = view.message.code if view.message else "nothing"
            raise Stuck(
                f"{self._terminal}: expected {wanted}, is at {view.scenario}.{view.step}, which said {said}"
            )

    def saved(self, view: View, kind: str, about: str, quantity: str = "") -> None:
        """The person knows to have entered this. Raises Stuck when the answer does not call it saved."""
        if view.message is None or not view.message.facts:
            said = view.message.code if view.message else "nothing"
            raise Stuck(f"{self._terminal}: {kind} about {about} was entered; the screen said {said}")
        self._enter(view.input, kind, about, Fraction(quantity) if quantity else None)

    def refused(self, view: View) -> None:
        """The scan was a wrong one, which is recorded too. Raises Stuck when the screen took it."""
        if view.message is None or view.message.facts or view.message.verdict is Verdict.OK:
            raise Stuck(f"{self._terminal}: a wrong scan was taken at {view.scenario}.{view.step}")
        self._enter(view.input, "ScanRefused", f"terminal/{self._terminal}")

    def _enter(
        self, input: str, kind: str, about: str, quantity: Fraction | None = None, answered: bool = True
    ) -> None:
        self.entered.append(Entry(input, self._terminal, kind, about, quantity, answered))

    async def _send(self, kind: str, data: str) -> View:
        given = Input(self._clock.new_id(), kind, data)  # type: ignore[arg-type]
        give_up = self._clock.monotonic() + _GIVE_UP
        while self._clock.monotonic() < give_up:
            try:
                view = self._seen(await self._plant.client.send(self._terminal, given))
            except AgentAway:
                await self._wait(_LOOK)
                continue
            await self._wait(self._pace)
            return view
        raise Stuck(f"{self._terminal}: no answer to {kind} {data!r}")

    def _seen(self, view: View) -> View:
        for message in view.log:
            self.confirmed.update(message.facts)
        return view

    async def _wait(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.monotonic() + seconds)
