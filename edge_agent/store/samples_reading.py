"""Reading samples in small steps: a block at a time, and the tail last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from edge_agent.machines.by_exception import Gap
from edge_agent.store.database import Connection
from edge_agent.store.samples_blocks import Damaged, Rows, Series, by_item, decode_block, decode_rows

_EVER = 1 << 62  # microseconds; later than anything


@dataclass(frozen=True, slots=True)
class Item:
    """An item of which there are samples, and where they are kept."""

    device: str
    name: str
    lane: int
    place: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some samples of one item, in the order in which they came."""

    device: str
    item: str
    series: Series


@dataclass(frozen=True, slots=True)
class Step:
    """What one look at a lane found; `after` is where the next begins, None when this was the last."""

    after: int | None
    chunks: Sequence[Chunk | Gap]


@dataclass(frozen=True, slots=True)
class Usage:
    """How much is kept. `bytes` of the database without its log; `open`: of `samples` those in no block yet.

    `first` and `last` are when this PC stored the oldest and the newest, in microseconds since 1970 UTC; None
    when there is none.
    """

    bytes: int
    samples: int
    open: int
    dropped: int
    gaps: int
    first: int | None
    last: int | None


Look = Callable[[Connection], Step]


def span(since: int | None, until: int | None) -> tuple[int, int]:
    """A span of time with both ends."""
    return (-_EVER if since is None else since, _EVER if until is None else until)


def items(conn: Connection, patterns: Sequence[str]) -> list[Item]:
    """The items whose `device/item` matches a pattern, in the order of their names."""
    rows = conn.execute("SELECT device, name, lane, place FROM item ORDER BY device, name")
    return [Item(*row) for row in rows if any(fnmatchcase(f"{row[0]}/{row[1]}", each) for each in patterns)]


def gaps(conn: Connection, items: Iterable[Item], since: int, until: int) -> list[Gap]:
    """What is missing of these items in the span, in order of time."""
    wanted = {(item.device, item.name) for item in items}
    devices = {"", *(device for device, _ in wanted)}
    rows = conn.execute(
        "SELECT since, until, reason, device, item, count FROM gap WHERE until >= ? AND since < ? ORDER BY since, id",
        (since, until),
    )
    found = (Gap(*row) for row in rows)
    return [gap for gap in found if (gap.device, gap.item) in wanted or (not gap.item and gap.device in devices)]


def step(
    conn: Connection, lane: int, mine: Mapping[int, Item], after: int, since: int, until: int
) -> Step:
    """The next block of a lane, or all of its tail.

    Rows that become a block between two steps are found there: its number is beyond `after`.
    """
    block = conn.execute(
        "SELECT seq, body, first, last, count FROM block WHERE lane = ? AND seq > ? AND last >= ? AND first < ?"
        " ORDER BY seq LIMIT 1",
        (lane, after, since, until),
    ).fetchone()
    if block is None:
        return Step(None, _tail(conn, lane, mine, since, until))
    seq, body, first, last, count = block
    try:
        series = decode_block(body, mine)
    except Damaged:
        return Step(seq, [Gap(first, last, "not_saved", next(iter(mine.values())).device, count=count)])
    if first < since or last >= until:
        series = {place: _within(each, since, until) for place, each in series.items()}
    return Step(seq, _chunks(series, mine))


def durability(conn: Connection) -> str:
    """What the connection asks of the disk at a commit, in the words of SQLite."""
    (number,) = conn.execute("PRAGMA synchronous").fetchone()
    return _CLASSES[number]


def usage(conn: Connection) -> Usage:
    """How much is kept, how much was dropped."""
    (page,) = conn.execute("PRAGMA page_size").fetchone()
    (pages,) = conn.execute("PRAGMA page_count").fetchone()
    (free,) = conn.execute("PRAGMA freelist_count").fetchone()
    (blocks,) = conn.execute("SELECT coalesce(sum(count), 0) FROM block").fetchone()
    (tail,) = conn.execute(
        "SELECT coalesce(sum(count), 0) FROM tail JOIN lane ON lane.id = lane WHERE seq > folded"
    ).fetchone()
    dropped, gaps = conn.execute(
        "SELECT coalesce(sum(count) FILTER (WHERE reason = 'dropped'), 0), count(*) FROM gap"
    ).fetchone()
    first = [row[0] for table, key in _TABLES if (row := _stored(conn, table, key, "ASC")) is not None]
    last = [row[0] for table, key in _TABLES if (row := _stored(conn, table, key, "DESC")) is not None]
    return Usage(
        (pages - free) * page, blocks + tail, tail, dropped, gaps, min(first, default=None), max(last, default=None)
    )


_CLASSES = ("OFF", "NORMAL", "FULL", "EXTRA")  # by the number that PRAGMA synchronous reads back
_TABLES = (("block", "id"), ("tail", "seq"))


def _stored(conn: Connection, table: str, key: str, order: str) -> tuple[int] | None:
    found: tuple[int] | None = conn.execute(
        f"SELECT stored FROM {table} ORDER BY {key} {order} LIMIT 1"  # noqa: S608 - names of ours
    ).fetchone()
    return found


def _tail(
    conn: Connection, lane: int, mine: Mapping[int, Item], since: int, until: int
) -> list[Chunk | Gap]:
    whole, told = Rows.none(), list[Chunk | Gap]()
    rows = conn.execute(
        "SELECT body, first, last, count FROM tail WHERE lane = ? AND last >= ? AND first < ?"
        " AND seq > (SELECT folded FROM lane WHERE id = ?) ORDER BY seq",
        (lane, since, until, lane),
    )
    for body, first, last, count in rows:
        try:
            part = decode_rows(body)
        except Damaged:
            told.append(Gap(first, last, "not_saved", next(iter(mine.values())).device, count=count))
            continue
        whole.extend(part)
    series = {place: each for place, each in by_item(whole).items() if place in mine}
    return [*told, *_chunks({place: _within(each, since, until) for place, each in series.items()}, mine)]


def _within(series: Series, since: int, until: int) -> Series:
    kept = [
        (time, status, value)
        for time, status, value in zip(*series, strict=True)
        if since <= time < until
    ]
    return Series([row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept])


def _chunks(series: Mapping[int, Series], mine: Mapping[int, Item]) -> list[Chunk]:
    return [
        Chunk(mine[place].device, mine[place].name, each)
        for place, each in sorted(series.items(), key=lambda pair: mine[pair[0]].name)
        if each.times
    ]
