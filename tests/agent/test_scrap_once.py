"""Scrap is in OEE once, whoever counts it: the machine, people, or both."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_drivers.contract import DataValue, StatusCode
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus
from edge_agent.machines.equipment import Equipment
from edge_agent.oee_report import report
from edge_agent.store import Connection, Entry, Store
from edge_agent.store.ledger import note_job
from tests.store.making import scrapped
from tests.support.manual_clock import ManualClock

ALL: dict[str, Any] = {"counts": "all"}
BOTH: dict[str, Any] = {"counts": "all", "scrap_count": "bad"}
GOOD: dict[str, Any] = {}
SORTED: dict[str, Any] = {"scrap_count": "bad"}


@pytest.mark.parametrize(
    ("meaning", "count", "bad", "told", "made", "good"),
    [
        (ALL, 100, 0, "20", 100, 80), (ALL, 100, 0, "0", 100, 100), (GOOD, 100, 0, "20", 120, 100),
        (BOTH, 100, 20, "0", 100, 80), (BOTH, 100, 20, "20", 100, 80), (BOTH, 100, 20, "25", 100, 75),
        (SORTED, 80, 20, "0", 100, 80), (SORTED, 80, 20, "20", 100, 80), (SORTED, 80, 20, "25", 100, 75),
        (ALL, 10, 0, "20", 20, 0),
    ],
)  # fmt: skip
async def test_a_piece_is_good_or_scrap(
    tmp_path: Path, meaning: dict[str, Any], count: int, bad: int, told: str, made: int, good: int
) -> None:
    clock = ManualClock()
    store = await Store.open(tmp_path / "journal.db", "pc-1", clock)
    press = Equipment(
        id="M1", device="d", state="s", states={"6": "EXECUTE"}, count="n", count_width=16, cycle_time=36.0, **meaning
    )
    books, began = await Bookkeeper.open(store, clock, Bus(), 60), clock.now()
    await store.write(lambda conn: note_job(conn, "M1", "T1", "J1", began))
    for seconds, values in ((0, {"s": 6, "n": 0, "bad": 65_530}), (3600, {"n": count, "bad": (65_530 + bad) % 2**16})):
        clock.advance(seconds)
        for item, number in values.items():
            value = DataValue(item, number, StatusCode.GOOD, clock.now())
            press.take(value)
            books.observe(press, value)
        await books.flush()

    def tell(conn: Connection) -> None:
        body = msgspec.structs.replace(scrapped(quantity=told), equipment="M1")
        store.record(conn, [Entry(clock.new_id(), body)], clock.now(), terminal="T1", person="p1")

    if told != "0":
        await store.write(tell)
    clock.advance(1)
    ended = began + timedelta(hours=1, seconds=1)
    found = await store.read(lambda conn: report(conn, press.status(), began, ended))
    assert (found.good, found.scrap) == (good, made - good)
    assert found.quality == pytest.approx(good / made)
    assert found.performance == pytest.approx(made / 100, rel=0.001)
    await store.close()
