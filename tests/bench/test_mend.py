"""The bench of mending measures a start that brings every fact back."""

from __future__ import annotations

from pathlib import Path

from bench import mend


async def test_every_fact_is_back_and_the_start_is_measured(tmp_path: Path) -> None:
    told = {each.name: each for each in await mend.measure(tmp_path / "data", 2000)}
    assert told["mend_facts"].value == 2000
    assert told["mend_seconds"].value > 0
    assert 0 < told["mend_megabytes"].value < 128
    assert [*(tmp_path / "data" / "damaged").iterdir()], "it had something to mend"
