"""What the page on reliability says: every test it names is there, and its figures come from a file."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from bench.figures import Goals
from bench.soak.results import RESULTS, Result, add, read
from bench.soak.rows import ROWS
from docs.reliability import FAULTS, Fault, reliability_page
from tests.docs.markdown import ROOT


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_every_test_that_is_named_is_there(fault: Fault) -> None:
    assert fault.tests, f"no test shows what holds under {fault.id}"
    for named in fault.tests:
        file, _, function = named.partition("::")
        text = (ROOT / "tests" / file).read_text("utf-8")
        assert re.search(rf"^(async )?def {function}\(", text, re.MULTILINE), named
    assert fault.row in ("", *(row.name for row in ROWS))


def test_every_fault_of_the_table_is_there() -> None:
    assert [fault.id for fault in FAULTS] == [f"F{number}" for number in range(1, 24)]


def test_every_row_has_goals_and_its_figures_are_of_a_run() -> None:
    goals, kept = Goals().by_name, read(RESULTS)
    for row in ROWS:
        assert set(row.figures) <= set(goals)
        assert kept[row.name].count >= row.quick, f"{row.name} was kept of fewer than each change runs"


def test_a_row_prints_its_real_count_and_what_was_missed() -> None:
    result = Result(7, {"kills": 7, "confirmed": 70, "lost": 2}, "2026-01-01", "a PC")
    page = reliability_page({"kills": result})
    (line,) = [line for line in page.splitlines() if line.startswith("| kill -9")]
    assert "| 100 | 10,000 | 7 |" in line
    assert "2 (<= 0) **MISSED**" in line
    assert page.count("| not yet |") == len(ROWS) - 1


def test_the_page_is_the_one_of_the_file() -> None:
    assert (ROOT / "docs" / "reliability.md").read_text("utf-8") == reliability_page()


def test_results_are_added_where_a_run_goes_on(tmp_path: Path) -> None:
    machine, path = {"cpu": "c", "cores": 2, "python": "3", "kernel": "k"}, tmp_path / "soak.json"
    add(path, {"cuts": Counter(cuts=5, lost=0)}, {"cuts": (0, 5)}, machine)
    add(path, {"cuts": Counter(cuts=3, lost=1)}, {"cuts": (5, 3)}, machine)
    assert (read(path)["cuts"].count, read(path)["cuts"].counts) == (8, {"cuts": 8, "lost": 1})
    add(path, {"cuts": Counter(cuts=4)}, {"cuts": (0, 4)}, machine)
    assert (read(path)["cuts"].count, read(path)["cuts"].counts) == (4, {"cuts": 4})
