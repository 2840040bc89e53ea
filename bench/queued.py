"""A journal with as many facts as you like that no ERP has seen: the real schema, chain and mirror.

The facts are those that report_production and pick make of the demo's plans, half and half. Only the way
into the journal is a short one: thousands share a commit, and nobody waits for the disk.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from edge_agent.demo.plans import plans
from edge_agent.store import journal, schema
from edge_agent.store.database import Connection, connect
from edge_agent.store.journal import Entry
from edge_agent.store.mirror import Mirror
from edge_agent.store.records import after
from sync.contract import AnyFact, DispatchStatus, JobOrder, MaterialMoved, MaterialProduced, WorkType

AGENT = "bench-pc1"
_TOGETHER = 5000  # facts in a commit
_BEGAN = datetime(2026, 11, 22, 6, 0, 0, 251_017, UTC)


@dataclass(frozen=True)
class Size:
    """Bytes that one fact takes on the disk: in the database with its indexes and totals, and in the mirror."""

    database: float
    mirror: float

    @property
    def whole(self) -> float:
        """Both."""
        return self.database + self.mirror


def orders() -> list[JobOrder]:
    """The demo's orders that may be worked on."""
    known = (plan for plan in plans(_BEGAN) if isinstance(plan, JobOrder))
    return [each for each in known if each.dispatch_status is DispatchStatus.RELEASED]


def fill(folder: Path, count: int, jobs: Sequence[JobOrder] = (), end: datetime | None = None) -> Size:
    """Make `journal.db` and its mirror in a data folder that has none; the last fact is of `end`, or now."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mirror = Mirror(folder / "mirror")
    mirror.open()
    bodies, chance = _bodies(jobs or orders()), random.Random(5)
    at = (end or datetime.now(UTC)) - timedelta(seconds=count)
    with closing(connect(folder / "journal.db")) as conn:
        schema.upgrade(conn)
        conn.execute("PRAGMA synchronous = OFF")  # nobody is promised anything here, and the file is whole at the end
        bare = _size(conn)
        for start in range(0, count, _TOGETHER):
            conn.execute("BEGIN IMMEDIATE")
            for number, body in enumerate(itertools.islice(bodies, min(_TOGETHER, count - start)), start):
                _record(conn, body, at + timedelta(seconds=number), chance)
            conn.execute("COMMIT")
            mirror.append([*after(conn, start, _TOGETHER)])
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database = _size(conn) - bare
    mirror.close()
    lines = sum(path.stat().st_size for path in (folder / "mirror").iterdir())
    return Size(database / count, lines / count)


def reports() -> Iterator[AnyFact]:
    """What people report of the demo's orders, without an end."""
    return _bodies(orders())


def _bodies(jobs: Sequence[JobOrder]) -> Iterator[AnyFact]:
    """What is reported, without an end: a production order and a line of a pick list in turn."""
    made = [job for job in jobs if job.work_type is WorkType.PRODUCTION]
    lines = [(job, line) for job in jobs if job.work_type is WorkType.INVENTORY for line in job.requirements]
    chance = random.Random(3)
    for number in itertools.count():
        if number % 2 and lines:
            job, line = lines[number // 2 % len(lines)]
            yield MaterialMoved(
                about=job.id, requirement=line.id, material=line.material, lot=line.lot, quantity=Decimal(1),
                uom=line.uom, source=line.source or "", destination=line.destination or "",
            )  # fmt: skip
        else:
            job, pieces = made[number // 100 % len(made)], chance.choice((1, 2, 5, 12))
            yield MaterialProduced(
                about=job.id, material=job.material or "", quantity=Decimal(pieces), uom=job.uom,
                equipment=job.equipment or "", machine_count=pieces,
            )  # fmt: skip


def _record(conn: Connection, body: AnyFact, at: datetime, chance: random.Random) -> None:
    at += timedelta(microseconds=chance.randrange(1_000_000))
    person = chance.randrange(1, 7)
    entry = Entry(str(uuid.UUID(int=chance.getrandbits(128), version=5)), body)
    saved = at + timedelta(microseconds=chance.randrange(300, 3000))
    journal.append(conn, AGENT, [entry], at, saved, True, f"T{person}", f"p{person}")


def _size(conn: Connection) -> int:
    (size,), (pages,) = (conn.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count"))
    return int(size * pages)
