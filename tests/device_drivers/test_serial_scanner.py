"""The scanner driver on real pseudo-terminals."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_drivers.contract import Misconfigured, Scan, Unreachable
from device_drivers.serial_scanner import Options
from tests.device_drivers.observing import Running, make, running


@dataclass
class Line:
    """A serial line: `port` is what the driver opens, `write` what the scanner sends."""

    master: int
    slave: int
    port: str

    def write(self, data: bytes) -> None:
        """Send."""
        os.write(self.master, data)


@pytest.fixture
def line() -> Iterator[Line]:
    """A raw pseudo-terminal."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield Line(master, slave, os.ttyname(slave))
    os.close(slave)
    os.close(master)


async def online(run: Running) -> None:
    """Return when the port is open."""
    await run.until(lambda seen: bool(seen))


async def test_every_frame_is_a_scan_with_an_id_of_its_own(line: Line) -> None:
    async with running(make("serial_scanner", {"port": line.port})) as run:
        await online(run)
        line.write(b"]C10104012345678901\x1d10LOT42\r\n\r\n")
        line.write(b"B-6204\r")
        assert await run.scans(2) == [b"]C10104012345678901\x1d10LOT42", b"B-6204"]
        assert len({scan.id for scan in run.seen if isinstance(scan, Scan)}) == 2


async def test_own_prefix_and_suffix(line: Line) -> None:
    options = {"port": line.port, "mode": "affix", "prefix": "\x02", "suffix": "\x03\r"}
    async with running(make("serial_scanner", options)) as run:
        await online(run)
        line.write(b"\x02A\rB\x03\r")
        assert await run.scans(1) == [b"A\rB"]


async def test_a_port_that_another_program_holds_is_told(line: Line) -> None:
    async with running(make("serial_scanner", {"port": line.port})) as run:
        await online(run)
        async with running(make("serial_scanner", {"port": line.port})) as second:
            assert "Another program holds" in str(await second.lost())
        line.write(b"STILL HERE\r")
        assert await run.scans(1) == [b"STILL HERE"]


async def test_a_missing_port_is_told() -> None:
    async with running(make("serial_scanner", {"port": "/dev/serial/by-id/none"})) as run:
        error = await run.lost()
    assert isinstance(error, Unreachable)
    assert "plugged in" in str(error)


async def test_what_is_no_port_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with running(make("serial_scanner", {"port": str(tmp_path / "file")})) as run:
        error = await run.lost()
    assert isinstance(error, Unreachable | Misconfigured)
    assert str(tmp_path / "file") in str(error)


async def test_half_a_scan_before_the_plug_was_pulled_is_not_joined_with_the_next() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    async with running(make("serial_scanner", {"port": os.ttyname(slave)})) as run:
        await online(run)
        os.write(master, b"HALF")
        os.close(slave)
        os.close(master)
        assert isinstance(await run.lost(), Unreachable)
        assert not any(isinstance(observation, Scan) for observation in run.seen)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prefix": "S"}, 'needs `mode = "affix"`'),
        ({"suffix": "#"}, 'needs `mode = "affix"`'),
        ({"mode": "affix", "prefix": "§"}, "ASCII"),
        ({"mode": "affix", "suffix": ""}, "length >= 1"),
        ({"baudrate": 0}, ">= 50"),
    ],
)
def test_contradictory_options_are_refused_in_words(options: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"port": "x", **options}, Options)
