"""`python -m bench.landed`: ours beside a peer over Modbus, and beside a bare library over OPC UA."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, Goals
from bench.landed import opcua, side_by_side
from bench.landed.rounds import Effort
from bench.report import options, report

WHOLE, SHORT = Effort(), Effort(rounds=1, window=3.0, settle=1.0)

ROWS = tuple(name for name in Goals().by_name if name.startswith(("landed_", "opcua_")))


async def measure(folder: Path, effort: Effort = WHOLE) -> list[Figure]:
    """All figures of samples that landed."""
    return [*await side_by_side.measure(folder, effort), *await opcua.measure(folder, effort)]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed, or a row left out."""
    parser = options("Samples landed on the disk for a second of CPU, beside a peer; about nine minutes.")
    parser.add_argument("--short", action="store_true", help="one short round of each, for trying")
    given = parser.parse_args(arguments)
    return report(functools.partial(measure, effort=SHORT if given.short else WHOLE), given.strict, ROWS)


if __name__ == "__main__":
    sys.exit(main())
