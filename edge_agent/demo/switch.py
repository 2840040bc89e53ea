"""What can be done to the demo's ERP from a second shell, with `echo WORDS > FOLDER/erp`.

`off` takes it away, `on` brings it back. `close J-204` lets the office complete an order, so that the ERP refuses
what is reported on it; `open J-204` lets it release the order again. While the ERP is off, the office decides before
it comes back: what waits at the agent meets the decision.
"""

from __future__ import annotations

import asyncio
import os

from edge_agent.demo.plant import Plant

_END = ""
_OFFICE = ("close", "open")  # each is followed by an order


class ErpSwitch:
    """A FIFO in the folder of a plant. Used within `async with`, while the plant runs.

    Other words do nothing, nor does an order that the demo does not have; a word that says what is so already does
    nothing.
    """

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._path = plant.folder / "erp"
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
        while (word := await self._words.get()) is not _END:
            if word in _OFFICE:
                order = await self._words.get()
                if order is _END:
                    return
                await self._plant.office(order, released=word == "open")
            elif word == "off" and self._plant.erp_runs:
                await self._plant.erp_away()
            elif word == "on" and not self._plant.erp_runs:
                await self._plant.erp_back()
