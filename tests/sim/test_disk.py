"""The simulated disk: what is synced survives a power cut, everything else is a matter of luck."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path
from random import Random

import pytest

from edge_agent.store.database import connect
from tests.sim.disk import Drive, power_can_go
from tests.sim.platter import SECTOR, Platter, PowerCut

FILE = Path("/data/a")


def left(seed: int, *, synced: bool, lies: bool = False) -> bytes:
    """What a power cut leaves of 4 sectors that were written over zeros."""
    platter = Platter(Random(seed))
    drive = Drive(platter, Random(0).randbytes)
    disk = drive.plug()
    file = disk.append(FILE)
    disk.sync_folder(FILE.parent)
    platter.lies = lies
    file.write(b"x" * 4 * SECTOR)
    if synced:
        file.sync()
    platter.lose_power()
    found = drive.plug().read(FILE)
    drive.close()
    return found


def test_what_was_synced_is_there() -> None:
    assert {left(seed, synced=True) for seed in range(50)} == {b"x" * 4 * SECTOR}


def test_what_was_not_synced_may_be_whole_gone_torn_or_garbage() -> None:
    found = {left(seed, synced=False) for seed in range(300)}
    assert {b"", b"x" * 4 * SECTOR} < found
    assert any(0 < len(each) < 4 * SECTOR for each in found)
    assert any(set(each) - {0, ord("x")} for each in found)


def test_a_drive_that_lies_keeps_nothing_for_sure() -> None:
    assert len({left(seed, synced=True, lies=True) for seed in range(50)}) > 1


def test_names_are_safe_in_their_order_after_the_folder_is_synced() -> None:
    outcomes = set()
    for seed in range(50):
        platter = Platter(Random(seed))
        for name in ("/d/1", "/d/2", "/e/3"):
            platter.make(name)
        platter.sync_folder("/d")
        platter.rename("/d/1", "/d/4")
        platter.make("/d/5")
        platter.lose_power()
        outcomes.add(tuple(sorted(platter.names)))
    changed = {("/d/1", "/d/2"), ("/d/1", "/d/2", "/e/3"), ("/d/2", "/d/4", "/e/3"), ("/d/2", "/d/4", "/d/5", "/e/3")}
    assert outcomes <= changed
    assert len(outcomes) > 1


def test_the_dead_can_not_write_and_errors_are_those_of_sqlite() -> None:
    platter = Platter(Random(0))
    drive = Drive(platter, Random(0).randbytes)
    with power_can_go():
        conn = connect(Path("/data/j.db"), drive.plug())
        conn.execute("CREATE TABLE t (a UNIQUE)")
        conn.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(sqlite3.IntegrityError) as twice:
            conn.execute("INSERT INTO t VALUES (1)")
        assert twice.value.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CONSTRAINT
        platter.fault = lambda what: errno.ENOSPC if what == "write" else 0
        with pytest.raises(sqlite3.OperationalError) as full:
            conn.execute("INSERT INTO t VALUES (2)")
        assert full.value.sqlite_errorcode == sqlite3.SQLITE_FULL
        platter.fault = lambda what: 0
        platter.cut_at = platter.operations + 2
        with pytest.raises(PowerCut):
            conn.execute("INSERT INTO t VALUES (3)")
        with pytest.raises(PowerCut):
            conn.execute("SELECT 1")
        again = connect(Path("/data/j.db"), drive.plug())
        assert again.execute("SELECT a FROM t WHERE a < 3").fetchall() == [(1,)]
        drive.close()
