"""Facts that are brought back one after the other: by the mirror, else by the pages, whatever is missing of either."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.store import Entry, Store, journal
from edge_agent.store.carving import Pages
from edge_agent.store.disk import DISK
from edge_agent.store.mirror import Mirror
from edge_agent.store.second_copy import SecondCopy
from tests.store.making import produced
from tests.support.manual_clock import ManualClock

FACTS = 3000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    asyncio.run(filled(folder))
    return folder


async def filled(folder: Path) -> None:
    clock = ManualClock()
    store = await Store.open(folder / "journal.db", "agent-1", clock)
    for first in range(0, FACTS, 500):
        entries = [Entry(f"id-{first + number}", produced(f"J{number % 9}")) for number in range(500)]
        await store.write(lambda conn, new=entries: store.record(conn, new, clock.now(), "T1", "P1"))  # type: ignore[misc]
    await store.close()


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "pc")


def lines_of(folder: Path) -> tuple[Path, list[bytes]]:
    (file,) = (folder / "mirror").glob("facts-*")
    return file, file.read_bytes().splitlines(keepends=True)


def found(folder: Path) -> list[str]:
    """The id of each number, empty for one that nothing has."""
    mirror = Mirror(folder / "mirror")
    mirror.open()
    pages = Pages(folder / "journal.db", DISK.read(folder / "journal.db-wal"), DISK)
    each = list(SecondCopy(mirror, pages, 0).facts())
    assert [one.seq for one in each] == list(range(1, len(each) + 1))
    return [one.content[1] if one.content else "" for one in each]


ALL = [f"id-{number}" for number in range(FACTS)]


def test_what_the_mirror_misses_comes_from_the_pages(folder: Path) -> None:
    file, lines = lines_of(folder)
    del lines[2900:], lines[1000:2200], lines[7], lines[0]
    file.write_bytes(b"".join(lines))
    assert found(folder) == ALL


def test_without_a_mirror_the_pages_have_all(folder: Path) -> None:
    shutil.rmtree(folder / "mirror")
    assert found(folder) == ALL


def test_without_a_database_the_mirror_has_all(folder: Path) -> None:
    (folder / "journal.db").unlink()
    assert found(folder) == ALL


def test_lines_that_stand_behind_higher_numbers_are_found(folder: Path) -> None:
    (folder / "journal.db").unlink()
    file, lines = lines_of(folder)
    late = lines[40:60]
    del lines[40:60]
    file.write_bytes(b"".join([*lines, *late, *lines[-5:]]))
    assert found(folder) == ALL


def test_what_neither_has_is_named_and_nothing_else(folder: Path) -> None:
    (folder / "journal.db").unlink()
    file, lines = lines_of(folder)
    del lines[500:502]
    file.write_bytes(b"".join(lines))
    assert found(folder) == [*ALL[:500], "", "", *ALL[502:]]


def test_a_number_that_rotted_on_a_page_hides_no_row_beside_it(folder: Path) -> None:
    shutil.rmtree(folder / "mirror")
    pages = Pages(folder / "journal.db", b"", DISK)
    low, high, place = pages._narrow[20]
    content = bytearray((folder / "journal.db").read_bytes())
    page = content[place * 4096 : (place + 1) * 4096]
    begin = int.from_bytes(page[8:10], "big")
    content[place * 4096 + begin + 3] |= 0x80  # its number goes on, into what was the record
    (folder / "journal.db").write_bytes(content)
    got = found(folder)
    assert [number for number, id in enumerate(got, 1) if id != ALL[number - 1]] == [low]
    assert low < high


@pytest.mark.parametrize("whole", [True, False])
async def test_a_mirror_that_has_every_row_stays_and_another_is_made_anew(folder: Path, whole: bool) -> None:
    file, lines = lines_of(folder)
    if not whole:
        del lines[100]
        file.write_bytes(b"".join(lines))
    with (folder / "journal.db").open("r+b") as database:
        database.seek(4096 * 20)
        database.write(bytes(4096))
    inode = file.stat().st_ino
    store = await Store.open(folder / "journal.db", "agent-1", ManualClock())
    try:
        assert await store.read(journal.verify) is None
        assert [fact.id for fact in await store.read(lambda conn: journal.facts(conn, 0, FACTS))] == ALL
    finally:
        await store.close()
    assert (file.stat().st_ino == inode) is whole
    assert len(lines_of(folder)[1]) == FACTS


async def test_a_power_cut_between_the_two_renames_is_finished_and_the_mirror_stays(folder: Path) -> None:
    """As the moment leaves it in which the new file is whole and the old one is gone aside."""
    with closing(sqlite3.connect(folder / "journal.db")) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (folder / "journal.db").rename(folder / "journal.mended")
    store = await Store.open(folder / "journal.db", "agent-1", ManualClock())
    try:
        assert await store.read(journal.last_seq) == FACTS
    finally:
        await store.close()
    assert len(lines_of(folder)[1]) == FACTS
