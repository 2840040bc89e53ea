"""Two PCs and the cable between them: network namespaces with a network card each, and a wire that can fail.

Both TCP stacks are the kernel's own and know nothing of each other but what crosses the wire. Needs root.
"""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random

from tests.support.optional import missing, need

ADDRESSES = ("10.77.0.1", "10.77.0.2")
_TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
_IPV4, _SYN, _SYN_ACK = b"\x08\x00", 0x02, 0x12  # the kernel sends no options of IP: all is where it always is
_FRAME = 65_536


class Cable:
    """`loss` of every hundred frames vanish, chosen by chance; once it is `cut` all of them do, and both ends stay up.

    `heard` counts the frames of IP that have come to the first end, `tried` the connections that it has begun.
    """

    def __init__(self, cards: tuple[int, int], spaces: tuple[str, str], names: tuple[str, str], seed: int) -> None:
        self.loss = 0
        self.lost = 0
        self.heard = 0
        self.spaces = spaces
        self._names = names
        self._cards = cards
        self._dice = Random(seed)
        self._cut = False
        self._ports: list[bytes] = []
        self._passing = threading.Lock()
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="cable", daemon=True)
        self._thread.start()

    def command(self, end: int) -> tuple[str, ...]:
        """What a program begins with that is to run on the PC at this end."""
        return ("ip", "netns", "exec", self.spaces[end])

    def link(self, end: int, state: str) -> None:
        """The card of one end goes "down" or "up": its kernel knows."""
        _ip("-n", self.spaces[end], "link", "set", self._names[end], state)

    def cut(self, cut: bool = True) -> None:
        """From the return of this on, nothing crosses."""
        with self._passing:
            self._cut = cut

    @property
    def tried(self) -> int:
        """Connections that the first end has begun, whether or not their first frame came across."""
        return len({*self._ports})

    def close(self) -> None:
        """No more frames."""
        os.write(self._wake, b"x")
        self._thread.join()
        for end in (*self._cards, self._woken, self._wake):
            os.close(end)

    def _carry(self) -> None:
        while True:
            ready, _, _ = select.select([*self._cards, self._woken], [], [])
            if self._woken in ready:
                return
            for card in ready:
                with self._passing, suppress(OSError):  # the card is down at one end
                    self._pass(card, os.read(card, _FRAME))

    def _pass(self, card: int, frame: bytes) -> None:
        first, second = self._cards
        if card == first and frame[12:14] == _IPV4 and frame[23] == socket.IPPROTO_TCP and frame[47] & _SYN_ACK == _SYN:
            self._ports.append(frame[34:36])
        if self._cut or self._dice.randrange(100) < self.loss:
            self.lost += 1
            return
        if card == first:
            os.write(second, frame)
            return
        self.heard += frame[12:14] == _IPV4
        os.write(first, frame)


@contextmanager
def two_pcs(seed: int = 0) -> Iterator[Cable]:
    """The cable between them, whole; both are gone behind the block."""
    need("ip")
    if os.geteuid() != 0:
        missing("only root can make network namespaces")
    if not _TUN.exists():
        missing(f"this system has no {_TUN}")
    number = os.getpid()
    spaces, names = (f"fh-{number}-a", f"fh-{number}-b"), (f"fha{number}", f"fhb{number}")
    with ExitStack() as stack:
        for space in spaces:
            _ip("netns", "add", space)
            stack.callback(_ip, "netns", "delete", space)
        cards = (_card(names[0]), _card(names[1]))
        cable = Cable(cards, spaces, names, seed)
        stack.callback(cable.close)
        for space, name, address in zip(spaces, names, ADDRESSES, strict=True):
            _ip("link", "set", name, "netns", space)
            _ip("-n", space, "address", "add", f"{address}/24", "dev", name)
            for each in ("lo", name):
                _ip("-n", space, "link", "set", each, "up")
        yield cable


def _card(name: str) -> int:
    """A network card whose frames are read and written here; it lasts as long as the file is open."""
    card = os.open(_TUN, os.O_RDWR)
    try:
        fcntl.ioctl(card, _TUNSETIFF, struct.pack("16sH14x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    except OSError as error:
        os.close(card)
        missing(f"this system makes no network card: {error}")
    return card


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        missing(f"ip {' '.join(words)}: {done.stderr.strip()}")
