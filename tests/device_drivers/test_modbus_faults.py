"""Faults that only Modbus knows, on every wire: no wrong value is ever good, and all is well again afterwards.

Those that other devices have too are played in `tests/contract`.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from device_drivers.contract import BadReply, Unreachable
from device_drivers.simulators.modbus_peer import KINDS, Ask, Fault, Kind, Peer
from edge_agent.clock import SystemClock
from tests.device_drivers.modbus_rig import TIMEOUT, TRANSPORTS, kept

every_wire = pytest.mark.parametrize("transport", TRANSPORTS)

EVERYWHERE = ("none", "late", "hung", "short", "wrong_unit", "cut")
ANSWERS = ("busy", "refuse")  # the device is well: it only does not say this value
WORDS = {
    "close": Unreachable, "gateway": Unreachable, "long": BadReply, "wrong_function": BadReply,
    "wrong_transaction": BadReply, "garbage": BadReply, "check_sum": BadReply,
}  # fmt: skip


@every_wire
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in EVERYWHERE])
async def test_a_fault_makes_no_good_value_and_leaves_none_behind(
    kind: Kind, transport: str, tmp_path: Path
) -> None:
    peer = Peer()
    async with kept(peer, transport, tmp_path) as rig:
        await rig.all_good("near", "wide", "flag")
        peer.fault = Fault(kind)
        broken, losses = SystemClock().now(), len(rig.losses)
        if kind in ANSWERS:
            await rig.until(lambda: rig.values("near", broken) and rig.values("flag", broken))
        else:
            await rig.until(lambda: len(rig.losses) > losses)
        assert [rig.good(item, broken) for item in ("near", "wide", "flag")] == [[], [], []]
        assert (len(rig.losses) == losses) is (kind in ANSWERS)
        if kind in WORDS and not (transport == "rtu" and kind == "close"):  # nobody hangs up a serial line
            assert isinstance(rig.losses[losses], WORDS[kind])
        peer.fault = Fault()
        await rig.all_good("near", "wide", "flag")
        assert {value.value for value in rig.good("near")} == {2}
        assert {value.value for value in rig.good("wide")} == {5 << 16 | 6}
        assert {value.value for value in rig.good("flag")} == {True}


@every_wire
async def test_of_hundreds_of_polls_no_late_answer_is_a_good_value(transport: str, tmp_path: Path) -> None:
    """Each answer is the number of its request: a late one would be older than its source time."""
    chance = Random(transport)

    def thinking(ask: Ask) -> Fault:
        if chance.random() < 0.85:
            return Fault()
        return Fault("late", chance.uniform(0, 4 * TIMEOUT))

    def number(ask: Ask, address: int) -> int:
        return ask.number

    peers = [Peer(fault=thinking, word=number) for _ in range(4)]
    points = [{"name": "number", "address": 2}, {"name": "again", "address": 9, "type": "uint32"}]

    async def polled(peer: Peer) -> int:
        async with kept(peer, transport, tmp_path, points=points) as rig:
            await rig.until(lambda: len(rig.good("number")) >= 60, within=30)
            steps = time.time() - time.monotonic()
            for value in rig.good("number"):
                assert isinstance(value.value, int)
                arrived = datetime.fromtimestamp(peer.asked[value.value - 1].at + steps, UTC)
                assert arrived > value.source_time - timedelta(milliseconds=1), "an answer from before"
            assert all(isinstance(v.value, int) and v.value % 0x10001 == 0 for v in rig.good("again"))
            return len(rig.losses)

    losses = await asyncio.gather(*map(polled, peers))
    assert sum(losses) > 0 or transport != "tcp"  # there were answers that came too late
    assert sum(len(peer.asked) for peer in peers) > 240


@pytest.mark.parametrize("transport", ["tcp", "rtu_over_tcp"])
async def test_it_comes_back_as_often_as_the_line_is_cut(transport: str, tmp_path: Path) -> None:
    peer = Peer()
    async with kept(peer, transport, tmp_path) as rig:
        for cuts in range(1, 4):
            await rig.all_good("near")
            peer.fault = Fault("close")
            await rig.until(lambda cuts=cuts: len(rig.losses) >= cuts)  # type: ignore[misc]
            peer.fault = Fault()
        await rig.all_good("near")
