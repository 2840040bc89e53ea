"""An agent that hangs is started again by its unit, at the same step, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.client import AgentAway, AgentClient
from edge_agent.demo.plans import plans
from edge_agent.views import Kind
from tests.agent.person import Person, an_input, at, everything_sent, said
from tests.agent.running import AGENT, AgentProcess, short_folder, site_text, until
from tests.support.erp_process import ErpProcess
from tests.support.systemd import Service

UNIT = Path(__file__).parents[2] / "packaging" / "floorhand-agent.service"
SCALE = 0.2  # of the times of the unit
JOB, QUEUED = "J-204", 4
_ANSWER = 0.3  # seconds in which one that runs would have answered


class Watched(AgentProcess):
    """An agent whose starts belong to a service; `pids` has all of them."""

    def __init__(self, folder: Path, text: str) -> None:
        super().__init__(folder, text)
        self.pids: list[int] = []
        self.service = Service(UNIT, folder / "notify", self._started, SCALE)

    def _started(self, told: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / "agent.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "edge_agent", "run", str(self.file)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | told,
            )  # fmt: skip
        self.pids.append(process.pid)
        return process


async def test_an_agent_that_hangs_is_back_at_the_same_step_with_every_report() -> None:
    with short_folder() as folder:
        erp = ErpProcess(folder, plans(datetime.now(UTC)))
        erp.start()
        agent = Watched(folder, site_text(erp=erp.url))
        try:
            async with AgentClient(agent.address) as client:
                await _hang(agent, client, erp)
        finally:
            agent.service.stop()
            erp.kill()


async def _hang(agent: Watched, client: AgentClient, erp: ErpProcess) -> None:
    async def planned() -> bool:
        try:
            return any(each.kind is Kind.JOB for each in await client.labels())
        except AgentAway:
            return False

    await until(planned, "an agent with plans")
    person = Person(client, "T1")
    await person.work_on(JOB)
    await everything_sent(client)
    erp.kill()
    for number in range(1, QUEUED + 1):
        assert said(await person.type(str(number))) == "report_production.saved_good"
    await person.do("scrap")
    asked = await person.type("2")
    assert at(asked) == "report_production.scrap_reason"
    recorded = [row.id for row in await client.journal()]

    os.kill(agent.pids[-1], signal.SIGSTOP)
    chosen = an_input("choice", asked.choices[0].id)
    with_nobody = asyncio.create_task(client.send("T1", chosen))  # in the buffer of a socket that nobody reads
    await asyncio.wait({with_nobody}, timeout=_ANSWER)
    assert not with_nobody.done()

    async def hung() -> bool:
        return agent.service.hung > 0

    await until(hung, "the watchdog")
    try:
        await with_nobody
    except AgentAway:
        pass
    await until(planned, "an agent again")
    assert agent.service.ended[0] == -signal.SIGABRT
    kept = [row.id for row in await client.journal()]
    assert kept[: len(recorded)] == recorded
    assert at(await person.look()) in ("report_production.scrap_reason", "report_production.running")
    saved = await client.send("T1", chosen)  # as a terminal does: the same input until it is answered
    assert said(saved) == "report_production.saved_scrap"
    assert [row.id for row in await client.journal()][: len(recorded)] == recorded

    await asyncio.to_thread(erp.start)
    await everything_sent(client)
    booked = await asyncio.to_thread(erp.bookings, AGENT)
    assert [each.seq for each in booked] == [*range(1, len(booked) + 1)], "each once, in order"
    assert [each.quantity for each in booked if each.about == JOB and each.quantity] == [1, 2, 3, 4, 2]
