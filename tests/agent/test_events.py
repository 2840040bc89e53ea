"""The stream of a terminal: what is shown first, what follows, what does not, and who can hold it up."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from edge_agent.client import AgentClient, Event
from edge_agent.local_api.event_stream import HEARTBEAT_SECONDS
from edge_agent.views import Echo, View
from edge_agent.views.status import Status
from tests.agent.person import Person, said
from tests.agent.running import PATIENCE, Plant

MANY = 150  # views of some 3 kB: more than the buffers of a line that nobody reads


class Stream:
    """The events of one terminal as they come."""

    def __init__(self, events: AsyncIterator[Event]) -> None:
        self._events = events

    async def next(self) -> Event:
        """The next event, whatever it is."""
        return await asyncio.wait_for(anext(self._events), PATIENCE)

    async def view(self, input: str = "") -> View:
        """The next view; with an id, the one that answers that input."""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = await self.next()
                if isinstance(event, View) and input in ("", event.input):
                    return event


@pytest.fixture
async def stream(person: Person) -> AsyncIterator[Stream]:
    """The person's own screen, attached."""
    async with aclosing(person.agent.events(person.terminal)) as events:  # type: ignore[type-var]
        yield Stream(events)


async def test_the_first_events_are_the_view_and_the_status(person: Person, stream: Stream) -> None:
    first, second = await stream.next(), await stream.next()
    assert isinstance(first, View)
    assert first == await person.look()
    assert isinstance(second, Status)
    assert second.links[0].name == "erp"


async def test_an_input_is_echoed_and_then_answered(person: Person, stream: Stream) -> None:
    await stream.next()
    answer = await person.sign_on()
    seen = []
    while not isinstance(event := await stream.next(), View):
        seen.append(event)
    assert event == answer
    assert [each.text for each in seen if isinstance(each, Echo)] == ["B:1001.Z"]


async def test_the_status_follows_what_was_recorded(person: Person, stream: Stream) -> None:
    await person.sign_on()
    seq = (await person.agent.journal(limit=1))[-1].seq
    while True:
        event = await stream.next()
        if isinstance(event, Status) and event.safe_seq >= seq and event.delivered_seq >= seq:
            assert event.unsent == 0
            return


async def test_what_happens_at_another_terminal_is_not_told(
    person: Person, other: Person, stream: Stream
) -> None:
    await stream.view()
    await other.sign_on("1002")
    await other.do("list")
    answer = await person.sign_on("1001")
    told = []
    while (event := await stream.next()) != answer:
        told.append(event)
    assert [event for event in told if isinstance(event, View)] == []
    assert [event.terminal for event in told if isinstance(event, Echo)] == [person.terminal]


async def test_two_screens_of_one_terminal_show_the_same(person: Person, stream: Stream) -> None:
    async with aclosing(person.agent.events(person.terminal)) as second:  # type: ignore[type-var]
        await asyncio.gather(stream.view(), Stream(second).view())
        answer = await person.sign_on()
        assert await stream.view(answer.input) == answer
        assert await Stream(second).view(answer.input) == answer


async def test_a_silent_agent_still_says_how_it_is(person: Person, stream: Stream) -> None:
    await stream.next()
    paused = 0.0
    while paused < HEARTBEAT_SECONDS - 1:  # what the tests before have set off may still be told
        asked = time.monotonic()
        assert isinstance(await stream.next(), Status)
        paused = time.monotonic() - asked
    assert paused < HEARTBEAT_SECONDS + 1


async def test_a_screen_that_stops_reading_holds_up_nobody(
    plant: Plant, person: Person, stream: Stream
) -> None:
    await stream.view()
    await person.sign_on()
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(str(plant.agent.socket))
        deaf.sendall(f"GET /v1/events?terminal={person.terminal} HTTP/1.1\r\nhost: a\r\n\r\n".encode())
        slowest = 0.0
        for _ in range(MANY):
            started = time.monotonic()
            answer = await person.do("list")
            slowest = max(slowest, time.monotonic() - started)
            assert await stream.view(answer.input) == answer
    assert slowest < 1.0


async def test_a_screen_that_comes_later_sees_the_last_messages(plant: Plant, person: Person) -> None:
    await person.work_on()
    answer = await person.type("5")
    async with (
        AgentClient(plant.agent.address) as another,
        aclosing(another.events(person.terminal)) as events,  # type: ignore[type-var]
    ):
        first = await Stream(events).view()
    assert said(first) == said(answer) == "report_production.saved_good"
    assert first.log == answer.log
