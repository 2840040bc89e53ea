"""The hints of the demo are followed: whatever key a hint names does something at that moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import resources

import pytest

from edge_agent.demo.plans import plans
from edge_agent.doubts import Doubt
from edge_agent.machines.stops import Stop
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.views import Kind, Verdict, View
from edge_agent.views.maintenance import Unattributed
from sync.contract import DispatchStatus, JobOrder
from terminal_ui.guide import Guide, Told
from terminal_ui.inputs import Local, Send, meant
from terminal_ui.widgets.lines import line
from tests.scenarios.floor import MACHINES, NOW, PRESS, WAREHOUSE, Floor, refused_fact, with_job

TAKEN = (Verdict.OK, Verdict.OK_PLUS, Verdict.CONFIRM, Verdict.COMMAND)
CENTRE = Station("T3", "Machining centre 2", equipment="CNC-02")
ANA, HANNA, INES = "1001", "1007", "1008"
STOPS = tuple(Stop(f"s{n}", NOW - timedelta(minutes=20 * n), "HELD", ended=NOW) for n in (1, 2))
DOUBTS = (
    Doubt("d1", "refused", NOW, refused_fact(), "closed_order", seq=1),
    Doubt("d2", "refused", NOW, refused_fact(id="d2"), "closed_order", seq=2, waits_for=1),
    Doubt("clock/7", "clock", NOW),
)
_KEY = re.compile(r"\b(F\d+|[A-Z])\b(?!-)")
_NUMBER = re.compile(r"\bnumber\b|\b\d+(-\d+)?(?=:| takes| leaves| if)")
_FEW = 6  # choices that are tried of a long list


@pytest.fixture(scope="module")
def guide() -> Guide:
    with resources.as_file(resources.files("edge_agent.demo").joinpath("guide.toml")) as path:
        return Guide(path)


def floors(station: Station, badge: str, **more: object) -> Floor:
    """A terminal of the demo, locked, or with the person of a badge."""
    floor = Floor(station=station, machines=MACHINES, stood=STOPS, loose=Unattributed(3, NOW), **more)  # type: ignore[arg-type]
    if badge:
        floor.scan(Kind.BADGE, badge)
    return floor


def exceptions(badge: str, *doubts: Doubt, four_eyes: tuple[str, ...] = ("correct", "hand_over")) -> Floor:
    floor = floors(PRESS, badge, in_doubt=doubts, policies=Policies(four_eyes=frozenset(four_eyes)))
    floor.give("action", "exceptions")
    assert floor.at == "exceptions.list"
    return floor


def deviating(badge: str) -> Floor:
    floor = floors(PRESS, badge, policies=Policies(second_badge=("wrong_revision", "over_quantity")))
    floor.scan(Kind.JOB, "J-203")
    floor.give("action", "exception")
    assert floor.view().prompt == "choose_job.deviate_badge"
    return floor


def over_planned(badge: str) -> Floor:
    floor = floors(PRESS, badge, policies=Policies(second_badge=("wrong_revision", "over_quantity")))
    floor.scan(Kind.JOB, "J-204")
    floor.give("entry", "801")
    assert floor.view().prompt == "report_production.over_planned_badge"
    return floor


def done(*kept: str) -> Floor:
    """All jobs of the press but these are done."""
    floor = floors(PRESS, ANA)
    for job in list(floor.book.jobs.values()):
        if job.equipment == PRESS.equipment and job.id not in kept:
            with_job(floor, job.id, dispatch_status=DispatchStatus.COMPLETED)
    return floor


def stopped(job: str, station: Station, status: DispatchStatus = DispatchStatus.CANCELLED) -> Floor:
    """The office has stopped or closed what somebody works on."""
    floor = floors(station, ANA)
    floor.scan(Kind.JOB, job)
    return with_job(floor, job, dispatch_status=status)


def asked_for_work() -> Floor:
    """A request for work is open, and the mechanic looks."""
    floor = floors(PRESS, ANA)
    floor.give("action", "machines")
    for kind, data in (("choice", "PRESS-03"), ("action", "request"), ("choice", "SYMPTOM-1"), ("choice", "1")):
        floor.give(kind, data)
    floor.give("choice", "no")
    floor.give("action", "sign_off")
    floor.scan(Kind.BADGE, HANNA)
    return floor


STARTS: dict[str, Callable[[], Floor]] = {
    "locked": lambda: floors(PRESS, ""),
    "press": lambda: floors(PRESS, ANA),
    "centre": lambda: floors(CENTRE, ANA),
    "warehouse": lambda: floors(WAREHOUSE, ANA),
    "no stop": lambda: replace(floors(PRESS, ANA), stood=()),
    "mechanic": lambda: floors(PRESS, HANNA),
    "work asked for": asked_for_work,
    "one job left": lambda: done("J-204"),
    "the surprise left": lambda: done("J-205"),
    "no job left": done,
    "job closed": lambda: stopped("J-204", PRESS, DispatchStatus.COMPLETED),
    "job stopped": lambda: stopped("J-204", PRESS),
    "order stopped": lambda: stopped("SO-771", WAREHOUSE),
    "second badge": lambda: deviating(ANA),
    "second badge for a lead": lambda: deviating(INES),
    "over planned": lambda: over_planned(ANA),
    "over planned by a lead": lambda: over_planned(INES),
    "exceptions": lambda: exceptions(ANA, *DOUBTS),
    "exceptions, one decides": lambda: exceptions(ANA, *DOUBTS, four_eyes=()),
    "exceptions of a lead": lambda: exceptions(INES, *DOUBTS),
    "no exceptions": lambda: exceptions(ANA),
}


@pytest.mark.parametrize("start", STARTS)
def test_what_a_hint_says_can_be_done(guide: Guide, start: str) -> None:
    ahead, seen = [STARTS[start]()], set()
    for floor in ahead:  # grows while it is walked
        shown = floor.view()
        told = guide.hint(shown)
        where = (floor.at, shown.prompt, shown.title, shown.actions, told, floor.person, bool(floor.asked))
        if where in seen:
            continue
        seen.add(where)
        assert told.text, where
        assert len(line(f"NEXT > {told.text}").wrap(38)) <= 2, told.text
        for words, kind, data, refused in inputs(shown, told):
            after = replace(floor, facts=list(floor.facts), people=dict(floor.people))
            after.give(kind, data)
            held = after.at == floor.at and after.said is not None and after.said.verdict not in TAKEN
            assert refused == held, f"{floor.at}: {told.text!r}, {words}: {after.said}"
            ahead.append(after)
    assert len(seen) > 0


def inputs(shown: View, told: Told) -> Iterator[tuple[str, str, str, bool]]:
    """Each thing that the hint says: in words, as an input, and whether it is there to be refused."""
    for key in dict.fromkeys(_KEY.findall(told.text)):
        match meant(shown, None, key.lower(), key.lower() if len(key) == 1 else None, guide=True):
            case Send(kind, data):
                yield key, kind, data, False
            case Local(name) if name.startswith("guide_"):
                plays = {"guide_scan": told.scan, "guide_wrong": told.wrong, "guide_lead": told.lead}
                text = plays.get(name, told.other)
                assert text, f"{shown.prompt}: {key} plays nothing"
                yield key, "scan", text.encode("latin-1").decode("unicode_escape"), name == "guide_wrong"
            case Local("help" | "queue"):
                continue
            case nothing:
                pytest.fail(f"{shown.prompt}: {told.text!r}: {key} does nothing: {nothing}")
    if _NUMBER.search(told.text):
        assert shown.choices or shown.entry, f"{shown.prompt}: {told.text!r}: there is no number"
        for choice in shown.choices[:_FEW]:
            if not choice.blocked:
                yield f"number {choice.number}", "choice", choice.id, False
    if shown.entry is not None and shown.entry.kind != "pin":
        yield "type", "entry", "1" if shown.entry.kind == "number" else "for Karla", False
    if "Enter takes" in told.text:
        assert shown.entry is not None
        assert shown.entry.value


def test_last_years_drawing_is_that_of_the_job(guide: Guide) -> None:
    asked = []
    for job in [job.id for job in plans(NOW) if isinstance(job, JobOrder) and job.revisions]:
        floor = Floor(station=replace(PRESS, equipment=""))
        floor.scan(Kind.BADGE, ANA)
        floor.scan(Kind.JOB, job)
        if floor.at == "choose_job.scan_drawing":  # others may not be started
            asked.append(job)
            floor.give("scan", guide.hint(floor.view()).wrong)
            assert floor.code == "choose_job.revision_held", job
    assert len(asked) > 1


def test_a_wrong_tote_or_item_is_wrong_for_every_line(guide: Guide) -> None:
    for order in [job for job in plans(NOW) if isinstance(job, JobOrder) and job.requirements]:
        floor = floors(WAREHOUSE, ANA)
        floor.scan(Kind.JOB, order.id)
        while floor.at.startswith("pick."):
            told = guide.hint(floor.view())
            step = floor.at
            floor.give("scan", told.wrong.encode("latin-1").decode("unicode_escape"))
            assert floor.said is not None
            assert (floor.at, floor.said.verdict) == (step, Verdict.WRONG), f"{order.id}: {told}"
            floor.give("scan", told.scan.encode("latin-1").decode("unicode_escape"))
            assert floor.said.verdict in TAKEN, f"{order.id}: {told}: {floor.said}"


def test_a_hint_names_no_key_that_is_not_there(guide: Guide) -> None:
    last = floors(WAREHOUSE, ANA)
    last.scan(Kind.JOB, "SO-771")
    assert "F6" in guide.hint(last.view()).text
    while (told := guide.hint(last.view())) and last.view().page.lines_left > 1:  # type: ignore[union-attr]
        last.give("scan", told.scan.encode("latin-1").decode("unicode_escape"))
    assert last.at == "pick.go"
    assert "F6" not in told.text
    assert "C:" not in guide.hint(exceptions(ANA, DOUBTS[2]).view()).text
    assert label(Kind.BADGE, INES) in (guide.hint(Floor(station=PRESS).view()).lead,)
