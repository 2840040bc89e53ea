"""Barcode scanners behind a serial server in raw TCP mode, or with an Ethernet port of their own.

The server listens, we connect. Its silence says nothing, so TCP's own keep-alive finds out whether it is
still there.
"""

from __future__ import annotations

import asyncio
import functools
import socket
from typing import Annotated, cast

from msgspec import Meta

from device_drivers.addresses import connection
from device_drivers.contract import Clock, Emit, Signal, Tap, Unreachable
from device_drivers.scanners.line import ScannerLine
from device_drivers.scanners.options import ScannerOptions
from device_drivers.scanners.wire import Lose, Take

_PROBES = 3  # keep-alive probes without an answer before the connection is given up


class Options(ScannerOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scanner at `host` and `port` of the serial server, whose port must be in raw (TCP server) mode.

    After `keepalive` seconds of silence it is asked whether it is still there, and is lost after three
    such times without an answer. The keys of both scanner drivers mean the same.
    """

    host: Annotated[
        str, Meta(min_length=1, description="name or address of the serial server", extra={"address": "host"})
    ]
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port that stands for its serial port")]
    timeout: Annotated[float, Meta(ge=0.1, le=60, description="seconds in which it must connect")] = 2.0
    keepalive: Annotated[int, Meta(ge=1, le=600, description="seconds between two looks at a silent one")] = 3


class Driver:
    """Reads frames as they come."""

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


async def connect(options: Options, take: Take, lose: Lose) -> SocketWire:
    """Connect to the serial server; see device_drivers.scanners.wire.Connect."""
    place = f"{options.host}:{options.port}"
    try:
        return await connection(
            lambda: SocketWire(place, options.keepalive, take, lose), options.host, options.port, options.timeout
        )
    except TimeoutError as error:
        raise Unreachable(
            f"Nobody answers at {place} within {options.timeout:g} s. Is the serial server switched on, and "
            "is the address right?"
        ) from error
    except OSError as error:
        raise Unreachable(
            f"No serial server takes a connection at {place} ({error.strerror or error}). Check the address, "
            "and that its port is in raw TCP server mode; many take only one connection at a time."
        ) from error


class SocketWire(asyncio.Protocol):
    """An open connection (device_drivers.scanners.wire.Wire)."""

    def __init__(self, place: str, keepalive: int, take: Take, lose: Lose) -> None:
        self._place = place
        self._keepalive = keepalive
        self._take = take
        self._lose = lose
        self._transport: asyncio.Transport | None = None
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Told by the loop."""
        self._transport = cast("asyncio.Transport", transport)
        line: socket.socket = transport.get_extra_info("socket")
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", self._keepalive), ("TCP_KEEPINTVL", self._keepalive), ("TCP_KEEPCNT", _PROBES),
            ("TCP_USER_TIMEOUT", self._keepalive * (_PROBES + 1) * 1000),
        ):  # fmt: skip
            if (option := getattr(socket, name, None)) is not None:  # not every system knows every one
                line.setsockopt(socket.IPPROTO_TCP, option, value)

    def data_received(self, data: bytes) -> None:
        """Told by the loop."""
        if not self._closed:
            self._take(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Told by the loop."""
        if not self._closed:
            why = "closed the connection" if error is None else "is gone"
            self._lose(Unreachable(f"The serial server at {self._place} {why}. Check its power and its cable."))

    def write(self, data: bytes) -> None:
        """Send; what the server does not take soon is lost with the connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection at once: the server may have room for one only."""
        self._closed = True
        if self._transport is not None:
            self._transport.abort()
