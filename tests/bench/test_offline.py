"""Minutes of the 72 hours without an ERP; it would be seen if others than the oldest samples went, or none was told."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from bench.offline import offline
from bench.telemetry_size import NOISE
from edge_agent.store import samples_bounds
from edge_agent.store.database import Connection

SECONDS, QUOTA = 600, 6_000_000  # less of the 72 hours, and as much less room
WRONG = ("over", "holes", "untold", "lost", "broken", "let_go")


async def test_a_while_without_an_erp_keeps_every_report_and_drops_the_oldest_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.offline.PLANT", NOISE)  # fills the room soonest
    told = await offline(tmp_path, 1, SECONDS, QUOTA)
    assert {name: told[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
    assert told["offered"] == 2000 * SECONDS
    assert told["reports"] == ceil(100_000 * SECONDS / (72 * 3600)), "as many of 100,000 as that has of 72 hours"
    assert 0 < told["dropped"] < told["kept"] <= told["offered"]


async def test_a_store_that_drops_the_newest_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drop(conn: Connection, table: str) -> bool:
        key = "id" if table == "block" else "seq"
        return conn.execute(f"DELETE FROM {table} WHERE {key} = (SELECT max({key}) FROM {table})").rowcount > 0

    monkeypatch.setattr(samples_bounds, "_drop", drop)
    told = await offline(tmp_path, 1, 150, 700_000)
    assert told["holes"]
    assert told["untold"]
