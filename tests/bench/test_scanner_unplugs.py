"""Forty plugs are pulled as the bench pulls a thousand; and the bench would see it if half codes got through."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.scanner_unplugs import Outcome, unplug
from device_drivers.scanners.framing import Framer


async def test_forty_unplugs_give_no_wrong_and_no_merged_code(tmp_path: Path) -> None:
    outcome = await unplug(tmp_path, unplugs=40, scanners=10)
    assert (outcome.wrong, outcome.merged, outcome.lost) == ([], [], 0)
    assert (outcome.unplugs, len(outcome.ready)) == (40, 40)
    assert outcome.mid_scan > 10
    assert max(outcome.ready) <= 2  # the bench asks for 1, on a PC that does nothing else


async def test_a_framer_that_believes_everything_would_be_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Framer, "_look_at_pause", lambda framer, pause: None)
    outcome: Outcome = await unplug(tmp_path, unplugs=40, scanners=20)
    assert outcome.wrong
