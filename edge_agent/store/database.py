"""One thread, one connection, and one commit for everything that waits.

The thread owns the only connection to the file, so nothing is ever locked out by ourselves and the
WAL-reset fault of SQLite 3.7.0 to 3.51.2, which takes two connections, can not happen. What it does on
that connection is a `Worker`, which knows nothing of threads.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Literal, Protocol, TypeVar

from edge_agent.store.disk import DISK, Connection, Disk
from edge_agent.store.errors import StoreError, store_error, write_error

__all__ = ["Connection", "Database", "Opened", "Opening", "Transactions", "Worker", "connect"]

T = TypeVar("T")
How = Literal["write", "read", "alone"]

_log = logging.getLogger(__name__)

_FULL = 2  # what PRAGMA synchronous reads back for FULL
_BATCH = 200  # jobs in one commit: bounds how long the first of them waits for its answer
_OLDEST_SQLITE = (3, 38, 0)  # STRICT tables, JSON always built in

# Milliseconds that another program may hold the file. At the start nobody waits for us yet; later all
# that is asked waits behind the one who waits.
_PATIENCE_AT_START = 2000
_PATIENCE = 250

_PRAGMAS = (
    f"PRAGMA busy_timeout = {_PATIENCE_AT_START}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 250",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",  # otherwise REPLACE deletes without asking the triggers
)


def _nothing(*about: object) -> None:
    """Where nobody wants to be told."""


class Transactions(Protocol):
    """What can run a function on the connection: the database, or the store in front of it."""

    async def write(self, fn: Callable[[Connection], T]) -> T: ...
    async def read(self, fn: Callable[[Connection], T]) -> T: ...


class Opened(Transactions, Protocol):
    """A database that somebody has opened, and closes."""

    async def alone(self, fn: Callable[[Connection], T]) -> T: ...
    async def close(self) -> None: ...


class Opening(Protocol):
    """Who opens a database: `Database.open`, or what takes its place."""

    async def __call__(
        self, path: Path, prepare: Callable[[Connection], None], committed: Callable[[Connection], None],
        failed: Callable[[StoreError], None], disk: Disk, begins: Callable[[], None],
    ) -> Opened: ...  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do on the connection, and who waits for it.

    `how`: write, in a transaction; read, between two; alone, where no transaction may be open.
    """

    fn: Callable[[Connection], Any]
    future: asyncio.Future[Any]
    how: How


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a job."""

    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class Worker:
    """The connection and what is done on it: all of it in one thread."""

    def __init__(
        self, path: Path, prepare: Callable[[Connection], None], committed: Callable[[Connection], None],
        failed: Callable[[StoreError], None], disk: Disk, begins: Callable[[], None] = _nothing,
    ) -> None:  # fmt: skip
        """Opens; raises StoreError, and what `prepare` raises. The others: see `Database.open`."""
        self._begins, self._committed, self._failed = begins, committed, failed
        try:
            self._conn = connect(path, disk)
        except (OSError, sqlite3.Error, StoreError) as error:
            raise _opening_error(error) from error
        try:
            prepare(self._conn)
            self._conn.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
        except Exception as error:  # carried to whoever opens the database
            with suppress(sqlite3.Error):  # a disk that failed over the first may fail over this as well
                self._conn.close()
            raise _failure(error) from error

    def work(self, batch: Sequence[Job]) -> Iterator[list[Answer]]:
        """All that waits: the answers of those who look, of one commit for all who write, of each one alone."""
        # A commit may have to wait for the disk, or for another program; a look never does.
        yield _look(self._conn, [job for job in batch if job.how == "read"])
        yield self._commit([job for job in batch if job.how == "write"])
        yield [_answer(self._conn, job) for job in batch if job.how == "alone"]

    def close(self) -> None:
        """Close the file."""
        self._conn.close()

    def _commit(self, jobs: Sequence[Job]) -> list[Answer]:
        if not jobs:
            return []
        conn = self._conn
        self._begins()
        try:
            conn.execute("BEGIN IMMEDIATE")
            answers = [_attempt(conn, job) for job in jobs]
            conn.execute("COMMIT")
        except (sqlite3.Error, StoreError) as error:
            _roll_back(conn)
            self._failed(_lost(error))
            # One exception for each: a shared one would collect the tracebacks of all who wait.
            return [Answer(job.future, error=_lost(error)) for job in jobs]
        self._committed(conn)
        return answers


class Database:
    """A SQLite file behind a queue. Open it with `Database.open`; belongs to the loop that opened it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._closing = False
        self._died = ""  # why the thread has ended before it was asked to, in words
        self._open = threading.Lock()  # around what goes into the queue, and the end of it
        self._thread = threading.Thread(target=self._run, name=f"database {path.name}", daemon=True)
        self._prepare: Callable[[Connection], None] = _nothing
        self._committed: Callable[[Connection], None] = _nothing
        self._failed: Callable[[StoreError], None] = _nothing
        self._begins: Callable[[], None] = _nothing
        self._disk: Disk = DISK

    @classmethod
    async def open(
        cls, path: Path, prepare: Callable[[Connection], None] = _nothing,
        committed: Callable[[Connection], None] = _nothing, failed: Callable[[StoreError], None] = _nothing,
        disk: Disk = DISK, begins: Callable[[], None] = _nothing,
    ) -> Database:  # fmt: skip
        """Open or create the file; `prepare` runs first, outside a transaction. Raises StoreError.

        `begins` runs before every transaction, `committed` after its commit and before anybody hears of it,
        `failed` after a commit that was not; all in the thread of the database, and none may raise.
        """
        database = cls(path)
        database._prepare, database._committed, database._failed = prepare, committed, failed
        database._disk, database._begins = disk, begins
        database._thread.start()
        await database._ready
        return database

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction; returns its result after the commit that holds its rows.

        All jobs that wait share one commit. An exception of `fn` undoes and fails this job alone; a
        commit that fails raises StoreError in all of them, and nothing counts as saved. A caller that
        is cancelled does not call its job back.
        """
        return await self._ask(fn, "write")

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` between transactions: it sees committed rows only, one and the same state throughout.

        It goes before the writes that wait with it: only a write that has returned is sure to be seen.
        """
        return await self._ask(fn, "read")

    async def alone(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` outside of any transaction; all others wait for it. For VACUUM and its like."""
        return await self._ask(fn, "alone")

    async def close(self) -> None:
        """Finish what waits, then close the file. Jobs that come later are refused."""
        if not self._closing:
            self._closing = True
            self._jobs.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    async def _ask(self, fn: Callable[[Connection], T], how: How) -> T:
        if self._closing:
            raise StoreError("closed")
        future: asyncio.Future[T] = self._loop.create_future()
        with self._open:
            if self._died:
                raise StoreError("io", self._died)
            self._jobs.put(Job(fn, future, how))
        return await future

    # ------------------------------------------------------------ in the thread

    def _run(self) -> None:
        try:
            worker = Worker(self._path, self._prepare, self._committed, self._failed, self._disk, self._begins)
        except Exception as error:  # carried to whoever opens the database
            self._post([Answer(self._ready, error=error)])
            return
        self._post([Answer(self._ready)])
        for batch in self._batches():
            try:
                for answers in worker.work(batch):
                    self._post(answers)
            except Exception as error:  # a mistake of ours: without a word, all would wait for ever
                _log.exception("database.ended")
                self._refuse(batch, error)
                break
        with suppress(sqlite3.Error):  # a disk that failed: what is committed is in the log
            worker.close()
        self._post([Answer(self._ended)])

    def _refuse(self, batch: Sequence[Job], error: Exception) -> None:
        """All who wait, and who come until the database is closed; those who have their answer keep it."""
        with self._open:  # nobody comes into the queue behind this
            self._died = f"The database of this PC has stopped: NOT SAVED. Restart the agent. ({error!r})"
        self._post([Answer(job.future, error=StoreError("io", self._died)) for job in batch])
        with suppress(Empty):
            while True:
                if (job := self._jobs.get_nowait()) is not None:
                    self._post([Answer(job.future, error=StoreError("io", self._died))])

    def _batches(self) -> Iterator[list[Job]]:
        """Everything that waits, time after time, until the queue is closed."""
        while True:
            job = self._jobs.get()
            batch: list[Job] = []
            while job is not None:
                batch.append(job)
                if len(batch) == _BATCH:
                    break
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    break
            yield batch
            if job is None:
                return

    def _post(self, answers: Sequence[Answer]) -> None:
        if not answers:
            return
        try:
            self._loop.call_soon_threadsafe(deliver, answers)
        except RuntimeError:
            pass  # the loop is gone, and with it everybody who could be told


def deliver(answers: Sequence[Answer]) -> None:
    """Tell everybody who still waits; in their loop."""
    for answer in answers:
        if answer.future.done():
            continue
        if answer.error is None:
            answer.future.set_result(answer.result)
        else:
            answer.future.set_exception(answer.error)


def sqlite_version() -> tuple[str, bool]:
    """The version of SQLite here, and whether it is new enough."""
    return sqlite3.sqlite_version, sqlite3.sqlite_version_info >= _OLDEST_SQLITE


def connect(path: Path, disk: Disk = DISK) -> Connection:
    """A connection as the database needs it. Raises StoreError, sqlite3.Error, OSError."""
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError("io", f"SQLite {sqlite3.sqlite_version} is too old: 3.38 or later is needed.")
    conn = disk.connect(path)
    try:
        for pragma in _PRAGMAS:
            conn.execute(pragma)
        (synchronous,) = conn.execute("PRAGMA synchronous").fetchone()
        (mode,) = conn.execute("PRAGMA journal_mode").fetchone()
        if synchronous != _FULL or mode != "wal":
            raise StoreError("io", f"The database can not be made safe against a power cut here ({mode}).")
    except (sqlite3.Error, StoreError):
        conn.close()
        raise
    return conn


def _attempt(conn: Connection, job: Job) -> Answer:
    conn.execute("SAVEPOINT job")
    try:
        result = job.fn(conn)
    except Exception as error:  # carried to the caller; it fails this job alone
        failure = (write_error(error) or error) if isinstance(error, sqlite3.Error) else error
        if not conn.in_transaction:  # a full or failing disk: SQLite has undone the jobs before it, too
            raise failure if isinstance(failure, StoreError) else StoreError("io") from error
        conn.execute("ROLLBACK TO job")
        conn.execute("RELEASE job")
        return Answer(job.future, error=failure)
    conn.execute("RELEASE job")
    return Answer(job.future, result)


def _look(conn: Connection, jobs: Sequence[Job]) -> list[Answer]:
    if not jobs:
        return []
    conn.execute("PRAGMA query_only = ON")
    answers = [_answer(conn, job) for job in jobs]
    conn.execute("PRAGMA query_only = OFF")
    return answers


def _answer(conn: Connection, job: Job) -> Answer:
    try:
        return Answer(job.future, job.fn(conn))
    except Exception as error:  # carried to the caller
        return Answer(job.future, error=_failure(error))


def _roll_back(conn: Connection) -> None:
    if conn.in_transaction:
        try:
            conn.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # the next BEGIN says what is wrong


def _failure(error: Exception) -> Exception:
    return (store_error(error) or error) if isinstance(error, sqlite3.Error) else error


def _lost(error: sqlite3.Error | StoreError) -> StoreError:
    if isinstance(error, StoreError):
        return StoreError(error.kind, str(error))
    return store_error(error) or StoreError("io", f"The commit failed: NOT SAVED. ({error})")


def _opening_error(error: OSError | sqlite3.Error | StoreError) -> StoreError:
    match error:
        case StoreError():
            return error
        case PermissionError():
            return StoreError("readonly")
        case sqlite3.Error():
            return store_error(error) or StoreError("io", f"The database can not be opened: {error}.")
        case _:
            return StoreError("io", f"The database can not be opened: {error.strerror}.")
