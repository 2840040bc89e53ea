"""Figures against their goals. A goal stands in goals.toml and nowhere else."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

GOALS = Path(__file__).with_name("goals.toml")


@dataclass(frozen=True)
class Goal:
    """What the figure `name` means. At most one of the bounds is set; both bounds belong to the goal.

    `at_least_long` stands beside `at_least`: what a run of the whole length has to reach instead.
    `why`: what it is when this goal is missed, as far as it is known; a sentence beside every miss.
    """

    name: str
    what: str
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    at_least_long: float | None = None
    why: str = ""

    @property
    def of_a_long_run(self) -> Goal:
        """The goal of a run of the whole length."""
        return self if self.at_least_long is None else replace(self, at_least=self.at_least_long)

    @property
    def text(self) -> str | None:
        """The goal as it is read: `<= 25`, `>= 1`; None when there is none."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return None if self.at_least is None else f">= {self.at_least:g}"

    def met(self, value: float) -> bool | None:
        """Whether the value is good enough; None when there is no goal."""
        if self.at_most is not None:
            return value <= self.at_most
        return None if self.at_least is None else value >= self.at_least


@dataclass(frozen=True)
class Figure:
    """One measured value. `goal` and `ok` are None when the figure is told only."""

    name: str
    value: float
    unit: str
    goal: str | None
    ok: bool | None


class Goals:
    """All goals of a file. Raises ValueError when one has two bounds or a key that is not known."""

    def __init__(self, path: Path = GOALS) -> None:
        self.by_name = {name: _goal(name, table) for name, table in tomllib.loads(path.read_text("utf-8")).items()}

    def figure(self, name: str, value: float, long: bool = False) -> Figure:
        """The value, judged as it was measured and rounded for reading. Raises KeyError for an unknown name.

        `long`: of a run that has to have its whole length.
        """
        goal = self.by_name[name].of_a_long_run if long else self.by_name[name]
        return Figure(name, _readable(value), goal.unit, goal.text, goal.met(value))

    def table(self, figures: Sequence[Figure]) -> str:
        """The figures for people, one a line; a missed one says why."""
        rows = [
            (_WORDS[each.ok], f"{each.value:g}", each.unit, each.goal or "", self._told(each)) for each in figures
        ]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
        return "\n".join(
            f"{ok:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {goal:<{widths[3]}}  {what}".rstrip()
            for ok, value, unit, goal, what in rows
        )

    def _told(self, figure: Figure) -> str:
        goal = self.by_name[figure.name]
        return goal.what if figure.ok is not False else f"{goal.what}. Why: {goal.why or _UNKNOWN}"


_UNKNOWN = "not known yet; say it in goals.toml when it is."
_WORDS = {True: "met", False: "MISSED", None: ""}


def document(figures: Iterable[Figure], machine: Mapping[str, Any]) -> str:
    """The figures for programs: one line of JSON."""
    return json.dumps({"figures": [asdict(each) for each in figures], "machine": machine})


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all values do not exceed (nearest rank).

    >>> percentile([5.0, 1.0, 4.0, 2.0, 3.0], 50)
    3.0
    """
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def _goal(name: str, table: Mapping[str, Any]) -> Goal:
    known = {"what", "unit", "at_most", "at_least", "at_least_long", "why"}
    if not isinstance(table, dict) or not {"what", "unit"} <= table.keys() <= known:
        raise ValueError(f"goals.toml, [{name}]: what and unit are needed, at_most or at_least may follow, and why.")
    if table.get("at_least_long", float("inf")) < table.get("at_least", float("inf")):
        raise ValueError(f"goals.toml, [{name}]: at_least_long stands beside at_least and is no less.")
    if {"at_most", "at_least"} <= table.keys():
        raise ValueError(f"goals.toml, [{name}]: at_most or at_least, not both.")
    if "why" in table and not {"at_most", "at_least"} & table.keys():
        raise ValueError(f"goals.toml, [{name}]: why stands where a goal can be missed.")
    return Goal(name, **table)


def _readable(value: float) -> float:
    return round(value, 3 if abs(value) < 10 else 1)
