"""Whatever a person scans, types or presses, in any order: the flows keep their promises."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent import scenarios
from edge_agent.doubts import Doubt
from edge_agent.machines.stops import Stop
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Station
from edge_agent.views import Kind, Verdict
from sync.contract import (
    Correction,
    JobCompleted,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    MaterialShort,
    ScanRefused,
)
from sync.exceptions import ExceptionDecided
from sync.maintenance import MaintenanceCompleted, MaintenanceRequested, MaintenanceStarted
from tests.scenarios.floor import BOOK, MACHINES, NOW, PRESS, WAREHOUSE, WORKSHOP, Floor, refused_fact

ACTIONS = (
    "confirm", "back", "list", "exception", "park", "undo", "sign_off", "report", "scrap", "finish",
    "explain", "assign", "split", "machines", "request", "work", "downtime", "link", "span", "earlier", "nonsense",
    "exceptions", "resend", "correct", "hand_over", "acknowledge",
)  # fmt: skip
LABELS = (
    *(label(Kind.BADGE, badge) for badge in ("1001", "1002", "1007", "1008", "1009")),
    *(label(Kind.JOB, job) for job in ("J-201", "J-204", "J-205", "J-207", "J-210", "SO-771", "SO-772")),
    *(label(Kind.DRAWING, "DRW-1001", revision) for revision in "AB"),
    *(label(Kind.LOCATION, line.source or "") for line in BOOK.jobs["SO-771"].requirements),
    *(label(Kind.HANDLING_UNIT, tote) for tote in ("TOTE-1", "TOTE-2")),
    *(label(Kind.REASON, reason.id) for reason in BOOK.reasons),
    *(label(Kind.WORKSTATION, machine.id) for machine in MACHINES),
    *(label(Kind.COMMAND, action.upper()) for action in ACTIONS),
    *(f"]C101{material.gtin}" for material in BOOK.materials.values() if material.gtin),
    *BOOK.lots,
)

STOOD = (
    Stop("s2", NOW - timedelta(minutes=5), "HELD"),
    Stop("s1", NOW - timedelta(minutes=40), "ABORTED", ended=NOW - timedelta(minutes=20)),
)

CHOSEN = (
    "J-204", "SO-771", "SCRAP-1", "SHORT-2", "FINISH-1", "STOP-1", "s1", "s2", "x", "", "take", "leave",
    "SYMPTOM-1", "FAILURE-2",
    "PRESS-03", "oil", "2", "yes", "d1", "clock/7",
)  # fmt: skip

# About a job that nobody knows: what is reported in its place changes no other.
IN_DOUBT = (
    Doubt("d1", "refused", NOW, refused_fact("J-900", "UNKNOWN-1"), "unknown_order", "There is no such order.", 1),
    Doubt("clock/7", "clock", NOW, seq=7, last=9, facts=3),
)

inputs = st.one_of(
    st.tuples(st.just("scan"), st.sampled_from(LABELS)),
    st.tuples(st.just("scan"), st.just("(whatever the screen asks for)")),
    st.tuples(st.just("scan"), st.binary(max_size=12).map(lambda raw: raw.decode("latin-1"))),
    st.tuples(st.just("action"), st.sampled_from(ACTIONS)),
    st.tuples(st.just("entry"), st.sampled_from(("0", "1", "2", "12", "900", "1,5", "-1", "x", ""))),
    st.tuples(st.just("choice"), st.sampled_from(CHOSEN)),
    st.tuples(st.just("choice"), st.just("(any that is offered)")),
)


def offered(floor: Floor) -> str:
    """The id of the first choice of the screen."""
    return next((choice.id for choice in floor.view().choices), "")


def asked_for(floor: Floor) -> str:
    """A label that the screen says it waits for."""
    return next((each.label for each in floor.view().expects if each.label), LABELS[0])


@settings(max_examples=300)
@given(
    st.sampled_from((PRESS, WAREHOUSE, WORKSHOP)), st.sampled_from(("1001", "1007", "1008")),
    st.lists(inputs, min_size=15, max_size=60),
)  # fmt: skip
def test_no_walk_breaks_a_promise(station: Station, badge: str, walk: list[tuple[str, str]]) -> None:
    floor = Floor(station=station, stood=STOOD, machines=MACHINES, in_doubt=IN_DOUBT)
    floor.scan(Kind.BADGE, badge)
    for kind, data in walk:
        before, recorded = floor.state, len(floor.facts)
        if data.startswith("("):
            data = asked_for(floor) if kind == "scan" else offered(floor)
        floor.give(kind, data)
        new = [body for _, body in floor.facts[recorded:]]
        flow = scenarios.load()[scenarios.name_of(floor.state)]
        assert floor.state.step in flow.STEPS
        if kind == "scan" and any(isinstance(body, ScanRefused) for body in new):
            assert all(isinstance(body, ScanRefused) for body in new)
        if floor.said is not None and floor.said.verdict in (
            Verdict.WRONG,
            Verdict.UNKNOWN,
            Verdict.AMBIGUOUS,
        ):
            assert floor.state == before, f"{floor.said.code} changed the step"
        floor.view()
    check_books(floor)


def check_books(floor: Floor) -> None:
    """What was recorded is what an ERP can book."""
    check_maintenance(floor)
    check_decisions(floor)
    undone = {body.corrects for body in floor.bodies(Correction)}
    assert len(undone) == len(floor.bodies(Correction)), "a fact was taken back twice"
    for kind in (MaterialProduced, MaterialScrapped, MaterialMoved, MaterialShort):
        assert all(body.quantity > 0 for body in floor.bodies(kind))
    assert all(body.reason for body in (*floor.bodies(MaterialScrapped), *floor.bodies(MaterialShort)))
    for job in BOOK.jobs.values():
        progress = floor.progress(job.id)
        limit = job.quantity * (1 + job.over_percent / 100)
        assert not job.quantity or progress.good + progress.scrap <= limit
        assert len([body for body in floor.bodies(JobCompleted) if body.about == job.id]) <= 1
        for line in job.requirements:
            moved = progress.lines.get(line.id, Decimal(0))
            short = progress.shorts.get(line.id, Decimal(0))
            assert moved + short <= line.quantity
            assert not short or moved + short == line.quantity


def check_decisions(floor: Floor) -> None:
    """Corrections have two people, another quantity has its decision, and nobody confirms their own."""
    for id, body in floor.facts:
        if isinstance(body, ExceptionDecided):
            assert bool(body.second) is (body.choice == "correct")
            assert body.second in ("", "p8")
            assert body.second != floor.people[id]
            assert body.choice != "hand_over" or body.note
    corrected = [body for body in floor.bodies(ExceptionDecided) if body.choice == "correct"]
    assert len(corrected) == len([body for body in floor.bodies(Correction) if body.about == "J-900"]) <= 1
    instead = [body.quantity for body in floor.bodies(MaterialProduced) if body.about == "J-900"]
    assert instead == [body.instead for body in corrected if body.instead is not None]


def check_maintenance(floor: Floor) -> None:
    """Each request is asked for, begun and completed once, and nobody hands a machine over to themselves."""
    for stage in (MaintenanceRequested, MaintenanceStarted, MaintenanceCompleted):
        ids = [body.request for body in floor.bodies(stage)]
        assert len(ids) == len(set(ids))
    for done in floor.bodies(MaintenanceCompleted):
        workers = {
            floor.people[id] for id, body in floor.facts
            if body.about == done.about and not isinstance(body, MaintenanceRequested)
        }  # fmt: skip
        assert done.tested
        assert done.accepted_by not in workers
