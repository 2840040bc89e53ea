"""A commit of the books that nobody heard of is not entered a second time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from device_drivers.contract import DataValue, StatusCode
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.machines.equipment import Equipment
from edge_agent.store import Connection, Store, StoreError, ledger

T = TypeVar("T")


class Press:
    """A machine with a counter, and its books."""

    def __init__(self, store: Store, books: Bookkeeper, clock: SystemClock) -> None:
        self.books, self._store, self._clock = books, store, clock
        self._machine = Equipment(id="M", device="d", count="n", count_width=16)

    def counts(self, number: int) -> None:
        value = DataValue("n", number, StatusCode.GOOD, self._clock.now())
        self._machine.take(value)
        self.books.observe(self._machine, value)

    async def tally(self) -> int:
        return (await self._store.read(ledger.tallies))["M"].counted


async def press_in(store: Store, clock: SystemClock) -> Press:
    return Press(store, await Bookkeeper.open(store, clock, Bus(), 60), clock)


async def test_a_flush_that_is_cancelled_and_stands_is_not_entered_again(tmp_path: Path) -> None:
    clock = SystemClock()
    store = await Store.open(tmp_path / "journal.db", "pc-1", clock)
    press = await press_in(store, clock)
    press.counts(0)
    await press.books.flush()
    press.counts(10)
    flush = asyncio.create_task(press.books.flush())
    await asyncio.sleep(0)  # its write is on the way
    flush.cancel()
    await asyncio.gather(flush, return_exceptions=True)
    press.counts(12)
    await press.books.flush()
    assert await press.tally() == 12

    again = await press_in(store, clock)
    again.counts(13)
    await again.books.flush()
    assert await again.tally() == 13
    await store.close()


async def test_a_commit_that_failed_and_stands_is_not_entered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SystemClock()
    store = await Store.open(tmp_path / "journal.db", "pc-1", clock)
    press = await press_in(store, clock)
    press.counts(0)
    await press.books.flush()
    whole = store.write

    async def stands_and_fails(fn: Callable[[Connection], T]) -> T:
        await whole(fn)
        raise StoreError("io")

    press.counts(10)
    monkeypatch.setattr(store, "write", stands_and_fails)
    await press.books.flush()
    monkeypatch.undo()
    press.counts(11)
    await press.books.flush()
    assert await press.tally() == 11
    await store.close()
