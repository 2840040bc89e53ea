"""The second copy is looked over as well: a line that rots is there again before anybody needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from edge_agent.housekeeping import Housekeeper, Keep
from edge_agent.store import Connection, Entry, Store, journal
from edge_agent.store.mirror import Mirror
from edge_agent.store.mirror_lines import line_of
from edge_agent.store.records import after, chained
from sync.contract import FactLost
from tests.store.making import altered, produced
from tests.support.manual_clock import ManualClock

FACTS = 400
ALL = [f"id-{number}" for number in range(FACTS)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """With a mirror of several files."""
    monkeypatch.setattr("edge_agent.store.Mirror", partial(Mirror, segment=10_000))
    opened = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    for first in range(0, FACTS, 20):
        entries = [Entry(id, produced()) for id in ALL[first : first + 20]]
        await opened.write(lambda conn, new=entries: opened.record(conn, new, clock.now(), "T1", "P1"))  # type: ignore[misc]
    assert len(files(tmp_path)) > 3
    yield opened
    await opened.close()


def files(folder: Path) -> list[Path]:
    return sorted((folder / "mirror").glob("facts-*"))


def mirrored(store: Store) -> list[str]:
    return [line.content[1] for line in store._mirror.lines()]


async def look(store: Store) -> int:
    """A whole round; how many lines were written again."""
    for _ in range(1000):
        before = store.mirror_round
        if await store.look_over_mirror(7):
            return before.mended
    raise AssertionError("the round does not end")


def flip(file: Path, line: int) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    line %= len(lines)
    rotten = bytearray(lines[line])
    rotten[40] ^= 1
    file.write_bytes(b"".join([*lines[:line], bytes(rotten), *lines[line + 1 :]]))


async def test_a_whole_mirror_is_left_as_it_is(store: Store, tmp_path: Path) -> None:
    inodes = [each.stat().st_ino for each in files(tmp_path)]
    assert await look(store) == 0
    assert [each.stat().st_ino for each in files(tmp_path)] == inodes


@pytest.mark.parametrize(("file", "line"), [(0, 0), (0, 50), (1, -1), (2, 3), (-1, -1)])
async def test_a_bit_of_any_line_is_put_right(store: Store, tmp_path: Path, file: int, line: int) -> None:
    flip(files(tmp_path)[file], line)
    assert mirrored(store) != ALL
    assert await look(store) == 1
    assert mirrored(store) == ALL
    assert await look(store) == 0


async def test_lines_and_files_that_are_gone_are_written_again(store: Store, tmp_path: Path) -> None:
    first, second, third, *_ = files(tmp_path)
    first.unlink()
    second.write_bytes(b"".join(second.read_bytes().splitlines(keepends=True)[:-4]))
    third.unlink()
    assert await look(store) > 100
    assert sorted(mirrored(store)) == sorted(ALL)
    await store.write(lambda conn: store.record(conn, [Entry("more", produced())], ManualClock().now(), "T1", "P1"))
    assert sorted(mirrored(store)) == sorted([*ALL, "more"])


def swap(file: Path, line: int) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    lines[line], lines[line + 1] = lines[line + 1], lines[line]
    file.write_bytes(b"".join(lines))


@pytest.mark.parametrize("file", [0, 1, -1])
async def test_lines_out_of_order_are_put_in_order_once(store: Store, tmp_path: Path, file: int) -> None:
    swap(files(tmp_path)[file], 3)
    assert mirrored(store) != ALL
    assert await look(store) == 0
    assert mirrored(store) == ALL
    inodes = [each.stat().st_ino for each in files(tmp_path)]
    assert await look(store) == 0
    assert [each.stat().st_ino for each in files(tmp_path)] == inodes


async def test_what_is_no_line_goes_once(store: Store, tmp_path: Path) -> None:
    """As a write that failed leaves it, which was done again behind it."""
    whole = files(tmp_path)[1].read_bytes()
    files(tmp_path)[1].write_bytes(b"12345678 =half\n" + whole)
    assert await look(store) == 0
    assert files(tmp_path)[1].read_bytes() == whole


async def test_a_row_that_rotted_itself_is_not_copied(store: Store, tmp_path: Path) -> None:
    flip(files(tmp_path)[1], 2)
    missing = (set(ALL) - set(mirrored(store))).pop()
    altered(tmp_path / "journal.db", f"UPDATE journal SET person = 'P2' WHERE id = '{missing}'")
    assert await look(store) == 0
    assert missing not in mirrored(store)
    assert "is not what was written" in store.damage


async def test_a_row_that_rots_before_it_was_copied_gets_no_second_copy(store: Store, clock: ManualClock) -> None:
    """The rot comes in with the commit itself. The facts around it are kept, it is told of, and the office hears."""

    def rotten(conn: Connection) -> None:
        store.record(conn, [Entry(id, produced()) for id in ("before", "it", "behind")], clock.now(), "T1", "P1")
        (guard,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'journal_update'").fetchone()
        conn.execute("DROP TRIGGER journal_update")
        conn.execute("UPDATE journal SET payload = replace(payload, '5', '6') WHERE id = 'it'")
        conn.execute(guard)

    await store.write(rotten)
    assert mirrored(store) == [*ALL, "before"]
    assert store.damage == f"Row {FACTS + 2} of the journal is not what was written."
    path = store._path
    await store.close()
    again = await Store.open(path, "agent-1", clock)
    try:
        facts = await again.read(lambda conn: journal.facts(conn, FACTS, 10))
        told = ["lost" if isinstance(fact.body, FactLost) else fact.id for fact in facts]
        assert told == ["before", "lost", "behind"]
    finally:
        await again.close()


@pytest.mark.parametrize("rot", ["hash = zeroblob(32)", "hash = zeroblob(32), person = CAST(x'ff' AS TEXT)"])
async def test_the_line_of_a_row_that_rotted_is_kept_and_brings_it_back(
    store: Store, tmp_path: Path, clock: ManualClock, rot: str
) -> None:
    """Also when another line of the same file rotted: that one is still in the journal."""
    altered(tmp_path / "journal.db", f"UPDATE journal SET {rot} WHERE seq = 5")
    flip(files(tmp_path)[0], 7)
    before = files(tmp_path)[0].read_bytes()
    assert await look(store) == 0
    assert files(tmp_path)[0].read_bytes() == before
    assert store.damage == "Row 5 of the journal is not what was written."
    await store.close()
    again = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    try:
        facts = await again.read(lambda conn: journal.facts(conn, 0, 1000))
        assert [(fact.id, fact.person) for fact in facts] == [(id, "P1") for id in ALL]
    finally:
        await again.close()


async def test_a_line_that_is_not_its_sound_row_is_written_anew(store: Store, tmp_path: Path) -> None:
    row = await store.read(lambda conn: next(after(conn, 4, 1)))
    other = line_of(chained((*row.content[:7], "P2", row.content[8]), row.previous))
    file = files(tmp_path)[0]
    whole = file.read_bytes()
    file.write_bytes(whole.replace(line_of(row), other))
    assert await look(store) == 1
    assert file.read_bytes() == whole
    assert store.damage == ""


async def test_the_housekeeper_does_it_in_its_rounds_and_a_lost_database_costs_nothing(
    store: Store, tmp_path: Path, clock: ManualClock
) -> None:
    flip(files(tmp_path)[1], 2)
    keeper = Housekeeper(store, clock, ["erp"], Keep(*[clock.now() - clock.now()] * 2))
    for _ in range(200):
        await keeper.step()
    assert mirrored(store) == ALL
    await store.close()
    (tmp_path / "journal.db").write_bytes(bytes(100_000))
    again = await Store.open(tmp_path / "journal.db", "agent-1", clock)
    try:
        assert [fact.id for fact in await again.read(lambda conn: journal.facts(conn, 0, 1000))] == ALL
    finally:
        await again.close()


async def test_a_mirror_without_a_line_yet_is_looked_over(tmp_path: Path, clock: ManualClock) -> None:
    store = await Store.open(tmp_path / "new" / "journal.db", "agent-1", clock)
    assert await store.look_over_mirror(100)
    await store.close()
