"""A use-by date ends with the day of the plant, wherever it stands, and not with the day in Greenwich."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.scanning.labels import label
from edge_agent.views import Kind, PickPage, Verdict
from tests.agent.hall import hall_in
from tests.support.manual_clock import START, ManualClock

EAST, WEST = timezone(timedelta(hours=2)), timezone(timedelta(hours=-7))


@pytest.mark.parametrize("zone", [EAST, UTC, WEST])
@pytest.mark.parametrize("dates", ["17", "15"])
@pytest.mark.parametrize(("after", "at"), [
    (0, time(0, 30)), (0, time(17, 30)), (0, time(23, 30)), (1, time(0, 30)), (1, time(23, 30)),
])  # fmt: skip
async def test_a_label_is_judged_by_the_day_of_the_plant(
    zone: timezone, dates: str, after: int, at: time, tmp_path: Path
) -> None:
    clock = ManualClock(zone=zone)
    async with hall_in(tmp_path, pumps=False, clock=clock) as hall:
        await hall.give("T3", "scan", label(Kind.BADGE, "1001"))
        view = await hall.give("T3", "scan", label(Kind.JOB, "SO-771"))
        page = view.page
        assert isinstance(page, PickPage)
        view = await hall.give("T3", "scan", label(Kind.LOCATION, page.location))
        assert view.step == "item", view.message
        last = date.fromisoformat(page.expires)
        here = datetime.combine(last + timedelta(days=after), at, zone)
        clock.step_wall((here - clock.now()).total_seconds())
        gtin = hall.store.book.materials[page.material].gtin
        view = await hall.give("T3", "scan", f"]C101{gtin}{dates}{last:%y%m%d}10{page.lot}")
        assert view.message is not None
        if after:
            assert (view.step, view.message.verdict) == ("item", Verdict.HELD), view.message
        else:
            assert view.step == "quantity", view.message


@pytest.mark.parametrize(("zone", "day"), [(EAST, 23), (UTC, 22), (WEST, 22)])
def test_the_clock_of_a_pc_knows_the_day_there(zone: timezone, day: int) -> None:
    night = START.replace(hour=23, minute=30).timestamp()
    clock = SystemClock(lambda: night, zone=zone)
    assert (clock.today(), clock.now().date()) == (date(2026, 11, day), date(2026, 11, 22))


@pytest.mark.parametrize(("zone", "day"), [("EAST-2", 23), ("WEST7", 22)])
def test_it_stands_where_the_pc_is_set_to(zone: str, day: int) -> None:
    night = START.replace(hour=23, minute=30).timestamp()
    look = f"from edge_agent.clock import SystemClock; print(SystemClock(lambda: {night}).today())"
    environment = {**os.environ, "TZ": zone}
    told = subprocess.run([sys.executable, "-c", look], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == f"2026-11-{day}"
