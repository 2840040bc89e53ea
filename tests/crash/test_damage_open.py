"""What people have still to look at, and their PINs, when a database is mended: also a second time."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from edge_agent.doubts import Doubt
from edge_agent.pin_rules import PinRecord
from edge_agent.store import Entry, Store, pins
from edge_agent.store.doubts import doubts
from edge_agent.store.outbox import JournalOutbox
from sync.contract import AnyFact, Applied, FactLost
from sync.exceptions import ExceptionDecided, about
from sync.person_facts import PinChanged, PinRefused
from tests.crash.images import DAMAGES
from tests.store.making import produced
from tests.support.manual_clock import ManualClock

DAY = timedelta(days=1)
DAMAGED = [name for name in DAMAGES if name.startswith("database")]
READABLE = "log header zeroed"  # the tables can be read, and lack what was said last


@asynccontextmanager
async def opened(folder: Path, clock: ManualClock) -> AsyncIterator[Store]:
    store = await Store.open(folder / "journal.db", "agent-1", clock)
    try:
        yield store
    finally:
        await store.close()


async def report(store: Store, clock: ManualClock, *bodies: AnyFact, person: str = "P1") -> list[str]:
    entries = [Entry(clock.new_id(), body) for body in bodies]
    await store.write(lambda conn: store.record(conn, entries, clock.now(), "T1", person))
    return [entry.id for entry in entries]


async def answer(store: Store, clock: ManualClock, key: str, choice: str = "acknowledge") -> None:
    body = ExceptionDecided(about=about(key), exception=key, choice=choice, note="seen")  # type: ignore[arg-type]
    await report(store, clock, body)


async def deliver_and_let_go(store: Store, clock: ManualClock) -> None:
    """All is delivered, grows old, and leaves the journal but for the last fact."""
    await report(store, clock, produced())
    outbox = JournalOutbox(store, "erp", clock)
    while facts := await outbox.pending(100):
        await outbox.settle([Applied(fact.id, "B") for fact in facts])
    clock.advance(40 * 86_400.0)
    while await store.let_go(["erp"], clock.now() - DAY):
        pass


async def in_doubt(store: Store) -> dict[str, Doubt]:
    return {each.key: each for each in await store.read(doubts)}


@pytest.fixture
async def worked(tmp_path: Path) -> tuple[Path, ManualClock, str]:
    """A PC whose lost report and whose times in doubt have left the journal; nobody has looked at them."""
    clock, folder = ManualClock(), tmp_path / "pc"
    folder.mkdir()
    async with opened(folder, clock) as store:
        lost, explained = await report(store, clock, FactLost(about="journal/a"), FactLost(about="journal/b"))
        clock.trust = False
        await report(store, clock, produced(), produced())
        clock.trust = True
        await answer(store, clock, lost, "hand_over")
        await answer(store, clock, explained)
        await deliver_and_let_go(store, clock)
        assert await store.read(lambda conn: conn.execute("SELECT min(seq) FROM journal").fetchone()) == (7,)
        assert set(await in_doubt(store)) == {lost, "clock/3"}
    return folder, clock, lost


@pytest.mark.parametrize("name", DAMAGED)
async def test_what_is_in_doubt_outlives_two_damages_though_its_fact_is_gone(
    name: str, worked: tuple[Path, ManualClock, str]
) -> None:
    folder, clock, lost = worked
    for life in (1, 2):
        DAMAGES[name](folder, Random(life))
        clock.advance(86_400.0)
        async with opened(folder, clock) as store:
            found = await in_doubt(store)
            told = sum(each.kind == "incident" for each in found.values())
            assert set(found) >= {lost, "clock/3"}
            assert (found["clock/3"].seq, found["clock/3"].last, found["clock/3"].facts) == (3, 4, 2)
            assert len(found) == 2 + told
            assert told == len([each for each in await store.problems() if "was mended" in each])
            assert told == (await store.read(store.found))[1]
            assert told == life or "garbage" not in name
            decided = found[lost].decided
            assert decided is not None
            assert (decided.choice, decided.note) == ("hand_over", "seen")


async def test_what_was_answered_before_a_damage_stays_answered(worked: tuple[Path, ManualClock, str]) -> None:
    folder, clock, lost = worked
    DAMAGES["database garbage"](folder, Random(1))
    async with opened(folder, clock) as store:
        (incident,) = (each.key for each in (await in_doubt(store)).values() if each.kind == "incident")
        for key in (incident, lost):
            await answer(store, clock, key)
        assert set(await in_doubt(store)) == {"clock/3"}
        assert await store.problems() == ()
    clock.advance(1.0)
    DAMAGES["database garbage"](folder, Random(2))
    async with opened(folder, clock) as store:
        (again,) = set(await in_doubt(store)) - {"clock/3"}
        assert again not in (incident, lost)
        await deliver_and_let_go(store, clock)
        await answer(store, clock, again)
    DAMAGES["database garbage"](folder, Random(3))
    async with opened(folder, clock) as store:
        assert {again, incident, lost}.isdisjoint(await in_doubt(store)), "though the decisions have left the journal"


async def test_times_in_doubt_on_both_sides_of_the_base_are_one_doubt(tmp_path: Path) -> None:
    clock = ManualClock()
    clock.trust = False
    async with opened(tmp_path, clock) as store:
        await report(store, clock, produced(), produced())
        await deliver_and_let_go(store, clock)
        await report(store, clock, produced(), produced())
    DAMAGES["database garbage"](tmp_path, Random(1))
    async with opened(tmp_path, clock) as store:
        found = (await in_doubt(store))["clock/1"]
        assert (found.seq, found.last, found.facts) == (1, 5, 5)


async def test_an_incident_is_told_until_somebody_acknowledges_it_and_no_longer(tmp_path: Path) -> None:
    clock = ManualClock()
    async with opened(tmp_path, clock) as store:
        await report(store, clock, produced())
    DAMAGES["database garbage"](tmp_path, Random(1))
    async with opened(tmp_path, clock) as store:
        clock.advance(30 * 86_400.0)
        assert (await store.read(store.found))[1] == 1
        (key,) = await in_doubt(store)
        await answer(store, clock, key, "hand_over")
        assert (await store.read(store.found))[1] == 1
        await answer(store, clock, key)
        assert await store.read(store.found) == ((), 0)
        assert await store.read(lambda conn: conn.execute("SELECT count(*) FROM incident").fetchone()) == (1,)


async def test_without_a_mirror_they_come_from_the_damaged_file(worked: tuple[Path, ManualClock, str]) -> None:
    folder, clock, lost = worked
    shutil.rmtree(folder / "mirror")
    with closing(sqlite3.connect(folder / "journal.db")) as conn:
        conn.execute("DROP INDEX journal_about")
        conn.commit()
    async with opened(folder, clock) as store:
        assert set(await in_doubt(store)) >= {lost, "clock/3"}


async def change_pin(store: Store, clock: ManualClock, person: str, hash: str) -> None:
    entry = Entry(clock.new_id(), PinChanged(about=f"person/{person}"))

    def change(conn: object) -> None:
        pins.save(conn, PinRecord(person, hash))  # type: ignore[arg-type]
        store.record(conn, [entry], clock.now(), "T1", person)  # type: ignore[arg-type]

    await store.write(change)


async def test_a_pin_is_carried_over_and_one_that_was_replaced_does_not_come_back(tmp_path: Path) -> None:
    clock, living = ManualClock(), tmp_path / "living"
    living.mkdir()
    async with opened(living, clock) as store:
        for person in ("p7", "p8", "p9"):
            await change_pin(store, clock, person, f"first of {person}")
    async with opened(living, clock) as store:
        await change_pin(store, clock, "p8", "second of p8")
        await report(store, clock, PinRefused(about="person/p9", tries=5, locked=True), person="p9")
        shutil.copytree(living, tmp_path / "killed")
    DAMAGES[READABLE](tmp_path / "killed", Random(1))
    async with opened(tmp_path / "killed", clock) as store:
        kept = {p: await store.read(lambda conn, p=p: pins.load(conn, p)) for p in ("p7", "p8", "p9")}  # type: ignore[misc]
        assert kept["p7"] == PinRecord("p7", "first of p7")
        assert kept["p8"] is None, "the former PIN would be good again"
        assert kept["p9"] is not None
        assert (kept["p9"].wrong, bool(kept["p9"].boot)) == (5, True), "the lock-out begins once more"


async def test_two_damages_at_one_moment_are_two_incidents(tmp_path: Path) -> None:
    """A PC whose clock begins anew at each start."""
    clock = ManualClock()
    async with opened(tmp_path, clock) as store:
        await report(store, clock, produced())
    for life in (1, 2, 3):
        DAMAGES["database garbage"](tmp_path, Random(life))
        async with opened(tmp_path, clock) as store:
            found = await in_doubt(store)
            assert len(found) == min(life, 2)
            if life == 2:
                await answer(store, clock, next(iter(found)))
