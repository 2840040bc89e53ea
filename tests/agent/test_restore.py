"""A PC dies: its backup goes on elsewhere, nothing is booked twice, and two PCs are never one agent."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.client import AgentClient
from edge_agent.store import journal
from edge_agent.store.audit import Audit
from sync.reference_views import Booking
from tests.agent.person import Person, everything_sent, said
from tests.agent.running import AGENT, AgentProcess, Plant, plant_in, short_folder, site_text, until

JOB = "J-204"


@pytest.fixture
def plant() -> Iterator[Plant]:
    with short_folder() as folder, plant_in(folder, 2) as running:
        yield running


@asynccontextmanager
async def at_work(agent: AgentProcess) -> AsyncIterator[tuple[AgentClient, Person]]:
    async with AgentClient(agent.address) as client:
        yield client, Person(client, "T1")


async def report(person: Person, *pieces: str) -> None:
    for each in pieces:
        assert said(await person.type(each)) == "report_production.saved_good"


def backed_up(plant: Plant) -> Path:
    file = plant.agent.folder / "backup.db"
    assert main(["backup", str(file), "--address", plant.agent.address]) == 0
    return file


def another_pc(plant: Plant, name: str = "new") -> AgentProcess:
    """The same site file on another PC."""
    folder = plant.agent.folder / name
    folder.mkdir()
    shutil.copy2(plant.erp.token_file, folder / "token")
    return AgentProcess(folder, site_text(["T1", "T2"], "", plant.erp.url))


def booked(plant: Plant) -> list[Booking]:
    return [each for each in plant.erp.bookings(AGENT) if each.outcome == "applied"]


def good(plant: Plant) -> int:
    return sum(int(each.quantity or 0) for each in booked(plant) if each.kind == "MaterialProduced")


async def test_a_restored_pc_books_nothing_twice_and_reuses_no_number(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    async with at_work(plant.agent) as (agent, person):
        await person.work_on(JOB)
        await report(person, "3", "4")
        file = await asyncio.to_thread(backed_up, plant)
        await report(person, "5", "6")  # the old PC sends these after the backup
        await everything_sent(agent)
    plant.agent.kill()
    assert file.stat().st_mode & 0o777 == 0o600
    old = booked(plant)

    new = another_pc(plant)
    assert await asyncio.to_thread(main, ["restore", str(file), "--site", str(new.file)]) == 0
    assert "2 more after the backup" in capsys.readouterr().out
    try:
        new.start()
        async with at_work(new) as (agent, person):

            async def plans() -> bool:
                return any(JOB in label.text for label in await agent.labels())

            await until(plans, "the plans")
            await person.work_on(JOB)
            await report(person, "7")
            await everything_sent(agent)
            assert (await agent.health()).parked_count == 0
        with closing(sqlite3.connect(new.database)) as conn:
            assert journal.verify(conn) is None
            done = conn.execute("SELECT done FROM job_progress WHERE job = ? AND kind = 'MaterialProduced'", (JOB,))
            assert done.fetchone() == (25_000_000,), "what the ERP has booked, and each report once"
        now = booked(plant)
        assert good(plant) == 3 + 4 + 5 + 6 + 7
        assert len({each.fact for each in now}) == len(now)
        assert len({each.seq for each in now}) == len(now)
        assert min(each.seq for each in now[len(old) :]) > max(each.seq for each in old)
    finally:
        new.end()


async def test_what_the_backup_had_not_sent_is_sent_once(plant: Plant) -> None:
    """Some of it the old PC had sent meanwhile, some of it never."""
    async with at_work(plant.agent) as (_, person):
        await person.work_on(JOB)
        plant.erp.kill()
        await report(person, "3", "4")
        file = await asyncio.to_thread(backed_up, plant)
        await report(person, "5")  # nobody but the old PC knows of it, and it is gone
    plant.agent.kill()
    plant.erp.start()
    new = another_pc(plant)
    assert await asyncio.to_thread(main, ["restore", str(file), "--site", str(new.file)]) == 0
    try:
        new.start()
        async with at_work(new) as (agent, _):
            await everything_sent(agent)
        assert good(plant) == 7
    finally:
        new.end()


async def test_the_old_pc_is_refused_in_words_when_it_comes_back(plant: Plant) -> None:
    async with at_work(plant.agent) as (agent, person):
        await person.work_on(JOB)
        await everything_sent(agent)
        file = await asyncio.to_thread(backed_up, plant)
    plant.agent.kill()
    new = another_pc(plant)
    assert await asyncio.to_thread(main, ["restore", str(file), "--site", str(new.file)]) == 0
    before = booked(plant)
    plant.agent.start()
    async with at_work(plant.agent) as (agent, person):
        assert await told(agent, "Another PC has taken the place of this one")
        await report(person, "2")
        assert (await agent.health()).unsent >= 1
    assert booked(plant) == before


async def test_a_second_pc_with_the_same_id_is_refused_in_words(plant: Plant) -> None:
    """The image of a PC, put on two: one of them is the agent."""
    clone = another_pc(plant)
    try:
        clone.start()
        async with at_work(clone) as (agent, _):
            assert await told(agent, "Another PC works as agent")
    finally:
        clone.end()


async def test_a_copied_data_folder_is_found_out_by_its_numbers(plant: Plant) -> None:
    async with at_work(plant.agent) as (agent, person):
        await person.work_on(JOB)
        await everything_sent(agent)
        plant.agent.stop()
        clone = another_pc(plant)
        shutil.copytree(plant.agent.folder / "data", clone.folder / "data")
        plant.agent.start()
    async with at_work(plant.agent) as (agent, person):
        await report(person, "3")
        await everything_sent(agent)
    try:
        clone.start()
        async with at_work(clone) as (agent, _):
            await Person(agent, "T2").sign_on()

            async def refused() -> bool:
                return (await agent.health()).parked_count > 0

            await until(refused, "the ERP to refuse the clone")
            (row,) = [each for each in await agent.journal() if "another fact" in each.reason]
            assert row.sent == "refused"
        assert good(plant) == 3
    finally:
        clone.end()


@pytest.mark.parametrize(("what", "words"), [("garbage", "no backup"), ("edited", "damaged"), ("other", "of agent")])
async def test_what_is_no_backup_of_this_agent_changes_nothing(
    plant: Plant, what: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with at_work(plant.agent) as (_, person):
        await person.sign_on()
    file = await asyncio.to_thread(backed_up, plant)
    new = another_pc(plant)
    if what == "other":
        new.file.write_text(new.file.read_text().replace(AGENT, "other-pc"))
    elif what == "garbage":
        file.write_bytes(b"not a database, but long enough to look like one" * 100)
    else:
        with closing(sqlite3.connect(file)) as conn:
            conn.execute("DROP TRIGGER journal_update")
            conn.execute("UPDATE journal SET person = 'P9'")
            conn.commit()
    assert await asyncio.to_thread(main, ["restore", str(file), "--site", str(new.file)]) == 1
    assert words in capsys.readouterr().err
    assert not (new.folder / "data" / "journal.db").exists()


async def test_a_backup_never_overwrites_and_a_restore_neither(
    plant: Plant, capsys: pytest.CaptureFixture[str]
) -> None:
    file = await asyncio.to_thread(backed_up, plant)
    before = file.read_bytes()
    assert await asyncio.to_thread(main, ["backup", str(file), "--address", plant.agent.address]) == 1
    assert file.read_bytes() == before
    plant.agent.kill()
    assert await asyncio.to_thread(main, ["restore", str(file), "--site", str(plant.agent.file)]) == 1
    assert "already" in capsys.readouterr().err


async def test_without_the_erp_nothing_is_restored(plant: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    file = await asyncio.to_thread(backed_up, plant)
    plant.agent.kill()
    plant.erp.kill()
    new = another_pc(plant)
    assert await asyncio.to_thread(main, ["restore", str(file), "--site", str(new.file)]) == 1
    assert "when it answers" in capsys.readouterr().err
    assert not (new.folder / "data" / "journal.db").exists()


async def told(agent: AgentClient, words: str) -> bool:
    """Wait until health says so."""

    async def says() -> bool:
        return words in " ".join((await agent.health()).problems)

    return await until(says, words)


async def test_a_restore_says_who_did_it(plant: Plant) -> None:
    async with at_work(plant.agent) as (agent, person):
        await person.work_on(JOB)
        await everything_sent(agent)
        file = await asyncio.to_thread(backed_up, plant)
    plant.agent.kill()
    new = another_pc(plant)
    assert await asyncio.to_thread(main, ["restore", str(file), "--site", str(new.file)]) == 0
    line = Audit(new.folder / "data").last("restored")
    assert (line["user"], line["file"]) == (pwd.getpwuid(os.geteuid()).pw_name, str(file))
