"""What the soak does, row by row: each row is so many of something, in parts that any process can work off."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import cold_start, drain, fact_size, memory, mend, offline
from bench.figures import Figure
from tests.crash import cuts, full_disk, io_errors, kills, real_disk, rot, small_disk
from tests.crash.compiled import NoCompiler, library
from tests.security import drawn
from tests.sim.bugs import load
from tests.sim.world import run

WITHIN = 50  # seeds within which a planted bug is found

Counts = Counter[str]


class NotHere(Exception):
    """This PC can not run a row; the text says what is missing."""


@dataclass(frozen=True, eq=False)
class Row:
    """`work(first, count, folder)` does a part and counts; `part` is how much one part is at most.

    `figures` makes the values of the goals out of the sum of all parts. `closed`: there are `long` of them, not more.
    `alone`: measured when all other rows are over, as one part; it counts thousandths, and no run goes on with it.
    """

    name: str
    what: str
    quick: int
    long: int
    part: int
    work: Callable[[int, int, Path], Counts]
    figures: Mapping[str, str]
    closed: bool = False
    alone: bool = False

    def scale(self, count: str) -> int:
        """By what a count is divided to be a figure: seconds are told in hours."""
        return 1000 if self.alone else 3600 if count == "seconds" else 1

    def parts(self, begin: int, count: int) -> Iterator[tuple[int, int]]:
        """First and count of each part."""
        size = max(count, self.part) if self.alone else self.part
        for first in range(begin, begin + count, size):
            yield first, min(size, begin + count - first)


def _kills(first: int, count: int, folder: Path) -> Counts:
    return asyncio.run(kills.killed(count, first))


def _cuts(first: int, count: int, folder: Path) -> Counts:
    return cuts.random_cuts(first, count)


def _sweep(first: int, count: int, folder: Path) -> Counts:
    """The newest upgrade and a new PC come first, then all the other pairs."""
    upgrades = [*dict.fromkeys([*cuts.newest(), *cuts.pairs()])][first : first + count]
    found = Counts(upgrades=len(upgrades))
    for upgrade in upgrades:
        found.update(cuts.every_operation(upgrade))
    return found


def _real_disk(first: int, count: int, folder: Path) -> Counts:
    try:
        return asyncio.run(real_disk.cut_off(folder, count, first))
    except real_disk.NoRealDisk as error:
        raise NotHere(str(error)) from error


def _real_disk_off(first: int, count: int, folder: Path) -> Counts:
    """The same with synchronous=OFF: the method has to see it."""
    try:
        found = asyncio.run(real_disk.cut_off(folder, count, first, "synchronous_off", "mirror_not_synced"))
    except real_disk.NoRealDisk as error:
        raise NotHere(str(error)) from error
    return Counts(cuts=found["cuts"], found=found["lost"] + found["damaged"])


def _seeds(first: int, count: int, folder: Path) -> Counts:
    found = Counts()
    for seed in range(first, first + count):
        outcome = run(seed)
        found.update(outcome.counts)
        found.update(seeds=1, failing=bool(outcome.violations))
        if outcome.violations:
            found[f"failing seed {seed}: {outcome.violations[0].kind}"] = 1
    return found


def _bugs(first: int, count: int, folder: Path) -> Counts:
    found = Counts()
    for bug in list(load().values())[first : first + count]:
        with bug.plant():
            caught = any(run(seed, lies=bug.lies).violations for seed in (bug.seed, *range(WITHIN)))
        found.update(bugs=1, missed=not caught)
        if not caught:
            found[f"not found: {bug.name}"] = 1
    return found


def _rot(first: int, count: int, folder: Path) -> Counts:
    return asyncio.run(rot.damaged(folder, first, count))


def _io(first: int, count: int, folder: Path) -> Counts:
    try:
        made = library("libfault", folder)
    except NoCompiler as error:
        raise NotHere(str(error)) from error
    return io_errors.failing(made, folder, first, count)


def _full(first: int, count: int, folder: Path) -> Counts:
    try:
        return asyncio.run(full_disk.filled(folder, full_disk.LEAVES[first : first + count]))
    except small_disk.NoSmallDisk as error:
        raise NotHere(str(error)) from error


def _strings(first: int, count: int, folder: Path) -> Counts:
    found = drawn.drawn(first, count)
    found["harmful"] = sum(found[name] for name in drawn.WRONG if name != "crashed")
    return found


def _offline(first: int, count: int, folder: Path) -> Counts:
    return asyncio.run(offline.offline(folder, count))


Measure = Callable[[Path, int], Coroutine[None, None, list[Figure]]]


def _measured(measure: Measure) -> Callable[[int, int, Path], Counts]:
    """A bench that is measured over so many facts, as counts."""

    def measured(first: int, count: int, folder: Path) -> Counts:
        return Counts({each.name: round(each.value * 1000) for each in asyncio.run(measure(folder, count))})

    return measured


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


_DAMAGES = len(rot.KINDS)
_PAIRS = len({*cuts.newest(), *cuts.pairs()})

ROWS = (
    Row("kills", "kill -9 of agent, ERP and terminal", 100, 10_000, 50, _kills, {
        "soak_kills": "kills", "soak_kill_confirmed": "confirmed", "soak_kill_lost": "lost",
        "soak_kill_double": "double", "soak_kill_out_of_order": "out_of_order",
        "soak_kill_wrong_totals": "wrong_totals",
    }),
    Row("seeds", "seeds of the simulation", 200, 10_000, 25, _seeds, {
        "soak_seeds": "seeds", "soak_seeds_failing": "failing", "soak_seed_hours": "seconds",
        "soak_seed_saved": "saved",
    }),
    Row("bugs", "planted bugs", len(load()), len(load()), 4, _bugs, {
        "soak_bugs": "bugs", "soak_bugs_missed": "missed",
    }, closed=True),
    Row("sweep", "upgrades, a cut at every disk operation", 2, _PAIRS, 1, _sweep, {
        "soak_sweep_upgrades": "upgrades", "soak_sweep_cuts": "cuts", "soak_sweep_lost": "lost",
        "soak_sweep_corrupt": "corrupt", "soak_sweep_bricked": "bad_starts",
    }, closed=True),
    Row("cuts", "power cuts on a simulated disk", 1_000, 100_000, 250, _cuts, {
        "soak_cuts": "cuts", "soak_cut_lost": "lost", "soak_cut_corrupt": "corrupt",
    }),
    Row("damage", "damaged images", 5 * _DAMAGES, -(-1_000 // _DAMAGES) * _DAMAGES, 75, _rot, {
        "soak_images": "images", "soak_image_harmed": "harmed", "soak_image_undetected": "undetected",
        "soak_image_missing": "missing", "soak_image_differing": "differing", "soak_image_broken": "broken",
    }),
    Row("io", "seeds of I/O errors", 20, 2_000, 20, _io, {
        "soak_io_seeds": "seeds", "soak_io_fired": "fired", "soak_io_lost": "lost", "soak_io_double": "double",
        "soak_io_unsafe": "unsafe",
    }),
    Row("ext4", "power cuts on a real ext4", 10, 1_000, 50, _real_disk, {
        "soak_ext4_cuts": "cuts", "soak_ext4_saved": "saved", "soak_ext4_lost": "lost",
        "soak_ext4_corrupt": "damaged",
    }),
    Row("ext4-off", "the same with synchronous=OFF, which must be found", 2, 20, 10, _real_disk_off, {
        "soak_ext4_off_found": "found",
    }),
    Row("full", "bytes that a full disk leaves free", 6, len(full_disk.LEAVES), 40, _full, {
        "soak_full": "fills", "soak_full_saved": "saved", "soak_full_refused": "refused", "soak_full_lost": "lost",
        "soak_full_broken": "broken", "soak_full_unsent": "unsent", "soak_full_untold": "untold",
        "soak_full_stuck": "stuck", "soak_full_starts": "refused_starts",
    }, closed=True),
    Row("strings", "hostile strings in every widget", 0, 100_000, 2_500, _strings, {
        "soak_strings": "strings", "soak_string_lines": "drawn", "soak_string_harmful": "harmful",
        "soak_string_crashed": "crashed",
    }),
    Row("offline", "hours without an ERP", 0, offline.HOURS, offline.HOURS, _offline, offline.FIGURES, closed=True),
    Row("drain", "queued facts drained into the reference ERP", 0, drain.FACTS, 1, _measured(drain.measure), _same(
        "drain_facts", "drain_seconds", "drain_refused", "drain_scan_p50", "drain_scan_p99", "drain_scans",
    ), alone=True),
    Row("cold", "queued facts at a cold start", 0, cold_start.FACTS, 1, _measured(cold_start.measure), _same(
        "cold_facts", "cold_screen", "cold_verified", "cold_all_well_early",
    ), alone=True),
    Row("mend", "facts in a damaged database at a start", 0, mend.FACTS, 1, _measured(mend.measure), _same(
        "mend_facts", "mend_seconds", "mend_megabytes",
    ), alone=True),
    Row("size", "facts on the disk", 0, fact_size.FACTS, 1, _measured(fact_size.measure), _same(
        "fact_bytes", "fact_bytes_database", "fact_bytes_mirror",
    ), alone=True),
    Row("memory", "minutes of a plant, fifty times as fast", 0, memory.MINUTES, 1, _measured(memory.measure), _same(
        "memory_minutes", "memory_inputs", "memory_plans", "memory_samples", "memory_warm", "memory_growth",
    ), alone=True),
)  # fmt: skip


def quiet() -> None:
    """In each lane: of mended databases and lost ERPs there are thousands, and apsw tells the console of every fault
    of our disk. What fails comes back as an exception."""
    logging.disable(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def work(name: str, first: int, count: int) -> Counts:
    """One part of a row, in whatever process. Raises NotHere."""
    row = next(each for each in ROWS if each.name == name)
    folder = Path(tempfile.mkdtemp(prefix="fh-soak-"))
    try:
        return row.work(first, count, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
