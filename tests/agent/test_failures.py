"""What goes wrong at one terminal stays there, and is told there until it is over."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from edge_agent.agent import until_stopped
from edge_agent.events import PlansChanged
from edge_agent.local_api.api import Api
from edge_agent.scanning.labels import label
from edge_agent.status import LinkBoard, StatusBoard
from edge_agent.views import Kind, View, WorkPage
from terminal_ui.clockface import PcClock
from terminal_ui.feed import Feed
from tests.agent.hall import Hall, hall_in, running_pumps
from tests.agent.person import an_input, at, said


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_in(tmp_path) as hall:
        yield hall


@contextmanager
def held(hall: Hall) -> Iterator[None]:
    """Another program writes into the database and does not end."""
    with closing(sqlite3.connect(hall.file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def good(view: View) -> int:
    """The good pieces that a view of a job shows."""
    assert isinstance(view.page, WorkPage)
    return int(view.page.good)


def counted(view: View) -> int | None:
    """The pieces since the last report that a view of a job shows."""
    return view.page.count_since_report if isinstance(view.page, WorkPage) else None


async def test_not_saved_stays_until_an_input_is_saved(hall: Hall) -> None:
    hall.count(0)
    await hall.work_on("T1")
    hall.count(5)
    saved = await hall.give("T1", "entry", "5")
    assert said(saved) == "report_production.saved_good"
    with held(hall):
        hall.trigger("T1", Kind.LOCATION, "PACK-1")
        told = await hall.shown("T1", lambda view: said(view) == "store.not_saved")
    hall.count(11)
    again = await hall.shown("T1", lambda view: counted(view) == 6)
    assert again.message == told.message
    assert (await hall.terminals.view("T1")).message == told.message
    assert again.revision == told.revision > saved.revision
    after = await hall.give("T1", "entry", "6")
    assert said(after) == "report_production.saved_good"
    assert after.revision > told.revision
    assert said(await hall.terminals.view("T1")) == "report_production.saved_good"


async def test_each_not_saved_rings_and_so_does_the_next_answer(hall: Hall) -> None:
    feed = Feed(PcClock())
    feed.saw_view(await hall.work_on("T1"))
    for place in ("PACK-1", "A-01-1"):
        with held(hall):
            hall.trigger("T1", Kind.LOCATION, place)
            told = await hall.shown("T1", lambda view: said(view) == "store.not_saved")
        assert feed.saw_view(told)
    assert feed.saw_view(await hall.give("T1", "entry", "5"))


async def test_not_saved_waits_for_a_terminal_that_was_away(hall: Hall) -> None:
    with held(hall):
        hall.trigger("T1", Kind.BADGE, "1001")
        while not said(await hall.terminals.view("T1")):  # each look is a turn of the thread
            pass
    assert said(await hall.terminals.view("T1")) == "store.not_saved"


async def test_an_answer_of_before_does_not_wipe_not_saved_away(hall: Hall) -> None:
    await hall.work_on("T1")
    given = an_input("entry", "5")
    first = await hall.terminals.handle("T1", given)
    with held(hall):
        hall.trigger("T1", Kind.LOCATION, "PACK-1")
        await hall.shown("T1", lambda view: said(view) == "store.not_saved")
    assert await hall.terminals.handle("T1", given) == first
    assert said(await hall.terminals.view("T1")) == "store.not_saved"


async def test_a_bug_at_one_scan_is_told_there_and_the_next_is_taken(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    before = await hall.terminals.view("T3")
    hall.broken.add("BENCH")
    hall.trigger("T3", Kind.BADGE, "1001")
    told = await hall.shown("T3")
    assert (said(told), at(told)) == ("agent.internal", at(before))
    hall.trigger("T1", Kind.BADGE, "1002")
    assert said(await hall.shown("T1")) == "sign_on.welcome"
    assert hall.supervisor.bugs == {"scan at T3": 1}
    assert [record.message for record in caplog.records] == ["work.bug"]
    hall.broken.clear()
    hall.trigger("T3", Kind.BADGE, "1001")
    assert said(await hall.shown("T3")) == "sign_on.welcome"


async def test_a_view_that_can_not_be_drawn_says_so_and_holds_up_no_other(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    before = await hall.give("T3", "scan", label(Kind.BADGE, "1001"))
    hall.count(0)
    await hall.work_on("T1", badge="1002")
    hall.broken.add("BENCH")
    for count in (1, 2, 3):
        hall.count(count)
        hall.bus.publish(PlansChanged())
        await hall.shown("T1", lambda view, count=count: counted(view) == count)  # type: ignore[misc]
    assert hall.supervisor.bugs["view of T3"] > 1
    hall.broken.clear()
    hall.bus.publish(PlansChanged())
    await hall.shown("T3", lambda view: said(view) == said(before))
    told = [said(view) for view in hall.seen if view.terminal == "T3"]
    assert told == [said(before), "agent.not_drawn", said(before)]
    assert [record.message for record in caplog.records] == ["work.bug"]


async def test_a_database_that_can_not_be_read_does_not_end_the_pumps(hall: Hall) -> None:
    await hall.work_on("T1")
    await hall.store.close()
    hall.bus.publish(PlansChanged())
    assert said(await hall.shown("T1", lambda view: said(view) == "agent.not_drawn"))
    hall.trigger("T1", Kind.LOCATION, "PACK-1")
    assert await hall.shown("T1", lambda view: said(view) == "store.not_saved")
    assert hall.supervisor.bugs == {}


async def test_a_pump_that_missed_events_begins_anew(tmp_path: Path) -> None:
    async with hall_in(tmp_path, pumps=False) as hall:
        task = asyncio.create_task(running_pumps(hall))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # they listen
        for _ in range(10_001):
            hall.trigger("T1", Kind.LOCATION, "PACK-1")
        (due,) = await asyncio.wait_for(hall.clock.sleeping(), 10)
        hall.clock.advance(due - hall.clock.monotonic())
        while not task.done() and not hall.terminals.drawn():
            await asyncio.sleep(0)
            hall.trigger("T1", Kind.BADGE, "1001")
            await hall.store.read(lambda conn: None)
        assert hall.supervisor.bugs == {"scans": 1}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_one_reports_the_other_sees(hall: Hall) -> None:
    await hall.work_on("T1")
    other = await hall.work_on("T2", badge="1002")
    await hall.give("T1", "entry", "7")
    seen = await hall.shown("T2", lambda view: isinstance(view.page, WorkPage) and view.page.good > 0)
    assert good(seen) == good(other) + 7
    assert (seen.revision, said(seen)) == (other.revision, said(other)), "it is no answer"
    revisions = [view.revision for view in hall.seen if view.terminal == "T1"]
    assert len(revisions) == len(set(revisions)), "who reports sees it with the answer, once"


async def test_a_refused_scan_draws_nobody_else_anew(hall: Hall) -> None:
    await hall.give("T3", "scan", label(Kind.BADGE, "1001"))
    hall.count(0)
    await hall.work_on("T1", badge="1002")
    hall.count(1)
    await hall.shown("T1", lambda view: counted(view) == 1)  # what the start of the job asks for is drawn
    hall.broken.add("BENCH")  # to draw T3 would be noticed
    await hall.give("T1", "scan", label(Kind.LOCATION, "PACK-1"))
    hall.count(2)
    await hall.shown("T1", lambda view: counted(view) == 2)
    assert hall.supervisor.bugs == {}
    await hall.give("T1", "entry", "2")
    hall.count(3)
    await hall.shown("T1", lambda view: counted(view) == 1)
    assert hall.supervisor.bugs == {"view of T3": 1}


async def endless() -> None:
    """A long task."""
    await asyncio.Event().wait()


@pytest.mark.parametrize("error", [None, KeyError("a bug")])
async def test_a_task_that_ends_before_its_time_ends_the_agent(error: Exception | None) -> None:
    async def short() -> None:
        if error:
            raise error

    stop = asyncio.Event()
    tasks = [asyncio.create_task(short(), name="short"), asyncio.create_task(endless())]
    with pytest.raises((RuntimeError, KeyError), match="'short' ended by itself" if not error else "a bug"):
        await asyncio.wait_for(until_stopped(stop, tasks), 10)
    tasks[1].cancel()


async def test_a_wish_to_stop_is_no_failure() -> None:
    stop = asyncio.Event()
    stop.set()
    task = asyncio.create_task(endless())
    await asyncio.wait_for(until_stopped(stop, [task]), 10)
    task.cancel()


async def test_a_job_whose_id_has_a_slash_is_a_job_like_any_other(hall: Hall) -> None:
    named = msgspec.structs.replace(hall.store.book.jobs["J-206"], id="WH/MO/00012")
    hall.store.book = hall.store.book.with_changes([named])
    await hall.work_on("T1", "WH/MO/00012")
    await hall.work_on("T2", "WH/MO/00012", badge="1002")
    seen = len(hall.seen)
    await hall.give("T1", "entry", "7")
    await hall.shown("T2")
    assert hall.seen[seen:]


async def test_an_event_stream_that_can_not_begin_answers_with_a_problem(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.broken.add("BENCH")
    board = StatusBoard(hall.store, hall.clock, LinkBoard(hall.clock, hall.bus, ()), tuple, tuple, "0")
    app = Api(hall.terminals, board, hall.store, hall.bus).app()
    await hall.give("T1", "scan", label(Kind.BADGE, "1001"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://agent") as client:
        reply = await client.get("/v1/events", params={"terminal": "T3"})
    assert (reply.status_code, reply.json()["code"]) == (500, "agent.internal")
    assert "api.bug" in [record.message for record in caplog.records]
