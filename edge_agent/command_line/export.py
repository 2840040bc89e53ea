"""Stored samples as files for other programs: one CSV for people, or a CSV of plain columns for each item.

CSV for people: `time,device,item,value,status,note`, gaps first, with what is missing in words; the rows of one
item follow one another in the order in which they came. A text that a spreadsheet would take for a formula
gets an apostrophe in front.

Columns, for tools that make Parquet or tables of it: a folder with `items.csv` (file, device, item, type, rows),
`gaps.csv` and one `item-00001.csv` for each item with `time_us,status,value`: microseconds since 1970 UTC,
Good, Uncertain or Bad, and the value in its type, empty when there was none. Nothing is put in front of a text.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge_agent.display import many
from edge_agent.views.histories import SampleGap, Samples

SampleStream = AsyncIterator[Samples | SampleGap]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MISSING = {
    "stopped": "the agent did not run",
    "dropped": "the oldest made room",
    "too_many": "more came than could be taken",
    "not_saved": "the disk refused them",
    "device": "the device may have gone on unheard",
}


async def write_csv(out: Path, stream: SampleStream) -> int:
    """One CSV file; the samples in it. It has its name when it is whole. Raises OSError."""
    part, count = out.with_name(out.name + ".part"), 0
    with part.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("time", "device", "item", "value", "status", "note"))
        async for each in stream:
            device, item = guarded(each.device), guarded(each.item)
            if isinstance(each, SampleGap):
                rows.writerow((iso(each.since), device, item, "", "Gap", note(each)))
                continue
            count += len(each.times)
            rows.writerows(
                (iso(time), device, item, guarded(value) if isinstance(value, str) else cell(value), status, "")
                for time, status, value in zip(each.times, each.statuses, each.values, strict=True)
            )
    part.replace(out)
    return count


async def write_columns(out: Path, stream: SampleStream) -> int:
    """A folder of columns; the samples in it. `items.csv` is written last. Raises OSError."""
    _new_folder(out)
    items: dict[tuple[str, str], _Item] = {}
    gaps: list[SampleGap] = []
    async for each in stream:
        if isinstance(each, SampleGap):
            gaps.append(each)
            continue
        known = items.get((each.device, each.item))
        if known is None:
            known = items[each.device, each.item] = _Item(f"item-{len(items) + 1:05}.csv")
        known.take(out, each)
    _write(
        out / "gaps.csv", ("since_us", "until_us", "device", "item", "reason", "count"),
        ((gap.since, gap.until, gap.device, gap.item, gap.reason, gap.count) for gap in gaps),
    )  # fmt: skip
    _write(
        out / "items.csv", ("file", "device", "item", "type", "rows"),
        ((each.file, *name, each.type, each.rows) for name, each in items.items()),
    )  # fmt: skip
    return sum(each.rows for each in items.values())


class _Item:
    """The file of one item: opened for each chunk, for there may be more items than files may be open."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows = 0
        self._types: set[str] = set()

    @property
    def type(self) -> str:
        """What all values are: boolean, integer, number, text; null when there never was one."""
        if self._types <= {"integer", "number"} and self._types:
            return "number" if "number" in self._types else "integer"
        return next(iter(self._types)) if len(self._types) == 1 else "text" if self._types else "null"

    def take(self, folder: Path, samples: Samples) -> None:
        with (folder / self.file).open("a", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            if not self.rows:
                rows.writerow(("time_us", "status", "value"))
            rows.writerows(zip(samples.times, samples.statuses, map(cell, samples.values), strict=True))
        self.rows += len(samples.times)
        self._types |= {_NAMES[kind] for kind in {*map(type, samples.values)} if kind in _NAMES}


_NAMES = {bool: "boolean", int: "integer", float: "number", list: "number", str: "text"}


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("RUN")
    ("'=1+1", 'RUN')
    """
    return "'" + text if text.startswith(_FORMULA) else text


def cell(value: bool | int | float | str | list[str] | None) -> str | int | float:
    """A value as CSV has it; floats with all their digits.

    >>> cell(True), cell(None), cell(["NaN"]), cell(0.1)
    ('true', '', 'NaN', 0.1)
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return value[0]
        case _:
            return value


def iso(time: int) -> str:
    """Microseconds since 1970 UTC as people and spreadsheets read them.

    >>> iso(1_790_000_000_000_000)
    '2026-09-21T14:13:20.000000Z'
    """
    return (_EPOCH + timedelta(microseconds=time)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def note(gap: SampleGap) -> str:
    """A gap in words."""
    lost = f", {many(gap.count, 'sample', 'samples')}" if gap.count else ""
    return f"until {iso(gap.until)}: {_MISSING[gap.reason]}{lost}"


def _new_folder(path: Path) -> None:
    path.mkdir(parents=True)  # never into one that is there: its files would be mixed up with ours


def _write(path: Path, head: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows(rows)
