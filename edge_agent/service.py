"""Tells systemd that the agent works: the protocol of sd_notify(3), which is one datagram a message.

The watchdog is fed from the event loop, and only when the thread of the database has answered: whichever of
the two hangs, systemd starts the agent again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Mapping

from edge_agent.clock import Clock
from edge_agent.store import Store, StoreError, journal

_BEATS = 3  # in the time that systemd allows: one may be late

_log = logging.getLogger(__name__)


class Systemd:
    """Whoever started us, when it wants to be told; else nobody. Messages are never waited for."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environment.get("WATCHDOG_USEC", "")
        self.interval = int(usec) / 1_000_000 / _BEATS if for_us and self._address and usec.isdigit() else 0.0

    @property
    def starts_us(self) -> bool:
        """Whether somebody is there who starts the agent again when it ends."""
        return bool(self._address)

    def tell(self, message: str) -> None:
        """READY=1, WATCHDOG=1, STOPPING=1 or STATUS=...; one that can not be sent is lost."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            try:
                line.sendto(message.encode(), address)
            except OSError as error:
                _log.warning("systemd.not_told", extra={"what": str(error)})


class Watchdog:
    """Feeds the watchdog of systemd, where there is one."""

    def __init__(self, systemd: Systemd, store: Store, clock: Clock) -> None:
        self._systemd = systemd
        self._store = store
        self._clock = clock
        self._hangs = False

    async def run(self) -> None:
        """Until cancelled; without a watchdog nothing is done for just as long."""
        if not self._systemd.interval:
            await asyncio.Event().wait()
        while True:
            await self.beat()
            await self._clock.sleep_until(self._clock.monotonic() + self._systemd.interval)

    async def beat(self) -> None:
        """Say that we are alive, when the database is: its thread has answered, or writes a backup."""
        if await self._answers():
            self._systemd.tell("WATCHDOG=1")

    async def _answers(self) -> bool:
        if self._store.backing_up:
            return True
        try:
            async with asyncio.timeout(self._systemd.interval):
                await self._store.read(journal.last_seq)
        except TimeoutError:
            if not self._hangs:
                _log.error("database.hangs")
            self._hangs = True
            return False
        except StoreError:
            pass  # it does not hang; damage is seen to by whoever mends it
        if self._hangs:
            _log.info("database.back")
        self._hangs = False
        return True
