"""A database that is built anew from what a damaged one and its mirror still have.

Facts come from the mirror and from the pages of the old file, one after the other (`second_copy`); what else can be
read of the old file is copied. Nothing is held whole in memory, however long the journal is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import msgspec

from edge_agent.store import schema
from edge_agent.store.carving import Pages
from edge_agent.store.database import Connection, connect
from edge_agent.store.disk import Disk
from edge_agent.store.errors import UNREADABLE
from edge_agent.store.mirror import Mirror
from edge_agent.store.mirror_lines import Content, mark_of
from edge_agent.store.outliving import joined, known, put_back
from edge_agent.store.pins import last_known
from edge_agent.store.records import Record, chained, put
from edge_agent.store.retention import Base, base_of
from edge_agent.store.second_copy import Found, SecondCopy
from sync.contract import AnyFact, FactLost

_TOGETHER = 5000  # facts in a commit while a database is built
# Built anew, with the totals of what left the journal. Where people stood is not trusted, and what was sent
# and pulled neither: a cursor may have survived where the refused facts or the plans that belong to it have
# not. The ERP is asked for all again.
_OURS = (
    "journal", "job_total", "reported", "open_request", "fact_kind", "session", "incident",
    "delivered", "parked", "pulled", "base", "doubt", "decided", "former", "stranded",
)  # fmt: skip

_LOST = '"kind":"FactLost"'  # in the payload of a filler, and of no other fact: quotes in texts are escaped

_body: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


@dataclass(frozen=True, slots=True)
class Incident:
    """What was found and done. `kept` is the folder with the damaged files, `lost` the seqs without a fact."""

    at: datetime
    why: str
    kept: str
    facts: int
    lost: tuple[int, ...]


def build(
    building: Path, damaged: Path, mirror: Mirror, log: bytes, agent: str, found: Incident
) -> tuple[Incident, bool]:
    """A new file, whole on the disk; what is told of it, and whether the mirror has each row as it is now.

    Raises sqlite3.Error, StoreError and OSError.
    """
    disk, pages = mirror.disk, Pages(damaged, log, mirror.disk)
    base = _known_base(damaged, mirror, pages)
    open_ones = known(mirror.outliving(), damaged, base.seq, disk)
    with closing(connect(building, disk)) as conn:
        schema.upgrade(conn)
        _hurry(conn)
        _copy_totals(conn, damaged, base.seq, disk)
        conn.execute("UPDATE base SET seq = ?, hash = ?", (base.seq, base.hash))
        put_back(conn, open_ones, base.seq)
        written = _write(conn, SecondCopy(mirror, pages, base.seq).facts(), agent, found.at, base)
        joined(conn, open_ones, base.seq)
        _copy_rest(conn, damaged, disk)
        found = replace(found, at=_never_told(conn, found.at), facts=written.facts, lost=written.lost)
        _wait_for_the_disk(conn)
        told = (found.at.isoformat(), found.why, found.kept, found.facts, json.dumps(found.lost))
        conn.execute("INSERT INTO incident VALUES (?, ?, ?, ?, ?)", told)
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return found, written.as_mirrored


def _hurry(conn: Connection) -> None:
    """What is built counts only when it is whole: until then nothing waits for the disk."""
    for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -16000"):
        conn.execute(f"PRAGMA {pragma}")


def _wait_for_the_disk(conn: Connection) -> None:
    """As ever again: the next commit, and the checkpoint behind it, sync the whole file."""
    for pragma in ("synchronous = FULL", "journal_mode = WAL"):
        conn.execute(f"PRAGMA {pragma}")


def _never_told(conn: Connection, at: datetime) -> datetime:
    """The moment, or one right behind it that no incident was told of: what was acknowledged is another one."""
    told = "SELECT 1 FROM incident WHERE at = ?1 UNION ALL SELECT 1 FROM decided WHERE exception = 'incident/' || ?1"
    while conn.execute(told, (at.isoformat(),)).fetchone():
        at += timedelta(microseconds=1)
    return at


def base_in(conn: Connection) -> Base:
    """Where the journal begins; at 0 in a database of before there was such a thing."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'base'").fetchone():
        return Base()
    return base_of(conn)


def _known_base(path: Path, mirror: Mirror, pages: Pages) -> Base:
    """Behind which fact the journal begins: as the mirror has it, else as the damaged file does.

    That is believed only when the fact behind it is there and names it.
    """
    if (told := mirror.base()) is not None:
        return Base(*told)
    try:
        with closing(mirror.disk.look(path)) as old:
            base = base_in(old)
    except UNREADABLE:
        return Base()
    behind = pages.rows(base.seq + 1, base.seq + 1).get(base.seq + 1)
    return base if behind is not None and behind.previous == base.hash else Base()


@dataclass(frozen=True, slots=True)
class _Written:
    """How many facts were brought back, the seqs that had to be filled, whether the mirror has all as they are now."""

    facts: int
    lost: tuple[int, ...]
    as_mirrored: bool


def _write(conn: Connection, found: Iterable[Found], agent: str, now: datetime, base: Base) -> _Written:
    """Every fact in a chain from the base to the last."""
    previous, lost, facts, as_mirrored = base.hash, [], 0, True
    conn.execute("BEGIN IMMEDIATE")
    for each in found:
        seq, content = each.seq, each.content
        facts += content is not None
        if content is None or not _understood(content):
            lost.append(seq)
            content = filler(seq, agent, now)
        record = chained(content, previous)
        try:
            (put_lost if _LOST in record.payload else put)(conn, record)
        except sqlite3.IntegrityError:  # it corrects a fact that was lost, or its id stands twice
            lost.append(seq)
            record = chained(filler(seq, agent, now), previous)
            put_lost(conn, record)
        previous = record.hash
        as_mirrored = as_mirrored and mark_of(previous) == each.mark
        if seq % _TOGETHER == 0:
            conn.execute("COMMIT")
            conn.execute("BEGIN IMMEDIATE")
    conn.execute("COMMIT")
    return _Written(facts, tuple(lost), as_mirrored)


def _understood(content: Content) -> bool:
    try:
        _body.decode(content[8])
    except (msgspec.MsgspecError, TypeError):
        return False
    return True


def filler(seq: int, agent: str, now: datetime) -> Content:
    """The `FactLost` of a number that nothing brings back. Nobody has judged the clock yet that says when."""
    at = now.astimezone(UTC).isoformat(timespec="microseconds")
    body = msgspec.json.encode(FactLost(about=f"journal/{agent}")).decode()
    id = str(uuid5(NAMESPACE_OID, f"{agent}/{seq}/{at}"))
    return (seq, id, agent, at, at, 0, "", "", body)


def put_lost(conn: Connection, record: Record) -> None:
    """A filler. That its time is not trusted is no doubt beside the one that a fact is lost."""
    before = conn.execute("SELECT last, facts FROM doubt WHERE kind = 'clock'").fetchone()
    put(conn, record)
    if before is None:
        conn.execute("DELETE FROM doubt WHERE kind = 'clock'")
    else:
        conn.execute("UPDATE doubt SET last = ?, facts = ? WHERE kind = 'clock'", before)


def _copy_totals(conn: Connection, damaged: Path, base: int, disk: Disk) -> None:
    """The totals of what left the journal, as far as the old file gives them: later facts add to them."""
    try:
        with closing(disk.look(damaged)) as old:
            _copy_table(conn, old, "job_total", f"seq <= {base:d}")
            if base and base_in(old).seq == base:
                conn.executemany("INSERT INTO reported VALUES (?, ?, ?)", old.execute(_REPORTED))
    except UNREADABLE:
        return


# All that was reported, without what still stands in the journal.
_REPORTED = """
    SELECT equipment, job, parts - coalesce(
        (SELECT sum(parts) FROM stands_for s WHERE s.equipment = r.equipment AND s.job = r.job), 0
    )
    FROM reported r
"""


def _copy_rest(conn: Connection, damaged: Path, disk: Disk) -> None:
    """What else the old file gives: counters, states of machines, plans, PINs. Each can be missing.

    Its plans are worked with until the ERP has told all of them anew; those that do not come again go then.
    """
    try:
        with closing(disk.look(damaged)) as old:
            names = [name for (name,) in conn.execute(_TABLES) if name not in _OURS]
            for name in names:
                _copy_table(conn, old, name)
            conn.execute("UPDATE plan SET generation = 0")
            last_known(conn, old)
    except UNREADABLE:
        return  # nothing of it can be read


_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    " AND name NOT LIKE '\\_%' ESCAPE '\\'"
)


# What a column without a default says in a row of before there was such a column.
_BEFORE = {("assigned", "cause"): ""}


def _copy_table(conn: Connection, old: Connection, name: str, where: str = "true") -> None:
    """The rows of a table, as far as they can be read; the old file may be that of an older program."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        columns, there = _columns(conn, name), _columns(old, name)
        both = [column for column in columns if column in there]
        told = {column: text for (table, column), text in _BEFORE.items() if table == name and column not in there}
        marks = ", ".join("?" * (len(both) + len(told)))
        insert = f"INSERT OR IGNORE INTO {name} ({', '.join([*both, *told])}) VALUES ({marks})"  # noqa: S608 - our own names
        for row in old.execute(f"SELECT {', '.join(both)} FROM {name} WHERE {where}") if both else ():  # noqa: S608
            conn.execute(insert, (*row, *told.values()))
    except UNREADABLE:
        pass  # a damaged page, or a row that no longer fits: what was read before it stays
    conn.execute("COMMIT")


def _columns(conn: Connection, name: str) -> list[str]:
    return [row[1] for row in conn.execute(f"PRAGMA table_info({name})")]
