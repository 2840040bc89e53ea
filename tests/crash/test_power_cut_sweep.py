"""The power goes at every disk operation of a start, of work, of an orderly end and of each migration."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from edge_agent.store import Entry, Store, journal, schema
from edge_agent.store.database import connect
from edge_agent.store.mirror import Mirror
from edge_agent.store.outbox import JournalOutbox
from edge_agent.store.plans import PlanInbox
from edge_agent.store.records import after, put
from sync.contract import Applied
from tests.sim.clock import SimClock, SimLoop, Stalled
from tests.sim.database import LoopDatabase
from tests.sim.disk import Drive, SimDisk, power_can_go
from tests.sim.pc import JOURNAL
from tests.sim.platter import Platter, PowerCut
from tests.store.making import empty, job, page, produced, record

STEPS = sorted(Path(schema.__file__).with_name("migrations").glob("[0-9]*.sql"))
OLD_FACTS = 3
CHANCES = 1  # what is left of the last writes, so many times for each operation; the soak has more


def old_disk(version: int, folder: Path) -> Platter:
    """The disk of a PC that was switched off in an orderly way, with the schema of a version; 0: a new PC."""
    platter = Platter(Random(0))
    if version:
        for step in STEPS[:version]:
            (folder / step.name).write_text(step.read_text())
        with drive_of(platter) as drive:
            conn = connect(JOURNAL, drive.plug())
            schema.upgrade(conn, folder)
            with closing(empty()) as new:
                record(new, *[produced() for _ in range(OLD_FACTS)])
                facts = [*after(new, 0, OLD_FACTS)]
            conn.execute("BEGIN IMMEDIATE")
            for fact in facts:
                put(conn, fact)
            conn.execute("COMMIT")
            conn.close()
    return platter


@contextlib.contextmanager
def drive_of(platter: Platter) -> Iterator[Drive]:
    drive = Drive(platter, Random(1).randbytes)
    with power_can_go():
        try:
            yield drive
        finally:
            drive.close()


async def live(disk: SimDisk, clock: SimClock, saved: list[str]) -> None:
    """Start, take plans, keep facts, hear from the ERP, end. `saved` gets every id that was called saved."""
    store = await Store.open(JOURNAL, "agent-1", clock, disk, LoopDatabase.open)
    await PlanInbox(store, "erp", clock, lambda book: None).take(page(job("J1"), job("J2")))
    for number in range(3):
        entry = Entry(clock.new_id(), produced(quantity=str(number + 1)))
        await store.write(lambda conn, one=entry: store.record(conn, [one], clock.now(), "T1", "P1"))  # type: ignore[misc]
        saved.append(entry.id)
    await JournalOutbox(store, "erp", clock).settle([Applied(saved[0], "B1")])
    await store.close()


def lived(disk: SimDisk, saved: list[str]) -> bool:
    """Whether it came to its end; the power may go before."""
    loop = SimLoop()
    try:
        loop.run_until_complete(live(disk, SimClock(loop, Random(len(saved) + disk.platter.operations)), saved))
    except (PowerCut, Stalled):
        return False
    finally:
        with contextlib.suppress(asyncio.CancelledError):
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    return True


def check(disk: SimDisk, saved: list[str], old: int) -> None:
    """What was saved is there, in both places, and no whole disk was called damaged."""
    conn = connect(JOURNAL, disk)
    ids = [fact.id for fact in journal.facts(conn, 0, 1000)]
    assert ids[:old] == [f"f{number}" for number in range(1, old + 1)]
    assert set(saved) <= set(ids)
    assert journal.verify(conn) is None
    assert conn.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert conn.execute("SELECT why FROM incident").fetchall() == []
    assert set(saved) <= {line.content[1] for line in Mirror(JOURNAL.parent / "mirror", disk=disk).lines()}


@pytest.mark.parametrize("version", [len(STEPS) - 1])  # the soak has the others
def test_a_power_cut_at_every_operation_loses_nothing(version: int, tmp_path: Path) -> None:
    """Of each cut, some of the many things that a disk may have kept."""
    image, old = old_disk(version, tmp_path), OLD_FACTS if version else 0
    whole = image.copy(Random(0))
    with drive_of(whole) as drive:
        assert lived(drive.plug(), [])
    for number, chance in itertools.product(range(1, whole.operations + 1), range(CHANCES)):
        platter, saved = image.copy(Random(number * CHANCES + chance)), list[str]()
        platter.cut_at = number
        with drive_of(platter) as drive:
            assert not lived(drive.plug(), saved), f"cut at operation {number}"
            assert lived(drive.plug(), saved), f"cut at operation {number}"
            check(drive.plug(), saved, old)
