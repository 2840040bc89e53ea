"""What a disk really holds: bytes that are safe, and what was written and not yet synced.

A power cut keeps, drops, tears (at 512 bytes) or spoils each write that was not synced. Names change in
order, as a file system with a journal does it: a cut leaves any beginning of what was not synced.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import PurePath
from random import Random

SECTOR = 512


class PowerCut(BaseException):
    """The power is off, or the process was killed: nothing of it goes on."""


class DiskFault(Exception):
    """The disk does not do it; `number` is the errno."""

    def __init__(self, number: int) -> None:
        super().__init__(errno.errorcode[number])
        self.number = number


class Node:
    """The content of one file."""

    def __init__(self) -> None:
        self.live = bytearray()
        self._safe = bytearray()
        self._waiting: list[tuple[int, bytes | None]] = []  # place and bytes; None: cut to this size

    def write(self, data: bytes, place: int) -> None:
        _put(self.live, place, data)
        self._waiting.append((place, data))

    def cut(self, size: int) -> None:
        _resize(self.live, size)
        self._waiting.append((size, None))

    def sync(self) -> None:
        if self._waiting:
            self._safe = bytearray(self.live)
            self._waiting.clear()

    def lose_power(self, dice: Random) -> None:
        """What is left of it."""
        for place, data in _left(self._waiting, dice):
            if data is None:
                _resize(self._safe, place)
            else:
                _put(self._safe, place, data)
        self.live = bytearray(self._safe)
        self._waiting.clear()


def _left(waiting: list[tuple[int, bytes | None]], dice: Random) -> list[tuple[int, bytes | None]]:
    match dice.choice(("none", "all", "some", "some", "first")):
        case "none":
            return []
        case "all":
            return waiting
        case "first":
            return waiting[: dice.randint(0, len(waiting))]
    left: list[tuple[int, bytes | None]] = []
    for place, data in waiting:
        chance = dice.random()
        if chance < 0.45:
            left.append((place, data))
        elif chance < 0.65 and data is not None:
            left += _torn(place, data, dice)
    return left


def _torn(place: int, data: bytes, dice: Random) -> list[tuple[int, bytes | None]]:
    left: list[tuple[int, bytes | None]] = []
    for start in range(0, len(data), SECTOR):
        sector, chance = data[start : start + SECTOR], dice.random()
        if chance < 0.5:
            left.append((place + start, sector))
        elif chance < 0.57:
            left.append((place + start, dice.randbytes(len(sector))))
    return left


def _put(content: bytearray, place: int, data: bytes) -> None:
    if len(content) < place:
        _resize(content, place)
    content[place : place + len(data)] = data


def _resize(content: bytearray, size: int) -> None:
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


Names = dict[str, Node]
Change = Callable[[Names], None]


class Platter:
    """Files by name, the count of operations, and what goes wrong with them.

    `cut_at`: the power goes at this operation, before it is done; `lies`: a drive that answers a flush
    before it is one; `fault`: asked before each change, the errno that it fails with, 0 for none.
    `life` counts the lives of the process that uses it: what an older one holds is dead.
    """

    def __init__(self, dice: Random, on_cut: Callable[[], None] = lambda: None) -> None:
        self.names: Names = {}
        self.folders: set[str] = {"/"}
        self.operations = 0
        self.cut_at: int | None = None
        self.lies = False
        self.fault: Callable[[str], int] = lambda what: 0
        self.life = 0
        self.cuts = 0
        self._dice = dice
        self._on_cut = on_cut
        self._safe: Names = {}
        self._changes: list[tuple[set[str], Change]] = []

    def tick(self, life: int, what: str) -> None:
        """One operation that changes the disk, by the process of this life. Raises PowerCut, DiskFault."""
        self.alive(life)
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            self.lose_power()
            self._on_cut()
            raise PowerCut
        if number := self.fault(what):
            raise DiskFault(number)

    def alive(self, life: int) -> None:
        """Raises PowerCut for a process that is no more."""
        if life != self.life:
            raise PowerCut

    def kill(self) -> None:
        """The process ends; what it wrote stays, synced or not."""
        self.life += 1
        self.cut_at = None

    def lose_power(self) -> None:
        """The process ends, and so does what was only on its way to the disk."""
        self.kill()
        self.cuts += 1
        for _, change in self._changes[: self._dice.randint(0, len(self._changes))]:
            change(self._safe)
        self._changes.clear()
        self.names = dict(self._safe)
        for name in sorted(self.names):
            self.names[name].lose_power(self._dice)

    def read(self, node: Node) -> bytearray:
        """What a file holds. Raises DiskFault."""
        if number := self.fault("read"):
            raise DiskFault(number)
        return node.live

    def rot(self, name: str, harm: Callable[[bytearray], None]) -> bool:
        """A file decays while nobody looks; False when there is none."""
        node = self.names.get(name)
        if node is None or not node.live:
            return False
        harm(node.live)
        node.write(bytes(node.live), 0)
        node.cut(len(node.live))
        node.sync()
        return True

    def copy(self, dice: Random) -> Platter:
        """Another one with the same files, all of them safe."""
        other = Platter(dice)
        for name, node in self.names.items():
            other.make(name).write(bytes(node.live), 0)
            other.names[name].sync()
            other.sync_folder(_folder(name))
        return other

    # ------------------------------------------------------------ names

    def make(self, name: str) -> Node:
        """The file of that name, made when there is none."""
        if name not in self.names:
            node = Node()
            self._change({_folder(name)}, lambda names: names.update({name: node}))
        return self.names[name]

    def remove(self, name: str) -> None:
        if name in self.names:
            self._change({_folder(name)}, lambda names: _forget(names, name))

    def rename(self, old: str, new: str) -> None:
        """A file, or a folder with all that is in it."""

        def change(names: Names) -> None:
            for name in [each for each in names if each == old or each.startswith(old + "/")]:
                names[new + name[len(old) :]] = names.pop(name)

        self._change({_folder(old), _folder(new)}, change)
        if old in self.folders:
            self.folders.remove(old)
            self.folders.add(new)

    def sync(self, node: Node) -> None:
        if not self.lies:
            node.sync()

    def sync_folder(self, folder: str) -> None:
        """All changes of names up to the last one in this folder are safe."""
        if self.lies:
            return
        last = max((at for at, (folders, _) in enumerate(self._changes, 1) if folder in folders), default=0)
        for _, change in self._changes[:last]:
            change(self._safe)
        del self._changes[:last]

    def _change(self, folders: set[str], change: Change) -> None:
        change(self.names)
        self._changes.append((folders, change))


def _forget(names: Names, name: str) -> None:
    names.pop(name, None)


def _folder(name: str) -> str:
    return str(PurePath(name).parent)
