"""The parts of a soak, worked off side by side; a part that ends with a fault costs nothing but itself."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from bench.report import tell
from bench.soak.rows import NotHere, Row, quiet, work

Plan = Mapping[Row, tuple[int, int]]  # first and count of what is to be done of a row
Part = tuple[Row, int, int]  # first and count


@dataclass
class Worked:
    """What came of the parts. `missing`: why a row could not run here; `broken`: with which words a part ended that
    came to no count."""

    plan: Plan
    parts: dict[Part, Counter[str]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    broken: dict[Part, str] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """The sum over all parts of each row that can run here."""
        return {row.name: self._sum(row) for row in self.plan if row.name not in self.missing}

    def whole(self) -> tuple[dict[str, Counter[str]], dict[str, tuple[int, int]]]:
        """The counts of each row up to its first broken part, and of which first and count they are."""
        counts, plan = {}, {}
        for row, (begin, count) in self.plan.items():
            upto = min((first for broken, first, _ in self.broken if broken is row), default=begin + count)
            if upto > begin and row.name not in self.missing:
                counts[row.name], plan[row.name] = self._sum(row, upto), (begin, upto - begin)
        return counts, plan

    def add(self, part: Part, done: Future[Counter[str]]) -> None:
        """Keep what a part has counted, or why it has not: a fault of one must not end the others."""
        try:
            self.parts[part] = done.result()
        except NotHere as error:
            self.missing[part[0].name] = str(error)
        except Exception as error:  # whatever it is, it is told, and no success
            row, first, count = part
            self.broken[part] = f"{type(error).__name__}: {error}"
            tell(f"BROKEN: {row.name}, {count} from {first} on: {self.broken[part]}")

    def _sum(self, row: Row, upto: float = float("inf")) -> Counter[str]:
        whole = Counter[str]()
        for (of, first, _), counted in self.parts.items():
            if of is row and first < upto:
                whole.update(counted)
        return whole


class Here(Executor):
    """In place of other processes: each part is worked off in this one, as soon as it is asked for."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is done."""
        done = Future[Any]()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # carried to whoever asks for the result
            done.set_exception(error)
        return done


def worked(plan: Plan, lanes: int) -> Worked:
    """Work off all rows, those side by side that do not mind; tell of each when it is over. 0 lanes: in here."""
    told, began = Worked(plan), time.monotonic()
    _side_by_side(told, [row for row in plan if not row.alone], lanes, began)
    for row in plan:
        if row.alone:
            _side_by_side(told, [row], min(lanes, 1), began)
    for name, why in told.missing.items():
        tell(f"NOT RUN: {name}: {why}")
    return told


def _side_by_side(told: Worked, rows: Iterable[Row], lanes: int, began: float) -> None:
    parts: list[Part] = [(row, *part) for row in rows for part in row.parts(*told.plan[row])]
    left = Counter(row.name for row, _, _ in parts)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(lanes, spawn, initializer=quiet) if lanes else Here() as pool:
        asked = {pool.submit(work, row.name, first, count): (row, first, count) for row, first, count in parts}
        for done in as_completed(asked):
            row, _, _ = part = asked[done]
            told.add(part, done)
            left[row.name] -= 1
            if not left[row.name] and row.name not in told.missing:
                counts = told.counts[row.name]
                words = ", ".join(f"{value / row.scale(name) if row.alone else value} {name}"
                                  for name, value in sorted(counts.items()) if value)  # fmt: skip
                tell(f"{time.monotonic() - began:4.0f} s  {row.what}: {words}")
