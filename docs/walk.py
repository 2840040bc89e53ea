"""Walks the operator flows as a person could: every step that can be reached, and what leads to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from edge_agent import scenarios
from edge_agent.demo.plans import plans
from edge_agent.doubts import Decided, Doubt
from edge_agent.machines.plant import Plant
from edge_agent.machines.stops import Stop
from edge_agent.machines.upkeep import Request, request_of
from edge_agent.planbook import PlanBook, Progress
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Policies, Situation, Station
from edge_agent.terminals.session import Session, answer
from edge_agent.terminals.view_of import view_of
from edge_agent.views import Input, Kind, View
from edge_agent.views.maintenance import Unattributed
from edge_agent.views.status import DeviceStatus, EquipmentStatus, ItemValue
from sync.contract import (
    AnyFact,
    AnyPlan,
    Correction,
    CountAssigned,
    DowntimeRecorded,
    Fact,
    JobCompleted,
    JobOrder,
    JobStarted,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    MaterialShort,
    ScanRefused,
)
from sync.exceptions import ExceptionDecided
from sync.maintenance import MaintenanceRequested

_NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_STATION = Station("T1", "Press 3", equipment="PRESS-03", zone="A")
_BADGE, _WRONG_DRAWING = label(Kind.BADGE, "1001"), label(Kind.DRAWING, "DRW-1001", "A")
_MECHANIC, _LEAD = label(Kind.BADGE, "1007"), label(Kind.BADGE, "1008")
_MACHINE = EquipmentStatus(
    id="PRESS-03", name="Press 3", state="HELD", device="press-plc",
    values=(ItemValue(name="temperature", value=None, status="Bad", source_time=None),),
)  # fmt: skip
_DEVICE = DeviceStatus(name="press-plc", driver="modbus", equipment="PRESS-03", state="lost", since=_NOW)
# Of two pieces: less than all, all, more than planned, and more than the ERP takes.
_ANY = {Kind.MATERIAL: "]C10104006381334044"}  # where any one will do
_TYPED = ("1", "2", "3", "9", "0")
# With a drawing to check, without, an order to pick; and none, with a machine to look at.
_JOBS = ("J-201", "J-204", "SO-771", "")
_Facts = tuple[tuple[str, AnyFact], ...]


@dataclass(frozen=True)
class Move:
    """One input and where it led.

    `step` and `to` are `scenario.step`, `prompt` the code of the question that stood there. `given` is
    what was done and with what: scan, type, choose or key. `records` are the kinds of the facts.
    """

    step: str
    prompt: str
    given: str
    to: str
    records: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A terminal at one step, with all that was recorded on the way. `asked` as in Session."""

    book: PlanBook
    state: Any
    facts: _Facts = ()
    person: str = ""
    asked: str = ""
    policies: Policies = field(default_factory=Policies)

    @property
    def at(self) -> str:
        """`scenario.step`."""
        return f"{scenarios.name_of(self.state)}.{self.state.step}"

    @property
    def likeness(self) -> tuple[object, ...]:
        """What makes two places the same for this walk: numbers count only as some or none."""
        fields = tuple(bool(value) for value in msgspec.structs.asdict(self.state).values())
        standing = tuple(_standing(job, _progress(self.facts, job.id)) for job in self.book.jobs.values())
        explained = bool(_stops(self.facts)[0].reason)
        requests = tuple((bool(each.suspected), bool(each.parts)) for each in _requests(self.facts))
        role = self.person if requests or not self.book.jobs else ""
        doubts = tuple(bool(each.decided) for each in _doubts(self.facts))
        return self.at, fields, bool(self.asked), standing, explained, requests, role, doubts


def walk() -> tuple[Move, ...]:
    """Every move from every place that can be reached, each once, in the order of discovery."""
    # One job at a time: of several, every order in which they are begun and left would be a walk of its own.
    walks = [(job, Policies()) for job in _JOBS] + [("", Policies(four_eyes=frozenset()))]
    return tuple(dict.fromkeys(move for job, policies in walks for move in _moves(_book(job), policies)))


def places() -> Iterator[Place]:
    """Every place that can be reached."""
    for job in _JOBS:
        yield from _reached(_book(job), Policies())


def after(place: Place, given: Input) -> tuple[Place, tuple[AnyFact, ...]]:
    """Where an input leads, and the facts of it."""
    return _step(place, given)


def _moves(book: PlanBook, policies: Policies) -> Iterator[Move]:
    for place, shown, done in _explored(book, policies):
        for words, to, facts in done:
            records = tuple(type(fact).__name__ for fact in facts if not isinstance(fact, ScanRefused))
            yield Move(place.at, shown.prompt, words, to.at, records)


def _reached(book: PlanBook, policies: Policies) -> Iterator[Place]:
    return (place for place, _, _ in _explored(book, policies))


_Done = list[tuple[str, Place, tuple[AnyFact, ...]]]  # what was given, in words, where it leads, and its facts


def _explored(book: PlanBook, policies: Policies) -> Iterator[tuple[Place, View, _Done]]:
    """Every place that can be reached, what it shows, and what comes of all that a person may do there."""
    begin = Place(book, None, policies=policies)
    begin = replace(begin, state=scenarios.load()["sign_on"].begin("", situation(begin)))
    seen, ahead = {begin.likeness}, [begin]
    for place in ahead:  # grows while it is walked
        shown = view(place)
        done = [(words, *_step(place, given)) for words, given in _inputs(shown, bool(place.book.jobs))]
        for _, to, _ in done:
            if to.likeness not in seen:
                seen.add(to.likeness)
                ahead.append(to)
        yield place, shown, done


def _book(only: str) -> PlanBook:
    """The demo's plans with one job, of two lines if it is an order; few pieces of each."""
    kept: list[AnyPlan] = []
    for plan in plans(_NOW):
        if not isinstance(plan, JobOrder):
            kept.append(plan)
        elif plan.id == only:
            lines = tuple(
                msgspec.structs.replace(line, quantity=Decimal(2)) for line in plan.requirements[:2]
            )
            few = msgspec.structs.replace(
                plan, quantity=Decimal(2), over_percent=Decimal(50), requirements=lines
            )
            kept.append(few)
    return PlanBook.of(kept)


def view(place: Place) -> View:
    """What the terminal shows at a place."""
    session = Session(state=msgspec.Raw(scenarios.encode(place.state)), intent="", asked=place.asked)
    return view_of(scenarios.load(), place.state, session, "", situation(place))


def situation(place: Place) -> Situation:
    """What an input is judged by at a place."""
    found = () if place.book.jobs else _doubts(place.facts)
    return Situation(
        now=_NOW, today=_NOW.date(), book=place.book, station=_STATION, person=place.book.persons.get(place.person),
        stops=lambda: _stops(place.facts),
        progress=lambda job: _progress(place.facts, job),
        last_reports=lambda job: _last_reports(place.facts, job),
        doubts=lambda skip: found[skip:], doubt=lambda key: next((each for each in found if each.key == key), None),
        in_doubt=lambda: len(found), policies=place.policies,
        plant=_unasked(place.facts) if place.book.jobs else _plant(place.facts), intent=f"{len(place.facts)}",
    )  # fmt: skip


def _doubts(facts: _Facts) -> tuple[Doubt, ...]:
    """A refused report and a clock in doubt, with what was decided on each, while the ERP is away."""
    last = {body.exception: body for _, body in facts if isinstance(body, ExceptionDecided)}
    found = []
    for doubt in (Doubt("d1", "refused", _NOW, _REFUSED, "closed_order", seq=1), Doubt("clock/7", "clock", _NOW)):
        told = last.get(doubt.key)
        if told is None:
            found.append(doubt)
        elif told.choice in ("correct", "hand_over"):
            found.append(replace(doubt, decided=Decided(told.choice, _NOW, "p8", told.second, told.note)))
    return tuple(found)


def _unasked(facts: _Facts) -> Plant:
    """No machine to look at, and parts that were counted while no job was open."""
    told = any(isinstance(body, CountAssigned) for _, body in facts)
    return Plant(unattributed=lambda id: None if told else Unattributed(2, _NOW))


def _plant(facts: _Facts) -> Plant:
    """One machine, with its stop and its requests."""
    return Plant(
        machines=(_MACHINE,), devices=(_DEVICE,), stops=lambda id, since: _stops(facts),
        requests=lambda id: _requests(facts),
    )  # fmt: skip


def _requests(facts: _Facts) -> tuple[Request, ...]:
    """The first open request, as the store reads it: of several, every order would be a walk of its own."""
    abouts = dict.fromkeys(body.about for _, body in facts if isinstance(body, MaintenanceRequested))
    found = [request_of([_fact(id, body) for id, body in facts if body.about == about]) for about in abouts]
    return tuple(each for each in found if each is not None and not each.completed)[:1]


def _fact(id: str, body: AnyFact) -> Fact:
    return Fact(
        id=id, seq=1, agent="a", event_time=_NOW, record_time=_NOW, clock_ok=True, terminal="T1", person="p7",
        body=body,
    )  # fmt: skip


_REFUSED = _fact("d1", MaterialProduced(
    about="J-900", material="GRIP-A", quantity=Decimal(2), uom="pc", equipment="PRESS-03"
))  # fmt: skip


def _stops(facts: _Facts) -> tuple[Stop, ...]:
    """One stop of twenty minutes, with what was said of it last."""
    told = [body for _, body in facts if isinstance(body, DowntimeRecorded)]
    reason = told[-1].reason if told else ""
    return (Stop("stop-1", _NOW - timedelta(minutes=20), "HELD", ended=_NOW, reason=reason),)


def _step(place: Place, given: Input) -> tuple[Place, tuple[AnyFact, ...]]:
    name = scenarios.name_of(place.state)
    result = answer(scenarios.load(), name, place.state, place.asked, given, situation(place))
    told = tuple((f"{len(place.facts) + number}", fact) for number, fact in enumerate(result.facts)
                 if not isinstance(fact, ScanRefused))  # fmt: skip
    person = place.person if result.person is None else result.person
    to = replace(place, state=result.state, facts=(*place.facts, *told), person=person, asked=result.asked)
    return to, result.facts


def _inputs(shown: View, jobs: bool) -> Iterator[tuple[str, Input]]:
    """What a person may do here, in words and as an input."""
    for expected in shown.expects:
        if expected.kind is Kind.COMMAND:
            continue  # the same as the key
        text = _BADGE if expected.kind is Kind.BADGE else expected.label or _ANY.get(expected.kind, "")
        yield f"scan {expected.kind.value}", Input("", "scan", text)
        if expected.kind is Kind.BADGE and not jobs:
            yield f"scan {expected.kind.value}", Input("", "scan", _MECHANIC)
            yield f"scan {expected.kind.value}", Input("", "scan", _LEAD)
        if expected.kind is Kind.DRAWING:
            yield f"scan {expected.kind.value}", Input("", "scan", _WRONG_DRAWING)
    if shown.entry is not None:
        yield from ((f"type {shown.entry.name}", Input("", "entry", text)) for text in _TYPED)
    yield from (("choose", Input("", "choice", choice.id)) for choice in shown.choices)
    yield from ((f"key {name}", Input("", "action", name)) for name in shown.actions)


def _standing(job: JobOrder, progress: Progress) -> tuple[object, ...]:
    lines = tuple(bool(progress.missing(line)) for line in job.requirements)
    some = bool(progress.good or progress.scrap)
    return progress.started, progress.completed, some, progress.good >= job.quantity, lines


def _last_reports(facts: _Facts, job: str) -> _Facts:
    undone = {fact.corrects for _, fact in facts if isinstance(fact, Correction)}
    mine = [
        (id, fact) for id, fact in facts
        if isinstance(fact, MaterialProduced | MaterialScrapped) and fact.about == job and id not in undone
    ]  # fmt: skip
    return tuple(reversed(mine))


def _progress(facts: _Facts, job: str) -> Progress:
    """As the store adds it up, when the ERP has booked nothing yet."""
    reports = [fact for _, fact in _last_reports(facts, job)]
    found = Progress(
        good=sum((each.quantity for each in reports if isinstance(each, MaterialProduced)), Decimal(0)),
        scrap=sum((each.quantity for each in reports if isinstance(each, MaterialScrapped)), Decimal(0)),
    )
    for _, fact in facts:
        match fact:
            case JobStarted(about=about) if about == job:
                found = replace(found, started=True)
            case JobCompleted(about=about) if about == job:
                found = replace(found, completed=True)
            case MaterialMoved(about=about, requirement=line, quantity=moved) if about == job:
                found = replace(found, lines={**found.lines, line: found.lines.get(line, Decimal(0)) + moved})
            case MaterialShort(about=about, requirement=line, quantity=missing) if about == job:
                found = replace(found, shorts={**found.shorts, line: missing})
    return found
