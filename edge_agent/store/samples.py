"""The samples of this PC's machines, in a database of their own: bounded, and never in the way of a report.

What is appended is safe when `append` returns, in rows that hold one commit each (the tail). `tidy` folds
the tail of a lane, up to a hundred items of one device, into a block of columns when it is long enough.
When the file is full the oldest block goes, is counted, and is told to readers as a gap.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.store import samples_reading, schema
from edge_agent.store.database import Connection, Database
from edge_agent.store.errors import StoreError
from edge_agent.store.samples_blocks import Damaged, Row, Series, decode_rows, encode_block, encode_rows
from edge_agent.store.samples_reading import Chunk, Usage
from edge_agent.telemetry import Gap, Sample, microseconds

LANE_ITEMS = 100
BLOCK_SAMPLES = 60_000  # of a lane in one block: bounds the memory and the time that a block takes
BLOCK_AGE = timedelta(minutes=30)

_STEPS = Path(__file__).with_name("samples_migrations")
_LOG_BYTES = 4 * 1024 * 1024  # what SQLite's log may keep beside the database
_MOST_GAPS = 10_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: bytes of all files of the database, and the age since it was stored."""

    bytes: int
    age: timedelta
    block_age: timedelta = BLOCK_AGE
    block_samples: int = BLOCK_SAMPLES

    @property
    def database_bytes(self) -> int:
        """What the database may take beside its log."""
        return self.bytes - min(_LOG_BYTES, self.bytes // 4)


@dataclass(slots=True)
class _Open:
    """What the tail of a lane holds; `since` in microseconds."""

    count: int
    since: int


@dataclass(slots=True)
class _Folded:
    """A block that is not in the database yet; `damaged`: rows that could not be read any more."""

    lane: int
    seq: int = 0
    first: int = 0
    last: int = 0
    stored: int = 0
    count: int = 0
    body: bytes = b""
    damaged: list[Gap] = field(default_factory=list)


class SampleStore:
    """The database of samples. Open it with `SampleStore.open`; it belongs to the loop that opened it."""

    def __init__(self, database: Database, clock: Clock, bounds: Bounds, tail: dict[int, _Open]) -> None:
        self._database = database
        self._clock = clock
        self._bounds = bounds
        self._open = tail
        self._places: dict[tuple[str, str], tuple[int, int]] = {}  # (device, item) -> (lane, place)

    @classmethod
    async def open(cls, path: Path, clock: Clock, bounds: Bounds) -> SampleStore:
        """Open or create the file, bring it to the schema of this program and below its bounds. Raises StoreError."""

        def prepare(conn: Connection) -> None:
            schema.upgrade(conn, _STEPS)
            _limit(conn, bounds, microseconds(clock.now()))

        database = await Database.open(path, prepare)
        try:
            return cls(database, clock, bounds, await database.read(_open_lanes))
        except BaseException:
            await database.close()
            raise

    async def append(self, samples: Sequence[Sample]) -> None:
        """Keep these samples; they are safe when it returns. One commit. Raises StoreError: none is kept."""
        if not samples:
            return
        stored = microseconds(self._clock.now())
        try:
            counts = await self._database.write(lambda conn: self._append(conn, samples, stored))
        except StoreError:
            self._places.clear()  # it may name items that are not there
            raise
        for lane, count in counts.items():
            known = self._open.setdefault(lane, _Open(0, stored))
            known.count += count

    async def mark(self, gap: Gap) -> None:
        """Record that samples are missing. Raises StoreError."""
        await self._database.write(lambda conn: _mark(conn, gap))

    async def tidy(self) -> bool:
        """One small step of housekeeping: fold one lane, or drop what is too old. Whether there was work.

        Raises StoreError; nothing is lost by it.
        """
        now = microseconds(self._clock.now())
        oldest = now - self._bounds.block_age // timedelta(microseconds=1)
        lane = next(
            (
                lane for lane, tail in self._open.items()
                if tail.count >= self._bounds.block_samples or tail.since <= oldest
            ), None,
        )  # fmt: skip
        if lane is None:
            return await self._database.write(lambda conn: _drop_aged(conn, self._bounds, now))
        folded = await self._database.read(lambda conn: _fold(conn, lane, self._bounds.block_samples))
        left = await self._database.write(lambda conn: _store(conn, folded, self._bounds, now))
        if left is None:
            self._open.pop(lane, None)
        else:
            self._open[lane] = left
        return True

    async def read(
        self, patterns: Sequence[str] = ("*",), since: int | None = None, until: int | None = None
    ) -> AsyncIterator[Chunk | Gap]:
        """Gaps first, then the samples of the items whose `device/item` matches one of the patterns.

        Of the time from `since` until before `until`, in microseconds. Of each item in the order in which
        they came; between two chunks others work with the database. What is appended while it
        reads may be in it or not; nothing comes twice.
        """
        bounds = samples_reading.span(since, until)
        items = await self._database.read(lambda conn: samples_reading.items(conn, patterns))
        for gap in await self._database.read(lambda conn: samples_reading.gaps(conn, items, *bounds)):
            yield gap
        for lane in dict.fromkeys(item.lane for item in items):
            mine = {item.place: item for item in items if item.lane == lane}
            after: int | None = 0
            while after is not None:
                step = await self._database.read(_step(lane, mine, after, bounds))
                after = step.after
                for chunk in step.chunks:
                    yield chunk

    async def usage(self) -> Usage:
        """How much is kept, how much was dropped."""
        return await self._database.read(samples_reading.usage)

    async def close(self) -> None:
        """Finish what waits and close the file."""
        await self._database.close()

    # ------------------------------------------------------------ in the thread of the database

    def _append(self, conn: Connection, samples: Sequence[Sample], stored: int) -> dict[int, int]:
        _make_room(conn, self._bounds)
        lanes: dict[int, list[Row]] = {}
        for device, item, time, status, value in samples:
            known = self._places.get((device, item))
            if known is None:
                known = self._places[device, item] = _place(conn, device, item)
            row = (known[1], time, status, value)
            try:
                lanes[known[0]].append(row)
            except KeyError:
                lanes[known[0]] = [row]
        for lane, rows in lanes.items():
            times = [row[1] for row in rows]
            conn.execute(
                "INSERT INTO tail (lane, first, last, stored, count, body) VALUES (?, ?, ?, ?, ?, ?)",
                (lane, min(times), max(times), stored, len(rows), encode_rows(rows)),
            )
        return {lane: len(rows) for lane, rows in lanes.items()}


def _step(
    lane: int, mine: dict[int, samples_reading.Item], after: int, bounds: tuple[int, int]
) -> samples_reading.Look:
    return lambda conn: samples_reading.step(conn, lane, mine, after, *bounds)


def _limit(conn: Connection, bounds: Bounds, now: int) -> None:
    """Hold the file to its size: the operating system's word is the last one, even against our own sums."""
    (page,) = conn.execute("PRAGMA page_size").fetchone()
    pages = bounds.database_bytes // page
    conn.execute("BEGIN IMMEDIATE")
    while _drop_aged(conn, bounds, now):
        pass
    _make_room(conn, bounds)
    conn.execute("COMMIT")
    (size,) = conn.execute("PRAGMA page_count").fetchone()
    if size > pages:
        conn.execute("VACUUM")  # the site file allows less than before
    conn.execute(f"PRAGMA max_page_count = {pages:d}")


def _open_lanes(conn: Connection) -> dict[int, _Open]:
    rows = conn.execute("SELECT lane, sum(count), min(stored) FROM tail GROUP BY lane")
    return {lane: _Open(count, since) for lane, count, since in rows}


def _place(conn: Connection, device: str, name: str) -> tuple[int, int]:
    """The lane and the place of an item; a new item gets the next place of its device."""
    found = conn.execute(
        "SELECT lane, place FROM item WHERE device = ? AND name = ?", (device, name)
    ).fetchone()
    if found is None:
        lane, place = conn.execute(
            "SELECT lane, max(place) + 1 FROM item WHERE lane = (SELECT max(lane) FROM item WHERE device = ?)",
            (device,),
        ).fetchone()
        if lane is None or place >= LANE_ITEMS:
            (lane,) = conn.execute("SELECT coalesce(max(lane), 0) + 1 FROM item").fetchone()
            place = 0
        found = (lane, place)
        conn.execute(
            "INSERT INTO item (lane, place, device, name) VALUES (?, ?, ?, ?)", (*found, device, name)
        )
    return int(found[0]), int(found[1])


def _fold(conn: Connection, lane: int, most: int) -> _Folded:
    """The tail of a lane, or the beginning of it, as a block."""
    folded = _Folded(lane)
    places: dict[int, Series] = {}
    rows = conn.execute(
        "SELECT seq, first, last, stored, count, body FROM tail WHERE lane = ? ORDER BY seq", (lane,)
    )
    for seq, first, last, stored, count, body in rows:
        folded.seq, folded.stored = seq, stored
        try:
            for place, time, status, value in decode_rows(body):
                series = places.get(place)
                if series is None:
                    series = places[place] = Series([], [], [])
                series.times.append(time)
                series.statuses.append(status)
                series.values.append(value)
        except Damaged:
            folded.damaged.append(Gap(first, last, "not_saved", _device(conn, lane), count=count))
            continue
        folded.first = min(folded.first, first) if folded.count else first
        folded.last = max(folded.last, last) if folded.count else last
        folded.count += count
        if folded.count >= most:
            break
    rows.close()
    folded.body = encode_block(places) if places else b""
    return folded


def _store(conn: Connection, folded: _Folded, bounds: Bounds, now: int) -> _Open | None:
    """Put a block in the place of its rows; what the tail of the lane still holds."""
    conn.execute("DELETE FROM tail WHERE lane = ? AND seq <= ?", (folded.lane, folded.seq))
    _make_room(conn, bounds)
    _drop_aged(conn, bounds, now)
    if folded.count:
        conn.execute(
            "INSERT INTO block (lane, seq, first, last, stored, count, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (folded.lane, folded.seq, folded.first, folded.last, folded.stored, folded.count, folded.body),
        )
    for gap in folded.damaged:
        _mark(conn, gap)
    count, since = conn.execute(
        "SELECT sum(count), min(stored) FROM tail WHERE lane = ?", (folded.lane,)
    ).fetchone()
    return _Open(count, since) if count else None


def _make_room(conn: Connection, bounds: Bounds) -> None:
    """Drop the oldest until there is room for a commit and a block."""
    (page,) = conn.execute("PRAGMA page_size").fetchone()
    allowed = bounds.database_bytes - bounds.database_bytes // 32
    while _pages(conn) * page > allowed and (_drop(conn, "block") or _drop(conn, "tail")):
        pass


def _pages(conn: Connection) -> int:
    (all_pages,) = conn.execute("PRAGMA page_count").fetchone()
    (free,) = conn.execute("PRAGMA freelist_count").fetchone()
    return int(all_pages - free)


def _drop_aged(conn: Connection, bounds: Bounds, now: int) -> bool:
    """Drop the oldest block if it is too old; whether it was."""
    oldest = now - bounds.age // timedelta(microseconds=1)
    found = conn.execute("SELECT stored FROM block ORDER BY id LIMIT 1").fetchone()
    return found is not None and found[0] < oldest and _drop(conn, "block")


def _drop(conn: Connection, table: str) -> bool:
    """Drop the oldest row of a table and count it; False when there is none."""
    key = {"block": "id", "tail": "seq"}[table]
    found = conn.execute(
        f"SELECT {key}, lane, first, last, count FROM {table} ORDER BY {key} LIMIT 1"  # noqa: S608 - two names of ours
    ).fetchone()
    if found is None:
        return False
    number, lane, first, last, count = found
    conn.execute(f"DELETE FROM {table} WHERE {key} = ?", (number,))  # noqa: S608 - as above
    device = _device(conn, lane)
    widened = conn.execute(
        "UPDATE gap SET since = min(since, ?), until = max(until, ?), count = count + ?"
        " WHERE reason = 'dropped' AND device = ?",
        (first, last, count, device),
    )
    if not widened.rowcount:
        _mark(conn, Gap(first, last, "dropped", device, count=count))
    return True


def _mark(conn: Connection, gap: Gap) -> None:
    conn.execute(
        "INSERT INTO gap (device, item, since, until, reason, count) VALUES (?, ?, ?, ?, ?, ?)",
        (gap.device, gap.item, gap.since, max(gap.since, gap.until), gap.reason, gap.count),
    )
    conn.execute(
        "DELETE FROM gap WHERE reason <> 'dropped' AND id <= (SELECT max(id) FROM gap) - ?", (_MOST_GAPS,)
    )


def _device(conn: Connection, lane: int) -> str:
    (device,) = conn.execute("SELECT device FROM item WHERE lane = ? LIMIT 1", (lane,)).fetchone()
    return str(device)
