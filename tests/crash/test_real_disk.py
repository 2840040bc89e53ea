"""Power cuts on a real ext4: nothing is lost with the settings of the product, and with others the test sees it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.crash.real_disk import NoRealDisk, cut_off
from tests.support.optional import missing


async def cuts(folder: Path, count: int, *bugs: str) -> Counter[str]:
    try:
        return await cut_off(folder, count, 7, *bugs)
    except NoRealDisk as error:
        missing(str(error))


async def test_a_power_cut_takes_nothing_that_was_called_saved(tmp_path: Path) -> None:
    told = await cuts(tmp_path, 4)
    assert (told["lost"], told["damaged"], told["broken"], told["refused_starts"]) == (0, 0, 0, 0)
    assert told["saved"] > 20


@pytest.mark.parametrize("bug", ["synchronous_off", "synchronous_normal"])
async def test_a_database_that_does_not_wait_for_the_disk_is_found(bug: str, tmp_path: Path) -> None:
    """The second copy hides the loss, and the start tells of it; without the second copy facts are gone."""
    mended = await cuts(tmp_path, 3, bug)
    assert mended["damaged"]
    assert not mended["lost"]
    (tmp_path / "bare").mkdir()
    assert (await cuts(tmp_path / "bare", 3, bug, "mirror_not_synced"))["lost"]
