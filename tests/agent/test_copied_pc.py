"""A PC that was copied with all that it is: its report is not taken for that of the other one."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from edge_agent.client import AgentClient
from edge_agent.views import Input
from tests.agent.person import Person, everything_sent, said
from tests.agent.running import AGENT, AgentProcess, Plant, plant_in, short_folder, site_text
from tests.agent.test_erp import decided

JOB = "J-204"


@pytest.fixture
def plant() -> Iterator[Plant]:
    with short_folder() as folder, plant_in(folder) as running:
        yield running


@asynccontextmanager
async def reporting(agent: AgentProcess, pieces: str) -> AsyncIterator[AgentClient]:
    """A person reports so many pieces, under an id that the copy will use as well."""
    async with AgentClient(agent.address) as client:
        view = await client.send("T1", Input("0190-the-same", "entry", pieces))
        assert said(view) == "report_production.saved_good"
        yield client


async def test_the_copy_of_a_pc_does_not_lose_its_report(plant: Plant) -> None:
    async with AgentClient(plant.agent.address) as client:
        await Person(client, "T1").work_on(JOB)
        await everything_sent(client)
    assert plant.agent.stop() == 0
    folder = plant.agent.folder / "copy"
    shutil.copytree(plant.agent.folder / "data", folder / "data", ignore=shutil.ignore_patterns("*.sock"))
    shutil.copy2(plant.erp.token_file, folder / "token")

    plant.agent.start()
    async with reporting(plant.agent, "3") as client:
        await everything_sent(client)
    plant.agent.kill()

    copy = AgentProcess(folder, site_text(["T1"], "", plant.erp.url))
    copy.start()
    try:
        async with reporting(copy, "4") as client:
            row = (await decided(client, JOB))[-1]
    finally:
        copy.stop()
    assert row.sent == "refused"
    assert "under this id: quantity is 3 there and 4 here" in row.reason
    assert "Was this PC copied?" in row.reason
    booked = [each.quantity for each in plant.erp.bookings(AGENT) if each.kind == "MaterialProduced"]
    assert booked == [3]
