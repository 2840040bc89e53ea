"""A controller that was off for a weekend and forgot its counter: the books have no part that nobody saw."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from device_drivers.contract import DataValue, StatusCode
from edge_agent.bookkeeping import Bookkeeper
from edge_agent.bus import Bus
from edge_agent.machines.equipment import Equipment
from edge_agent.oee_report import report
from edge_agent.store import ledger
from edge_agent.views import WorkPage
from edge_agent.views.maintenance import Unattributed
from tests.agent.hall import Hall, hall_in

PRESS, JOB, LEAD = "PRESS-03", "J-206", "1008"
WEEKEND = 60 * 3600.0
ONE_LAP = 2**16 - 1200


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_in(tmp_path, pumps=False) as hall:
        yield hall


async def forgotten(hall: Hall) -> Equipment:
    """A 16-bit counter reads 1200 on Friday; on Monday it begins at 0 and counts one part with the job open."""
    press = Equipment(id=PRESS, device="plc", count="n", count_width=16, cycle_time=2.0)
    books = await Bookkeeper.open(hall.store, hall.clock, Bus(), 60)
    for wait, number in ((1.0, 1200), (WEEKEND, 0), (2.0, 1)):
        hall.clock.advance(wait)
        value = DataValue("n", number, StatusCode.GOOD, hall.clock.now())
        press.take(value)
        books.observe(press, value)
        await books.flush()
    assert books.tally(PRESS).counted == 1
    return press


@pytest.mark.parametrize(("answer", "of_the_job"), [("leave", 1), ("take", 1 + ONE_LAP)])
async def test_a_person_says_what_becomes_of_what_may_have_been_made(hall: Hall, answer: str, of_the_job: int) -> None:
    await hall.work_on("T1", JOB, LEAD)
    press, now = await forgotten(hall), hall.clock.now()
    assert (await hall.store.read(ledger.tallies))[PRESS] == ledger.Tally(1, 0)
    view = await hall.give("T1", "action", "assign")
    assert isinstance(view.page, WorkPage)
    assert view.page.unattributed == Unattributed(ONE_LAP, now - timedelta(seconds=2), doubtful=True)
    assert view.prompt == "report_production.doubtful"
    view = await hall.give("T1", "choice", answer)
    assert isinstance(view.page, WorkPage)
    assert view.page.unattributed is None
    assert await hall.store.read(lambda conn: ledger.since_report(conn, PRESS, JOB)) == of_the_job
    began, ended = now - timedelta(days=4), now + timedelta(hours=1)
    assert (await hall.store.read(lambda conn: report(conn, press.status(), began, ended))).good == 1


async def test_what_was_made_without_a_job_is_asked_for_first_and_apart(hall: Hall) -> None:
    await hall.work_on("T1", JOB, LEAD)
    await forgotten(hall)
    await hall.give("T1", "action", "park")
    hall.clock.advance(1)
    books = await Bookkeeper.open(hall.store, hall.clock, Bus(), 60)
    press = Equipment(id=PRESS, device="plc", count="n", count_width=16, cycle_time=2.0)
    hall.clock.advance(8.0)
    books.observe(press, DataValue("n", 5, StatusCode.GOOD, hall.clock.now()))
    await books.flush()
    await hall.work_on("T1", JOB, LEAD)
    for parts, doubtful in ((4, False), (ONE_LAP, True)):
        view = await hall.give("T1", "action", "assign")
        assert isinstance(view.page, WorkPage)
        assert view.page.unattributed is not None
        assert (view.page.unattributed.parts, view.page.unattributed.doubtful) == (parts, doubtful)
        view = await hall.give("T1", "choice", "leave")
    assert isinstance(view.page, WorkPage)
    assert view.page.unattributed is None
