"""The machine page tells the time that was lost as the local API does: from the same report of what is on disk."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from edge_agent import oee_report
from edge_agent.machines.ledger import Evidence, Reading, Standing, Step
from edge_agent.machines.stops import Span, Stop
from edge_agent.plant_reader import PlantReader
from edge_agent.scenarios import maintain, maintain_page
from edge_agent.scenarios.contract import Did
from edge_agent.store import stops as pages
from edge_agent.store.ledger import enter, note_job
from edge_agent.store.plans import take
from edge_agent.views.maintenance import MachinePage
from sync.contract import PlanPage, Reason
from tests.scenarios.floor import MACHINES, NOW, WORKSHOP
from tests.scenarios.test_long_stop import RealFloor
from tests.store.making import empty, record

BEGAN = NOW - timedelta(minutes=61)  # a minute before the last whole one that is on disk


def test_the_page_has_what_the_report_has() -> None:
    conn = empty()
    at = [BEGAN + timedelta(minutes=minutes) for minutes in (0, 20, 30, 40)]
    note_job(conn, "PRESS-03", "T1", "J-1", BEGAN)
    note_job(conn, "PRESS-03", "T1", "", at[3])
    for span in (
        Span("EXECUTE", at[0], ended=at[1]), Span("HELD", at[1], alarm="Oil low", ended=at[2]),
        Span("EXECUTE", at[2], ended=at[3]), Span("ABORTED", at[3]),
    ):  # fmt: skip
        pages.keep_span(conn, "PRESS-03", span, NOW)
    pages.keep_stop(conn, "PRESS-03", Stop("s1", at[1], "HELD", "Oil low", at[2]))
    pages.keep_stop(conn, "PRESS-03", Stop("s2", at[3], "ABORTED"))
    floor = RealFloor(station=WORKSHOP, machines=MACHINES, conn=conn)
    page = maintain_page.look_screen(maintain_page.at_machine(maintain_page.State(), "PRESS-03"), floor.here()).page
    assert isinstance(page, MachinePage)
    assert [(each.element, each.state, each.alarm, each.stop) for each in page.lost] == [
        ("delay", "HELD", "Oil low", "s1"), ("no_order", "ABORTED", "", "s2"),
    ]  # fmt: skip
    assert (page.lost[0].began, page.lost[0].ended, page.lost[1].ended) == (at[1], at[2], page.ended)
    report = oee_report.report(conn, MACHINES[0], page.began, page.ended)
    assert page.factors is not None
    told = msgspec.structs.asdict(page.factors)
    assert told == {name: getattr(report, name) for name in told}
    assert (told["availability"], told["performance"], told["quality"], told["oee"]) == (0.75, None, None, None)
    (minute,) = oee_report.report_of_minute(conn, MACHINES[0], at[1], NOW).pieces
    assert (minute.element, minute.stop) == (page.lost[0].element, page.lost[0].stop)
    conn.close()


def test_a_break_that_was_planned_is_said_and_left_out_of_availability() -> None:
    conn = empty()
    began, back, ended = (BEGAN + timedelta(minutes=minutes) for minutes in (0, 20, 60))
    note_job(conn, "PRESS-03", "T1", "J-1", began)
    for span in (Span("STOPPED", began, ended=back), Span("EXECUTE", back, ended=ended)):
        pages.keep_span(conn, "PRESS-03", span, NOW)
    stop = Stop("s1", began, "STOPPED", ended=back, reason="BREAK")
    pages.keep_stop(conn, "PRESS-03", stop)
    record(conn, stop.fact("PRESS-03"))
    floor = RealFloor(station=WORKSHOP, machines=MACHINES, conn=conn)
    told = []
    for planned in (False, True):
        reason = Reason(id="BREAK", purpose="stop", number=8, text="break", planned=planned)
        take(conn, "erp", PlanPage(cursor=str(planned), as_of_seq=0, plans=(reason,)), NOW)
        page = maintain_page.look_screen(maintain_page.at_machine(maintain_page.State(), "PRESS-03"), floor.here()).page
        assert isinstance(page, MachinePage)
        assert page.factors is not None
        told.append((page.lost[0].element, page.factors.availability))
    assert told == [("delay", pytest.approx(40 / 60)), ("planned_downtime", 1.0)]
    conn.close()


def test_a_key_walks_the_red_of_the_strip() -> None:
    conn = empty()
    note_job(conn, "PRESS-03", "T1", "J-1", BEGAN)
    for number in range(3):
        began = BEGAN + timedelta(minutes=10 * number)
        for name, start in (("HELD", 0), ("EXECUTE", 5)):
            moment = began + timedelta(minutes=start)
            pages.keep_span(conn, "PRESS-03", Span(name, moment, ended=moment + timedelta(minutes=5)), NOW)
    floor = RealFloor(station=WORKSHOP, machines=MACHINES, conn=conn)
    state, seen = maintain_page.at_machine(maintain_page.State(), "PRESS-03"), []
    for _ in range(4):
        screen = maintain_page.look_screen(state, floor.here())
        assert isinstance(screen.page, MachinePage)
        assert "earlier" in screen.actions
        seen.append(screen.page.red)
        state = maintain.advance(state, Did("earlier"), floor.here()).state
    assert seen == [0, 1, 2, 0]
    assert maintain_page.at_machine(state).red == 0
    conn.close()


def test_where_nobody_knows_nothing_is_made_up() -> None:
    conn = empty()
    floor = RealFloor(station=WORKSHOP, machines=MACHINES, conn=conn)
    page = maintain_page.look_screen(maintain_page.at_machine(maintain_page.State(), "PRESS-03"), floor.here()).page
    assert isinstance(page, MachinePage)
    assert page.lost == ()
    assert page.factors is not None
    assert set(msgspec.structs.asdict(page.factors).values()) == {None}
    conn.close()


def test_the_line_has_the_oee_that_the_report_has() -> None:
    conn = empty()
    note_job(conn, "PRESS-03", "T1", "J-1", BEGAN)
    half = BEGAN + timedelta(minutes=30)
    pages.keep_span(conn, "PRESS-03", Span("EXECUTE", BEGAN, ended=half), NOW)
    reader = PlantReader()
    machine = msgspec.structs.replace(MACHINES[0], cycle_time=60.0)
    last = Standing(Reading(20, half), 2**16)
    enter(conn, "PRESS-03", [Step(last, Evidence.COUNTED, BEGAN, 20)], 1)
    began, ended = NOW - timedelta(hours=8), NOW - timedelta(minutes=1)
    want = oee_report.report(conn, machine, began, ended).oee
    assert want == pytest.approx(20 / 30)
    assert reader.plant(conn, (machine,), (), NOW).oee(machine, began, ended) == want
    conn.execute("DELETE FROM counted")
    assert reader.plant(conn, (machine,), (), NOW).oee(machine, began, ended) == want, "it is kept with its strip"
    assert reader.plant(conn, (machine,), (), NOW).oee(machine, began, NOW) != want
    conn.close()
