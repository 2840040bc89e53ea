"""Runs of the simulation: the product loses nothing in any of them, and a seed is the same run every time."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.sim.__main__ import line, seeds
from tests.sim.world import run

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NEW = 2  # seeds beside those that found something; the soak has hundreds


def start(text: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.sim", "--seeds", text]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})


def end(process: subprocess.Popen[str]) -> tuple[list[str], dict[str, Any]]:
    """The lines of seeds that fail, and the summary."""
    told, _ = process.communicate(timeout=300)
    *failing, summary = told.splitlines()
    return failing, json.loads(summary)


def regressions() -> list[int]:
    """The seeds that once found something."""
    lines = (HERE / "seeds" / "regressions.txt").read_text(encoding="utf-8").splitlines()
    return [int(line.split()[0]) for line in lines if line and not line.startswith("#")]


def test_nothing_is_lost_doubled_or_out_of_order() -> None:
    ran = [run(seed) for seed in (*range(NEW), *regressions())]
    assert [line(each) for each in ran if each.violations] == []
    totals = sum((each.counts for each in ran), Counter[str]())
    assert totals["cuts"] > 2 * len(ran), "the power goes on and off"
    assert totals["erp_cuts"] > len(ran) // 2, "that of the ERP as well"
    assert totals["saved"] > 20 * len(ran), "and people get their work done"


def test_a_seed_is_the_same_run_in_every_process() -> None:
    logs = {end(process)[1]["log"] for process in [start("3", PYTHONHASHSEED=str(n)) for n in range(2)]}
    here = run(3).log
    assert logs == {hashlib.sha256(here.encode()).hexdigest()[:16]}
    assert here != run(4).log


@pytest.mark.parametrize(
    ("text", "those"), [("3..5", [3, 4, 5]), ("7", [7]), ("1..2,9,4..4", [1, 2, 9, 4]), ("5..6,", [5, 6])]
)
def test_seeds_are_told_as_ranges(text: str, those: list[int]) -> None:
    assert seeds(text) == those
