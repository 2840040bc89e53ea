"""A cable between the PC and its ERP that loses frames, is pulled, or swallows everything: real stacks of TCP."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from edge_agent.client import AgentClient
from edge_agent.demo.plans import plans
from edge_agent.views import Kind
from tests.agent.person import Person, said
from tests.agent.running import AgentProcess, answers, short_folder, site_text, until, wait
from tests.support.cable import ADDRESSES, Cable, two_pcs

JOB, REPORTS = "J-206", 20
LOSS = 30  # frames of a hundred
PORT = 8077
TOKEN = "a-token-for-tests"
PATIENCE = 45.0  # seconds: what was lost often is tried again late


class Erp:
    """The reference ERP on the PC at the far end."""

    def __init__(self, folder: Path, cable: Cable) -> None:
        self._folder = folder
        self._cable = cable
        (folder / "token").touch(mode=0o600)
        (folder / "token").write_text(TOKEN)
        (folder / "plans.json").write_bytes(msgspec.json.encode(plans(datetime.now(UTC))))
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *self._cable.command(1), sys.executable, "-m", "tests.support.erp_on_a_pc", ADDRESSES[1],
                "--port", str(PORT), "--database", self._folder / "books.db",
                "--plans", self._folder / "plans.json", "--token-file", self._folder / "token",
            ],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert json.loads(self._process.stdout.readline())["ready"]

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def booked(self) -> list[tuple[int, str]]:
        """Number and outcome of each fact, as they came."""
        with closing(sqlite3.connect(self._folder / "books.db")) as books:
            return books.execute("SELECT seq, outcome FROM decision ORDER BY number").fetchall()


class FarAgent(AgentProcess):
    """An agent on the PC at the near end; its socket is a file, and there for everybody."""

    def __init__(self, folder: Path, cable: Cable) -> None:
        text = site_text(erp=f"http://{ADDRESSES[1]}:{PORT}").replace("timeout = 2.0", "timeout = 1.0, insecure = true")
        super().__init__(folder, text)
        self._cable = cable

    def start(self) -> None:
        with (self.folder / "agent.log").open("ab") as log:
            command = [*self._cable.command(0), sys.executable, "-m", "edge_agent", "run", str(self.file)]
            process = self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait(lambda: process.poll() is not None or answers(self.socket), f"an agent at {self.socket}")
        assert process.poll() is None, self.log


class Pcs:
    """All of it, with a person at work."""

    def __init__(self, folder: Path, cable: Cable) -> None:
        self.cable = cable
        self.erp = Erp(folder, cable)
        self.agent = FarAgent(folder, cable)


@pytest.fixture
def pcs() -> Iterator[Pcs]:
    with short_folder() as folder, two_pcs(seed=14) as cable:
        pcs = Pcs(folder, cable)
        try:
            pcs.erp.start()
            pcs.agent.start()
            yield pcs
        finally:
            pcs.agent.end()
            pcs.erp.kill()


async def at_work(client: AgentClient) -> Person:
    """Somebody with a job open, once the plans are there."""

    async def planned() -> bool:
        return any(each.kind is Kind.JOB for each in await client.labels())

    await until(planned, "the plans", PATIENCE)
    person = Person(client, "T1")
    await person.work_on(JOB, "1003")
    return person


async def report(person: Person) -> None:
    """So many inputs, one after the other; each is saved."""
    for _ in range(REPORTS):
        assert said(await person.type("1")) == "report_production.saved_good"


async def sent(client: AgentClient) -> None:
    """Wait until the ERP has everything."""

    async def nothing_waits() -> bool:
        return (await client.health()).unsent == 0

    await until(nothing_waits, "the ERP to have everything", PATIENCE)


async def down(client: AgentClient) -> None:
    """Wait until the agent has seen that nobody answers."""

    async def look() -> bool:
        return (await client.health()).links[0].state == "down"

    await until(look, "the link to be down", PATIENCE)


def once_and_in_order(pcs: Pcs) -> bool:
    """Whether the books have every fact, each once, in its order."""
    booked = pcs.erp.booked()
    return booked == [(seq, "applied") for seq in range(1, len(booked) + 1)] and len(booked) > REPORTS


async def test_what_is_reported_over_a_cable_that_loses_frames_arrives_once_and_in_order(pcs: Pcs) -> None:
    async with AgentClient(pcs.agent.address) as client:
        person = await at_work(client)
        pcs.cable.loss = LOSS
        await report(person)
        await sent(client)
        assert pcs.cable.lost > 0
        pcs.cable.loss = 0
        await sent(client)
    assert once_and_in_order(pcs)


@pytest.mark.parametrize("how", ["swallowed", "pulled", "half_open"])
async def test_no_input_waits_for_a_cable_that_carries_nothing(pcs: Pcs, how: str) -> None:
    """All answers lie between two moments without one frame from the far end: none has waited for one. And far more
    inputs are answered than tries to connect have ended: none has waited for that either."""
    async with AgentClient(pcs.agent.address) as client:
        person = await at_work(client)
        await sent(client)
        if how == "pulled":
            pcs.cable.link(0, "down")
        pcs.cable.cut()
        heard = pcs.cable.heard
        await report(person)
        await down(client)
        tried = pcs.cable.tried
        await report(person)
        assert tried > 0
        assert pcs.cable.tried - tried < REPORTS // 2
        assert pcs.cable.heard == heard
        health = await client.health()
        assert health.unsent >= 2 * REPORTS
        if how == "half_open":  # it forgets its connections; the agent's kernel still has them
            pcs.erp.kill()
            await asyncio.to_thread(pcs.erp.start)
        assert pcs.cable.heard == heard
        pcs.cable.cut(False)
        if how == "pulled":
            pcs.cable.link(0, "up")
        await sent(client)
    assert once_and_in_order(pcs)
