"""A person at a terminal, as a program."""

from __future__ import annotations

from typing import Literal

from edge_agent.client import AgentClient
from edge_agent.clock import SystemClock
from edge_agent.scanning.labels import label
from edge_agent.views import Input, Kind, View
from tests.agent.running import until

_clock = SystemClock()


def an_input(kind: Literal["scan", "unended", "unprefixed", "action", "entry", "choice"], data: str) -> Input:
    """An input with an id of its own."""
    return Input(_clock.new_id(), kind, data)


class Person:
    """Hands in one input at a time; each is new."""

    def __init__(self, agent: AgentClient, terminal: str) -> None:
        self.agent = agent
        self.terminal = terminal

    async def look(self) -> View:
        """What the screen shows."""
        return await self.agent.view(self.terminal)

    async def scan(self, kind: Kind, id: str) -> View:
        """Scan one of the plant's labels."""
        return await self.agent.send(self.terminal, an_input("scan", label(kind, id)))

    async def do(self, action: str) -> View:
        """Press a key."""
        return await self.agent.send(self.terminal, an_input("action", action))

    async def type(self, text: str) -> View:
        """Type and send."""
        return await self.agent.send(self.terminal, an_input("entry", text))

    async def choose(self, number: int) -> View:
        """Press a digit."""
        shown = await self.agent.view(self.terminal)
        id = next(choice.id for choice in shown.choices if choice.number == number)
        return await self.agent.send(self.terminal, an_input("choice", id))

    async def sign_on(self, badge: str = "1001") -> View:
        """Show the badge."""
        return await self.scan(Kind.BADGE, badge)

    async def work_on(self, job: str = "J-204", badge: str = "1001") -> View:
        """Sign on and open a job; J-204 has no drawing to check."""
        await self.sign_on(badge)
        view = await self.scan(Kind.JOB, job)
        assert view.step in ("running", "go"), (view.step, view.message)
        return view


async def everything_sent(agent: AgentClient) -> None:
    """Wait until the ERP has decided on every fact."""

    async def nothing_waits() -> bool:
        return (await agent.health()).unsent == 0

    await until(nothing_waits, "the ERP to have everything")


def at(view: View) -> str:
    """`scenario.step`."""
    return f"{view.scenario}.{view.step}"


def said(view: View) -> str:
    """The code of the message; empty: nothing was said."""
    return view.message.code if view.message else ""
