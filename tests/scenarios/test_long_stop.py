"""A machine that has stood for longer than people remember still stands, on every page of maintenance."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from edge_agent.machines.plant import Plant
from edge_agent.machines.stops import Span, Stop
from edge_agent.plant_reader import PlantReader
from edge_agent.scenarios import maintain_page
from edge_agent.store import stops as pages
from edge_agent.views import Kind
from edge_agent.views.maintenance import DowntimePage, LinePage, MachinePage
from sync.maintenance import MaintenanceRequested
from tests.scenarios.floor import DEVICES, MACHINES, NOW, WORKSHOP, Floor
from tests.store.making import empty

THURSDAY = NOW - timedelta(days=4)
STANDS = Stop("s1", THURSDAY, "ABORTED", "Oil low")


@dataclass
class RealFloor(Floor):
    """Stops and states come from a database."""

    conn: sqlite3.Connection = field(kw_only=True)

    def plant(self) -> Plant:
        kept = PlantReader().plant(self.conn, self.machines, DEVICES, NOW)
        return replace(kept, requests=self.requests, unattributed=lambda id: None)


@pytest.fixture
def conn() -> Iterator[sqlite3.Connection]:
    conn = empty()
    pages.keep_span(conn, "PRESS-03", Span("ABORTED", THURSDAY, alarm="Oil low"), NOW)
    pages.keep_stop(conn, "PRESS-03", STANDS)
    yield conn
    conn.close()


@pytest.fixture
def floor(conn: sqlite3.Connection) -> Floor:
    """Somebody who looks at the press on Monday."""
    return RealFloor(station=WORKSHOP, machines=MACHINES, conn=conn)


def test_what_has_stood_since_thursday_still_stands_on_monday(floor: Floor) -> None:
    state = maintain_page.State()
    line = maintain_page.look_screen(state, floor.here()).page
    assert isinstance(line, LinePage)
    assert line.machines[0].unexplained == 1
    assert [span.state for span in line.machines[0].stood] == ["ABORTED"]

    machine = maintain_page.look_screen(maintain_page.at_machine(state, "PRESS-03"), floor.here()).page
    assert isinstance(machine, MachinePage)
    assert [(stop.id, stop.began, stop.ended) for stop in machine.stops] == [("s1", THURSDAY, None)]
    assert machine.short_stops is not None
    assert machine.short_stops.stops == 1

    for equipment in ("PRESS-03", ""):
        down = maintain_page.look_screen(maintain_page.State("downtime", equipment=equipment), floor.here()).page
        assert isinstance(down, DowntimePage)
        assert [(row.reason, row.seconds, row.stops) for row in down.rows] == [("", 24 * 3600, 1)]


def test_a_request_for_it_names_its_stop(floor: Floor) -> None:
    floor.scan(Kind.BADGE, "1001")
    floor.give("choice", "PRESS-03")
    floor.give("action", "request")
    floor.give("choice", "SYMPTOM-1")
    floor.give("choice", "1")
    floor.give("choice", "yes")
    (request,) = floor.bodies(MaintenanceRequested)
    assert (request.stopped, request.stop) == (True, "s1")


def test_what_was_over_before_the_days_that_are_remembered_is_no_stop_of_them(
    floor: Floor, conn: sqlite3.Connection
) -> None:
    pages.keep_stop(conn, "PRESS-03", replace(STANDS, ended=NOW - timedelta(days=3, minutes=1)))
    machine = maintain_page.look_screen(maintain_page.at_machine(maintain_page.State(), "PRESS-03"), floor.here()).page
    assert isinstance(machine, MachinePage)
    assert machine.stops == ()
