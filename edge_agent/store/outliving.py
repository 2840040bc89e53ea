"""What people have still to look at although no fact of the journal says it (any more): kept outside as well.

Doubts whose facts have left the journal, databases that were mended, what waits for a connector that is gone, and
the last decisions on them. The mirror keeps them in the file that says where the journal begins, in one piece with
it: what was decided since stands in the facts behind, so a journal that is built anew from there has all of them
as they were.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from edge_agent.store.database import Connection
from edge_agent.store.disk import Disk
from edge_agent.store.errors import UNREADABLE
from sync.contract import AnyFact

Rows = dict[str, list[dict[str, object]]]  # by table: what each column of a row holds

# One doubt for the numbers that a restored backup did not have can not be read from its facts either.
_OURS = "(seq <= {base} OR (kind = 'lost' AND facts > 1))"
_KEPT = {
    "doubt": f"SELECT * FROM doubt WHERE {_OURS}",  # noqa: S608 - texts of this file
    "incident": "SELECT * FROM incident WHERE NOT EXISTS ("
    " SELECT 1 FROM decided WHERE exception = 'incident/' || incident.at AND choice = 'acknowledge')",
    "stranded": "SELECT * FROM stranded",
    "former": "SELECT * FROM former",
    "decided": "SELECT * FROM decided WHERE exception LIKE 'incident/%'"  # noqa: S608 - the same
    f" OR exception IN (SELECT key FROM doubt WHERE {_OURS})",
}
# The same of a damaged file, with what was acknowledged: it may stand in a list.
_FOUND = _KEPT | {"incident": "SELECT * FROM incident", "decided": "SELECT * FROM decided"}

_TIMES = {"doubt": "at", "incident": "at", "stranded": "since", "former": "at", "decided": "at"}
_body: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


def told(conn: Connection, base: int) -> bytes:
    """What is to be kept outside of a journal that begins behind `base`; empty: nothing. Raises sqlite3.Error."""
    rows = {table: found for table, query in _KEPT.items() if (found := _rows(conn, query, base))}
    open_ones = any(table != "decided" for table in rows)
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode() if open_ones else b""


def known(outside: bytes, damaged: Path, base: int, disk: Disk) -> Rows:
    """What is known of it when a database is mended: all of either copy. At worst somebody is asked twice."""
    rows = _parsed(outside)
    try:
        with closing(disk.look(damaged)) as old:
            for table, query in _FOUND.items():
                rows.setdefault(table, []).extend(_readable(old, query, base))
    except UNREADABLE:
        pass  # what was read before it stays
    return {table: [row for row in found if _sound(table, row)] for table, found in rows.items()}


def put_back(conn: Connection, rows: Rows, base: int) -> None:
    """Into a database that is built anew, before its facts: the decisions among those act on it."""
    for table, each in rows.items():
        for row in each:
            if table != "doubt" or int(str(row["seq"])) <= base:
                _insert(conn, table, _up_to(row, base) if table == "doubt" else row)


def joined(conn: Connection, rows: Rows, base: int) -> None:
    """Behind the facts: the numbers that a restored backup did not have are one doubt again, and of the doubts about
    times each fact that was recorded anew counts once."""
    told = {str(row["key"]): row for row in reversed(rows.get("doubt", []))}  # of two copies the first was put back
    for row in told.values():
        names = {name: row[name] for name in ("key", "seq", "last", "facts")}
        if row["kind"] == "clock" and int(str(row["seq"])) <= base:
            conn.execute(_COUNTED_ONCE, names | {"base": base})
        if row["kind"] == "lost" and row["last"] != row["seq"]:
            if conn.execute(
                "UPDATE doubt SET last = :last, facts = :facts WHERE key = :key AND seq = :seq", names
            ).rowcount:
                conn.execute("DELETE FROM doubt WHERE kind = 'lost' AND seq > :seq AND seq <= :last", names)


_COUNTED_ONCE = """
    UPDATE doubt SET facts = max(1, facts - (
        SELECT count(*) FROM journal
        WHERE clock_ok = 0 AND kind NOT IN ('ExceptionDecided', 'FactLost') AND seq > :base AND seq <= :last
    ))
    WHERE key = :key AND kind = 'clock'
"""


def _up_to(row: dict[str, object], base: int) -> dict[str, object]:
    """A doubt about times up to the base: the facts behind it are recorded anew, and counted as they come."""
    return row | {"last": min(int(str(row["last"])), base)} if row["kind"] == "clock" else row


def _rows(conn: Connection, query: str, base: int) -> list[dict[str, object]]:
    return [*_each(conn, query, base)]


def _each(conn: Connection, query: str, base: int) -> Iterator[dict[str, object]]:
    answer = conn.execute(query.format(base=int(base)))
    names = [column[0] for column in answer.description]
    for row in answer:
        yield dict(zip(names, row, strict=True))


def _readable(conn: Connection, query: str, base: int) -> Iterator[dict[str, object]]:
    """The rows that can be read; of a damaged table those before the damage."""
    try:
        yield from _each(conn, query, base)
    except UNREADABLE:
        return


def _parsed(outside: bytes) -> Rows:
    try:
        return msgspec.json.decode(outside, type=Rows) if outside else {}
    except msgspec.MsgspecError:
        return {}


def _sound(table: str, row: Mapping[str, object]) -> bool:
    """Whether the screen can show it: nothing proves a row of a damaged file."""
    if any(not isinstance(row.get(name, 0), int) for name in ("seq", "last", "facts")):
        return False
    try:
        datetime.fromisoformat(str(row[_TIMES[table]]))
        if table in ("doubt", "stranded") and row.get("kind") != "clock":
            _body.decode(str(row["payload"]))
        if table == "incident":
            msgspec.json.decode(str(row["lost"]), type=list[int])
    except (ValueError, KeyError):
        return False
    return True


def _insert(conn: Connection, table: str, row: Mapping[str, object]) -> None:
    names = [name for _, name, *_ in conn.execute(f"PRAGMA table_info({table})") if name in row]
    marks = ", ".join("?" * len(names))
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own names
    try:
        conn.execute(insert, [row[name] for name in names])
    except sqlite3.IntegrityError:
        return  # of another type than the column: it rotted
