"""`python -m bench.fact_size`: what a business fact takes on the disk, in a few seconds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, Goals
from bench.queued import fill
from bench.report import options, report

FACTS = 20_000


async def measure(folder: Path, facts: int = FACTS) -> list[Figure]:
    """Bytes of the database and of the mirror, by the facts that they grew by."""
    size, goals = fill(folder / "data", facts), Goals()
    told = {"fact_bytes": size.whole, "fact_bytes_database": size.database, "fact_bytes_mirror": size.mirror}
    return [goals.figure(name, value) for name, value in told.items()]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    given = options("What a business fact takes on the disk.").parse_args(arguments)
    return report(measure, given.strict)


if __name__ == "__main__":
    sys.exit(main())
