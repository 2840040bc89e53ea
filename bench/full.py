"""`python -m bench.full`: all figures with more samples, a demo shift, and what a newcomer waits for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import clone, quick, soak
from bench.figures import Figure
from bench.report import options, report

EFFORT = quick.Effort(starts=25, idle=60.0, scans=3000, jobs=5)


async def measure(folder: Path) -> list[Figure]:
    """What quick measures, longer; one shift under kills and outages; a fresh clone and its commands."""
    figures = await quick.measure(folder, EFFORT)
    return [*figures, *await soak.measure(folder, shifts=1), *await clone.measure(folder)]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    given = options("All figures with more samples, a demo shift, and a fresh clone.").parse_args(arguments)
    return report(measure, given.strict)


if __name__ == "__main__":
    sys.exit(main())
