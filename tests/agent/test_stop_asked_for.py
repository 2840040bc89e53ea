"""A stop is asked for while it lasts, whoever sees first that it is long enough: the next value, or the next look."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_drivers.contract import DataValue, StatusCode
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus
from edge_agent.events import MachineChanged
from edge_agent.machines.equipment import Equipment
from edge_agent.store import Store
from edge_agent.store.stops import stops
from tests.support.manual_clock import START, ManualClock

STATES = {"5": "SUSPENDED", "6": "EXECUTE"}


@pytest.mark.parametrize("looks", [1, 3, 7])
async def test_a_machine_that_is_read_more_often_than_the_books_are_written_is_asked_at_the_limit(
    tmp_path: Path, looks: int
) -> None:
    """Read every second, written down every `looks` seconds; the limit is 60 s."""
    clock, bus = ManualClock(), Bus()
    store = await Store.open(tmp_path / "journal.db", "pc-1", clock)
    books = await Bookkeeper.open(store, clock, bus, 60)
    press = Equipment(id="M", device="plc", state="s", states=STATES)
    with bus.subscribe(MachineChanged) as told:
        for second in range(69):
            value = DataValue("s", 6 if second < 2 else 5, StatusCode.GOOD, clock.now())
            press.take(value)
            books.observe(press, value)
            if second % looks == 0:
                await books.flush()
            clock.advance(1)
        await books.flush()
        kept = await store.read(lambda conn: stops(conn, "M", START))
        assert [((stop.began - START).seconds, stop.ended, stop.state) for stop in kept] == [(2, None, "SUSPENDED")]
        assert (await anext(told)).id == "M"  # it ran
        assert (await anext(told)).id == "M"  # it is asked why it stands
        value = DataValue("s", 6, StatusCode.GOOD, clock.now())
        press.take(value)
        books.observe(press, value)
        await books.flush()
        over = await store.read(lambda conn: stops(conn, "M", START))
        assert [(stop.id, stop.ended) for stop in over] == [(kept[0].id, clock.now())]
    await store.close()
