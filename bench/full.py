"""`python -m bench.full`: all figures with more samples, scanner unplugs, and the balance of a demo shift."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import quick, scanner_unplugs, soak
from bench.figures import Figure
from bench.report import options, report

EFFORT = quick.Effort(starts=25, idle=60.0, scans=3000, jobs=5)


async def measure(folder: Path) -> list[Figure]:
    """What quick measures, longer; a thousand scanner unplugs; then one shift under kills and outages."""
    return [
        *await quick.measure(folder, EFFORT),
        *await scanner_unplugs.measure(folder),
        *await soak.measure(folder, shifts=1),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    given = options("All figures with more samples, and the balance of a demo shift.").parse_args(arguments)
    return report(measure, given.strict)


if __name__ == "__main__":
    sys.exit(main())
