"""A plant of a real size: what an input costs does not grow with what the office has planned."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from edge_agent.bus import Bus
from edge_agent.planbook import PlanBook
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.store import Entry, Store
from edge_agent.store.plans import PlanInbox, load_book
from edge_agent.terminals.inputs import Terminals
from edge_agent.views import Input, Kind, View
from sync.contract import (
    AnyFact,
    AnyPlan,
    DispatchStatus,
    JobOrder,
    JobStarted,
    MaterialDefinition,
    MaterialProduced,
    Person,
    PlanPage,
    Stock,
    StorageUnit,
    WorkType,
)
from tests.agent.person import an_input, said
from tests.support.manual_clock import ManualClock

OPEN, DONE, ITEMS, PLACES = 500, 3000, 3500, 1000
STOCK = 10_000 - OPEN - DONE - ITEMS - PLACES - 1
STARTED = 300  # jobs with three facts in the journal each
ROUNDS = 15

# Some times what it takes, of processor time, so that it tells the work and not the machine.
VIEW_SECONDS, SCAN_SECONDS, PAGE_SECONDS = 0.015, 0.020, 0.010
VIEW_BYTES = 25_000


def job(number: int, status: DispatchStatus) -> JobOrder:
    return JobOrder(
        id=f"J-{number:05}", work_type=WorkType.PRODUCTION, description="Housing, left", dispatch_status=status,
        equipment="E1", sequence=number, operation="10", material="I-0001", quantity=Decimal(300),
        customer="Somebody",
    )  # fmt: skip


def plans() -> Iterator[AnyPlan]:
    yield Person(id="p1", name="Ana Silva", badge="1001", roles=("operator", "picker"))
    yield from (job(number, DispatchStatus.RELEASED) for number in range(OPEN))
    yield from (job(OPEN + number, DispatchStatus.COMPLETED) for number in range(DONE))
    yield from (MaterialDefinition(id=f"I-{number:04}", description="Bearing") for number in range(ITEMS))
    yield from (StorageUnit(id=f"A-{number:04}", zone="A", walk=number) for number in range(PLACES))
    for number in range(STOCK):
        yield Stock(
            id=f"S-{number:04}", location=f"A-{number % PLACES:04}", material=f"I-{number:04}",
            quantity=Decimal(10),
        )  # fmt: skip


@dataclass
class BigPlant:
    """An agent without its processes: store, terminals, and what the ERP sends."""

    store: Store
    clock: ManualClock
    terminals: Terminals
    inbox: PlanInbox

    async def give(self, given: Input) -> View:
        """One input, long after the one before."""
        self.clock.advance(60)
        return await self.terminals.handle("T1", given)


@pytest.fixture
async def plant(tmp_path: Path) -> AsyncIterator[BigPlant]:
    """Somebody is signed on before the dispatch list."""
    clock, bus = ManualClock(), Bus()
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock)

    def changed(book: PlanBook) -> None:
        store.book = book

    inbox = PlanInbox(store, "erp", clock, changed)
    terminals = Terminals(store, clock, bus, {"T1": Station("T1", "E1", "E1")}, Policies(), lambda id: None)
    await inbox.take(PlanPage(cursor="1", as_of_seq=0, plans=tuple(plans())))
    await store.write(lambda conn: store.record(conn, facts(), clock.now(), "T1", "p1"))
    big = BigPlant(store, clock, terminals, inbox)
    view = await big.give(an_input("scan", label(Kind.BADGE, "1001")))
    assert said(view) == "sign_on.welcome"
    yield big
    await store.close()


def facts() -> list[Entry]:
    """Some jobs have begun."""
    made: list[AnyFact] = []
    for number in range(STARTED):
        about = f"J-{number:05}"
        good = MaterialProduced(about=about, material="I-0001", quantity=Decimal(5), uom="pc", equipment="E1")
        made += [JobStarted(about=about, equipment="E1"), good, good]
    return [Entry(f"f{number}", body) for number, body in enumerate(made)]


async def seconds(do: Callable[[], Awaitable[object]]) -> float:
    """The processor time of it, all threads together: of some rounds the one that was disturbed least."""
    took = []
    gc.collect()
    for _ in range(ROUNDS):
        started = time.process_time()
        await do()
        took.append(time.process_time() - started)
    return min(took)


async def test_a_long_list_is_shown_and_a_scan_refused_as_fast_as_on_a_short_one(plant: BigPlant) -> None:
    view = await seconds(lambda: plant.terminals.view("T1"))
    scan = await seconds(lambda: plant.give(an_input("scan", label(Kind.LOCATION, "A-0001"))))
    assert view < VIEW_SECONDS
    assert scan < SCAN_SECONDS


async def test_a_list_shows_its_first_jobs_says_how_many_more_there_are_and_takes_the_label_of_each(
    plant: BigPlant,
) -> None:
    view = await plant.terminals.view("T1")
    assert [choice.id for choice in view.choices] == [f"J-{number:05}" for number in range(99)]
    assert [choice.number for choice in view.choices] == list(range(1, 100))
    assert view.prompt_params["more"] == str(OPEN - 99)
    assert len(msgspec.json.encode(view)) < VIEW_BYTES
    view = await plant.give(an_input("scan", label(Kind.JOB, f"J-{OPEN - 1:05}")))
    assert (said(view), view.title) == ("choose_job.started", f"J-{OPEN - 1:05}")


@pytest.mark.parametrize(
    ("number", "code"), [(OPEN, "choose_job.not_released"), (OPEN + DONE, "scan.unknown")]
)
async def test_a_job_that_is_over_is_not_one_that_is_unknown(plant: BigPlant, number: int, code: str) -> None:
    assert said(await plant.give(an_input("scan", label(Kind.JOB, f"J-{number:05}")))) == code


async def test_a_page_of_plans_costs_what_it_changes(plant: BigPlant) -> None:
    number = iter(range(1000))

    async def take() -> None:
        page = PlanPage(cursor=str(next(number)), as_of_seq=900, plans=(job(1, DispatchStatus.HELD),))
        await plant.inbox.take(page)

    assert await seconds(take) < PAGE_SECONDS
    assert plant.store.book.jobs["J-00001"].dispatch_status is DispatchStatus.HELD
    assert plant.store.book == await plant.store.read(load_book)
