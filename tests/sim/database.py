"""`edge_agent.store.database.Database` without its thread: the same `Worker`, in turns of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from edge_agent.store.database import Connection, How, Job, Worker, deliver
from edge_agent.store.disk import Disk
from edge_agent.store.errors import StoreError
from tests.sim.clock import passing
from tests.sim.platter import PowerCut

T = TypeVar("T")

_TURN = 0.001  # seconds that a commit takes


class LoopDatabase:
    """All jobs that came since the last turn share the next commit."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._jobs: list[Job] = []
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(
        cls, path: Path, prepare: Callable[[Connection], None], committed: Callable[[Connection], None],
        failed: Callable[[StoreError], None], disk: Disk, begins: Callable[[], None],
    ) -> LoopDatabase:  # fmt: skip
        await passing(_TURN)
        return cls(Worker(path, prepare, committed, failed, disk, begins))

    async def write(self, fn: Callable[[Connection], T]) -> T:
        return await self._ask(fn, "write")

    async def read(self, fn: Callable[[Connection], T]) -> T:
        return await self._ask(fn, "read")

    async def alone(self, fn: Callable[[Connection], T]) -> T:
        return await self._ask(fn, "alone")

    async def close(self) -> None:
        self._worker.close()

    async def _ask(self, fn: Callable[[Connection], T], how: How) -> T:
        future: asyncio.Future[Any] = self._loop.create_future()
        if not self._jobs:
            self._loop.call_later(_TURN, self._turn)
        self._jobs.append(Job(fn, future, how))
        result: T = await future
        return result

    def _turn(self) -> None:
        batch, self._jobs = self._jobs, []
        try:
            for answers in self._worker.work(batch):
                deliver(answers)
        except PowerCut:
            pass  # nobody is left who could be told
