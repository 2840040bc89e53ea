"""Refused picks are corrected at the terminal by two people, of whom the lead proves it by PIN: with the real agent."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import msgspec
import pytest

from edge_agent.client import AgentClient
from edge_agent.views import Kind, PickPage, View
from edge_agent.views.exceptions import ExceptionPage, ExceptionRow
from sync.contract import DispatchStatus
from sync.reference_views import OrdersReply, OrderView
from tests.agent.person import Person, an_input, at, everything_sent, said
from tests.agent.running import AGENT, Plant, plant_in, short_folder
from tests.agent.test_erp import decided, order
from tests.agent.test_exceptions import LEAD, OPERATOR, bookings, hold, in_doubt, open_one

PIN, WRONG = "2580", "2581"


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """One plant for all, where a lead needs a PIN and shows the badge at once again; it hears of no change of plans."""
    policies = 'plan_interval = 600.0\nrepeat_window = 0.001\npin_roles = ["lead"]'
    with short_folder() as folder, plant_in(folder, 4, policies=policies) as running:
        yield running


@pytest.fixture
async def agent(plant: Plant) -> AsyncIterator[AgentClient]:
    """A client of its agent, where the lead has this PIN."""
    async with AgentClient(plant.agent.address) as client:
        code = (await client.start_code("p8")).code
        lead = Person(client, "T4")
        assert at(await lead.sign_on(LEAD)) == "sign_on.pin"
        for typed in (code, PIN, PIN):
            view = await lead.type(typed)
        assert view.who is not None, view.message
        await lead.do("sign_off")
        yield client


def office(plant: Plant, job: str) -> OrderView:
    """The order in the books."""
    reply = msgspec.json.decode(plant.erp.call("GET", "/v1/orders"), type=OrdersReply)
    return next(each for each in reply.orders if each.order.id == job)


CHANCE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.+Z]+")


def shown(view: View) -> str:
    """All of a view but its ids and times, in which any digits may stand by chance."""
    return CHANCE.sub("", msgspec.json.encode(view).decode())


def line_of(job: str, page: PickPage) -> str:
    """Which line of the order is on the screen; each has a bin of its own."""
    (line,) = [each for each in order(job).requirements if each.source == page.location]
    return line.id


def picking(view: View) -> PickPage:
    """What the pick screen shows."""
    assert isinstance(view.page, PickPage), at(view)
    return view.page


async def planned(person: Person, kind: Kind) -> View:
    """Scan what the screen waits for."""
    text = next(each.label for each in (await person.look()).expects if each.kind is kind and each.label)
    return await person.agent.send(person.terminal, an_input("scan", text))


async def moved(person: Person, quantity: str) -> View:
    """Of the line on the screen, so many."""
    await planned(person, Kind.LOCATION)
    assert at(await planned(person, Kind.MATERIAL)) == "pick.quantity"
    assert at(await person.type(quantity)) == "pick.into"
    view = await planned(person, Kind.HANDLING_UNIT)
    assert said(view) == "pick.saved"
    return view


async def nothing_found(person: Person) -> View:
    """The bin of the line on the screen is empty."""
    await person.do("exception")
    await person.choose(1)
    view = await person.do("confirm")
    assert said(view) == "pick.saved_short"
    return view


async def at_the_pin(person: Person, row: ExceptionRow, quantity: str) -> View:
    """Another quantity was said, and the badge of the lead was scanned."""
    await open_one(person, row)
    assert at(await person.do("correct")) == "exceptions.correct"
    assert at(await person.type(quantity)) == "exceptions.second"
    return await person.scan(Kind.BADGE, LEAD)


async def corrected(person: Person, row: ExceptionRow, quantity: str) -> View:
    """By both; back at the work that was left for it."""
    assert at(await at_the_pin(person, row, quantity)) == "exceptions.second_pin"
    assert said(await person.type(PIN)) == "exceptions.saved_correct"
    return await person.do("back")


async def test_a_refused_pick_is_corrected_and_the_figures_are_right_at_once(
    plant: Plant, agent: AgentClient
) -> None:
    job, person = "SO-775", Person(agent, "T1")
    page = picking(await person.work_on(job, OPERATOR))
    number, whole = line_of(job, page), page.quantity
    lines = order(job).requirements
    fewer = [msgspec.structs.replace(each, quantity=Decimal(2)) if each.id == number else each for each in lines]
    plant.erp.put(msgspec.structs.replace(order(job), requirements=tuple(fewer)))  # and the floor does not hear of it
    assert picking(await moved(person, "4")).quantity == whole - 4
    (row,) = await in_doubt(agent, 1)
    assert (row.what, row.code, row.params["quantity"], row.params["uom"]) == (
        "MaterialMoved", "over_quantity", "4", "pc",
    )  # fmt: skip
    view = await corrected(person, row, "2")
    assert (at(view), picking(view).quantity) == ("pick.item", whole - 2)
    await everything_sent(agent)
    assert await in_doubt(agent, 0) == []
    (line,) = [each for each in office(plant, job).order.requirements if each.id == number]
    assert line.done == 2
    booked = [each for each in bookings(plant, job) if each.kind == "MaterialMoved"]
    assert [each.quantity for each in booked] == [4, 2]
    assert [(each.outcome, each.undone) for each in booked] == [("refused", True), ("applied", False)]
    assert picking(await person.look()).quantity == whole - 2, "and so it stays when the ERP has booked it"
    await person.do("sign_off")


async def test_a_refused_short_is_corrected_and_one_that_was_none_opens_its_line_again(
    plant: Plant, agent: AgentClient
) -> None:
    job, person = "SO-776", Person(agent, "T2")
    first = picking(await person.work_on(job, OPERATOR))
    lines, short = first.lines_left, {line_of(job, first): 1}
    await decided(agent, job)
    hold(plant, job)
    second = picking(await nothing_found(person))
    assert (second.line != first.line, second.lines_left) == (True, lines - 1)
    (row,) = await in_doubt(agent, 1)
    assert (row.what, row.code, row.params["quantity"]) == ("MaterialShort", "closed_order", str(first.quantity))
    hold(plant, job, DispatchStatus.RELEASED)
    view = await corrected(person, row, "1")
    assert (picking(view).line, picking(view).lines_left) == (second.line, lines - 1)
    await everything_sent(agent)
    assert office(plant, job).short == short

    hold(plant, job)
    assert picking(await nothing_found(person)).lines_left == lines - 2
    (row,) = await in_doubt(agent, 1)
    hold(plant, job, DispatchStatus.RELEASED)
    view = await corrected(person, row, "0")
    assert (picking(view).lines_left, picking(view).quantity) == (lines - 1, second.quantity)
    await everything_sent(agent)
    assert await in_doubt(agent, 0) == []
    assert office(plant, job).short == short
    assert picking(await moved(person, "1")).quantity == second.quantity - 1
    await everything_sent(agent)
    assert office(plant, job).short == short
    await person.do("sign_off")


async def test_the_badge_of_the_lead_and_a_wrong_pin_confirm_nothing(plant: Plant, agent: AgentClient) -> None:
    job, person = "J-204", Person(agent, "T3")
    await person.work_on(job, OPERATOR)
    await decided(agent, job)
    before = office(plant, job).order.good
    hold(plant, job)
    assert said(await person.type("9")) == "report_production.saved_good"
    (row,) = await in_doubt(agent, 1)
    hold(plant, job, DispatchStatus.RELEASED)

    def decisions() -> list[str]:
        return [each.person for each in bookings(plant, f"exception/{row.key}")]

    view = await at_the_pin(person, row, "6")
    assert (at(view), view.entry and view.entry.kind) == ("exceptions.second_pin", "pin")
    view = await person.type(WRONG)
    assert (at(view), said(view)) == ("exceptions.second_pin", "pin.wrong")
    assert view.message is not None
    assert view.message.params["name"] == "Ines Costa"
    await person.do("back")
    assert at(await person.look()) == "exceptions.second", "the badge is asked for again"
    await person.scan(Kind.BADGE, LEAD)
    assert WRONG not in shown(await person.type(WRONG))
    await everything_sent(agent)
    (still,) = await in_doubt(agent, 1)
    assert (still.choice, still.second, decisions()) == ("", "", [])
    assert office(plant, job).order.good == before
    assert isinstance((await person.look()).page, ExceptionPage)

    for kind in ("scan", "unended"):  # typed as fast as a scanner
        view = await person.agent.send(person.terminal, an_input(kind, PIN[:3]))
        assert (at(view), said(view)[:5], PIN[:3] in shown(view)) == ("exceptions.second_pin", "scan.", False)
    rows = await person.agent.journal(limit=1000)
    assert [row.body["raw"] for row in rows[-2:]] == ["(a badge)"] * 2

    assert said(await person.type(PIN)) == "exceptions.saved_correct"
    view = await person.do("back")
    await everything_sent(agent)
    assert await in_doubt(agent, 0) == []
    assert at(view) == "report_production.running"
    assert office(plant, job).order.good == before + 6
    assert decisions() == ["p1"]
    tries = [each for each in plant.erp.bookings(AGENT) if each.kind == "PinRefused"]
    assert [each.about for each in tries] == ["person/p8"] * 2
    told = (await agent.journal(limit=1000))[::-1]
    (body,) = [each.body for each in told if each.about == f"exception/{row.key}"]
    assert (body["choice"], body["second"]) == ("correct", "p8")
    kept = "".join(str(each.body) for each in told) + plant.agent.log
    assert WRONG not in kept
    assert PIN not in kept
