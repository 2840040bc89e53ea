"""Decisions that take more than one step, and the end of the agent in between, with the reference ERP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from edge_agent.client import AgentClient
from edge_agent.doubts import Doubt, answered
from edge_agent.scanning.labels import label
from edge_agent.views import Input, Kind, View
from edge_agent.views.exceptions import ExceptionRow
from sync.contract import Correction, DispatchStatus, Fact, MaterialMoved, MaterialProduced, MaterialShort
from sync.exceptions import ExceptionDecided
from tests.agent.person import Person, an_input, at, everything_sent, said
from tests.agent.running import Plant, plant_in, short_folder
from tests.agent.test_erp import decided
from tests.agent.test_exceptions import JOB, LEAD, OPERATOR, bookings, hold, in_doubt, office_says, open_one
from tests.agent.test_kill import kept


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    """One plant for all; it hears of no change of plans."""
    with short_folder() as folder, plant_in(folder, 4, policies="plan_interval = 600.0") as running:
        yield running


async def refused(plant: Plant, agent: AgentClient, *pieces: str, terminal: str = "T1") -> Person:
    """Somebody reports on a job that the office has closed; the later reports wait behind the first."""
    person = Person(agent, terminal)
    await person.work_on(JOB, OPERATOR)
    await decided(agent, JOB)
    hold(plant, JOB)
    for each in pieces:
        assert said(await person.type(each)) == "report_production.saved_good"
    await decided(agent, JOB)
    return person


async def corrected(person: Person, row: ExceptionRow, pieces: str) -> None:
    """By the operator and a lead."""
    await open_one(person, row)
    assert at(await person.do("correct")) == "exceptions.correct"
    assert at(await person.type(pieces)) == "exceptions.second"
    assert said(await person.scan(Kind.BADGE, OPERATOR)) == "exceptions.same_person"
    assert said(await person.scan(Kind.BADGE, LEAD)) == "exceptions.saved_correct"
    assert at(await person.do("back")) == "report_production.running"


async def killed_over(plant: Plant, agent: AgentClient, terminal: str, given: Input) -> View:
    """The agent is killed within an input, which is sent again, twice."""
    sending = asyncio.create_task(agent.send(terminal, given))
    await asyncio.wait({sending}, timeout=0.001)
    plant.agent.kill()
    await asyncio.gather(sending, return_exceptions=True)
    await asyncio.to_thread(plant.agent.start)
    answers = [await agent.send(terminal, given) for _ in range(2)]
    assert said(answers[0]) == said(answers[1])
    return answers[0]


async def all_sent_again(plant: Plant, agent: AgentClient) -> None:
    """The office lets the job; whatever is still refused goes again."""
    hold(plant, JOB, DispatchStatus.RELEASED)
    await everything_sent(agent)
    while rows := await agent.exceptions():
        await agent.resend(rows[0].seq)
        await everything_sent(agent)


def in_the_journal(plant: Plant) -> tuple[Fact, ...]:
    """All of it; the agent is stopped for that."""
    facts = kept(plant.agent)
    plant.agent.start()
    return facts


async def test_two_corrections_in_one_job_and_one_of_what_was_taken_back(plant: Plant, agent: AgentClient) -> None:
    before = office_says(plant, JOB).good
    person = await refused(plant, agent, "50", "2", "60")
    assert said(await person.do("undo")) == ""
    await person.do("confirm")
    (row,) = await in_doubt(agent, 1)
    await corrected(person, row, "5")
    await everything_sent(agent)
    (second,) = await in_doubt(agent, 1)
    await corrected(person, second, "3")
    await everything_sent(agent)
    (third,) = await in_doubt(agent, 1)
    assert third.params["quantity"] == "60"
    await corrected(person, third, "6")
    await everything_sent(agent)
    backs = [fact.body.corrects for fact in in_the_journal(plant) if isinstance(fact.body, Correction)]
    assert sorted(backs) == sorted([row.key, second.key, third.key]), "each is taken back once"
    await all_sent_again(plant, agent)
    booked = [each for each in bookings(plant, JOB) if each.outcome == "applied"]
    good = [each.quantity for each in booked if each.kind == "MaterialProduced"]
    assert good[-3:] == [5, 3, 6]
    assert office_says(plant, JOB).good == before + 14
    await person.do("sign_off")


async def test_a_correction_is_kept_once_whenever_the_agent_is_killed(plant: Plant, agent: AgentClient) -> None:
    before = office_says(plant, JOB).good
    person = await refused(plant, agent, "70")
    (row,) = await in_doubt(agent, 1)
    await open_one(person, row)
    await person.do("correct")
    await person.type("7")
    view = await killed_over(plant, agent, "T1", an_input("scan", label(Kind.BADGE, LEAD)))
    assert said(view) == "exceptions.saved_correct"
    await everything_sent(agent)
    facts = in_the_journal(plant)
    (decision,) = [each for each in facts if each.body.about == f"exception/{row.key}"]
    assert isinstance(decision.body, ExceptionDecided)
    assert decision.body.second != decision.person != ""
    assert [each.body.quantity for each in facts if isinstance(each.body, MaterialProduced)].count(Decimal(7)) == 1
    await all_sent_again(plant, agent)
    assert office_says(plant, JOB).good == before + 7
    await person.do("sign_off")


async def test_a_resend_is_kept_once_whenever_the_agent_is_killed(plant: Plant, agent: AgentClient) -> None:
    before = office_says(plant, JOB).good
    await refused(plant, agent, "8", terminal="T2")
    (row,) = await in_doubt(agent, 1)
    lead = Person(agent, "T3")
    await lead.sign_on(LEAD)
    await open_one(lead, row)
    hold(plant, JOB, DispatchStatus.RELEASED)
    assert said(await killed_over(plant, agent, "T3", an_input("action", "resend"))) == "exceptions.saved_resend"
    await everything_sent(agent)
    assert await in_doubt(agent, 0) == []
    assert len(bookings(plant, f"exception/{row.key}")) == 1
    assert office_says(plant, JOB).good == before + 8
    assert [each.outcome for each in bookings(plant, JOB) if each.fact == row.key] == ["applied"]


@pytest.mark.parametrize("kind", [MaterialMoved, MaterialShort])
def test_what_was_picked_can_be_corrected(kind: type) -> None:
    """Another quantity, of the same line."""
    now = datetime.now(UTC)
    places = {"source": "A-01"} | ({"destination": "TOTE-1"} if kind is MaterialMoved else {"reason": "SHORT-1"})
    body = kind(about="SO-1", material="BOLT", lot=None, quantity=Decimal(5), requirement="1", uom="pcs", **places)
    fact = Fact(
        id="f", seq=3, agent="a", event_time=now, record_time=now, clock_ok=True, terminal="T1", person="p1", body=body
    )
    back, instead, decision = answered(Doubt("f", "refused", now, fact), "correct", instead=Decimal(2))
    assert isinstance(back, Correction)
    assert (back.about, back.corrects) == ("SO-1", "f")
    assert instead == msgspec.structs.replace(body, quantity=Decimal(2))
    assert isinstance(decision, ExceptionDecided)
    twice = answered(Doubt("f", "refused", now, fact, taken_back=True), "correct")
    assert [type(each) for each in twice] == [ExceptionDecided], "what was taken back is not taken back again"
