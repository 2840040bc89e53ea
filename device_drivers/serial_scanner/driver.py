"""Barcode scanners on a serial port, or on USB in serial (CDC) mode: the only file that knows pyserial."""

from __future__ import annotations

import asyncio
import functools
import os
from typing import Annotated, Literal

import serial
from msgspec import Meta

from device_drivers.contract import Clock, Emit, Misconfigured, Signal, Tap, Unreachable
from device_drivers.scanners.line import ScannerLine
from device_drivers.scanners.options import ScannerOptions
from device_drivers.scanners.wire import Lose, Take
from device_drivers.serial_ports import not_opened

_CHUNK = 4096  # bytes; more than a scanner sends at once


class Options(ScannerOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scanner. `port` is best a name under /dev/serial/by-id, which survives re-plugging.

    `mode` auto takes what the scanner sends: CR, LF or CRLF at the end, or STX ... ETX. `mode` affix
    takes only frames that begin with `prefix` and end with `suffix`, as programmed into the scanner.
    """

    port: Annotated[str, Meta(min_length=1, extra={"alone": "port"}, description="name of the serial port")]
    baudrate: Annotated[int, Meta(ge=50, le=4_000_000, description="as set in the scanner")] = 9600
    bytesize: Annotated[Literal[7, 8], Meta(description="data bits, as set in the scanner")] = 8
    parity: Annotated[Literal["N", "E", "O"], Meta(description="none, even or odd, as set in the scanner")] = "N"


class Driver:
    """Reads frames as they come, without a thread."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._line = ScannerLine(options, clock)

    async def run(self, emit: Emit) -> None:
        """Read until cancelled; see device_drivers.contract.Driver."""
        await self._line.run(functools.partial(connect, self._options), emit)

    def signal(self, verdict: Signal) -> None:
        """Let the scanner say what came of the scan; see device_drivers.contract.Signals."""
        self._line.signal(verdict)

    def tap(self, take: Tap | None) -> None:
        """Hand over bytes as they come; see device_drivers.contract.Tapped."""
        self._line.tap(take)


async def connect(options: Options, take: Take, lose: Lose) -> PortWire:
    """Open the port; see device_drivers.scanners.wire.Connect."""
    return PortWire(_open(options), options.port, take, lose)


class PortWire:
    """An open port (device_drivers.scanners.wire.Wire)."""

    def __init__(self, port: serial.Serial, name: str, take: Take, lose: Lose) -> None:
        self._port = port
        self._name = name
        self._take = take
        self._lose = lose
        self._descriptor: int = port.fileno()
        asyncio.get_running_loop().add_reader(self._descriptor, self._readable)

    def write(self, data: bytes) -> None:
        """Send; what the port can not take at once is lost, as a beep that comes late is worse than none."""
        if not self._port.is_open:
            return
        try:
            os.write(self._descriptor, data)  # pyserial's own write would spin on a full port
        except BlockingIOError:
            pass
        except OSError:
            self._fail()

    def close(self) -> None:
        """Close the port."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self._port.close()

    def _readable(self) -> None:
        try:
            data = self._port.read(_CHUNK)
        except OSError:  # serial.SerialException is one
            self._fail()
            return
        if data:
            self._take(data)

    def _fail(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self._lose(Unreachable(f"The scanner at {self._name} is gone. Plug it in again; check its cable."))


def _open(options: Options) -> serial.Serial:
    try:
        return serial.Serial(
            options.port,
            options.baudrate,
            bytesize=options.bytesize,
            parity=options.parity,
            timeout=0,
            exclusive=True,
        )
    except OSError as error:
        raise not_opened(options.port, error, "Is the scanner plugged in and switched on?") from error
    except ValueError as error:
        raise Misconfigured(f"The port {options.port} does not take these settings: {error}.") from error
