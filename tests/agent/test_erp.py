"""What the ERP does never stops the work: it is away, it closes an order, it changes its mind."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from edge_agent.client import AgentClient
from edge_agent.demo.plans import plans
from edge_agent.views import JournalRow, Kind
from sync.contract import DispatchStatus, JobOrder
from tests.agent.person import Person, at, everything_sent, said
from tests.agent.running import Plant, plant_in, short_folder, until

INPUTS = 40


@pytest.fixture(scope="module")
def office() -> Iterator[Plant]:
    """A plant whose ERP may be ill-treated."""
    with short_folder() as folder, plant_in(folder, 8) as running:
        yield running


@pytest.fixture
async def client(office: Plant) -> AsyncIterator[AgentClient]:
    """A client of its agent."""
    async with AgentClient(office.agent.address) as agent:
        yield agent


def order(id: str) -> JobOrder:
    """An order of the demo as the office planned it."""
    return next(each for each in plans(datetime.now(UTC)) if isinstance(each, JobOrder) and each.id == id)


async def rows(agent: AgentClient, about: str) -> list[JournalRow]:
    """What was recorded about a job, oldest first."""
    return [row for row in await agent.journal(limit=1000) if row.about == about]


async def decided(agent: AgentClient, about: str) -> list[JournalRow]:
    """Wait until the ERP has decided everything about a job."""

    async def look() -> bool:
        return all(row.sent != "no" for row in await rows(agent, about))

    await until(look, f"the ERP to decide on {about}")
    return await rows(agent, about)


@pytest.fixture
def unaware() -> Iterator[Plant]:
    """A plant that has its plans and hears of no change of them for the time of a test."""
    with short_folder() as folder, plant_in(folder, 2, policies="plan_interval = 600.0") as running:
        yield running


async def test_an_order_closed_under_a_person_is_saved_then_refused_and_holds_up_nobody(unaware: Plant) -> None:
    async with AgentClient(unaware.agent.address) as client:
        await closed_under_a_person(unaware, client)


async def closed_under_a_person(office: Plant, client: AgentClient) -> None:
    """The office closes an order, and the floor goes on with it."""
    person, other = Person(client, "T1"), Person(client, "T2")
    await asyncio.gather(person.work_on("J-204"), other.work_on("J-206", "1002"))
    await person.type("1")
    await decided(client, "J-204")
    office.erp.call("POST", "/v1/orders/J-204/close")

    late = await person.type("3")
    assert said(late) == "report_production.saved_good"
    assert late.message is not None
    refused = (await decided(client, "J-204"))[-1]
    assert (refused.seq, refused.sent) == (late.message.seq, "refused")
    assert refused.reason == "Order J-204 is completed."

    await person.type("2")
    await other.type("4")
    held = (await decided(client, "J-204"))[-1]
    assert (held.sent, held.reason) == ("refused", f"waits for fact {refused.seq} about the same job")
    assert {row.sent for row in await decided(client, "J-206")} == {"yes"}

    health = await client.health()
    assert (health.ok, health.parked_count, health.unsent) == (False, 2, 0)
    assert [booking.outcome for booking in office.erp.bookings("test-pc1") if booking.fact == held.id] == []


@pytest.mark.parametrize(
    ("terminal", "id", "status"),
    [
        ("T3", "SO-771", DispatchStatus.CANCELLED),
        ("T4", "SO-772", DispatchStatus.HELD),
        ("T5", "SO-773", None),
    ],
)
async def test_an_order_that_the_office_no_longer_wants_stops_the_picker(
    office: Plant, client: AgentClient, terminal: str, id: str, status: DispatchStatus | None
) -> None:
    person = Person(client, terminal)
    assert at(await person.work_on(id)) == "pick.go"
    if status is None:
        office.erp.call("DELETE", f"/v1/plans/JobOrder/{id}")
    else:
        office.erp.put(msgspec.structs.replace(order(id), dispatch_status=status))
    await stopped(person)


async def test_an_order_that_the_office_completes_early_stops_the_picker(
    office: Plant, client: AgentClient
) -> None:
    person = Person(client, "T6")
    await person.work_on("SO-774")
    office.erp.call("POST", "/v1/orders/SO-774/close")
    await stopped(person)


async def stopped(person: Person) -> None:
    """Wait until the screen says so; whatever is scanned now is not recorded, and the list is one key away."""

    async def look() -> bool:
        return (await person.look()).prompt == "pick.stopped"

    await until(look, "the picker to be stopped")
    recorded = len(await person.agent.journal(limit=1000))
    assert said(await person.scan(Kind.LOCATION, "A-01-1")) in ("pick.stopped", "scan.nothing_expected")
    kinds = [row.kind for row in (await person.agent.journal(limit=1000))[recorded:]]
    assert kinds in ([], ["ScanRefused"])
    assert at(await person.do("list")) == "choose_job.pick_one"


async def test_without_an_erp_inputs_are_answered_as_fast_and_counted(
    office: Plant, client: AgentClient
) -> None:
    person = Person(client, "T7")
    await person.work_on("J-206", "1003")
    await everything_sent(client)
    office.erp.kill()
    took = []
    for _ in range(INPUTS):
        started = time.monotonic()
        assert said(await person.type("1")) == "report_production.saved_good"
        took.append(time.monotonic() - started)
    assert statistics.quantiles(took, n=20)[-1] < 0.5
    health = await client.health()
    assert health.unsent == INPUTS
    assert health.oldest_unsent is not None

    async def down() -> bool:
        return (await client.health()).links[0].state == "down"

    await until(down, "the link to be down")
    assert any("Connector erp" in problem for problem in (await client.health()).problems)
    await asyncio.to_thread(office.erp.start)
    assert {row.sent for row in await decided(client, "J-206")} == {"yes"}
    assert (await client.health()).unsent == 0
