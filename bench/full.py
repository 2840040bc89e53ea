"""`python -m bench.full`: all figures with more samples, unplugs, a shift, a newcomer's wait, 72 h of samples."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench import clone, fact_size, quick, scanner_unplugs, telemetry_size
from bench.figures import Figure
from bench.landed.__main__ import ROWS
from bench.landed.__main__ import measure as landed
from bench.report import options, report
from bench.soak import shifts

EFFORT = quick.Effort(starts=25, idle=60.0, scans=3000, jobs=5)


async def measure(folder: Path) -> list[Figure]:
    """What quick measures, longer; landed samples; a fact on the disk; unplugs; a shift; a clone; 72 h of samples."""
    return [
        *await quick.measure(folder, EFFORT),
        *await landed(folder),
        *await fact_size.measure(folder / "facts"),
        *await scanner_unplugs.measure(folder),
        *await shifts.measure(folder, shifts=1),
        *await clone.measure(folder),
        *await telemetry_size.measure(folder, telemetry_size.HOURS),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed, or a row left out."""
    given = options("All figures with more samples, a demo shift, and a fresh clone.").parse_args(arguments)
    return report(measure, given.strict, ROWS)


if __name__ == "__main__":
    sys.exit(main())
