"""A link that flaps for weeks: what is known to be missing stays told for as long as its samples are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.machines.by_exception import Gap
from edge_agent.store import samples_bounds
from tests.support.manual_clock import ManualClock
from tests.telemetry.making import SECOND, T0, columns, gaps, opened

MOST = 8


async def test_a_gap_is_told_as_long_as_there_are_samples_of_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples_bounds, "_MOST_GAPS", MOST)
    store = await opened(tmp_path, ManualClock())
    try:
        await store.append({"plc": columns(("x", 50, 1)), "mill": columns(("y", 50, 1))})
        for number in range(30):
            began = T0 + 10 * number * SECOND
            await store.mark(Gap(began, began + SECOND, "device", "plc" if number % 2 else "mill", "yx"[number % 2]))
        for device, first in (("mill", 0), ("plc", 1)):
            told = [gap for gap in await gaps(store) if gap.device == device]
            for number in range(first, 30, 2):
                began = T0 + 10 * number * SECOND
                whole = any(gap.since <= began and gap.until >= began + SECOND for gap in told)
                assert whole or began + SECOND < T0 + 50 * SECOND, "no sample of that time or before is kept"
        assert len(await gaps(store)) <= MOST
        newest = T0 + 290 * SECOND
        assert Gap(newest, newest + SECOND, "device", "plc", "x") in await gaps(store), "only old ones are joined"
    finally:
        await store.close()
