"""The soak: its plan is what was asked for, each row works off its parts, and what can not run is told."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from bench.figures import Goals
from bench.soak import __main__ as soak
from bench.soak import lanes
from bench.soak.results import read
from bench.soak.rows import ROWS, work
from tests.crash import cuts, full_disk


def test_parts_are_the_whole_without_a_gap() -> None:
    for row in ROWS:
        for begin, count in ((0, row.quick), (row.quick, row.long)):
            numbers = [n for first, part in row.parts(begin, count) for n in range(first, first + part)]
            assert numbers == list(range(begin, begin + count)), row.name


def test_rows_are_measured_kept_and_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "soak.json"
    asked = ["--quick", "--strict", "--only", "cuts", "--only", "strings", "--strings", "10", "--lanes", "0"]
    assert soak.main([*asked, "--cuts", "20", "--keep", str(kept)]) == 1, "20 cuts are fewer than the goal asks for"
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    values = {each["name"]: each["value"] for each in told["figures"]}
    assert (values["soak_cuts"], values["soak_cut_lost"], values["soak_cut_corrupt"]) == (20, 0, 0)
    assert (values["soak_strings"], values["soak_string_harmful"]) == (10, 0)
    assert values["soak_string_lines"] > 100
    soak.main([*asked, "--cuts", "10", "--keep", str(kept), "--more"])
    assert (read(kept)["cuts"].count, read(kept)["cuts"].counts["cuts"]) == (30, 30)


def test_a_row_counts_the_mistake_that_it_finds(tmp_path: Path) -> None:
    assert work("bugs", 0, 1) == {"bugs": 1, "missed": 0}


REQUIRED = {
    "soak_kills": 10_000, "soak_seeds": 10_000, "soak_cuts": 100_000, "soak_images": 1_000, "soak_io_seeds": 2_000,
    "soak_ext4_cuts": 1_000, "soak_sweep_upgrades": len({*cuts.newest(), *cuts.pairs()}),
    "soak_full": len(full_disk.LEAVES), "soak_strings": 100_000, "offline_hours": 72, "offline_reports": 100_000,
    "memory_minutes": 24 * 60, "drain_facts": 100_000,
}  # fmt: skip


def test_a_long_soak_has_to_be_long() -> None:
    """What the long run promises is the goal of its figures; a new schema brings pairs of upgrades with it."""
    goals = Goals().by_name
    assert {name: goals[name].of_a_long_run.at_least for name in REQUIRED} == REQUIRED
    for row in ROWS:
        told = goals[next(iter(row.figures))].of_a_long_run.at_least
        assert told is None or told <= row.long, row.name


def counts_only(name: str, first: int, count: int) -> Counter[str]:
    """In place of the work of the row of strings."""
    return Counter({name: count, "drawn": count})


def test_a_long_soak_that_was_shorter_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "work", counts_only)
    kept, asked = tmp_path / "soak.json", ["--only", "strings", "--lanes", "0"]
    assert soak.main([*asked, "--quick", "--strict", "--strings", "400"]) == 0
    assert soak.main([*asked, "--strict", "--strings", "400", "--keep", str(kept)]) == 1
    assert "MISSED: soak_strings" in capsys.readouterr().err
    soak.main([*asked, "--strings", "10", "--keep", str(kept), "--more"])
    figures = {each["name"]: each for each in json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]}
    assert (figures["soak_strings"]["value"], figures["soak_strings"]["goal"]) == (410, ">= 100000")


def test_going_on_needs_a_file_to_go_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        soak.main(["--more"])
    assert "--keep" in capsys.readouterr().err


def breaks_at_250(name: str, first: int, count: int) -> Counter[str]:
    """In place of the work of any row."""
    if first == 250:
        raise OSError("no room is left")
    return Counter({"cuts": count} if name == "cuts" else {"images": count, "harmed": count})


def test_a_part_that_ends_with_a_fault_is_told_and_fails_and_costs_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "work", breaks_at_250)
    kept, asked = tmp_path / "soak.json", ["--only", "cuts", "--only", "damage", "--cuts", "1250", "--damage", "75"]
    assert soak.main([*asked, "--strict", "--lanes", "1", "--keep", str(kept)]) == 1
    out, err = capsys.readouterr()
    assert "BROKEN: cuts, 250 from 250 on: OSError: no room is left" in err
    figures = {each["name"]: each for each in json.loads(out.splitlines()[-1])["figures"]}
    assert (figures["soak_broken"]["value"], figures["soak_broken"]["ok"]) == (1, False)
    assert (figures["soak_cuts"]["value"], figures["soak_images"]["value"]) == (1000, 75)
    rows = read(kept)
    assert (rows["cuts"].count, rows["cuts"].counts["cuts"]) == (250, 250), "kept up to the part that is missing"
    assert (rows["damage"].count, rows["damage"].counts["images"]) == (75, 75)
    monkeypatch.setattr(lanes, "work", work)
    soak.main([*asked[:2], "--cuts", "20", "--lanes", "0", "--keep", str(kept), "--more"])
    assert read(kept)["cuts"].count == 270, "and gone on from there"


def test_what_is_measured_alone_is_told_in_its_own_unit_and_kept_as_the_last_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "soak.json"
    for _ in range(2):
        soak.main(["--only", "size", "--size", "2000", "--lanes", "0", "--keep", str(kept), "--more"])
        figures = json.loads(capsys.readouterr().out.splitlines()[-1])["figures"]
        (size,) = (each["value"] for each in figures if each["name"] == "fact_bytes")
        assert 300 < size < 700
        assert read(kept)["size"].count == 2000
        assert read(kept)["size"].counts["fact_bytes"] == pytest.approx(size * 1000)
