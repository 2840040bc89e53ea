"""A terminal without an agent: the pure kernel over the demo plans, its journal a list."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from edge_agent import scenarios
from edge_agent.demo.plans import plans
from edge_agent.doubts import Decided, Doubt
from edge_agent.machines.plant import Plant
from edge_agent.machines.reliability import strip
from edge_agent.machines.stops import Span, Stop
from edge_agent.machines.upkeep import Request, request_of
from edge_agent.pin_rules import PinLook
from edge_agent.planbook import PlanBook, Progress
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Policies, Proved, Said, Situation, Station
from edge_agent.terminals.session import Answer, Session, answer
from edge_agent.terminals.view_of import view_of
from edge_agent.views import Input, Kind, Overlay, PickPage, View
from edge_agent.views.maintenance import Unattributed
from edge_agent.views.status import DeviceStatus, EquipmentStatus, ItemValue
from sync.contract import (
    AnyFact,
    Correction,
    CountAssigned,
    DispatchStatus,
    DowntimeRecorded,
    Fact,
    JobCompleted,
    JobStarted,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    MaterialShort,
)
from sync.exceptions import ExceptionDecided

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TODAY = NOW.date()
BOOK = PlanBook.of(plans(NOW))
PRESS = Station("T1", "Press 3", equipment="PRESS-03")
WAREHOUSE = Station("T2", "Warehouse A", zone="A", home="picking")
WORKSHOP = Station("T3", "Workshop", home="maintenance")
MACHINES = (
    EquipmentStatus(
        id="PRESS-03", name="Press 3", state="ABORTED", alarm="Oil low", device="press-plc",
        values=(
            ItemValue(name="oil", value=41.5, unit="°C", status="Good", source_time=NOW),
            ItemValue(name="force", value=None, unit="kN", status="Bad", source_time=None),
        ),
    ),
    EquipmentStatus(id="CNC-02", name="Centre 2", state="NO DATA"),
    EquipmentStatus(id="LINE-9/OVEN-1", name="Oven 1", state="EXECUTE"),
)  # fmt: skip
DEVICES = (
    DeviceStatus(
        name="press-plc", driver="modbus", equipment="PRESS-03", state="online", since=NOW, endpoint="10.0.0.5:502"
    ),
)


@dataclass
class Floor:
    """One terminal at work. `facts` is what a journal would hold, with made-up ids."""

    station: Station = PRESS
    book: PlanBook = BOOK
    count: int | None = None
    counts: str = "good"
    facts: list[tuple[str, AnyFact]] = field(default_factory=list)
    person: str = ""
    state: Any = None
    asked: str = ""
    said: Said | None = None
    overlay: Overlay = ""
    stood: tuple[Stop, ...] = ()
    opened_at: int | None = None
    machines: tuple[EquipmentStatus, ...] = ()
    spans: tuple[Span, ...] = ()
    people: dict[str, str] = field(default_factory=dict)
    loose: Unattributed | None = None
    in_doubt: tuple[Doubt, ...] = ()
    pins: dict[str, PinLook] = field(default_factory=dict)
    proved: Proved | None = None
    policies: Policies = field(default_factory=Policies)
    today: date = TODAY

    def __post_init__(self) -> None:
        self.opened_at = self.count
        self.state = self.state or scenarios.load()["sign_on"].begin("", self.here())

    @property
    def at(self) -> str:
        """`scenario.step`."""
        return f"{scenarios.name_of(self.state)}.{self.state.step}"

    @property
    def code(self) -> str:
        """The code of the last message; empty: nothing was said."""
        return self.said.code if self.said else ""

    def bodies(self, kind: type) -> list[Any]:
        """All facts of one kind, oldest first."""
        return [body for _, body in self.facts if isinstance(body, kind)]

    def here(self) -> Situation:
        """Everything an input is judged by."""
        machine = EquipmentStatus(
            id="PRESS-03", name="", state="EXECUTE", count=self.count, count_status="Good"
        )
        return Situation(
            now=NOW, today=self.today, book=self.book, station=self.station, person=self.book.persons.get(self.person),
            machine=machine if self.count is not None else None,
            counted=self.counted, scrapped=self.scrapped, stops=self.stops, progress=self.progress,
            last_reports=self.last_reports, plant=self.plant(), doubts=lambda skip: self.doubts()[skip : skip + 99],
            doubt=lambda key: next((each for each in self.doubts() if each.key == key), None),
            in_doubt=lambda: len(self.doubts()), policies=self.policies, intent=f"intent-{len(self.facts)}",
            pin=lambda person: self.pins.get(person, PinLook()), proved=self.proved,
        )  # fmt: skip

    def give(self, kind: str, data: str, typed: str | None = None) -> Answer:
        """One input; `typed` stood in the entry, unsent."""
        given = Input("x", kind, data, typed=typed)  # type: ignore[arg-type]
        name = scenarios.name_of(self.state)
        result = answer(scenarios.load(), name, self.state, self.asked, given, self.here())
        new = [(f"f{len(self.facts) + n}", body) for n, body in enumerate(result.facts)]
        self.facts += new
        self.people |= dict.fromkeys((id for id, _ in new), result.person or self.person)
        self.state, self.asked, self.said = result.state, result.asked, result.said
        self.overlay = result.overlay
        self.person = self.person if result.person is None else result.person
        return result

    def scan(self, kind: Kind, id: str, revision: str | None = None) -> Answer:
        """Scan one of our own labels."""
        return self.give("scan", label(kind, id, revision))

    def view(self) -> View:
        """What the terminal shows."""
        session = Session(
            state=msgspec.Raw(scenarios.encode(self.state)),
            intent="i",
            asked=self.asked,
            overlay=self.overlay,
        )
        return view_of(scenarios.load(), self.state, session, "", self.here())

    def stops(self) -> tuple[Stop, ...]:
        """As the store answers it: each stop with the last that was said of it."""
        told = {body.stop: (seq, body) for seq, body in enumerate(self.bodies(DowntimeRecorded), 1)}
        return tuple(
            replace(stop, reason=told[stop.id][1].reason, said=told[stop.id][0]) if stop.id in told else stop
            for stop in self.stood
        )

    def doubts(self) -> tuple[Doubt, ...]:
        """As the store answers it, while the ERP is away."""
        last = {body.exception: (id, body) for id, body in self.facts if isinstance(body, ExceptionDecided)}
        found = []
        for doubt in self.in_doubt:
            if doubt.key in last:
                id, body = last[doubt.key]
                told = Decided(body.choice, NOW, self.people[id], body.second, body.note)
                doubt = replace(doubt, decided=told)
            if doubt.decided is None or doubt.decided.choice in ("hand_over", "correct"):
                found.append(doubt)
        return tuple(found)

    def counted(self, job: str) -> int | None:
        """As the store answers it, when the machine made nothing for another job."""
        if self.count is None or self.opened_at is None:
            return None
        undone = {body.corrects for body in self.bodies(Correction)}
        mine = (
            body for id, body in self.facts
            if isinstance(body, MaterialProduced) and body.about == job and id not in undone
        )  # fmt: skip
        reported = sum(int(body.quantity) if body.machine_count is None else body.machine_count for body in mine)
        return max(0, self.count - self.opened_at - reported)

    def scrapped(self, job: str) -> int:
        """As the store answers it."""
        undone = {body.corrects for body in self.bodies(Correction)}
        since = 0
        for id, body in self.facts:
            if self.counts != "all" or body.about != job or id in undone:
                continue
            if isinstance(body, MaterialProduced) and body.machine_count is not None:
                since = 0
            elif isinstance(body, MaterialScrapped):
                since += math.ceil(body.quantity)
        return since

    def plant(self) -> Plant:
        """The machines, with what the journal has of their requests."""
        return Plant(
            machines=self.machines, devices=DEVICES if self.machines else (),
            strip=lambda id, began, ended: strip(self.spans, began, ended),
            spans=lambda id, began, ended: self.spans,
            stops=lambda id, since: tuple(
                stop for stop in self.stops() if id == "PRESS-03" and (stop.ended is None or stop.ended > since)
            ),
            requests=self.requests,
            unattributed=lambda id: None if self.bodies(CountAssigned) else self.loose,
        )  # fmt: skip

    def requests(self, equipment: str) -> tuple[Request, ...]:
        """As the store answers it."""
        mine = [(id, body) for id, body in self.facts if body.about.startswith("maintenance/")]
        found = []
        for about in dict.fromkeys(body.about for _, body in mine):
            facts = [
                Fact(
                    id=id, seq=1, agent="a", event_time=NOW, record_time=NOW, clock_ok=True,
                    terminal=self.station.terminal, person=self.people[id], body=body,
                )
                for id, body in mine if body.about == about
            ]  # fmt: skip
            found.append(request_of(facts))
        return tuple(each for each in found if each and each.equipment == equipment and not each.completed)

    def last_reports(self, job: str) -> tuple[tuple[str, AnyFact], ...]:
        """As the store answers it."""
        undone = {body.corrects for body in self.bodies(Correction)}
        mine = [
            (id, body) for id, body in self.facts
            if isinstance(body, MaterialProduced | MaterialScrapped) and body.about == job and id not in undone
        ]  # fmt: skip
        return tuple(reversed(mine))

    def progress(self, job: str) -> Progress:
        """As the store answers it, when the ERP has booked nothing since the plans."""
        undone = {body.corrects for body in self.bodies(Correction)}
        mine = [body for id, body in self.facts if body.about == job and id not in undone]

        def total(kind: type, line: str = "") -> Decimal:
            meant = (
                body
                for body in mine
                if isinstance(body, kind) and line in ("", getattr(body, "requirement", ""))
            )
            return sum((getattr(body, "quantity") for body in meant), Decimal(0))  # noqa: B009 - of one of three kinds

        moved = {body.requirement for body in mine if isinstance(body, MaterialMoved)}
        short = {body.requirement for body in mine if isinstance(body, MaterialShort)}
        finished = any(isinstance(body, JobCompleted) for body in mine)
        plan = self.book.jobs.get(job)
        return Progress(
            good=total(MaterialProduced), scrap=total(MaterialScrapped),
            started=any(isinstance(body, JobStarted) for body in mine),
            completed=finished or (plan is not None and plan.dispatch_status is DispatchStatus.COMPLETED),
            finished_here=finished,
            lines={line: total(MaterialMoved, line) for line in moved},
            shorts={line: total(MaterialShort, line) for line in short},
        )  # fmt: skip


def signed_on(station: Station = PRESS, **more: Any) -> Floor:
    """A floor with Ana signed on."""
    floor = Floor(station=station, **more)
    floor.scan(Kind.BADGE, "1001")
    return floor


def running(job: str = "J-204", **more: Any) -> Floor:
    """A job at the press that has begun; J-204 has no drawing to check."""
    floor = signed_on(**more)
    floor.scan(Kind.JOB, job)
    return floor


def picking(order: str = "SO-771") -> Floor:
    """An order to pick that has begun."""
    floor = signed_on(WAREHOUSE)
    floor.scan(Kind.JOB, order)
    return floor


def in_hand(order: str = "SO-771") -> tuple[Floor, PickPage]:
    """The first item of an order was scanned; its destination is next."""
    floor = picking(order)
    page = floor.view().page
    assert isinstance(page, PickPage)
    floor.scan(Kind.LOCATION, page.location)
    floor.give("scan", next(each.label for each in floor.view().expects if each.kind is Kind.MATERIAL) or "")
    assert floor.at == "pick.quantity"
    return floor, page


def with_job(floor: Floor, job: str, **changes: Any) -> Floor:
    """The same terminal after the office changed a job."""
    jobs = [
        msgspec.structs.replace(each, **changes) if each.id == job else each
        for each in floor.book.jobs.values()
    ]
    floor.book = replace(floor.book, jobs={each.id: each for each in jobs})
    return floor


def refused_fact(job: str = "J-204", material: str = "GRIP-A", quantity: str = "50", id: str = "d1") -> Fact:
    """Good pieces of a job that the ERP did not take, reported by Bo."""
    body = MaterialProduced(
        about=job, material=material, quantity=Decimal(quantity), uom="pc", equipment="PRESS-03"
    )
    return Fact(
        id=id, seq=1, agent="a", event_time=NOW, record_time=NOW, clock_ok=True, terminal="T2", person="p2", body=body
    )
