"""Facts leave the journal from its front, when everybody has them, and nothing that is told changes."""

from __future__ import annotations

import random
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.clock import Clock, SystemClock
from edge_agent.housekeeping import Housekeeper, Keep
from edge_agent.store import Entry, Store, StoreError, journal
from edge_agent.store.carving import carve_database, carve_log
from edge_agent.store.outbox import JournalOutbox, queue
from edge_agent.store.parking import settle
from edge_agent.store.plans import take
from edge_agent.store.progress import progress
from edge_agent.store.retention import base_of, purge
from sync.contract import AnyFact, Applied, Fact, Refused
from sync.maintenance import MaintenanceCompleted, MaintenanceRequested, about
from tests.crash.images import DAMAGES
from tests.store.making import altered, correction, empty, job, page, produced, record, scrapped
from tests.support.manual_clock import START, ManualClock

DAY = timedelta(days=1)
LATER = START + 1000 * DAY
KEEP = Keep(400 * DAY, 30 * DAY)


def deliver(conn: sqlite3.Connection, upto: int, connector: str = "erp") -> None:
    receipts = [Applied(fact.id, "B") for fact in journal.facts(conn, 0, upto) if fact.seq <= upto]
    settle(conn, connector, receipts, START)


def seqs(conn: sqlite3.Connection) -> list[int]:
    return [fact.seq for fact in journal.facts(conn, 0, 10_000)]


def purged(conn: sqlite3.Connection, before: datetime = LATER, connectors: tuple[str, ...] = ("erp",)) -> int:
    while purge(conn, connectors, before) is not None:
        pass
    return base_of(conn).seq


def test_only_what_every_connector_has_goes() -> None:
    conn = empty()
    record(conn, *[produced() for _ in range(10)])
    assert purged(conn) == 0
    deliver(conn, 7)
    deliver(conn, 4, "mes")
    assert purged(conn, connectors=("erp", "mes", "new")) == 0
    assert purged(conn) == 4, "what was a connector once counts as well"
    assert seqs(conn) == [5, 6, 7, 8, 9, 10]
    assert journal.verify(conn) is None
    (fact,) = record(conn, produced())
    assert fact.seq == 11


def test_the_last_fact_and_what_is_young_stay() -> None:
    conn = empty()
    record(conn, *[produced() for _ in range(5)])
    record(conn, *[produced() for _ in range(5)], at=START + 10 * DAY)
    deliver(conn, 10)
    assert purged(conn, START) == 0
    assert purged(conn, START + DAY) == 5
    assert purged(conn) == 9
    assert seqs(conn) == [10]


def test_nothing_behind_a_parked_fact_goes() -> None:
    conn = empty()
    made = record(conn, *[produced(f"J{number}") for number in range(6)])
    settle(conn, "erp", [Refused(made[2].id, "closed_order", "closed")], START)
    deliver(conn, 2)
    settle(conn, "erp", [Applied(fact.id, "B") for fact in made[3:]], START)
    assert purged(conn) == 2


def test_a_fact_and_what_takes_it_back_go_together() -> None:
    conn = empty()
    record(conn, produced(), *[produced() for _ in range(600)], correction("f1"), produced(), produced())
    deliver(conn, 601)
    assert purged(conn) == 0, "the correction is not delivered yet"
    deliver(conn, 604)
    assert purged(conn) == 603


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM journal WHERE seq = 1",
        "DELETE FROM journal WHERE seq > 3",
        "UPDATE base SET seq = 4, hash = (SELECT hash FROM journal WHERE seq = 4)",
        "UPDATE base SET seq = 2, hash = (SELECT hash FROM journal WHERE seq = 1)",
        "UPDATE base SET seq = 2, hash = zeroblob(32)",
        "DELETE FROM base",
        "INSERT OR REPLACE INTO base VALUES (1, 2, zeroblob(32))",
    ],
)
def test_the_file_itself_refuses_any_other_deletion(statement: str) -> None:
    conn = empty()
    record(conn, *[produced() for _ in range(6)])
    deliver(conn, 3)
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(statement)
    assert seqs(conn) == [1, 2, 3, 4, 5, 6]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_figure_of_a_job_changes(data: st.DataObject) -> None:
    conn = empty()
    jobs = ("J1", "J2", "J3")
    made: list[Fact] = []
    for _ in range(data.draw(st.integers(5, 40))):
        about = data.draw(st.sampled_from(jobs))
        open_ = [f for f in made if f.body.about == about and not hasattr(f.body, "corrects")]
        taking_back: bool = data.draw(st.booleans())
        if open_ and taking_back:
            target: Fact = data.draw(st.sampled_from(open_))
            taken = {getattr(fact.body, "corrects", "") for fact in made}
            body: AnyFact = produced(about) if target.id in taken else correction(target.id, about)
        else:
            body = produced(about, "3") if data.draw(st.booleans()) else scrapped(about, "2")
        made += record(conn, body)
    last = len(made)
    for about in jobs[:2]:
        as_of = data.draw(st.integers(0, last))
        take(conn, "erp", page(job(about, good="7"), as_of=as_of, cursor=about), START)
    deliver(conn, data.draw(st.integers(0, last)))
    before = {about: progress(conn, about) for about in jobs}
    gone = purged(conn)
    assert {about: progress(conn, about) for about in jobs} == before
    assert journal.verify(conn) is None
    assert seqs(conn) == list(range(gone + 1, last + 1))
    take(conn, "erp", page(job("J3", good="9"), as_of=last, cursor="x"), START)
    record(conn, produced("J3", "4"))
    assert progress(conn, "J3").good == 13


async def _aged(folder: Path, facts: int = 400, delivered: int = 300) -> tuple[Store, ManualClock]:
    """A journal whose facts are all too old, the first of them delivered, with a mirror of many files."""
    clock = ManualClock()
    store = await Store.open(folder / "journal.db", "agent-1", clock)
    store._mirror._segment = 4000
    for _ in range(facts // 10):
        entries = [Entry(clock.new_id(), produced()) for _ in range(10)]
        await store.write(lambda conn, some=entries: store.record(conn, some, clock.now(), "T1", "P1"))  # type: ignore[misc]
    await JournalOutbox(store, "erp", clock).settle(
        [Applied(fact.id, "B") for fact in await store.read(lambda conn: journal.facts(conn, 0, delivered))]
    )
    clock.advance(500 * 86_400)
    entry = Entry(clock.new_id(), produced())
    await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
    return store, clock


async def _steps(store: Store, clock: ManualClock, steps: int = 6) -> None:
    keeper = Housekeeper(store, clock, ("erp",), KEEP)
    for _ in range(steps):
        await keeper.step()
        clock.advance(1)


async def test_the_housekeeper_lets_old_facts_go_and_the_mirror_with_them(tmp_path: Path) -> None:
    store, clock = await _aged(tmp_path)
    try:
        mirrored = len([*(tmp_path / "mirror").glob("facts-*")])
        await _steps(store, clock)
        assert await store.read(lambda conn: base_of(conn).seq) == 300
        assert await store.read(journal.verify) is None
        assert len([*(tmp_path / "mirror").glob("facts-*")]) < mirrored / 2
    finally:
        await store.close()


async def test_a_clock_that_is_wrong_lets_nothing_go(tmp_path: Path) -> None:
    store, clock = await _aged(tmp_path)
    try:
        clock.trust = False
        await _steps(store, clock)
        assert await store.read(lambda conn: base_of(conn).seq) == 0
    finally:
        await store.close()


async def test_a_pc_that_wakes_up_in_the_wrong_year_forgets_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    try:
        entries = [Entry(clock.new_id(), produced()) for _ in range(10)]
        made = await store.write(lambda conn: store.record(conn, entries, clock.now(), "T1", "P1"))
        await JournalOutbox(store, "erp", clock).settle([Applied(fact.id, "B") for fact in made])
        clock.step_wall(20 * 365 * 86_400)
        await _steps(store, clock)
        assert await store.read(lambda conn: base_of(conn).seq) == 0
    finally:
        await store.close()


async def test_a_pc_that_was_started_in_the_wrong_year_purges_by_no_time_that_nobody_confirmed(tmp_path: Path) -> None:
    store = await _in_use(tmp_path, START)
    wrong, uptime = START.timestamp() + 730 * 86_400, 40.0
    clock = SystemClock(lambda: wrong + uptime, lambda: uptime)
    store._clock = clock
    clock.continues(await store.read(journal.last_trusted))
    keeper = Housekeeper(store, clock, ("erp",), KEEP)
    try:
        for day in range(4):
            (fact,) = await _one_more(store, clock)
            assert not fact.clock_ok
            clock.compared("erp", START + timedelta(seconds=uptime))
            uptime += 86_400
            await keeper.step()
            assert await store.read(lambda conn: base_of(conn).seq) == 0, day
        clock.compared("erp", clock.now())  # time went by indeed: two years
        assert (await _one_more(store, clock))[0].clock_ok
        uptime += 86_400
        await keeper.step()
        assert await store.read(lambda conn: base_of(conn).seq) == 50
    finally:
        await store.close()


@pytest.mark.parametrize("told", [True, False])
async def test_a_plausible_time_purges_only_where_nobody_could_confirm_it(told: bool, tmp_path: Path) -> None:
    store = await _in_use(tmp_path, START)
    clock = SystemClock(lambda: START.timestamp() + 450 * 86_400, lambda: 40.0)
    store._clock = clock  # an agent that ran all the time: nothing speaks against its clock
    keeper = Housekeeper(store, clock, ("erp",), KEEP, told)
    try:
        assert (await _one_more(store, clock))[0].clock_ok
        await keeper.step()
        assert await store.read(lambda conn: base_of(conn).seq) == (0 if told else 50)
    finally:
        await store.close()


async def test_a_clock_that_nobody_ever_confirms_keeps_no_report_out(tmp_path: Path) -> None:
    """The ERP takes everything and never says what time it is: what it has goes when there is no room."""
    uptime = 40.0
    clock = SystemClock(lambda: START.timestamp() + uptime, lambda: uptime)
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock, quota=1_800_000)
    keeper = Housekeeper(store, clock, ("erp",), Keep(400 * DAY, 3 * DAY))
    outbox, gone = JournalOutbox(store, "erp", clock), 0
    try:
        for _ in range(60):
            entries = [Entry(clock.new_id(), produced()) for _ in range(50)]
            made = await store.write(lambda conn, some=entries: store.record(conn, some, clock.now(), "T1", "P1"))  # type: ignore[misc]
            await outbox.settle([Applied(fact.id, "B") for fact in made])
            uptime += 86_400
            room = not await store.crowded()
            await keeper.step()
            before, gone = gone, await store.read(lambda conn: base_of(conn).seq)
            assert gone == before or not room, "while there is room nothing goes that nobody can date"
        assert 0 < gone <= (60 - 3) * 50, "and what is younger than keep_days_full stays"
    finally:
        await store.close()


async def test_a_clock_that_is_doubted_lets_nothing_go_however_full_it_is(tmp_path: Path) -> None:
    store, clock = await _aged(tmp_path)
    store._quota = 1
    try:
        clock.trust = False
        await _steps(store, clock, 12)
        assert await store.read(lambda conn: base_of(conn).seq) == 0
    finally:
        await store.close()


async def _in_use(folder: Path, at: datetime) -> Store:
    """A journal of fifty facts of that time, all delivered."""
    clock = ManualClock(at)
    store = await Store.open(folder / "journal.db", "agent-1", clock)
    for _ in range(50):
        await _one_more(store, clock)
    return store


async def _one_more(store: Store, clock: Clock) -> tuple[Fact, ...]:
    """One more fact, delivered."""
    entry = Entry(clock.new_id(), produced())
    made = await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
    await JournalOutbox(store, "erp", clock).settle([Applied(fact.id, "B") for fact in made])
    return made


def test_a_fact_whose_clock_was_not_trusted_is_as_old_as_the_next_that_was() -> None:
    conn = empty()
    for at, trusted in [
        (START, True), (START - 9000 * DAY, False), (START + 9000 * DAY, False), (START + DAY, True),
        (START - 9000 * DAY, False), (START + 40 * DAY, True), (START + 41 * DAY, True),
    ]:  # fmt: skip
        journal.append(conn, "a", [Entry(ManualClock().new_id()[:-4] + f"{conn.total_changes:04d}", produced())],
                       at, at, trusted, "T1", "P1")  # fmt: skip
    deliver(conn, 7)
    assert purged(conn, START) == 0
    assert purged(conn, START + 2 * DAY) == 4, "the fifth is not as old as it says"
    assert purged(conn, START + 41 * DAY) == 6


@pytest.mark.parametrize("name", [name for name in DAMAGES if name.startswith("database")])
@pytest.mark.parametrize("mirror", [True, False])
async def test_a_journal_that_lost_its_front_is_mended_to_the_rest(name: str, mirror: bool, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    store, clock = await _aged(tmp_path / "a")
    await _steps(store, clock)
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "a", killed)
    await store.close()
    if not mirror:
        shutil.rmtree(killed / "mirror")
    DAMAGES[name](killed, random.Random(3))
    if not (killed / "journal.db").exists() and not mirror:
        return  # neither database nor mirror: a new PC
    last = 401 if mirror else _last_on_disk(killed)
    store = await Store.open(killed / "journal.db", "agent-1", clock)
    try:
        assert await store.read(journal.verify) is None
        found = await store.read(lambda conn: journal.facts(conn, 0, 1000))
        assert found[-1].seq == last
        if mirror:
            assert [fact.seq for fact in found] == list(range(301, 402))
            assert not [fact for fact in found if type(fact.body).__name__ == "FactLost"]
        entry = Entry(clock.new_id(), produced())
        (fact,) = await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
        assert fact.seq == last + 1
    finally:
        await store.close()


def _last_on_disk(folder: Path) -> int:
    pages, log = ((folder / name).read_bytes() for name in ("journal.db", "journal.db-wal"))
    return max(record.seq for record in (*carve_database(pages), *carve_log(log)))


async def test_damage_in_old_rows_is_told_and_mended_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the rows that a start looks at: found in the background, told, and nothing is let go meanwhile."""
    monkeypatch.setattr("edge_agent.store.recovery.CHECKED", 50)
    store, clock = await _aged(tmp_path)
    await store.close()
    altered(tmp_path / "journal.db", "UPDATE journal SET person = 'P2' WHERE seq = 40")
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    assert await store.problems() == ()
    await _steps(store, clock)
    assert "Row 40" in " ".join(await store.problems())
    assert await store.read(lambda conn: base_of(conn).seq) == 0
    await store.close()
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    try:
        assert "mended" in " ".join(await store.problems())
        assert await store.read(journal.verify) is None
        (fact,) = await store.read(lambda conn: journal.facts(conn, 39, 1))
        assert fact.person == "P1"
        assert not (tmp_path / "journal.suspect").exists()
    finally:
        await store.close()


async def test_at_its_quota_the_journal_refuses_delivers_and_makes_room(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "journal.db"
    store = await Store.open(path, "agent-1", clock, quota=2_400_000)
    ids = await _until_refused(store, clock)
    assert "journal_max_bytes" in " ".join(await store.problems())
    outbox = JournalOutbox(store, "erp", clock)
    while batch := await outbox.pending(100):
        await outbox.settle([Applied(fact.id, "B") for fact in batch])
    await _steps(store, clock)
    with pytest.raises(StoreError, match="journal_max_bytes"):
        await _report(store, clock)  # all of it is too young to go
    clock.advance(31 * 86_400)
    await store.close()
    store = await Store.open(path, "agent-1", clock, quota=0)  # its newest fact is what the age is counted from
    await _report(store, clock)
    await store.close()
    store = await Store.open(path, "agent-1", clock, quota=2_400_000)
    try:
        await _steps(store, clock, len(ids) // 200 + 5)
        await _report(store, clock)
        assert await store.problems() == ()
        assert path.stat().st_size < 2_400_000 + 100_000
    finally:
        await store.close()


async def _report(store: Store, clock: ManualClock) -> str:
    entries = [Entry(clock.new_id(), produced()) for _ in range(20)]
    await store.write(lambda conn: store.record(conn, entries, clock.now(), "T1", "P1"))
    return entries[0].id


async def _until_refused(store: Store, clock: ManualClock) -> list[str]:
    ids: list[str] = []

    async def go_on() -> None:
        for _ in range(1000):
            ids.append(await _report(store, clock))

    with pytest.raises(StoreError, match="journal_max_bytes"):
        await go_on()
    return ids




def test_a_request_that_is_open_stays_with_all_behind_it() -> None:
    conn = empty()
    asked = MaintenanceRequested(
        about=about("r1"), request="r1", equipment="E1", symptom="LEAK", priority=2, stopped=False
    )
    record(conn, *[produced() for _ in range(3)], asked, *[produced() for _ in range(3)])
    deliver(conn, 7)
    assert purged(conn) == 3
    with pytest.raises(sqlite3.IntegrityError, match="nobody refers to"):
        conn.execute("UPDATE base SET seq = 4, hash = (SELECT hash FROM journal WHERE seq = 4)")
    over = MaintenanceCompleted(
        about=about("r1"), request="r1", equipment="E1", failure="SEAL", tested=True, accepted_by="1001"
    )
    record(conn, over)
    deliver(conn, 8)
    assert purged(conn) == 7


async def test_a_mended_journal_counts_what_left_it_as_reported_and_delivered(tmp_path: Path) -> None:
    store, clock = await _aged(tmp_path)
    await _steps(store, clock)
    before = await store.read(_reported)
    await store.close()
    altered(tmp_path / "journal.db", "UPDATE journal SET person = 'somebody else' WHERE seq = 350")
    store = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    try:
        assert "mended" in " ".join(await store.problems())
        assert await store.read(_reported) == before == [("E1", "J1", 401 * 5)]
        state = await store.read(lambda conn: queue(conn, "erp"))
        assert (state.delivered_seq, state.unsent) == (300, 101), "the ERP is asked for the rest alone"
    finally:
        await store.close()


def _reported(conn: sqlite3.Connection) -> list[tuple[str, str, int]]:
    return conn.execute("SELECT equipment, job, parts FROM reported").fetchall()
