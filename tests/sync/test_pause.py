from __future__ import annotations

import asyncio

from sync.pause import Pause
from tests.support.manual_clock import ManualClock


async def test_a_pause_ends_at_its_moment_and_leaves_nothing_behind() -> None:
    clock = ManualClock()
    waiting = asyncio.create_task(Pause(clock).until(clock.monotonic() + 3))
    await clock.sleeping()
    clock.advance(2.9)
    assert not waiting.done()
    clock.advance(0.1)
    await waiting
    assert clock.sleepers == []


async def test_a_poke_ends_one_wait_and_no_other() -> None:
    clock = ManualClock()
    pause = Pause(clock)
    pause.poke()
    await pause.until(clock.monotonic() + 3)
    waiting = asyncio.create_task(pause.until(clock.monotonic() + 3))
    await clock.sleeping()
    await asyncio.sleep(0)
    assert not waiting.done()
    pause.poke()
    await waiting


async def test_a_cancelled_pause_leaves_nobody_waiting() -> None:
    clock = ManualClock()
    waiting = asyncio.create_task(Pause(clock).until(clock.monotonic() + 3))
    await clock.sleeping()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert clock.sleepers == []
