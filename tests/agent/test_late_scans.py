"""A scan that lay unread while the agent could not listen is asked for again, and is evidence."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import device_drivers
from device_drivers.serial_scanner import Options
from edge_agent.devices.kept_alive import Devices, DeviceSettings
from edge_agent.events import DeviceChanged
from edge_agent.scanning.labels import label
from edge_agent.store.listing import journal_rows
from edge_agent.views import Input, JournalRow, Kind, View
from tests.agent.hall import Hall, hall_in

BADGE = label(Kind.BADGE, "1001").encode() + b"\r"


@dataclass
class Gun:
    """A serial scanner at T1, on a real pseudo-terminal."""

    hall: Hall
    master: int

    def scan(self, text: bytes) -> None:
        os.write(self.master, text)

    async def answer(self, code: str) -> View:
        """The next view that says this."""
        return await self.hall.shown("T1", lambda view: view.message is not None and view.message.code == code)

    async def journal(self) -> list[JournalRow]:
        return await self.hall.store.read(lambda conn: journal_rows(conn, "", 1000, None))


@asynccontextmanager
async def gun_in(folder: Path) -> AsyncIterator[Gun]:
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        async with hall_in(folder) as hall:
            settings = DeviceSettings("gun", "serial_scanner", Options(port=os.ttyname(slave)), terminal="T1")
            devices = Devices([settings], device_drivers.load, hall.clock, hall.bus, hall.supervisor)
            with hall.bus.subscribe(DeviceChanged) as changes:
                running = asyncio.create_task(devices.run())
                try:
                    async with asyncio.timeout(10):
                        await hall.clock.sleeping(2)  # the driver listens, and the pulse beats
                        hall.clock.advance(1)
                        while devices.statuses()[0].state != "online":
                            try:
                                await asyncio.wait_for(anext(changes), 0.5)
                            except TimeoutError:  # on a busy PC the driver comes to its wait behind that step
                                hall.clock.advance(1)
                        await hall.clock.sleeping(1)
                    yield Gun(hall, master)
                finally:
                    running.cancel()
                    await asyncio.gather(running, return_exceptions=True)
    finally:
        os.close(slave)
        os.close(master)


async def test_a_scan_that_lay_unread_is_asked_for_again_and_kept_as_evidence(tmp_path: Path) -> None:
    async with gun_in(tmp_path) as gun:
        gun.scan(BADGE)
        gun.hall.clock.advance(28)  # nothing ran in this time
        view = await gun.answer("scan.late")
        assert view.who is None
        rows = await gun.journal()
        assert [row.kind for row in rows] == ["ScanRefused"]
        body = rows[0].body
        assert (body["verdict"], body["code"], body["raw"]) == ("late", "scan.late", "(a badge)")
        gun.hall.clock.advance(1)  # at once: the window of repeated readings does not swallow it
        await gun.hall.clock.sleeping(1)
        gun.scan(BADGE)
        await gun.answer("sign_on.welcome")
        assert [row.kind for row in await gun.journal()] == ["ScanRefused", "SignedOn"]


async def test_all_that_lay_unread_is_late_and_what_a_short_stop_held_up_is_not(tmp_path: Path) -> None:
    async with gun_in(tmp_path) as gun:
        gun.scan(BADGE + label(Kind.JOB, "J-206").encode() + b"\r")
        gun.hall.clock.advance(28)
        await gun.answer("scan.late")
        await gun.answer("scan.late")
        gun.hall.clock.advance(2)
        await gun.hall.clock.sleeping(1)
        gun.scan(BADGE)
        gun.hall.clock.advance(8)
        assert (await gun.answer("sign_on.welcome")).who is not None


async def test_a_late_scan_answers_no_question(tmp_path: Path) -> None:
    async with hall_in(tmp_path) as hall:
        await hall.give("T3", "scan", label(Kind.BADGE, "1001"))
        view = await hall.give("T3", "scan", label(Kind.JOB, "SO-771"))
        location = view.page.location  # type: ignore[union-attr]
        late = await hall.terminals.handle(
            "T3", Input("late-1", "scan", label(Kind.LOCATION, location), waited=10.1)
        )
        assert (late.step, late.message.code if late.message else "") == ("go", "scan.late")
        row = (await hall.store.read(lambda conn: journal_rows(conn, "", 1, None)))[0]
        assert (row.kind, row.body["step"], row.body["job"]) == ("ScanRefused", "go", "SO-771")
        assert location in str(row.body["expected"])
        again = await hall.terminals.handle("T3", Input("late-2", "scan", label(Kind.LOCATION, location), waited=9.9))
        assert again.step == "item"
