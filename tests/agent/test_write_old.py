"""What a write says that was there before: also while, and just after, another write of the same item."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from device_drivers.simulators.modbus_peer import Fault, Peer
from edge_agent.views.write_orders import WriteAnswer
from sync.machine_facts import MachineWriteRequested
from tests.agent.gate import Gate, gate_in, rule


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
async def gate(tmp_path: Path, peer: Peer) -> AsyncIterator[Gate]:
    async with gate_in(tmp_path, peer, interval=30.0) as gate:
        await gate.restart([rule(at_most=9)])
        yield gate


async def olds(gate: Gate) -> list[tuple[object, str]]:
    """Old value and its status, of each write that was let through."""
    bodies = [fact.body for fact in await gate.facts()]
    return [(body.old, body.old_status) for body in bodies if isinstance(body, MachineWriteRequested)]


async def test_the_second_of_two_writes_knows_what_the_first_one_left(gate: Gate) -> None:
    for value in (80, 90, 70):  # nothing is read between them
        assert isinstance(await gate.ask(value), WriteAnswer)
    assert await olds(gate) == [(2, "Good"), (80, "Good"), (90, "Good")]


async def test_while_a_write_is_on_its_way_the_old_value_is_uncertain(gate: Gate) -> None:
    await asyncio.gather(gate.ask(80), gate.ask(90))
    first, second = await olds(gate)
    assert first == (2, "Good")
    assert second in ((2, "Uncertain"), (80, "Good"))


async def test_after_a_doubtful_write_nobody_is_sure_of_the_old_value(gate: Gate, peer: Peer) -> None:
    peer.fault = lambda ask: Fault("hung" if ask.function > 4 else "none")
    answer = await gate.ask(80)
    assert isinstance(answer, WriteAnswer)
    assert answer.outcome == "doubtful"
    await gate.ask(90)
    assert (await olds(gate))[1] in ((2, "Uncertain"), (2, "Bad"))
