"""`python -m tests.sim --seeds A..B [--bug NAME]`: a JSON line for each seed that fails, and a summary."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from tests.sim.bugs import load
from tests.sim.world import Outcome, run


def seeds(text: str) -> list[int]:
    """`A..B`, both of them and those between, or single ones; several after commas."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("..")
        found += range(int(first), int(last or first) + 1)
    return found


def line(outcome: Outcome) -> str:
    """A seed that fails."""
    told = [msgspec.to_builtins(violation) for violation in outcome.violations]
    return json.dumps({"seed": outcome.seed, "log": outcome.log, "violations": told})


def main(arguments: Sequence[str] | None = None) -> int:
    """The number of seeds that failed, as 0 or 1; with a bug, 0 when one did."""
    bugs = load()
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=seeds, required=True, help="A..B, or A,B,C")
    parser.add_argument("--bug", choices=sorted(bugs), help="with this mistake in the product")
    options = parser.parse_args(arguments)
    planted = bugs[options.bug] if options.bug else None
    began, counts, kinds = time.monotonic(), Counter[str](), Counter[str]()
    failing: list[int] = []
    log = hashlib.sha256()
    with planted.plant() if planted else contextlib.nullcontext():
        for seed in options.seeds:
            outcome = run(seed, lies=planted is not None and planted.lies)
            counts.update(outcome.counts)
            log.update(outcome.log.encode())
            if outcome.violations:
                failing.append(seed)
                kinds.update({violation.kind for violation in outcome.violations})
                sys.stdout.write(line(outcome) + "\n")
                sys.stdout.flush()
    took = round(time.monotonic() - began, 1)
    told = {
        "bug": options.bug or "", "seeds": len(options.seeds), "failing": len(failing), "first": failing[:5],
        "kinds": dict(kinds), "log": log.hexdigest()[:16], "took_seconds": took, **dict(sorted(counts.items())),
    }  # fmt: skip
    sys.stdout.write(json.dumps(told) + "\n")
    return int(bool(failing) != (planted is not None))


if __name__ == "__main__":
    sys.exit(main())
