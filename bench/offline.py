"""`python -m bench.offline`: 72 hours without an ERP, as fast as they go, in the folder of one agent.

2,000 items at 1 Hz go through report by exception into the real store of samples, and 100,000 reports into the real
journal, each in a commit of its own at its time; only the clock is moved by hand. The samples may take half of what a
site file allows when it says nothing, so that a good part of them has to go; fewer hours have as much less of all.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from bench.figures import Goals
from bench.machine import load
from bench.queued import AGENT, reports
from bench.report import options, printed, tell
from bench.telemetry_size import BEGAN, HEARTBEAT, KEPT_HOURS, PLANT, SetClock, plant_of, scans
from config.settings import Telemetry
from edge_agent.machines.by_exception import ByException, Columns, Gap
from edge_agent.store import Entry, Store, journal
from edge_agent.store.outbox import queue
from edge_agent.store.samples import SampleStore
from edge_agent.store.samples_bounds import BLOCK_SAMPLES, TAIL_SAMPLES, Bounds

HOURS = KEPT_HOURS
REPORTS = 100_000  # in all of them
_QUOTA, _LEAST = Telemetry().max_bytes // 2, 10_000_000  # bytes; less than the least no site file allows
_WATCHED = "power_3"  # of each device, looked at sample by sample: its values differ every second
_LOOK = 60  # seconds between two looks at the size
_HOUR = 3600
_KEPT_DAYS = 1  # after which a report that the ERP has may go: none of these may
FIGURES = {
    "offline_hours": "hours", "offline_offered": "offered", "offline_kept": "kept", "offline_dropped": "dropped",
    "offline_over": "over", "offline_holes": "holes", "offline_untold": "untold", "offline_reports": "reports",
    "offline_reports_lost": "lost", "offline_let_go": "let_go",
    "offline_broken": "broken",
}  # fmt: skip


async def offline(folder: Path, hours: int, seconds: int = _HOUR, quota: int = 0) -> Counter[str]:
    """So many hours of so many seconds. `over`, `holes`, `untold`, `lost`, `broken` and `let_go` must be 0.

    `quota` is in bytes; 0: what belongs to the hours.
    """
    days = _Days(folder, hours, quota)
    await days.open()
    try:
        for hour in range(hours):
            await days.hour(hour, seconds)
        await days.look_at_samples()
        await days.look_at_reports()
    finally:
        await days.close()
    return days.counts


class _Days:
    """One data folder, its plant and its people."""

    samples: SampleStore
    store: Store

    def __init__(self, folder: Path, hours: int, quota: int) -> None:
        self._folder, share = folder, hours / HOURS
        self.bounds = Bounds(
            quota or max(_LEAST, int(_QUOTA * share)), timedelta(days=30), tail_samples=int(TAIL_SAMPLES * share),
            block_samples=int(BLOCK_SAMPLES * share),
        )  # fmt: skip
        self.clock = SetClock()
        self.counts = Counter[str](hours=hours)
        self._sift = ByException(HEARTBEAT, ())
        self._plant = plant_of(PLANT)
        self._kept: dict[str, list[int]] = defaultdict(list)  # times of the watched item of each device
        self._saved: list[str] = []
        self._bodies = reports()
        self._dice = random.Random(15)

    async def open(self) -> None:
        self.samples = await SampleStore.open(self._folder / "samples.db", self.clock, self.bounds)
        self.store = await Store.open(self._folder / "journal.db", AGENT, self.clock)
        await self.store.serve(["erp"])

    async def close(self) -> None:
        await self.samples.close()
        await self.store.close()

    async def hour(self, hour: int, seconds: int) -> None:
        """One hour of the plant, or its beginning."""
        reported = 0
        for second in range(seconds):
            self.clock.time = BEGAN + timedelta(hours=hour, seconds=second)
            await self._values()
            while reported * HOURS * _HOUR < (second + 1) * REPORTS:
                await self._report()
                reported += 1
            if second % _LOOK == 0:
                self._look_at_size()
        while await self.store.let_go(["erp"], self.clock.time - timedelta(days=_KEPT_DAYS)):
            self.counts["let_go"] += 1
        tell(f"hour {hour + 1}: {self.counts['kept']:,} kept, {len(self._saved):,} reports")

    async def _values(self) -> None:
        read = scans(self._plant, self.clock.time)
        kept = self._sift.sift(read)
        self.counts["offered"] += sum(len(each.items) for _, each in read)
        self.counts["kept"] += sum(len(each.times) for each in kept.values())
        for device, columns in kept.items():
            self._kept[device] += _of(columns, _WATCHED)
        await self.samples.append(kept)
        await self.samples.tidy()

    async def _report(self) -> None:
        entry = Entry(self.clock.new_id(), next(self._bodies))
        terminal, person = f"T{self._dice.randrange(1, 7)}", f"p{self._dice.randrange(1, 7)}"
        now = self.clock.now()
        await self.store.write(lambda conn: self.store.record(conn, [entry], now, terminal, person))
        self._saved.append(entry.id)

    def _look_at_size(self) -> None:
        """What the files take on the disk, whatever SQLite says."""
        files = (self._folder / f"samples.db{side}" for side in ("", "-wal"))
        taken = sum(file.stat().st_size for file in files if file.exists())
        self.counts["over"] = max(self.counts["over"], taken - self.bounds.bytes)

    async def look_at_samples(self) -> None:
        """What is left is the newest of each item without a hole, and the gaps tell all that is not."""
        used = await self.samples.usage()
        told = Counter[str]()
        for device, _ in self._plant:
            times, upto = list[int](), 0
            async for each in self.samples.read([f"{device}/{_WATCHED}"]):
                if isinstance(each, Gap):
                    told["dropped"] += each.count * (each.reason == "dropped")
                    upto = max(upto, each.until)
                else:
                    times += each.series.times
            all_of = self._kept[device]
            self.counts["holes"] += times != all_of[len(all_of) - len(times) :]
            self.counts["untold"] += len(times) < len(all_of) and upto < all_of[-len(times) - 1]
        self.counts["dropped"] = told["dropped"]
        self.counts["untold"] += abs(self.counts["kept"] - used.samples - told["dropped"])

    async def look_at_reports(self) -> None:
        """Every one is there, in its order, in a chain that holds, and still to be sent."""
        facts = await self.store.read(lambda conn: journal.facts(conn, 0, len(self._saved) + 1))
        self.counts["reports"] = len(self._saved)
        self.counts["lost"] = len({*self._saved} - {fact.id for fact in facts})
        waiting = await self.store.read(lambda conn: queue(conn, "erp"))
        whole = [fact.id for fact in facts] == self._saved and await self.store.read(journal.verify) is None
        self.counts["broken"] = int(not whole or waiting.delivered_seq != 0)


def _of(columns: Columns, item: str) -> list[int]:
    return [time for name, time in zip(columns.items, columns.times, strict=True) if name == item]


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when --strict and a goal was missed."""
    parser = options("Days without an ERP: what is kept, what goes, and what never does.")
    parser.add_argument("--hours", type=int, default=HOURS, metavar="N", help=f"of the plant; {HOURS} when left out")
    given: argparse.Namespace = parser.parse_args(arguments)
    before, goals = load(), Goals()
    with tempfile.TemporaryDirectory(prefix="floorhand-bench-") as folder:
        counts = asyncio.run(offline(Path(folder), given.hours))
    figures = [goals.figure(name, counts[count]) for name, count in FIGURES.items()]
    return printed(figures, goals, given.strict, {"before": before, "after": load()})


if __name__ == "__main__":
    sys.exit(main())
