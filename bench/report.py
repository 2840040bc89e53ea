"""One bench command: measure in a folder of its own, tell people on stderr, programs on stdout."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path

from bench.figures import Figure, Goals, document
from bench.machine import load, machine

Measure = Callable[[Path], Awaitable[list[Figure]]]


def tell(line: str) -> None:
    """A line for the person who waits."""
    print(f"  {line}", file=sys.stderr, flush=True)


def options(description: str) -> argparse.ArgumentParser:
    """The command line that every bench has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--strict", action="store_true", help="exit with 1 when a goal is missed or a row left out")
    return parser


def report(measure: Measure, strict: bool, wanted: Collection[str] = ()) -> int:
    """Measure and print; the exit code. The last line of stdout is one JSON document.

    `wanted` are the figures that belong to it: one that could not be measured is told, and is no success.
    """
    before = load()
    # A socket path is short by law (107 bytes): the system's own temporary folder it is.
    with tempfile.TemporaryDirectory(prefix="floorhand-bench-") as folder:
        figures = asyncio.run(_measured(measure, Path(folder).resolve()))
    return printed(figures, Goals(), strict, {"before": before, "after": load()}, wanted)


def printed(
    figures: Sequence[Figure], goals: Goals, strict: bool, loads: dict[str, list[float]], wanted: Collection[str] = ()
) -> int:
    """Print the table and the document; 1 when `strict` and a goal was missed or a wanted figure is not there."""
    about = machine() | {"load_before": loads["before"], "load_after": loads["after"]}
    missed = [each.name for each in figures if each.ok is False]
    left_out = sorted({*wanted} - {each.name for each in figures})
    print(goals.table(figures), file=sys.stderr)
    print(
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB, Python {about['python']}, "
        f"SQLite {about['sqlite']}, kernel {about['kernel']}, load {loads['before'][0]} before, "
        f"{loads['after'][0]} after",
        file=sys.stderr,
    )
    if missed:
        print(f"MISSED: {', '.join(missed)}", file=sys.stderr)
    if left_out:
        print(f"LEFT OUT: {', '.join(left_out)}", file=sys.stderr)
    print(document(figures, about), flush=True)
    return 1 if strict and (missed or left_out) else 0


async def _measured(measure: Measure, folder: Path) -> list[Figure]:
    return await measure(folder)
