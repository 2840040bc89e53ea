"""The copies of the journal in the data folder: only so many, and none that would fill the disk."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.store import StoreError, schema
from edge_agent.store.backup import KEPT, back_up
from edge_agent.store.database import connect
from edge_agent.store.disk import SystemDisk


class Small(SystemDisk):
    """A disk with one MiB left."""

    def free(self, folder: Path) -> int:
        return 2**20


def test_the_newest_copies_stay_and_what_else_lies_there(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    files = [folder / f"journal-{n:03d}.db" for n in range(KEPT + 3)]
    with closing(connect(tmp_path / "journal.db")) as conn:
        schema.upgrade(conn)
        for file in files:
            assert back_up(conn, file, SystemDisk()) == file.stat().st_size
    assert sorted(folder.iterdir()) == [*files[-KEPT:], folder / "notes.txt"]


def test_a_copy_that_would_fill_the_disk_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "backups" / "journal-1.db"
    with closing(connect(tmp_path / "journal.db")) as conn:
        schema.upgrade(conn)
        with pytest.raises(StoreError, match=r"takes 1 MiB .* has 1 MiB\. Take old files away"):
            back_up(conn, file, Small())
    assert not file.exists()
