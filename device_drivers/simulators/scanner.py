"""A barcode scanner on a pseudo-terminal: `python -m device_drivers.simulators.scanner --link L --feed F`.

`L` becomes a link to the port that a driver opens; `F` becomes a FIFO. Every line that is written to
the FIFO is scanned: it goes out of the port with a CR behind it. Escapes as in a Python string work:
`echo ']C10104012345678901\\x1d10LOT42' > F`. A line that ends in `\\c` goes out without the CR: half a
scan. The port stays open whoever reads it or stops reading it.
"""

from __future__ import annotations

import argparse
import asyncio
import codecs
import os
import stat
import tty
from contextlib import suppress
from pathlib import Path

from device_drivers.simulators.process import announce, termination

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


def replace_link(link: Path, target: str) -> None:
    """Let `link` point to `target`. Raises FileExistsError when something else than a link is there."""
    if link.is_symlink():
        link.unlink()
    link.symlink_to(target)


def make_fifo(path: Path) -> int:
    """A descriptor of the FIFO at `path`, which is made when it is missing.

    It is open for writing too, so that it never ends when the last writer leaves. Raises
    FileExistsError when something else than a FIFO is there.
    """
    if not path.exists():
        os.mkfifo(path, 0o600)
    if not stat.S_ISFIFO(path.stat().st_mode):
        raise FileExistsError(f"{path} is there and is no FIFO")
    return os.open(path, os.O_RDWR | os.O_NONBLOCK)


async def serve(link: Path, feed: Path) -> None:
    """Scan what is fed until SIGTERM; link and FIFO go away at the end."""
    ended = termination()
    master, slave = os.openpty()
    for descriptor in (master, slave):
        tty.setraw(descriptor)
    os.set_blocking(master, False)
    fifo = make_fifo(feed)
    replace_link(link, os.ttyname(slave))
    loop, pending = asyncio.get_running_loop(), bytearray()

    def fed() -> None:
        pending.extend(os.read(fifo, 4096))
        *lines, rest = bytes(pending).split(b"\n")
        pending[:] = rest[:_LONGEST_LINE]
        for line in lines:
            with suppress(BlockingIOError):  # nobody reads and the port is full: lost, as on a real wire
                os.write(master, frame(line))

    loop.add_reader(fifo, fed)
    announce(port=str(link), feed=str(feed))
    await ended.wait()
    loop.remove_reader(fifo)
    link.unlink(missing_ok=True)  # noqa: ASYNC240 - the program ends here
    feed.unlink(missing_ok=True)  # noqa: ASYNC240


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A simulated barcode scanner on a pseudo-terminal.")
    parser.add_argument("--link", type=Path, required=True, help="where the port is to be found")
    parser.add_argument("--feed", type=Path, required=True, help="the FIFO; every line in it is scanned")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.link, arguments.feed))


if __name__ == "__main__":
    main()
