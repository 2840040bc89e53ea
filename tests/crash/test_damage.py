"""A disk that rots: found at the start, mended without a person, and nothing that was saved is gone."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.store import Entry, Store, journal
from edge_agent.store.outbox import JournalOutbox
from edge_agent.store.plans import PlanInbox
from sync.contract import Refused
from tests.crash.images import DAMAGES, FACTS, Image, image
from tests.store.making import job, page, produced

SEEDS = 2  # of each kind; the soak has five, and its long run hundreds
HARMLESS = ("index removed", "index garbage")  # SQLite makes its index of the log anew


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return asyncio.run(image(tmp_path_factory.mktemp("image")))


@pytest.mark.parametrize("name", DAMAGES)
async def test_every_fact_comes_back_by_the_mirror(name: str, killed: Image, tmp_path: Path) -> None:
    for seed in range(SEEDS):
        folder = shutil.copytree(killed.folder, tmp_path / str(seed))
        DAMAGES[name](folder, random.Random(seed))
        store = await Store.open(folder / "journal.db", "agent-1", SystemClock())
        try:
            found = await store.read(lambda conn: journal.facts(conn, 0, FACTS * 2))
            assert tuple(fact.id for fact in found) == killed.ids, f"{name}, seed {seed}"
            assert await store.read(journal.verify) is None
            mended = await store.problems()
            assert name in HARMLESS or not mended or (folder / "damaged").is_dir()
            await _goes_on(store)
        finally:
            await store.close()


@pytest.mark.parametrize("name", [name for name in DAMAGES if name.startswith("database")])
async def test_without_the_mirror_what_is_lost_is_named(name: str, killed: Image, tmp_path: Path) -> None:
    for seed in range(SEEDS):
        folder = shutil.copytree(killed.folder, tmp_path / str(seed))
        shutil.rmtree(folder / "mirror")
        DAMAGES[name](folder, random.Random(seed))
        if not (folder / "journal.db").exists():
            continue  # neither database nor mirror: a new PC
        store = await Store.open(folder / "journal.db", "agent-1", SystemClock())
        try:
            found = await store.read(lambda conn: journal.facts(conn, 0, FACTS * 2))
            ids = {fact.id for fact in found}
            lost = [fact.seq for fact in found if type(fact.body).__name__ == "FactLost"]
            assert [fact.seq for fact in found] == list(range(1, len(found) + 1))
            missing = [number for number, id in enumerate(killed.ids[: len(found)], 1) if id not in ids]
            assert missing == lost
            assert await store.read(journal.verify) is None
            if lost:
                assert str(lost[0]) in " ".join(await store.problems())
            await _goes_on(store)
        finally:
            await store.close()


@pytest.mark.parametrize("name", ["log one bit", "log header zeroed", "log twenty bits"])
async def test_a_damaged_log_costs_one_page_at_most_without_the_mirror(
    name: str, killed: Image, tmp_path: Path
) -> None:
    """SQLite drops every commit behind the wrong bit, and calls the file good."""
    for seed in range(SEEDS):
        folder = shutil.copytree(killed.folder, tmp_path / str(seed))
        shutil.rmtree(folder / "mirror")
        DAMAGES[name](folder, random.Random(seed))
        store = await Store.open(folder / "journal.db", "agent-1", SystemClock())
        try:
            found = await store.read(lambda conn: journal.facts(conn, 0, FACTS * 2))
            rows_of_pages = 12 * (20 if "twenty" in name else 1)
            assert sum(fact.id in killed.ids for fact in found) >= FACTS - rows_of_pages
        finally:
            await store.close()


async def test_a_mended_database_asks_the_erp_for_all_again(killed: Image, tmp_path: Path) -> None:
    """A cursor may have survived where the refused facts or the plans that belong to it have not."""
    clock, folder = SystemClock(), shutil.copytree(killed.folder, tmp_path / "1")
    store = await Store.open(folder / "journal.db", "agent-1", clock)
    await PlanInbox(store, "erp", clock, lambda book: None).take(page(job("J1"), job("J2")))
    await JournalOutbox(store, "erp", clock).settle([Refused(killed.ids[100], "closed_order", "closed")])
    await store.close()
    DAMAGES["database page zeroed"](folder, random.Random(1))
    store = await Store.open(folder / "journal.db", "agent-1", clock)
    try:
        assert await store.problems()
        inbox, outbox = PlanInbox(store, "erp", clock, lambda book: None), JournalOutbox(store, "erp", clock)
        assert await inbox.cursor() is None
        assert [fact.id for fact in await outbox.pending(FACTS * 2)] == list(killed.ids)
        await inbox.take(page(job("J1"), reset=True))
        assert list(store.book.jobs) == ["J1"], "what does not come again is gone"
    finally:
        await store.close()


async def _goes_on(store: Store) -> None:
    entry, clock = Entry(SystemClock().new_id(), produced()), SystemClock()
    (fact,) = await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
    assert fact.seq == await store.read(journal.last_seq)
