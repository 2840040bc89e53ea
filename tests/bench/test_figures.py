"""Goals come from their file, a missed one is told, and the last line is for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.figures import GOALS, Goals, percentile
from bench.report import printed

LOADS = {"before": [0.5, 0.4, 0.3], "after": [1.5, 0.6, 0.4]}


def goals(tmp_path: Path, text: str) -> Goals:
    path = tmp_path / "goals.toml"
    path.write_text(text, encoding="utf-8")
    return Goals(path)


@pytest.fixture
def few(tmp_path: Path) -> Goals:
    return goals(
        tmp_path,
        """
        [latency]
        what = "input to answer"
        unit = "ms"
        at_most = 6
        why = "The disk of this PC is slow."

        [shifts]
        what = "shifts worked"
        unit = ""
        at_least = 2

        [told]
        what = "told only"
        unit = "s"
        """,
    )


def test_every_goal_is_measured_somewhere() -> None:
    sources = "".join(path.read_text("utf-8") for path in GOALS.parent.rglob("*.py"))
    spread = {f"{name}_{part}" for name in ("scan", "input") for part in ("p50", "p99", "max")}
    assert [name for name in Goals().by_name if f'"{name}"' not in sources and name not in spread] == []


@pytest.mark.parametrize(
    ("name", "value", "goal", "ok"),
    [
        ("latency", 6, "<= 6", True),
        ("latency", 6.0001, "<= 6", False),
        ("shifts", 2, ">= 2", True),
        ("shifts", 1, ">= 2", False),
        ("told", 99, None, None),
    ],
)
def test_a_goal_has_a_direction(few: Goals, name: str, value: float, goal: str | None, ok: bool | None) -> None:
    figure = few.figure(name, value)
    assert (figure.goal, figure.ok) == (goal, ok)


def test_a_long_run_has_a_goal_of_its_own(tmp_path: Path) -> None:
    few = goals(tmp_path, '[seeds]\nwhat = "x"\nunit = ""\nat_least = 2\nat_least_long = 9')
    assert [few.figure("seeds", value).ok for value in (1, 2, 8)] == [False, True, True]
    assert [few.figure("seeds", value, long=True).ok for value in (8, 9)] == [False, True]
    assert few.figure("seeds", 8, long=True).goal == ">= 9"


def test_a_figure_without_an_entry_is_a_mistake(few: Goals) -> None:
    with pytest.raises(KeyError):
        few.figure("latncy", 1)


@pytest.mark.parametrize(
    "table",
    [
        '[a]\nwhat = "x"\nunit = ""\nat_most = 1\nat_least = 1',
        '[a]\nwhat = "x"\nunit = ""\nat_mots = 1',
        '[a]\nunit = ""\nat_most = 1',
        '[a]\nwhat = "x"\nunit = ""\nwhy = "of what?"',
        "a = 1",
        '[a]\nwhat = "x"\nunit = ""\nat_least = 2\nat_least_long = 1',
        '[a]\nwhat = "x"\nunit = ""\nat_least_long = 1',
    ],
)
def test_a_goal_that_could_be_misread_is_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(ValueError, match=r"goals\.toml, \[a\]"):
        goals(tmp_path, table)


def test_a_missed_goal_is_told_and_fails_only_when_strict(few: Goals, capsys: pytest.CaptureFixture[str]) -> None:
    figures = [few.figure("latency", 7.25), few.figure("shifts", 3), few.figure("told", 1)]
    assert printed(figures, few, False, LOADS) == 0
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in told[:2]] == ["MISSED", "met"]
    assert told[-1] == "MISSED: latency"
    assert printed(figures, few, True, LOADS) == 1
    assert printed(figures[1:], few, True, LOADS) == 0


def test_a_missed_goal_says_why_and_a_met_one_does_not(few: Goals) -> None:
    missed, unknown = few.figure("latency", 7), few.figure("shifts", 1)
    table = few.table([missed, few.figure("latency", 6), unknown]).splitlines()
    assert table[0].endswith("input to answer. Why: The disk of this PC is slow.")
    assert table[1].endswith("input to answer")
    assert table[2].endswith("shifts worked. Why: not known yet; say it in goals.toml when it is.")


def test_a_row_that_was_left_out_is_told_and_no_success(few: Goals, capsys: pytest.CaptureFixture[str]) -> None:
    figures = [few.figure("shifts", 3)]
    assert printed(figures, few, False, LOADS, ["told", "shifts", "latency"]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "LEFT OUT: latency, told"
    assert printed(figures, few, True, LOADS, ["told", "shifts"]) == 1
    assert printed(figures, few, True, LOADS, ["shifts"]) == 0


def test_the_last_line_is_one_json_document(few: Goals, capsys: pytest.CaptureFixture[str]) -> None:
    printed([few.figure("latency", 7.25), few.figure("told", 1)], few, False, LOADS)
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["figures"] == [
        {"name": "latency", "value": 7.25, "unit": "ms", "goal": "<= 6", "ok": False},
        {"name": "told", "value": 1, "unit": "s", "goal": None, "ok": None},
    ]
    machine = last["machine"]
    assert machine["load_before"] == LOADS["before"]
    assert machine["load_after"] == LOADS["after"]
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["memory_gb"] > 0
    assert all(machine[each] for each in ("python", "sqlite", "kernel"))


def test_percentiles_are_measured_values() -> None:
    taken = [float(each) for each in range(1, 101)]
    assert (percentile(taken, 50), percentile(taken, 99), percentile(taken, 100)) == (50.0, 99.0, 100.0)
    assert percentile([7.0], 99) == 7.0
