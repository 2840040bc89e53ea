"""Whose parts they are while the person who began the job does something else: through a hall with a real ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from edge_agent.machines.ledger import Evidence, Reading, Standing, Step, running
from edge_agent.scanning.labels import label
from edge_agent.store import Connection
from edge_agent.store.ledger import enter, since_report, switches
from edge_agent.views import Kind, View
from tests.agent.hall import Hall, hall_in
from tests.agent.person import at, said

PRESS, JOB, OTHER, ORDER = "PRESS-03", "J-206", "J-204", "SO-771"
LEAD = "1008"  # may produce and pick


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_in(tmp_path, pumps=False) as hall:
        yield hall


async def job_of(hall: Hall, equipment: str = PRESS) -> str:
    """The job that the machine runs now, a moment after whatever was done."""
    hall.clock.advance(1)

    def look(conn: Connection) -> str:
        return running(switches(conn, equipment, hall.clock.now()), hall.clock.now())

    return await hall.store.read(look)


async def made(hall: Hall, parts: int, number: int) -> None:
    """The press makes parts in a minute; `number` is that of the reading."""
    began = hall.clock.now()
    hall.clock.advance(60)
    last = Standing(Reading(1000 * number, began + timedelta(seconds=60)), 2**32)
    await hall.store.write(lambda conn: enter(conn, PRESS, [Step(last, Evidence.COUNTED, began, parts)], number))


async def counted(hall: Hall, job: str) -> int:
    return await hall.store.read(lambda conn: since_report(conn, PRESS, job))


async def scans(hall: Hall, kind: Kind, id: str, terminal: str = "T1") -> View:
    """A label, some seconds after whatever was done before; one that asks first is confirmed."""
    hall.clock.advance(2)
    view = await hall.give(terminal, "scan", label(kind, id))
    if view.message is not None and view.message.verdict == "confirm":
        view = await hall.give(terminal, "action", "confirm")
    return view


async def goes_picking(hall: Hall) -> View:
    await hall.work_on("T1", JOB, LEAD)
    await hall.give("T1", "action", "list")
    view = await scans(hall, Kind.JOB, ORDER)
    assert at(view) == "pick.go", view.message
    return view


async def test_parts_that_the_press_makes_while_its_operator_picks_are_those_of_its_job(hall: Hall) -> None:
    await hall.work_on("T1", JOB, LEAD)
    await made(hall, 5, 1)
    await hall.give("T1", "action", "list")
    await made(hall, 7, 2)
    assert at(await scans(hall, Kind.JOB, ORDER)) == "pick.go"
    await made(hall, 11, 3)
    for action in ("machines", "exceptions"):
        await hall.give("T1", "action", action)
        assert await job_of(hall) == JOB, f"the order stands as the job of the press, at {action}"
        await hall.give("T1", "action", "back")
    assert (await counted(hall, JOB), await counted(hall, ORDER), await counted(hall, "")) == (23, 0, 0)


async def test_who_signs_off_while_picking_leaves_the_press_its_job(hall: Hall) -> None:
    await goes_picking(hall)
    await hall.give("T1", "action", "sign_off")
    assert await job_of(hall) == JOB
    await scans(hall, Kind.BADGE, "1001")
    assert await job_of(hall) == JOB


@pytest.mark.parametrize("end", ["park", "finish"])
async def test_a_job_that_is_set_aside_or_finished_gets_no_more_parts(hall: Hall, end: str) -> None:
    await hall.work_on("T1", JOB)
    await made(hall, 5, 1)
    view = await hall.give("T1", "action", end)
    if end == "finish":
        view = await hall.give("T1", "choice", view.choices[0].id)
    assert (at(view), said(view)) == (
        "choose_job.pick_one", f"report_production.{'set_aside' if end == 'park' else 'saved_finished'}",
    )  # fmt: skip
    assert await job_of(hall) == ""
    await made(hall, 7, 2)
    assert (await counted(hall, JOB), await counted(hall, "")) == (5, 7)


async def test_a_job_that_is_finished_elsewhere_is_open_at_no_terminal(hall: Hall) -> None:
    await goes_picking(hall)
    await hall.work_on("T2", JOB, "1002")
    view = await hall.give("T2", "action", "finish")
    await hall.give("T2", "choice", view.choices[0].id)
    assert await job_of(hall) == ""


async def test_who_comes_back_to_the_job_takes_the_machine_from_another_terminal(hall: Hall) -> None:
    await goes_picking(hall)
    await hall.work_on("T2", OTHER, "1002")
    assert await job_of(hall) == OTHER
    await hall.give("T1", "action", "list")
    assert await job_of(hall) == OTHER, "a look at the list opens nothing"
    assert at(await scans(hall, Kind.JOB, JOB)) == "report_production.running"
    assert await job_of(hall) == JOB
