"""What is found to be wrong with the database while the agent works: doubted, believed, told, and noted on the disk.

A doubt is an error that looks like damage; whoever sees to it (`edge_agent.mender`) looks again before it is
believed. What is believed is written into a file: the next start looks at every row, and mends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from edge_agent.store.disk import Disk
from edge_agent.store.errors import UNREADABLE, StoreError
from edge_agent.store.recovery import suspect

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Damage:
    """Of the journal at `path`; belongs to the loop that it was made in. `words` are empty while nothing is wrong."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self.words = ""
        self._path = path
        self._disk = disk
        self._doubt = ""
        self._doubted = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._mended_by = "The agent starts again by itself and mends it."

    async def seen_in(self, answer: Awaitable[T]) -> T:
        """The answer of the database; an error that looks like damage is a doubt."""
        try:
            return await answer
        except (StoreError, *UNREADABLE) as error:
            if not isinstance(error, StoreError) or error.kind == "corrupt":
                self._doubt = str(error)
                self._doubted.set()
            raise

    async def doubted(self) -> str:
        """Return when there is a doubt, with the words of its error, or when something is believed."""
        await self._doubted.wait()
        self._doubted.clear()
        return self._doubt

    def believe(self, words: str) -> None:
        """It is certain, and said once. From any thread: it writes to the disk."""
        if self.words:
            return
        self.words = words
        _log.error("store.damaged", extra={"what": words})
        try:
            suspect(self._path, words, self._disk)
        except OSError as error:
            _log.error("store.not_noted", extra={"what": str(error)})
        with suppress(RuntimeError):  # the loop is gone, and with it everybody who could see to it
            self._loop.call_soon_threadsafe(self._doubted.set)

    def stays(self, seconds: float) -> None:
        """The agent has started itself again too often: it is not mended before so many seconds, or by a person."""
        self._mended_by = (
            f"The agent has started itself again as often as it may and does so again in {seconds / 60:.0f} minutes. "
            "Have the disk of this PC checked. Restart the agent: it mends the database at its start."
        )

    def told(self) -> tuple[str, ...]:
        """What a person should know of it, in words."""
        return (f"{self.words} {self._mended_by}",) if self.words else ()
