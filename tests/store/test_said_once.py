"""What is lost is said once in the log, and once when it is back."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.store import Entry, Store, StoreError
from edge_agent.store.mirror import Mirror
from edge_agent.store.records import Record
from tests.crash.small_disk import fill, small_disk
from tests.store.making import produced


async def _report(store: Store) -> None:
    clock, entry = SystemClock(), Entry(SystemClock().new_id(), produced())
    await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records]


async def test_a_mirror_that_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    store = await Store.open(tmp_path / "journal.db", "agent-1", SystemClock())
    try:

        def refused(self: Mirror, records: Iterable[Record]) -> None:
            raise OSError(errno.EIO, "the disk fails")

        with monkeypatch.context() as broken:
            broken.setattr(Mirror, "append", refused)
            for _ in range(3):
                await _report(store)
            assert "second copy" in " ".join(await store.problems())
        await _report(store)
        await _report(store)
        assert [each for each in _said(caplog) if each.startswith("mirror")] == ["mirror.behind", "mirror.back"]
        assert await store.problems() == ()
        assert len([*store._mirror.lines()]) == 5
    finally:
        await store.close()


async def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with small_disk(tmp_path / "disk", 24) as disk:
        store = await Store.open(disk / "journal.db", "agent-1", SystemClock())
        try:
            fill(disk / "somebody.log")
            for _ in range(2000):
                try:
                    await _report(store)
                except StoreError:
                    if _said(caplog).count("disk.full"):
                        break
            for _ in range(5):
                with pytest.raises(StoreError, match="full"):
                    await _report(store)
            (disk / "somebody.log").unlink()
            await _report(store)
            await _report(store)
            assert [each for each in _said(caplog) if each.startswith("disk")] == ["disk.full", "disk.back"]
        finally:
            await store.close()
