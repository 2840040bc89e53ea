"""`python -m bench.soak [--quick]`: kills, cuts, damage and chance in their thousands; nothing lost, nothing double."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.figures import Figure, Goals
from bench.machine import load, machine
from bench.report import options, printed
from bench.soak import results, shifts
from bench.soak.lanes import worked
from bench.soak.rows import ROWS, Row

LANES = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 when --strict and a goal was missed, or REQUIRE_ALL=1 and a row could not run here."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.more and not given.keep:
        parser.error("--more goes on with the file that --keep names")
    if given.shifts is None:
        given.shifts = 0 if given.quick or given.only else shifts.USUAL
    kept = results.read(given.keep) if given.more else {}
    plan = {row: (_first(row, kept), count) for row in ROWS if (count := _count(row, given))}
    before, began = load(), time.monotonic()
    done = worked(plan, given.lanes)
    counts = {name: told + _before(name, plan, kept) for name, told in done.counts.items()}
    figures = _figures(counts, long=not given.quick) + [Goals().figure("soak_broken", len(done.broken))]
    if given.keep:
        results.add(given.keep, *done.whole(), machine())
    if given.shifts:
        with tempfile.TemporaryDirectory(prefix="floorhand-bench-") as folder:
            figures += asyncio.run(shifts.measure(Path(folder).resolve(), given.shifts))
    figures.append(Goals().figure("soak_quick_seconds" if given.quick else "soak_seconds", time.monotonic() - began))
    failed = printed(figures, Goals(), given.strict, {"before": before, "after": load()})
    return 1 if done.missing and os.environ.get("REQUIRE_ALL") == "1" else failed


def _parser() -> argparse.ArgumentParser:
    parser = options("Kills, power cuts, damage and chance in their thousands, and the balance of them.")
    names = [row.name for row in ROWS]
    parser.add_argument("--quick", action="store_true", help="what each change goes through, in three minutes")
    parser.add_argument("--only", action="append", choices=names, help="this row; may be repeated")
    words = f"parts at the same time, 0: in this process; {LANES} when left out"
    parser.add_argument("--lanes", type=int, default=LANES, metavar="N", help=words)
    words = f"the demo's shifts, behind all rows; {shifts.USUAL} when left out, none with --quick or --only"
    parser.add_argument("--shifts", type=shifts.times, metavar="N", help=words)
    parser.add_argument("--keep", type=Path, metavar="FILE", help="put what was counted into this file as well")
    parser.add_argument("--more", action="store_true", help="go on behind what stands in that file, and add to it")
    for row in ROWS:
        words = f"{row.what}; {row.long}, or {row.quick} if --quick"
        parser.add_argument(f"--{row.name}", type=int, metavar="N", help=words)
    return parser


def _count(row: Row, given: argparse.Namespace) -> int:
    if given.only and row.name not in given.only:
        return 0
    asked: int | None = getattr(given, row.name.replace("-", "_"))
    return asked if asked is not None else row.quick if given.quick else row.long


def _first(row: Row, kept: dict[str, results.Result]) -> int:
    return kept[row.name].count if row.name in kept and not row.alone else 0


def _before(name: str, plan: Mapping[Row, tuple[int, int]], kept: dict[str, results.Result]) -> Counter[str]:
    """What a row has counted that this run goes on with."""
    first = next(first for row, (first, _) in plan.items() if row.name == name)
    return Counter(kept[name].counts) if first else Counter()


def _figures(counts: dict[str, Counter[str]], long: bool) -> list[Figure]:
    """`long`: the minimums of the whole soak count, also where less of a row was asked for."""
    goals, rows = Goals(), {row.name: row for row in ROWS}
    return [
        goals.figure(figure, told[count] / rows[name].scale(count), long)
        for name, told in counts.items() for figure, count in rows[name].figures.items()
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
