"""What soaks have counted, in a file: one entry a row, of its longest run. The page on reliability is made from it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "soak.json"


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row: `count` of its units were worked off, from the first on without a gap; `counts` is what came of them."""

    count: int
    counts: dict[str, int]
    day: str
    machine: str


def read(path: Path = RESULTS) -> dict[str, Result]:
    """All rows by name; none where there is no file yet."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Result]) if path.exists() else {}


def add(
    path: Path, counts: Mapping[str, Counter[str]], plan: Mapping[str, tuple[int, int]], machine: Mapping[str, Any]
) -> None:
    """Keep what came of each row (`plan`: first and count): behind the rows of the file where it goes on with them."""
    known = read(path)
    told = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, kernel {machine['kernel']}"
    for name, found in counts.items():
        (first, count), before = plan[name], known.get(name)
        whole = Counter(before.counts) if before is not None and before.count == first else Counter[str]()
        whole.update(found)
        known[name] = Result(first + count, dict(sorted(whole.items())), f"{datetime.now(UTC):%Y-%m-%d}", told)
    text = json.dumps(msgspec.to_builtins(dict(sorted(known.items()))), indent=1)
    path.write_text(text + "\n", encoding="utf-8")
