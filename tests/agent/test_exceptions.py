"""What the ERP refuses is answered at a terminal, with the real agent and the reference ERP; other jobs flow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from edge_agent.__main__ import main
from edge_agent.client import AgentClient
from edge_agent.demo.plans import plans
from edge_agent.views import Kind, Verdict
from edge_agent.views.exceptions import ExceptionRow, ExceptionsPage
from edge_agent.views.status import Status
from sync.contract import DispatchStatus, JobOrder
from sync.reference_views import Booking, OrdersReply
from tests.agent.person import Person, an_input, at, everything_sent, said
from tests.agent.running import AGENT, Plant, plant_in, short_folder, until
from tests.agent.test_erp import decided, order
from tests.agent.test_kill import kept

JOB, OTHER = "J-204", "J-206"
LEAD, OPERATOR = "1008", "1001"


@pytest.fixture
def plant() -> Iterator[Plant]:
    """A plant that has its plans and hears of no change of them, so that people report what is refused."""
    with short_folder() as folder, plant_in(folder, 4, policies="plan_interval = 600.0") as running:
        yield running


def hold(plant: Plant, job: str, status: DispatchStatus = DispatchStatus.HELD, **changes: object) -> None:
    """The office changes an order, and the floor does not hear of it."""
    plant.erp.put(msgspec.structs.replace(order(job), dispatch_status=status, **changes))


def bookings(plant: Plant, about: str) -> list[Booking]:
    """What the ERP has decided about a job, in order of arrival."""
    return [each for each in plant.erp.bookings(AGENT) if each.about == about]


def office_says(plant: Plant, job: str) -> JobOrder:
    """The order in the books."""
    reply = msgspec.json.decode(plant.erp.call("GET", "/v1/orders"), type=OrdersReply)
    return next(each.order for each in reply.orders if each.order.id == job)


async def in_doubt(agent: AgentClient, count: int) -> list[ExceptionRow]:
    """Wait until so many exceptions are open."""

    found: list[ExceptionRow] = []

    async def look() -> bool:
        found[:] = await agent.exceptions()
        return len(found) == count

    await until(look, f"{count} exceptions")
    return found


async def open_one(person: Person, row: ExceptionRow) -> None:
    """Look at one exception."""
    await person.do("exceptions")
    assert at(await person.agent.send(person.terminal, an_input("choice", row.key))) == "exceptions.one"


async def refused_report(plant: Plant, agent: AgentClient, terminal: str, pieces: str = "5") -> Person:
    """Somebody reports on a held job; two reports wait behind, and another job goes on."""
    person, other = Person(agent, terminal), Person(agent, "T4")
    await asyncio.gather(person.work_on(JOB, LEAD), other.work_on(OTHER, OPERATOR))
    await decided(agent, JOB)
    hold(plant, JOB)
    for each in (pieces, "2", "1"):
        assert said(await person.type(each)) == "report_production.saved_good"
    await other.type("1")
    rows = await decided(agent, JOB)
    assert [row.sent for row in rows[-3:]] == ["refused"] * 3
    assert {row.sent for row in await decided(agent, OTHER)} == {"yes"}
    return person


async def status_of(plant: Plant, terminal: str) -> Status:
    """What a terminal is told now, by a stream that begins now."""
    async for event in AgentClient(plant.agent.address).events(terminal):
        if isinstance(event, Status):
            return event
    raise AssertionError("the stream ended without a status")


async def test_a_correction_of_two_people_settles_a_closed_order(
    plant: Plant, agent: AgentClient, capsys: pytest.CaptureFixture[str]
) -> None:
    lead = await refused_report(plant, agent, "T1")
    (row,) = await in_doubt(agent, 1)
    status = await status_of(plant, "T1")
    assert (status.held, row.seq in status.parked) == (row.held[::-1], True), "two wait, one is refused"
    assert (row.what, row.code, row.reason, len(row.held)) == (
        "MaterialProduced", "closed_order", "Order J-204 is held.", 2,
    )  # fmt: skip
    await lead.do("sign_off")
    await lead.sign_on(OPERATOR)
    await open_one(lead, row)
    await lead.do("correct")
    assert at(await lead.type("4")) == "exceptions.second"
    assert said(await lead.scan(Kind.BADGE, "1002")) == "exceptions.no_lead"
    view = await lead.scan(Kind.BADGE, LEAD)
    assert said(view) == "exceptions.saved_correct"

    async def settled() -> bool:
        return row.key not in {each.key for each in await agent.exceptions()}

    await until(settled, "the ERP to take the correction")
    sent = {each.seq: each.sent for each in await agent.journal(200)}
    assert sent[row.seq] == "settled", "no tick: the ERP has said no, and never books it"
    status = await status_of(plant, "T1")
    assert (status.corrected, row.seq in status.parked) == ((row.seq,), False)
    assert await asyncio.to_thread(main, ["journal", "--address", plant.agent.address]) == 0
    assert f"{row.seq:>6} x " in capsys.readouterr().out
    hold(plant, JOB, DispatchStatus.RELEASED)
    await everything_sent(agent)
    # What waited behind it was refused in its turn while the order was held, or went when it was open again.
    while rows := await agent.exceptions():
        await agent.resend(rows[0].seq)
        await everything_sent(agent)
    booked = [each for each in bookings(plant, JOB) if each.outcome == "applied"]
    assert [each.seq for each in booked] == sorted(each.seq for each in booked)
    good = [each.quantity for each in booked if each.kind == "MaterialProduced"]
    assert good == [2, 1, 4]
    (decision,) = [each for each in bookings(plant, f"exception/{row.key}") if each.note == "correct"]
    assert (decision.person, decision.outcome) == ("p1", "applied")
    assert office_says(plant, JOB).good == 7
    (struck,) = [each for each in bookings(plant, JOB) if each.fact == row.key]
    assert (struck.outcome, struck.undone) == ("refused", True), "it stays to be seen"


async def test_too_many_pieces_are_sent_again_when_the_office_takes_them(plant: Plant, agent: AgentClient) -> None:
    person = Person(agent, "T2")
    await person.work_on(JOB, LEAD)
    await decided(agent, JOB)
    booked = office_says(plant, JOB).good
    hold(plant, JOB, DispatchStatus.RELEASED, quantity=booked, over_percent=Decimal(0))
    await person.type("3")
    (row,) = await in_doubt(agent, 1)
    assert row.code == "over_quantity"
    await open_one(person, row)
    assert said(await person.do("resend")) == "exceptions.saved_resend"

    async def told() -> bool:
        return said(await person.look()) == "exceptions.refused_again"

    await until(told, "the screen to say that the ERP refused it again")
    again = (await person.look()).message
    assert again is not None
    assert (again.verdict, again.params) == (Verdict.HELD, {"about": JOB, "reason": row.reason})
    hold(plant, JOB, DispatchStatus.RELEASED)
    await open_one(person, row)
    assert said(await person.do("resend")) == "exceptions.saved_resend"
    await everything_sent(agent)
    await in_doubt(agent, 0)
    assert [each.outcome for each in bookings(plant, JOB) if each.fact == row.key] == ["applied"]
    assert office_says(plant, JOB).good == booked + 3
    assert at(await person.do("back")) == "report_production.running"


async def test_an_unknown_item_is_handed_over_and_listed_until_it_is_answered(
    plant: Plant, agent: AgentClient, capsys: pytest.CaptureFixture[str]
) -> None:
    person, watching = Person(agent, "T2"), Person(agent, "T3")
    await person.work_on(JOB, LEAD)
    await watching.sign_on(OPERATOR)
    await watching.do("exceptions")
    item = next(each for each in plans(datetime.now(UTC)) if each.id == order(JOB).material)
    plant.erp.call("DELETE", f"/v1/plans/MaterialDefinition/{order(JOB).material}")
    await person.type("3")
    (row,) = await in_doubt(agent, 1)
    assert row.code == "unknown_material"

    async def seen() -> bool:
        page = (await watching.look()).page
        return isinstance(page, ExceptionsPage) and [each.key for each in page.rows] == [row.key]

    await until(seen, "the list of somebody else")
    await open_one(person, row)
    await person.do("hand_over")
    assert said(await person.type("Karla, master data")) == "exceptions.saved_hand_over"
    (handed,) = await in_doubt(agent, 1)
    assert (handed.choice, handed.decided_by, handed.note) == ("hand_over", "Ines Costa", "Karla, master data")
    assert (await status_of(plant, "T2")).handed_over == (row.seq,)
    command = ["journal", "--address", plant.agent.address, "--exceptions"]
    assert await asyncio.to_thread(main, command) == 1
    told = capsys.readouterr().out
    assert "unknown_material" in told
    assert "hand_over by Ines Costa: Karla, master data" in told
    assert await asyncio.to_thread(main, [*command, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["key"] == row.key
    plant.erp.put(item)
    await agent.resend(row.seq)
    await everything_sent(agent)
    assert await in_doubt(agent, 0) == []
    capsys.readouterr()
    assert await asyncio.to_thread(main, command) == 0
    assert capsys.readouterr().out.startswith("Nothing waits for a decision: ")
    assert await asyncio.to_thread(main, [*command, "--json"]) == 0
    assert capsys.readouterr().out == ""


async def test_an_order_that_the_office_closed_is_not_called_done(plant: Plant, agent: AgentClient) -> None:
    person = Person(agent, "T2")
    await person.work_on(JOB, LEAD)
    await decided(agent, JOB)
    hold(plant, JOB, DispatchStatus.COMPLETED)
    await person.type("3")
    await in_doubt(agent, 1)
    plant.agent.kill()
    await asyncio.to_thread(plant.agent.start)  # it asks for the plans at once

    async def told() -> bool:
        return (await person.look()).prompt == "job.closed"

    await until(told, "the work screen to say that the office closed it")


async def test_a_lost_answer_is_asked_for_and_never_in_doubt(plant: Plant, agent: AgentClient) -> None:
    person = Person(agent, "T3")
    await person.work_on(OTHER, LEAD)
    before = office_says(plant, OTHER).good
    plant.erp.kill()
    await person.type("2")
    await asyncio.to_thread(plant.erp.start)
    await everything_sent(agent)
    assert await agent.exceptions() == []
    assert office_says(plant, OTHER).good == before + 2


async def test_a_decision_is_kept_once_whenever_the_agent_is_killed(plant: Plant, agent: AgentClient) -> None:
    lead = await refused_report(plant, agent, "T1")
    (row,) = await in_doubt(agent, 1)
    await open_one(lead, row)
    await lead.do("hand_over")
    given = an_input("entry", "the planner")
    sending = asyncio.create_task(agent.send("T1", given))
    await asyncio.wait({sending}, timeout=0.001)  # anywhere within the input
    plant.agent.kill()
    await asyncio.gather(sending, return_exceptions=True)
    await asyncio.to_thread(plant.agent.start)
    for _ in range(2):
        assert said(await agent.send("T1", given)) == "exceptions.saved_hand_over"
    (handed,) = await in_doubt(agent, 1)
    assert handed.choice == "hand_over"
    await everything_sent(agent)
    hold(plant, JOB, DispatchStatus.RELEASED)
    await agent.resend(row.seq)
    await in_doubt(agent, 0)
    await everything_sent(agent)
    facts = kept(plant.agent)
    notes = [getattr(fact.body, "note", "") for fact in facts]
    assert notes.count("the planner") == 1
    booked = [each.fact for each in plant.erp.bookings(AGENT) if each.outcome == "applied"]
    assert len(booked) == len(set(booked))
