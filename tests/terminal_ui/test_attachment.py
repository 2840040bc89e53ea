"""The line to the agent: one input in hand, the same id until it is answered, for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest

from edge_agent.client import AgentAway, InputRefused
from edge_agent.views import Echo, Input, View
from edge_agent.views.status import Problem, Status
from terminal_ui.attachment import KEYS_PACE, LONGEST_WAIT, WAITING_LIMIT, Attachment
from tests.terminal_ui.fake import FakeAgent, HandClock, until
from tests.terminal_ui.samples import VIEWS

FIRST = VIEWS["pick_go"]


def numbered(revision: int) -> View:
    return msgspec.structs.replace(FIRST, revision=revision)


class Heard:
    """A listener that keeps what it heard."""

    def __init__(self) -> None:
        self.views: list[int] = []
        self.said: list[str] = []

    def show_view(self, view: View) -> None:
        self.views.append(view.revision)

    def show_status(self, status: Status) -> None:
        self.said.append("status")

    def show_echo(self, text: str) -> None:
        self.said.append(f"echo {text}")

    def show_away(self, reason: str) -> None:
        self.said.append("away")

    def show_attached(self) -> None:
        self.said.append("attached")

    def show_refused(self, problem: Problem) -> None:
        self.said.append(f"refused {problem.code}")

    def show_dropped(self, given: Sequence[Input]) -> None:
        self.said.append(f"dropped {len(given)}")


@asynccontextmanager
async def attached(agent: FakeAgent) -> Any:
    heard, clock = Heard(), HandClock()
    attachment = Attachment(agent, "T1", heard, clock)
    task = asyncio.create_task(attachment.run())
    try:
        await until(lambda: heard.views or attachment.away)
        yield attachment, heard, clock
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_an_input_is_sent_again_with_the_same_id_until_it_is_answered() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, heard, _):
        agent.answers = [AgentAway("gone"), AgentAway("gone"), numbered(8)]
        given = attachment.give("scan", "L:A-1.X")
        await until(lambda: 8 in heard.views)
    assert [sent.id for sent in agent.sent] == [given.id] * 3
    assert attachment.waiting == 0


async def test_inputs_wait_in_order_and_one_is_in_hand() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, heard, _):
        ids = [attachment.give("scan", f"S{number}").id for number in range(3)]
        await until(lambda: agent.sent)
        assert [sent.id for sent in agent.sent] == ids[:1]
        agent.answers = [numbered(8), numbered(9), numbered(10)]
        await until(lambda: 10 in heard.views)
    assert [sent.id for sent in agent.sent] == ids


async def test_a_scan_says_how_long_it_waited_behind_others_and_one_in_hand_does_not_age() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, heard, clock):
        attachment.give("scan", "S1")
        attachment.give("scan", "S2")
        attachment.give("entry", "3")
        await until(lambda: agent.sent)
        clock.move(12)
        agent.answers = [numbered(8)]
        await until(lambda: len(agent.sent) == 2)
        clock.move(30)
        agent.answers = [AgentAway("gone"), numbered(9), numbered(10)]
        await until(lambda: 9 in heard.views)
    waited = [(sent.data, sent.waited) for sent in agent.sent]
    assert waited[:3] == [("S1", 0.0), ("S2", 12.0), ("S2", 12.0)]


async def test_the_queue_is_bounded() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, _, _clock):
        given = [attachment.give("scan", "x") for _ in range(WAITING_LIMIT + 3)]
    assert given.count(None) == 3


async def test_while_the_agent_is_away_nothing_new_is_taken_and_what_is_in_hand_is_kept() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, heard, _):
        in_hand = attachment.give("entry", "50")
        await until(lambda: agent.sent)
        agent.go_away()
        agent.answers = [AgentAway("gone")]
        await until(lambda: attachment.away)
        assert attachment.give("scan", "L:A-1.X") is None
        agent.come_back(numbered(3))
        agent.answers = [numbered(4)]
        await until(lambda: 4 in heard.views)
    assert {sent.id for sent in agent.sent} == {in_hand.id}
    assert heard.said.count("away") >= 1
    assert heard.said[-1] != "away"


async def test_what_was_never_sent_is_dropped_with_the_line_and_said_again_when_it_is_back() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, heard, _):
        in_hand = attachment.give("scan", "S1")
        await until(lambda: agent.sent)
        for data in ("S2", "S3"):
            attachment.give("scan", data)
        attachment.give("entry", "50")
        agent.go_away()
        await until(lambda: attachment.away)
        assert (attachment.waiting, heard.said[-2:]) == (1, ["dropped 3", "away"])
        agent.answers = [AgentAway("gone")]
        agent.come_back(numbered(3))
        await until(lambda: 3 in heard.views)
        agent.answers.append(numbered(4))
        await until(lambda: 4 in heard.views)
        assert heard.said[-1] == "dropped 3", "the answer must not look like that of all four"
        agent.answers.append(numbered(5))
        later = attachment.give("entry", "51")
        await until(lambda: 5 in heard.views)
    assert {sent.id for sent in agent.sent} == {in_hand.id, later.id}
    assert heard.said.count("dropped 3") == 2


async def test_inputs_do_not_wait_behind_one_that_the_agent_does_not_answer() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, heard, _):
        attachment.give("scan", "S1")
        attachment.give("scan", "S2")
        agent.answers = [AgentAway("silent"), numbered(8)]
        await until(lambda: 8 in heard.views)
        assert not attachment.away
    assert {sent.data for sent in agent.sent} == {"S1"}
    assert heard.said.count("dropped 1") == 2


async def test_it_tries_for_ever_with_a_bounded_back_off() -> None:
    agent = FakeAgent(FIRST)
    agent.down = True
    async with attached(agent) as (attachment, heard, clock):
        await until(lambda: len(clock.slept) > 8)
        assert attachment.away
        agent.come_back(FIRST)
        await until(lambda: heard.views)
        assert not attachment.away
    assert clock.slept[:8] == sorted(clock.slept[:8])
    assert max(clock.slept) == LONGEST_WAIT


async def test_a_refused_input_is_told_and_the_next_one_goes_on() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent) as (attachment, heard, _):
        agent.answers = [InputRefused(Problem("store.not_saved")), numbered(9)]
        attachment.give("entry", "50")
        attachment.give("entry", "51")
        await until(lambda: 9 in heard.views)
    assert "refused store.not_saved" in heard.said
    assert [sent.data for sent in agent.sent] == ["50", "51"]


async def test_an_older_view_is_not_drawn_over_a_newer_one() -> None:
    agent = FakeAgent(numbered(7))
    async with attached(agent) as (_, heard, _clock):
        for revision in (9, 8, 10):
            agent.tell(numbered(revision))
        agent.tell(Echo("T1", "end"))
        await until(lambda: "echo end" in heard.said)
    assert heard.views == [7, 9, 10]


async def test_a_restarted_agent_may_count_anew() -> None:
    agent = FakeAgent(numbered(70))
    async with attached(agent) as (_, heard, _clock):
        agent.go_away()
        await until(lambda: "away" in heard.said)
        agent.come_back(numbered(1))
        await until(lambda: 1 in heard.views)


async def test_the_client_is_given_back() -> None:
    agent = FakeAgent(FIRST)
    async with attached(agent):
        pass
    assert agent.closed


@pytest.mark.parametrize("problem", ["agent.unknown_terminal", "agent.internal"])
async def test_a_refused_stream_is_told_and_tried_again(problem: str) -> None:
    class Refusing(FakeAgent):
        async def events(self, terminal: str) -> Any:
            if self.down:
                raise InputRefused(Problem(problem))
            async for event in super().events(terminal):
                yield event

    agent = Refusing(FIRST)
    agent.down = True
    async with attached(agent) as (_, heard, _clock):
        await until(lambda: heard.said.count(f"refused {problem}") > 1)
        agent.come_back(FIRST)
        await until(lambda: heard.views)


class SlowClock(HandClock):
    """A sleep ends when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.wake = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.wake.wait()
        self.wake.clear()


async def test_the_agent_hears_of_keys_at_a_pace_and_of_none_when_nobody_types() -> None:
    agent, clock, heard = FakeAgent(FIRST), SlowClock(), Heard()
    attachment = Attachment(agent, "T1", heard, clock)
    task = asyncio.create_task(attachment.run())
    await until(lambda: heard.views)
    for _ in range(30):
        attachment.key_pressed()
        await asyncio.sleep(0)
    await until(lambda: clock.slept == [KEYS_PACE])
    assert agent.keys == 1
    clock.wake.set()
    await until(lambda: clock.slept == [KEYS_PACE] * 2)  # keys came after the first word
    assert agent.keys == 2
    clock.wake.set()
    await until(lambda: not clock.wake.is_set())
    assert agent.keys == 2
    agent.down = True
    attachment.key_pressed()
    await until(lambda: agent.keys == 3)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
