"""Power cuts on a simulated disk: at random moments of a store's lives, and at every operation of each migration."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

from edge_agent.store import journal, schema
from edge_agent.store.database import Connection, connect
from edge_agent.store.mirror import Mirror
from tests.crash.test_power_cut_sweep import OLD_FACTS, STEPS, drive_of, lived, old_disk
from tests.sim.disk import SimDisk
from tests.sim.pc import JOURNAL
from tests.sim.platter import Platter, PowerCut

LIVES = 10  # of one disk
CHANCES = 2  # what is left of the last writes, so many times for each operation of an upgrade
_OPERATIONS = 150  # of one life, about: a cut falls anywhere within them

Upgrade = tuple[int, int]  # from this schema to that one; 0: a new PC


def random_cuts(first: int, count: int) -> Counter[str]:
    """So many cuts, each in the life of a store: start, plans, reports, receipts, an orderly end."""
    counts = Counter[str]()
    for disk in range(first, first + count, LIVES):
        counts.update(_of_a_disk(Random(disk), min(LIVES, first + count - disk)))
    return counts


def _of_a_disk(dice: Random, cuts: int) -> Counter[str]:
    platter, saved, counts = Platter(Random(dice.getrandbits(64))), list[str](), Counter[str]()
    with drive_of(platter) as drive:
        while counts["cuts"] < cuts:
            platter.cut_at = platter.operations + dice.randint(1, _OPERATIONS)
            if not lived(drive.plug(), saved):
                counts["cuts"] += 1
            platter.cut_at = None
        counts["bad_starts"] += not lived(drive.plug(), saved)
        counts.update(judged(drive.plug(), saved))
    return counts + Counter(saved=len(saved))


def judged(disk: SimDisk, saved: list[str]) -> Counter[str]:
    """What is wrong with a disk on which these ids were called saved."""
    with closing(connect(JOURNAL, disk)) as conn:
        ids = {fact.id for fact in journal.facts(conn, 0, 100_000)}
        corrupt = (
            conn.execute("PRAGMA integrity_check").fetchone() != ("ok",)
            or journal.verify(conn) is not None
            or conn.execute("SELECT 1 FROM incident").fetchone() is not None
        )
    mirrored = {line.content[1] for line in Mirror(JOURNAL.parent / "mirror", disk=disk).lines()}
    return Counter(lost=len({*saved} - ids), corrupt=corrupt, not_mirrored=len({*saved} - mirrored))


# ------------------------------------------------------------ every operation


def newest() -> list[Upgrade]:
    """The upgrade that is new, and a new PC."""
    head = len(STEPS)
    return [(head - 1, head), (0, head)]


def pairs() -> list[Upgrade]:
    """Every older schema, and every newer one that it may be brought to."""
    return [*itertools.combinations(range(len(STEPS) + 1), 2)]


def every_operation(upgrade: Upgrade) -> Counter[str]:
    """A cut at every disk operation of start, migration, work and end; where the upgrade does not end at the schema
    of this program, of the migration alone, as an older program did it, and then a start of this one."""
    with tempfile.TemporaryDirectory() as name:
        begin, end = upgrade
        folder = Path(name)
        image = old_disk(begin, _folder(folder / "begin"))
        steps = _steps(folder / "end", end)
        return _swept(image, steps, whole=end == len(STEPS), old=OLD_FACTS if begin else 0)


def _swept(image: Platter, steps: Path, *, whole: bool, old: int) -> Counter[str]:
    counts = Counter[str]()

    def life(disk: SimDisk, saved: list[str]) -> bool:
        return lived(disk, saved) if whole else _migrated(disk, steps)

    before = [f"f{seq}" for seq in range(1, old + 1)]
    measure = image.copy(Random(0))
    with drive_of(measure) as drive:
        assert life(drive.plug(), [*before])  # with what each life has: its operations are those that are cut
    for number, chance in itertools.product(range(1, measure.operations + 1), range(CHANCES)):
        platter = image.copy(Random(number * CHANCES + chance))
        saved = [*before]
        platter.cut_at = number
        with drive_of(platter) as drive:
            counts["cuts"] += not life(drive.plug(), saved)
            counts["bad_starts"] += not lived(drive.plug(), saved)
            counts.update(judged(drive.plug(), saved))
    return counts


def _migrated(disk: SimDisk, steps: Path) -> bool:
    """Whether the migration came to its end; the power may go before."""
    try:
        with _closed(connect(JOURNAL, disk)) as conn:
            schema.upgrade(conn, steps)
    except PowerCut:
        return False
    return True


@contextmanager
def _closed(conn: Connection) -> Iterator[Connection]:
    yield conn
    conn.close()


def _steps(folder: Path, version: int) -> Path:
    _folder(folder)
    for step in STEPS[:version]:
        shutil.copy(step, folder)
    return folder


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
