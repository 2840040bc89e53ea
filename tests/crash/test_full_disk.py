"""A full disk: nothing is called saved, what is saved goes on to the ERP, and room alone mends it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.store.reserve import PARTS, SIZE, Reserve
from tests.crash.full_disk import LEAVES, filled
from tests.crash.small_disk import NoSmallDisk, fill, small_disk
from tests.support.optional import missing


@pytest.mark.parametrize("leave", LEAVES[:6])
async def test_a_full_disk_refuses_sends_and_mends(tmp_path: Path, leave: int) -> None:
    try:
        told = await filled(tmp_path, [leave])
    except NoSmallDisk as error:
        missing(str(error))
    wrong = ("lost", "broken", "unsent", "untold", "stuck", "refused_starts")
    assert {name: told[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert told["refused"] == 3, "at first, behind what was sent, and behind the start"
    assert told["saved"] > 50


async def test_a_disk_without_a_reserve_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reserve, "ensure", lambda reserve: False)
    try:
        told = await filled(tmp_path, [0])
    except NoSmallDisk as error:
        missing(str(error))
    assert told["unsent"] or told["refused_starts"] or told["stuck"]


def test_the_reserve_does_not_come_and_go(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 20) as disk:
        reserve = Reserve(disk)
        assert reserve.ensure()
        parts = sorted(disk.glob("reserve-*"))
        assert [part.stat().st_blocks * 512 >= SIZE for part in parts] == [True] * PARTS
        fill(disk / "somebody.log")
        reserve.drop()
        assert reserve.tight
        assert not reserve.ensure()  # just as much as the part itself is free, and nothing beside it
        (disk / "somebody.log").unlink()
        assert reserve.ensure()
        assert not reserve.tight
