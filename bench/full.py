"""`python -m bench.full`: all figures with more samples, unplugs, a shift, and what a newcomer waits for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import clone, quick, scanner_unplugs, soak
from bench.figures import Figure
from bench.landed.__main__ import measure as landed
from bench.report import options, report

EFFORT = quick.Effort(starts=25, idle=60.0, scans=3000, jobs=5)


async def measure(folder: Path) -> list[Figure]:
    """What quick measures, longer; samples that landed; scanner unplugs; a shift of kills; a fresh clone."""
    return [
        *await quick.measure(folder, EFFORT),
        *await landed(folder),
        *await scanner_unplugs.measure(folder),
        *await soak.measure(folder, shifts=1),
        *await clone.measure(folder),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    given = options("All figures with more samples, a demo shift, and a fresh clone.").parse_args(arguments)
    return report(measure, given.strict)


if __name__ == "__main__":
    sys.exit(main())
