"""A barcode scanner: `python -m device_drivers.simulators.scanner --link L --feed F`, or `--listen PORT`.

`L` becomes a link to the pseudo-terminal that a driver opens; with `--listen` it hangs behind a serial
server on 127.0.0.1 instead (0: any port; the ready line says which). `F` becomes a FIFO. Every line
that is written to the FIFO is scanned: it goes out of the port with a CR behind it. Escapes as in a
Python string work: `echo ']C10104012345678901\\x1d10LOT42' > F`. A line that ends in `\\c` goes out
without the CR: half a scan. The port stays open whoever reads it or stops reading it.

Lines that begin with `\\:` command the scanner: `\\:unplug`, `\\:plug`, `\\:pause SECONDS`, and
`\\:slow SECONDS`, from where on so much time passes between two bytes.

`--heard FILE` gets a line for everything that is sent to the scanner, escaped. With `--host-ack` it waits
after every scan for such an answer, and scans nothing more until it has one or ten seconds have passed.
"""

from __future__ import annotations

import argparse
import asyncio
import codecs
from contextlib import suppress
from pathlib import Path

from device_drivers.simulators.process import announce, hear_lines, termination
from device_drivers.simulators.scanner_ports import PtyPort, ScannerPort, TcpPort

HOST_PATIENCE = 10.0  # seconds; a scanner in host-ACK mode gives its host as much
_LONGEST_LINE = 64 * 1024


def frame(line: bytes) -> bytes:
    """What goes out of the port for one line of the FIFO.

    >>> frame(rb"AB\\x1dC"), frame(rb"AB\\c")
    (b'AB\\x1dC\\r', b'AB')
    """
    body, end = (line[:-2], b"") if line.endswith(rb"\c") else (line, b"\r")
    with suppress(ValueError):  # a wrong escape goes out as it was written
        body = codecs.escape_decode(body)[0]
    return body + end


class ScannerHand:
    """Scans and commands, one after the other, at one port. `host_ack`: each scan waits for an answer."""

    def __init__(self, host_ack: bool = False, heard: Path | None = None) -> None:
        self._host_ack = host_ack
        self._heard = heard
        self._answered = asyncio.Event()
        self._between = 0.0  # seconds between two bytes

    def hear(self, data: bytes) -> None:
        """The host has answered."""
        self._answered.set()
        if self._heard is not None:
            with self._heard.open("ab") as file:
                file.write(codecs.escape_encode(data)[0] + b"\n")

    async def take(self, line: bytes, port: ScannerPort) -> None:
        """Do what one line of the FIFO says; a command that is none is scanned as it stands."""
        match line.split():
            case [rb"\:unplug"]:
                port.unplug()
            case [rb"\:plug"]:
                port.plug()
            case [rb"\:pause", seconds]:
                await asyncio.sleep(float(seconds))
            case [rb"\:slow", seconds]:
                self._between = float(seconds)
            case _:
                await self._scan(frame(line), port)

    async def _scan(self, data: bytes, port: ScannerPort) -> None:
        self._answered.clear()
        for piece in [data[at : at + 1] for at in range(len(data))] if self._between else [data]:
            port.send(piece)
            await asyncio.sleep(self._between)
        if self._host_ack and data.endswith(b"\r"):
            with suppress(TimeoutError):
                async with asyncio.timeout(HOST_PATIENCE):
                    await self._answered.wait()


async def serve(arguments: argparse.Namespace) -> None:
    """Scan what is fed until SIGTERM; link and FIFO go away at the end."""
    ended = termination()
    hand = ScannerHand(arguments.host_ack, arguments.heard)
    port = PtyPort(arguments.link, hand.hear) if arguments.link else TcpPort(arguments.listen, hand.hear)
    port.plug()
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    async def scan() -> None:
        while True:
            await hand.take(await lines.get(), port)

    hear_lines(arguments.feed, lines.put_nowait, _LONGEST_LINE)
    scanning = asyncio.create_task(scan())
    place = str(arguments.link) if isinstance(port, PtyPort) else port.number
    announce(port=place, feed=str(arguments.feed))
    await ended.wait()
    scanning.cancel()
    port.unplug()
    arguments.feed.unlink(missing_ok=True)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A simulated barcode scanner.")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--link", type=Path, help="on a pseudo-terminal, which is to be found here")
    place.add_argument("--listen", type=int, help="behind a serial server on this port of 127.0.0.1; 0: any")
    parser.add_argument("--feed", type=Path, required=True, help="the FIFO; every line in it is scanned")
    parser.add_argument("--heard", type=Path, help="a file for what is sent to the scanner")
    parser.add_argument("--host-ack", action="store_true", help="wait for an answer after every scan")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
