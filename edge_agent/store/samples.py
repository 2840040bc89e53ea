"""The samples of this PC's machines, in a database of their own: bounded, and never in the way of a report.

What is appended is safe when `append` returns, in rows that hold one commit each (the tail). When the tail is
long enough a round begins: step by step `tidy` folds what each lane, up to a hundred items of one device,
has there into blocks of columns, and removes the rows. When the file is full the oldest block goes, is
counted, and is told to readers as a gap.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.machines.by_exception import MICROSECOND, Columns, Gap, microseconds
from edge_agent.store import samples_reading, schema
from edge_agent.store.database import Connection, Database
from edge_agent.store.errors import StoreError
from edge_agent.store.samples_blocks import Damaged, Rows, by_item, decode_rows, encode_block, encode_rows
from edge_agent.store.samples_bounds import Bounds, device_of, drop_aged, limit, make_room, mark
from edge_agent.store.samples_reading import Chunk, Usage

LANE_ITEMS = 100

_STEPS = Path(__file__).with_name("samples_migrations")
_LOOK = 60_000_000  # microseconds between two looks for what is too old
_REMOVED = 1000  # rows of the tail in one step


@dataclass(slots=True)
class _Tail:
    """What is in no block yet; `since` in microseconds, None when there is nothing."""

    count: int
    since: int | None


@dataclass(slots=True)
class _Round:
    """The rows up to `upto` become blocks: those of `lanes` are still to be folded."""

    upto: int
    lanes: list[int]


@dataclass(slots=True)
class _Folded:
    """A block that is not in the database yet, of the rows from `begin` to `seq`. `whole`: nothing of the round is left
    in the lane."""

    lane: int
    begin: int | None = None
    seq: int = 0
    first: int = 0
    last: int = 0
    stored: int = 0
    count: int = 0
    body: bytes = b""
    whole: bool = True
    damaged: list[Gap] = field(default_factory=list)


class SampleStore:
    """The database of samples. Open it with `SampleStore.open`; it belongs to the loop that opened it."""

    def __init__(self, database: Database, clock: Clock, bounds: Bounds, tail: _Tail) -> None:
        self._database = database
        self._clock = clock
        self._bounds = bounds
        self._tail = tail
        self._round: _Round | None = None
        self._looked = 0  # when nothing was too old
        self._places: dict[str, dict[str, int]] = {}  # device -> item -> its number
        self._read: dict[str, tuple[Sequence[str], list[int]]] = {}  # what each device said last, and its numbers

    @classmethod
    async def open(cls, path: Path, clock: Clock, bounds: Bounds) -> SampleStore:
        """Open or create the file, bring it to the schema of this program and below its bounds. Raises StoreError."""

        def prepare(conn: Connection) -> None:
            schema.upgrade(conn, _STEPS)
            limit(conn, bounds, microseconds(clock.now()))

        database = await Database.open(path, prepare)
        try:
            return cls(database, clock, bounds, await database.read(_open_tail))
        except BaseException:
            await database.close()
            raise

    async def append(self, samples: Mapping[str, Columns]) -> None:
        """Keep these samples, by device; they are safe when it returns. Raises StoreError: none is kept."""
        if not samples:
            return
        stored = microseconds(self._clock.now())
        try:
            self._tail.count += await self._database.write(lambda conn: self._append(conn, samples, stored))
        except StoreError:
            self._places.clear()  # they may name items that are not there
            self._read.clear()
            raise
        if self._tail.since is None:
            self._tail.since = stored

    async def mark(self, gap: Gap) -> None:
        """Record that samples are missing. Raises StoreError."""
        await self._database.write(lambda conn: mark(conn, gap))

    async def tidy(self) -> bool:
        """One small step of housekeeping: fold, remove what was folded, drop what is too old.

        Whether there was something to do. Raises StoreError; nothing is lost by it.
        """
        now = microseconds(self._clock.now())
        if self._round is not None:
            await self._go_on(self._round, now)
            return True
        old = now - self._bounds.tail_age // MICROSECOND
        if self._tail.count >= self._bounds.tail_samples or (self._tail.since or now) <= old:
            self._round = await self._database.read(_begin)
            return True
        if 0 <= now - self._looked < _LOOK:
            return False
        dropped = await self._database.write(lambda conn: drop_aged(conn, self._bounds, now))
        self._looked = 0 if dropped else now
        return dropped

    async def _go_on(self, round: _Round, now: int) -> None:
        if round.lanes:
            lane, most = round.lanes[-1], self._bounds.block_samples
            folded = await self._database.read(lambda conn: _fold(conn, lane, round.upto, most))
            if await self._database.write(lambda conn: _store(conn, folded, self._bounds, now)) and folded.whole:
                round.lanes.pop()
        elif not await self._database.write(lambda conn: _remove(conn, round.upto)):
            self._round, self._tail = None, await self._database.read(_open_tail)

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

    async def durability(self) -> str:
        """What this connection asks of the disk at a commit: OFF, NORMAL, FULL or EXTRA (PRAGMA synchronous)."""
        return await self._database.read(samples_reading.durability)

    @property
    def max_bytes(self) -> int:
        """What all files of the database may take together."""
        return self._bounds.bytes

    async def close(self) -> None:
        """Finish what waits and close the file."""
        await self._database.close()

    # ------------------------------------------------------------ in the thread of the database

    def _append(self, conn: Connection, samples: Mapping[str, Columns], stored: int) -> int:
        make_room(conn, self._bounds)
        count = 0
        for device, (items, times, statuses, values) in samples.items():
            seen, codes = self._read.get(device, ((), []))
            if seen != items:  # a device that is read as a whole says the same items again and again
                known = self._places.setdefault(device, {})
                for item in items:  # in their order: what is read together has places side by side
                    if item not in known:
                        known[item] = _place(conn, device, item)
                codes = [known[item] for item in items]
                self._read[device] = (items, codes)
            rows = Rows(codes, times, statuses, values)
            for lane, part in _by_lane(rows):
                count += len(part.times)
                conn.execute(
                    "INSERT INTO tail (lane, first, last, stored, count, body) VALUES (?, ?, ?, ?, ?, ?)",
                    (lane, min(part.times), max(part.times), stored, len(part.times), encode_rows(part)),
                )
        return count


def _by_lane(rows: Rows) -> Iterator[tuple[int, Rows]]:
    """The rows of each lane; their places are numbered through all lanes, side by side for items of one read."""
    lanes = {place // LANE_ITEMS for place in (min(rows.places), max(rows.places))}
    if len(lanes) == 1:
        lane = lanes.pop()
        yield lane, rows._replace(places=[place - lane * LANE_ITEMS for place in rows.places])
        return
    parts: dict[int, Rows] = {}
    begin = 0
    for lane, run in groupby(rows.places, key=lambda place: place // LANE_ITEMS):
        places = [place - lane * LANE_ITEMS for place in run]
        end = begin + len(places)
        part = Rows(places, rows.times[begin:end], rows.statuses[begin:end], rows.values[begin:end])
        parts.setdefault(lane, Rows.none()).extend(part)
        begin = end
    yield from parts.items()


def _step(
    lane: int, mine: dict[int, samples_reading.Item], after: int, bounds: tuple[int, int]
) -> samples_reading.Look:
    return lambda conn: samples_reading.step(conn, lane, mine, after, *bounds)


def _open_tail(conn: Connection) -> _Tail:
    count, since = conn.execute(
        "SELECT coalesce(sum(count), 0), min(stored) FROM tail JOIN lane ON lane.id = lane WHERE seq > folded"
    ).fetchone()
    return _Tail(count, since)


def _begin(conn: Connection) -> _Round:
    """A round over all that is in the tail now."""
    (upto,) = conn.execute("SELECT coalesce(max(seq), 0) FROM tail").fetchone()
    lanes = conn.execute("SELECT DISTINCT lane FROM tail JOIN lane ON lane.id = lane WHERE seq > folded")
    return _Round(upto, [lane for (lane,) in lanes])


def _place(conn: Connection, device: str, name: str) -> int:
    """The number of an item: its lane times LANE_ITEMS, and its place there; a new one gets the next."""
    found = conn.execute(
        "SELECT lane, place FROM item WHERE device = ? AND name = ?", (device, name)
    ).fetchone()
    if found is None:
        lane, place = conn.execute(
            "SELECT lane, max(place) + 1 FROM item WHERE lane = (SELECT max(id) FROM lane WHERE device = ?)",
            (device,),
        ).fetchone()
        if lane is None or place >= LANE_ITEMS:
            made = conn.execute("INSERT INTO lane (device) VALUES (?)", (device,))
            lane, place = made.lastrowid, 0
        found = (lane, place)
        conn.execute("INSERT INTO item (device, name, lane, place) VALUES (?, ?, ?, ?)", (device, name, *found))
    return int(found[0]) * LANE_ITEMS + int(found[1])


def _fold(conn: Connection, lane: int, upto: int, most: int) -> _Folded:
    """The tail of a lane up to a row, or the beginning of it, as a block."""
    folded, whole = _Folded(lane), Rows.none()
    rows = conn.execute(
        "SELECT seq, first, last, stored, count, body FROM tail"
        " WHERE lane = ? AND seq > (SELECT folded FROM lane WHERE id = ?) AND seq <= ? ORDER BY seq",
        (lane, lane, upto),
    )
    for seq, first, last, stored, count, body in rows:
        folded.begin = seq if folded.begin is None else folded.begin
        folded.seq, folded.stored = seq, stored
        try:
            part = decode_rows(body)
        except Damaged:
            folded.damaged.append(Gap(first, last, "not_saved", device_of(conn, lane), count=count))
            continue
        whole.extend(part)
        folded.first = min(folded.first, first) if folded.count else first
        folded.last = max(folded.last, last) if folded.count else last
        folded.count += count
        if folded.count >= most:
            folded.whole = False
            break
    rows.close()
    folded.body = encode_block(by_item(whole)) if folded.count else b""
    return folded


def _store(conn: Connection, folded: _Folded, bounds: Bounds, now: int) -> bool:
    """Put a block in the place of its rows, which nobody reads any more; False: fold again, since some of its rows
    were dropped meanwhile, and told as dropped."""
    (begin,) = conn.execute(
        "SELECT min(seq) FROM tail WHERE lane = ?1 AND seq > (SELECT folded FROM lane WHERE id = ?1) AND seq <= ?2",
        (folded.lane, folded.seq),
    ).fetchone()
    if begin != folded.begin:
        return False
    conn.execute("UPDATE lane SET folded = max(folded, ?) WHERE id = ?", (folded.seq, folded.lane))
    make_room(conn, bounds)
    drop_aged(conn, bounds, now)
    if folded.count:
        conn.execute(
            "INSERT INTO block (lane, seq, first, last, stored, count, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (folded.lane, folded.seq, folded.first, folded.last, folded.stored, folded.count, folded.body),
        )
    for gap in folded.damaged:
        mark(conn, gap)
    return True


def _remove(conn: Connection, upto: int) -> bool:
    """Remove some of the rows that are in blocks; whether there were any."""
    return conn.execute(
        "DELETE FROM tail WHERE seq IN (SELECT seq FROM tail WHERE seq <= ? ORDER BY seq LIMIT ?)", (upto, _REMOVED)
    ).rowcount > 0
