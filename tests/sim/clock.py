"""An event loop in which time passes only when nobody has anything to do, and the clocks of its machines."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import selectors
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from edge_agent.clock import uuid7
from tests.sim.platter import PowerCut

BEGAN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
_THREAD = 0.0005  # seconds that work in a thread takes


class Stalled(Exception):
    """Nobody has anything to do, now or ever."""


class _Numbered:
    """Sets of tasks and futures must have the same order in each run: no address in a hash."""

    _number: int

    def __hash__(self) -> int:
        return self._number


class SimFuture(_Numbered, asyncio.Future[Any]):
    """A future with a number."""


class SimTask(_Numbered, asyncio.Task[Any]):
    """A task with a number, from the first moment: its loop keeps it in a set."""

    def __init__(self, number: int, work: Any, loop: SimLoop, context: contextvars.Context | None) -> None:
        self._number = number
        super().__init__(work, loop=loop, context=context)


class _Waiting(selectors.SelectSelector):
    """Instead of waiting for sockets, moves the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stalled
        self.now += timeout
        return []


async def passing(seconds: float) -> None:
    """So much virtual time; nobody waits for it."""
    loop = asyncio.get_running_loop()
    passed: asyncio.Future[None] = loop.create_future()
    timer = loop.call_later(seconds, lambda: None if passed.done() else passed.set_result(None))
    try:
        await passed
    finally:
        timer.cancel()


class Process:
    """One life of a program: its tasks end together, wherever they are."""

    def __init__(self, loop: SimLoop, name: str) -> None:
        self.name = name
        self.alive = True
        self.died: asyncio.Future[Any] = loop.create_future()
        self.tasks: list[asyncio.Task[Any]] = []
        self._loop = loop

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of this process; so are those that it starts."""
        context = contextvars.copy_context()
        context.run(_process.set, self)
        return self._loop.create_task(work, context=context)

    def end(self) -> None:
        """No task of it goes on."""
        if self.alive:
            self.alive = False
            for task in self.tasks:
                task.cancel()
            self.died.set_result(None)


_process: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class SimLoop(asyncio.SelectorEventLoop):
    """One thread, virtual time. `faults` are the exceptions that nobody took."""

    def __init__(self) -> None:
        self._waiting = _Waiting()
        self._numbers = itertools.count()
        self.faults: list[str] = []
        super().__init__(self._waiting)
        self._clock_resolution = 1e-9
        self.set_task_factory(self._task)
        self.set_exception_handler(self._fault)

    def time(self) -> float:
        return self._waiting.now

    def create_future(self) -> asyncio.Future[Any]:
        future = SimFuture(loop=self)
        future._number = next(self._numbers)
        return future

    def _task(
        self, loop: asyncio.AbstractEventLoop, work: Any, context: contextvars.Context | None = None
    ) -> asyncio.Task[Any]:
        number = next(self._numbers)
        task = SimTask(number, work, self, context)
        process = (context or contextvars.copy_context()).get(_process)
        if process is not None:
            process.tasks.append(task)
            task.add_done_callback(process.tasks.remove if process.alive else _nothing)
            if not process.alive:
                task.cancel()
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, work: Callable[..., Any], *given: Any
    ) -> asyncio.Future[Any]:
        """There is one thread: it is done a moment later, in the process that asked."""
        future = self.create_future()

        def run() -> None:
            if future.done():
                return
            try:
                result, error = work(*given), None
            except BaseException as raised:  # carried to whoever asked
                result, error = None, raised
            if future.done():  # its process ended over it
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        self.call_later(_THREAD, run)
        return future

    def _fault(self, loop: asyncio.AbstractEventLoop, told: Mapping[str, Any]) -> None:
        error = told.get("exception")
        if error is not None and not isinstance(error, PowerCut):
            self.faults.append(f"{told.get('message')}: {error!r}")


def _nothing(task: asyncio.Task[Any]) -> None:
    pass


class SimClock:
    """`edge_agent.clock.Clock` of one machine: the wall clock may be wrong, the other never."""

    def __init__(self, loop: SimLoop, dice: Random) -> None:
        self._loop, self._dice = loop, dice
        self._began = loop.time()
        self.wrong = timedelta(0)
        self._believed = timedelta(0)

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self._loop.time() - self._began) + self.wrong

    def today(self) -> date:
        return self.now().date()

    def monotonic(self) -> float:
        return self._loop.time()

    def boot(self) -> str:
        return "boot"

    def new_id(self) -> str:
        return uuid7(int(self.now().timestamp() * 1000), self._dice.randbytes(10))

    async def sleep_until(self, monotonic: float) -> None:
        await passing(max(0.0, monotonic - self._loop.time()))

    async def sleep(self, seconds: float) -> None:
        """As a terminal waits."""
        await passing(seconds)

    def trusted(self) -> bool:
        return abs(self.wrong - self._believed) < timedelta(seconds=2)

    def continues(self, last: datetime | None) -> None:
        """Whoever switches the PC on says what it believes."""

    def compared(self, source: str, theirs: datetime) -> None:
        """Nobody tells the time here."""

    def doubt(self) -> str:
        return "" if self.trusted() else "The clock of this PC jumped."

    def confirmed(self) -> bool:
        return self.trusted()

    def started(self) -> None:
        """The PC was switched on: it believes what its clock says."""
        self._believed = self.wrong

    def set_to(self, moment: datetime) -> None:
        """Somebody, NTP or a dead battery sets it."""
        self.wrong += moment - self.now()
