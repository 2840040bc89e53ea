"""Room on the disk that is kept for the worst day.

With no byte free SQLite can neither note that a fact was delivered nor even open its database. So files
of nothing are kept, and given up when the disk is full: what is saved already can then still be sent.
New facts are refused from that moment on, until there is room for the reserve again: the room is for
getting out, not for going on. It has two parts: one for the day, and one for a start when somebody else
has taken the first meanwhile.
"""

from __future__ import annotations

from pathlib import Path

from edge_agent.store.disk import DISK, Disk

PARTS = 2
SIZE = 4 * 2**20  # bytes of a part: as much as the write-ahead log may hold
_SPARE = 2 * SIZE  # what must be free beside them, so that they do not come and go


class Reserve:
    """The files. `tight` while a part is missing and there is no room for it."""

    def __init__(self, folder: Path, disk: Disk = DISK) -> None:
        self._disk = disk
        self._folder = folder
        self._parts = [folder / f"reserve-{number}" for number in range(1, PARTS + 1)]
        self.tight = False

    def ensure(self) -> bool:
        """Have all of it; False, and `tight`, when there is no room for it."""
        try:
            missing = [part for part in self._parts if self._disk.taken(part) < SIZE]
            if missing and self._disk.free(self._folder) >= len(missing) * SIZE + _SPARE:
                for part in missing:
                    self._disk.allocate(part, SIZE)
                missing = []
        except OSError:
            missing = self._parts
        self.tight = bool(missing)
        return not self.tight

    def drop(self) -> None:
        """Give a part of it up, if one is left: something more urgent needs the room."""
        self.tight = True
        try:
            for part in self._parts:
                if self._disk.exists(part):
                    self._disk.remove(part)
                    return
        except OSError:
            pass  # a disk that gives nothing back: reports are refused as they would be without a reserve
