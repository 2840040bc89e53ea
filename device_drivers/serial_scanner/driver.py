"""Barcode scanners on a serial port, or on USB in serial (CDC) mode: the only file that knows pyserial."""

from __future__ import annotations

import asyncio
import errno
from typing import Annotated, Literal

import msgspec
import serial
from msgspec import Meta

from device_drivers.contract import Clock, DeviceError, Emit, Misconfigured, Online, Scan, Unreachable
from device_drivers.serial_scanner.framing import Framer

_LINE_ENDS = ("\r", "\n", "\r\n")
_CHUNK = 4096  # bytes; more than a scanner sends at once


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scanner. `port` is best a name under /dev/serial/by-id, which survives re-plugging.

    `mode` auto takes what the scanner sends: CR, LF or CRLF at the end, or STX ... ETX. `mode` affix
    takes only frames that begin with `prefix` and end with `suffix`, as programmed into the scanner.
    """

    port: Annotated[str, Meta(min_length=1, extra={"alone": "port"})]
    baudrate: Annotated[int, Meta(ge=50, le=4_000_000)] = 9600
    bytesize: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    mode: Literal["auto", "affix"] = "auto"
    prefix: Annotated[str, Meta(max_length=16)] = ""
    suffix: Annotated[str, Meta(min_length=1, max_length=16)] = "\r"

    def __post_init__(self) -> None:
        if not (self.prefix + self.suffix).isascii():
            raise ValueError("`prefix` and `suffix` are ASCII characters")
        if self.mode == "auto" and (self.prefix or self.suffix not in _LINE_ENDS):
            raise ValueError('an own `prefix` or `suffix` needs `mode = "affix"`')


class Driver:
    """Reads frames as they come, without a thread; nothing is sent to the scanner."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock

    async def run(self, emit: Emit) -> None:
        """Read until cancelled; see device_drivers.contract.Driver."""
        loop = asyncio.get_running_loop()
        port = self._open()
        lost: asyncio.Future[DeviceError] = loop.create_future()
        framer = self._framer()

        descriptor = port.fileno()

        def readable() -> None:
            try:
                data = port.read(_CHUNK)
            except OSError:  # serial.SerialException is one
                loop.remove_reader(descriptor)
                lost.set_result(self._unplugged())
                return
            for frame in framer.feed(data, self._clock.monotonic()):
                emit(Scan(self._clock.new_id(), frame, self._clock.now()))

        try:
            emit(Online(identity=""))
            loop.add_reader(descriptor, readable)
            raise await lost
        finally:
            loop.remove_reader(descriptor)
            port.close()

    def _open(self) -> serial.Serial:
        options = self._options
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
            raise self._not_opened(error) from error
        except ValueError as error:
            raise Misconfigured(f"The port {options.port} does not take these settings: {error}.") from error

    def _framer(self) -> Framer:
        if self._options.mode == "auto":
            return Framer()
        return Framer(self._options.prefix.encode("ascii"), self._options.suffix.encode("ascii"))

    def _not_opened(self, error: OSError) -> DeviceError:
        port = self._options.port
        match error.errno:
            case errno.ENOENT | errno.ENXIO | errno.ENODEV:
                return Unreachable(f"There is no port {port}. Is the scanner plugged in and switched on?")
            case errno.EACCES | errno.EPERM:
                return Unreachable(
                    f"The agent may not open {port}. Put its user into the group that owns the port "
                    "(often dialout), and start it again."
                )
            case errno.EBUSY | errno.EAGAIN:
                return Unreachable(f"Another program holds {port}. Close it, or name another port.")
            case _:
                return Unreachable(f"Can not open {port} as a serial port: {error.strerror or error}.")

    def _unplugged(self) -> DeviceError:
        return Unreachable(f"The scanner at {self._options.port} is gone. Plug it in again; check its cable.")
