"""A refused report is not the end of its job: the office lets it, somebody sends it again, all is booked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from edge_agent.__main__ import main
from edge_agent.client import AgentClient, InputRefused
from edge_agent.views import JournalRow
from sync.contract import DispatchStatus
from tests.agent.person import Person, said
from tests.agent.running import AGENT, Plant, plant_in, short_folder, until
from tests.agent.test_erp import decided, order

JOB = "J-204"


@pytest.fixture
def office() -> Iterator[Plant]:
    """A plant whose office changes its mind."""
    with short_folder() as folder, plant_in(folder) as running:
        yield running


@pytest.fixture
async def client(office: Plant) -> AsyncIterator[AgentClient]:
    """A client of its agent."""
    async with AgentClient(office.agent.address) as agent:
        yield agent


def hold_unseen(office: Plant) -> None:
    """The office holds the job while the agent can not reach the ERP, which is left stopped."""
    office.erp.kill()
    port, office.erp.port = office.erp.port, 0
    office.erp.start()
    office.erp.put(msgspec.structs.replace(order(JOB), dispatch_status=DispatchStatus.HELD))
    office.erp.kill()
    office.erp.port = port


async def refused_and_held(office: Plant, agent: AgentClient) -> list[JournalRow]:
    """Three reports on a job that the office holds: the first is refused, the others wait for it."""
    person = Person(agent, "T1")
    await person.work_on(JOB)
    await decided(agent, JOB)
    await asyncio.to_thread(hold_unseen, office)
    for pieces in ("3", "2", "1"):
        assert said(await person.type(pieces)) == "report_production.saved_good"
    await asyncio.to_thread(office.erp.start)
    rows = (await decided(agent, JOB))[-3:]
    assert [row.sent for row in rows] == ["refused"] * 3
    assert rows[0].reason == "Order J-204 is held."
    return rows


async def journal(office: Plant, *arguments: object) -> int:
    """The exit code of `floorhand journal`."""
    command = ["journal", "--address", office.agent.address, *map(str, arguments)]
    return await asyncio.to_thread(main, command)


async def test_what_was_refused_is_booked_in_order_when_the_office_lets_it(
    office: Plant, client: AgentClient, capsys: pytest.CaptureFixture[str]
) -> None:
    refused, held, last = await refused_and_held(office, client)
    office.erp.put(order(JOB))

    assert await journal(office, "--resend", held.seq) == 1
    assert f"Fact {held.seq} waits for fact {refused.seq} about the same job" in capsys.readouterr().err
    assert await journal(office, "--resend", refused.seq) == 0
    assert f"{refused.seq:>6} +  " in capsys.readouterr().out

    assert [row.sent for row in (await decided(client, JOB))[-3:]] == ["yes"] * 3
    booked = [each for each in office.erp.bookings(AGENT) if each.outcome == "applied"]
    assert [each.note for each in booked if each.kind == "ExceptionDecided"] == ["resend"]
    applied = [each.fact for each in booked if each.kind != "ExceptionDecided"]
    assert applied[-3:] == [refused.id, held.id, last.id]

    async def all_well() -> bool:
        """The plans, too, are fetched again: a turn of its own."""
        health = await client.health()
        return (health.parked_count, health.unsent, health.problems) == (0, 0, ())

    await until(all_well, "an agent that has no problem left")


async def test_what_the_office_still_does_not_want_is_refused_again(
    office: Plant, client: AgentClient, capsys: pytest.CaptureFixture[str]
) -> None:
    refused, *_ = await refused_and_held(office, client)
    assert (await client.resend(refused.seq)).sent == "no"

    async def refused_again() -> bool:
        return (await client.health()).parked_count == 3

    await until(refused_again, "the second refusal")
    assert [row.sent for row in (await decided(client, JOB))[-3:]] == ["refused"] * 3
    with pytest.raises(InputRefused) as caught:
        await client.resend(1)
    assert caught.value.problem.code == "journal.not_resent"
    assert await journal(office, "--resend", "1") == 1
    assert "Fact 1 is not one that was refused" in capsys.readouterr().err
