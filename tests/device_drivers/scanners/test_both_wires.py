"""What holds for a scanner on a serial port and behind a serial server alike."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from device_drivers.contract import BadReply, Online, Scan, Signals, Unreachable
from device_drivers.scanners.framing import CHARACTER_TIMEOUT
from device_drivers.simulators.scanner import ScannerHand
from device_drivers.tcp_scanner.driver import SocketWire
from tests.device_drivers.observing import make, running
from tests.device_drivers.scanners.plugging import WIRES, WireKind, plugged_in

both_wires = pytest.mark.parametrize("wire", WIRES)


async def passed(seconds: float) -> None:
    """Return when so much time has passed: the subject of a test, not a guess."""
    done = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, done.set)
    await done.wait()


@both_wires
async def test_a_scan_comes_with_its_group_separators(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path) as gun, gun.read() as (run, _):
        gun.port.send(b"]C10104012345678901\x1d10LOT42\r\n\r\n")
        gun.port.send(b"B-6204\r")
        assert await run.scans(2) == [b"]C10104012345678901\x1d10LOT42", b"B-6204"]


@both_wires
async def test_an_unplugged_scanner_is_told_in_words(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path) as gun, gun.read() as (run, _):
        gun.port.unplug()
        error = await run.lost()
    assert isinstance(error, Unreachable)
    assert "heck its" in str(error)


@both_wires
async def test_half_a_code_before_the_plug_was_pulled_is_in_no_scan(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path) as gun:
        async with gun.read() as (run, _):
            gun.port.send(b"HAL")
            gun.port.unplug()
            await run.lost()
        gun.port.plug()
        async with gun.read() as (run, _):
            gun.port.send(b"WHOLE\r")
            assert await run.scans(1) == [b"WHOLE"]


@both_wires
async def test_the_rest_of_a_code_whose_beginning_nobody_heard_is_no_code(
    wire: WireKind, tmp_path: Path
) -> None:
    async with plugged_in(wire, tmp_path) as gun, running(gun.driver()) as run:
        until = asyncio.get_running_loop().time() + CHARACTER_TIMEOUT * 3
        while asyncio.get_running_loop().time() < until:  # it is in the middle of sending
            gun.port.send(b"9")
            await passed(0.01)
        gun.port.send(b"LATE REST\r")
        gun.port.send(b"WHOLE\r")
        assert await run.scans(1) == [b"WHOLE"]
        assert isinstance(run.seen[0], Online)


@both_wires
async def test_the_late_rest_of_half_a_code_is_no_code(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path) as gun, gun.read() as (run, _):
        gun.port.send(b"4006381")
        await passed(CHARACTER_TIMEOUT * 1.2)
        gun.port.send(b"333931\r")
        gun.port.send(b"WHOLE\r")
        assert await run.scans(1) == [b"WHOLE"]


@both_wires
async def test_a_scanner_that_sends_byte_by_byte_is_understood(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path) as gun, gun.read() as (run, _):
        hand = ScannerHand()
        for line in (rb"\:slow 0.005", rb"]C1012\x1d10SLOW", rb"\:slow 0", rb"FAST"):
            await hand.take(line, gun.port)
        assert await run.scans(2) == [b"]C1012\x1d10SLOW", b"FAST"]


@both_wires
async def test_what_came_of_a_scan_goes_back_to_the_scanner(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path, profile="honeywell") as gun, gun.read() as (_, driver):
        assert isinstance(driver, Signals)
        driver.signal("good")
        await gun.hears(lambda heard: heard == b"\x1b7,")
        driver.signal("bad")
        driver.signal("attention")
        await gun.hears(lambda heard: heard == b"\x1b7,\x1b8,\x1b8,\x1b5,\x1b5,")


@both_wires
async def test_a_signal_to_a_scanner_that_is_gone_is_nothing(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path, profile="honeywell") as gun:
        never_run = cast("Signals", gun.driver())
        never_run.signal("good")
        async with gun.read() as (run, driver):
            gun.port.unplug()
            cast("Signals", driver).signal("good")
            await run.lost()
            cast("Signals", driver).signal("bad")
        assert gun.heard == b""


@both_wires
async def test_a_scanner_that_reads_nothing_does_not_hold_anybody_up(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path, profile="datalogic") as gun, gun.read() as (run, driver):
        for _ in range(2000):  # more than a terminal takes
            cast("Signals", driver).signal("good")
        gun.port.send(b"STILL READ\r")
        assert await run.scans(1) == [b"STILL READ"]


@both_wires
async def test_a_whole_frame_is_acknowledged_and_a_torn_one_refused(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path, ack="\x06", nak="\x15") as gun, gun.read() as (run, _):
        gun.port.send(b"WHOLE\r\n")
        await gun.hears(lambda heard: heard == b"\x06")
        gun.port.send(b"HAL")
        await passed(CHARACTER_TIMEOUT * 1.2)
        gun.port.send(b"VES\r")
        await gun.hears(lambda heard: heard == b"\x06\x15")
        gun.port.send(b"HALVES\r")
        assert await run.scans(2) == [b"WHOLE", b"HALVES"]


@both_wires
async def test_a_scanner_that_waits_for_its_host_is_not_left_waiting_for_a_torn_frame(
    wire: WireKind, tmp_path: Path
) -> None:
    async with plugged_in(wire, tmp_path, profile="honeywell") as gun, gun.read() as (run, _):
        gun.port.send(b"x" * 5000 + b"\r")
        await gun.hears(lambda heard: heard == b"\x1b8,\x1b8,")
        assert not any(isinstance(each, Scan) for each in run.seen)


@both_wires
async def test_where_every_frame_has_an_aim_identifier_one_without_is_dropped(
    wire: WireKind, tmp_path: Path
) -> None:
    async with plugged_in(wire, tmp_path, aim=True, nak="\x15") as gun, gun.read() as (run, _):
        gun.port.send(b"]E04006381333931\r06381333931\r]C1012\r")
        assert await run.scans(2) == [b"]E04006381333931", b"]C1012"]
        await gun.hears(lambda heard: heard == b"\x15")


@both_wires
async def test_a_scanner_that_sends_no_aim_identifiers_is_told_of(wire: WireKind, tmp_path: Path) -> None:
    async with plugged_in(wire, tmp_path, aim=True) as gun, gun.read() as (run, _):
        gun.port.send(b"A\rB\rC\r")
        error = await run.lost()
    assert isinstance(error, BadReply)
    assert "AIM identifiers" in str(error)


async def test_a_serial_server_has_room_for_one(tmp_path: Path) -> None:
    async with plugged_in("tcp", tmp_path) as gun, gun.read() as (run, _):
        async with running(gun.driver()) as second:
            assert "closed the connection" in str(await second.lost())
        gun.port.send(b"STILL HERE\r")
        assert await run.scans(1) == [b"STILL HERE"]


async def test_scanners_on_one_pc_do_not_mix(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    async with (
        plugged_in("serial", folders[0]) as left,
        plugged_in("serial", folders[1]) as right,
        left.read() as (reads_left, _),
        right.read() as (reads_right, _),
    ):
        left.port.send(b"LE")
        right.port.send(b"RIGHT")
        left.port.send(b"FT\r")
        right.port.send(b"\r")
        assert await reads_left.scans(1) == [b"LEFT"]
        assert await reads_right.scans(1) == [b"RIGHT"]


async def test_a_serial_server_that_does_not_answer_is_told_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as busy, ExitStack() as waiting:
        place = busy.getsockname()
        for _ in range(4):  # more than its queue holds: what comes then gets no answer at all
            line = waiting.enter_context(socket.socket())
            line.setblocking(False)
            line.connect_ex(place)
        options = {"host": place[0], "port": place[1], "timeout": 0.2}
        async with running(make("tcp_scanner", options)) as run:
            error = await run.lost()
    assert isinstance(error, Unreachable)
    assert "within 0.2 s" in str(error)


async def test_a_silent_serial_server_is_asked_whether_it_is_still_there(tmp_path: Path) -> None:
    class Line:
        def __init__(self, line: socket.socket) -> None:
            self.line = line

        def get_extra_info(self, name: str) -> socket.socket:
            return self.line

    with socket.socket() as line:
        wire = SocketWire("x", 7, lambda data: None, lambda error: None)
        wire.connection_made(cast("asyncio.Transport", Line(line)))
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 7
