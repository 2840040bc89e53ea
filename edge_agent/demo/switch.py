"""The ERP's main switch: `echo off > FOLDER/erp` takes it away, `echo on > FOLDER/erp` brings it back."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from edge_agent.demo.plant import Plant

_END = ""


class ErpSwitch:
    """A FIFO in the folder of a plant. Used within `async with`, while the plant runs.

    Words other than `on` and `off` do nothing; a word that says what is so already does nothing.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._path: Path = plant.folder / "erp"
        self._words: asyncio.Queue[str] = asyncio.Queue()
        self._turning: asyncio.Task[None] | None = None
        self._fifo = -1

    async def __aenter__(self) -> None:
        self._path.unlink(missing_ok=True)  # of a plant that was killed, or a file that an `echo` made
        os.mkfifo(self._path, 0o600)
        # Open for writing too: the end of one `echo` must not be the end of the file.
        self._fifo = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._fifo, self._heard)
        self._turning = asyncio.create_task(self._turn())

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._fifo)
        os.close(self._fifo)
        self._path.unlink(missing_ok=True)  # an `echo` into a FIFO that nobody reads waits for ever
        self._words.put_nowait(_END)
        if self._turning is not None:
            await self._turning  # an ERP that is being started must not be left behind

    def _heard(self) -> None:
        for word in os.read(self._fifo, 4096).decode("ascii", "replace").split():
            self._words.put_nowait(word)

    async def _turn(self) -> None:
        runs = True
        while (word := await self._words.get()) is not _END:
            if word == "off" and runs:
                await self._plant.erp_away()
            elif word == "on" and not runs:
                await self._plant.erp_back()
            runs = {"off": False, "on": True}.get(word, runs)
