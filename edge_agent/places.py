"""The places of an agent on its PC: made when they are missing, and one agent's at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class PlaceError(Exception):
    """A folder or a socket can not be this agent's. `str(error)` says why and what to do."""


class Lock:
    """A file that one process holds. The kernel gives it back when the process dies, however it dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, taken: str, remedy: str) -> Lock:
        """Hold the file, with our process id in it. Raises PlaceError: `taken`, the owner, `remedy`."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PlaceError(f"Can not write {path}: {error.strerror}. {remedy}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
        except BlockingIOError:
            owner = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise PlaceError(f"{taken} (process {owner}). {remedy}") from None
        except OSError as error:
            os.close(descriptor)
            raise PlaceError(f"Can not lock {path}: {error.strerror}. {remedy}") from error
        return cls(descriptor)

    def close(self) -> None:
        """Give it back. The file stays: a file that goes and comes can be held twice."""
        os.close(self._descriptor)


def make_folder(path: Path, remedy: str) -> None:
    """Have the folder, only for this user when it is made now. Raises PlaceError: why not, `remedy`."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PlaceError(f"{path} can not be a folder: {error.strerror}. {remedy}") from error


def own_data(folder: Path) -> Lock:
    """Have the data folder, and be the one agent that writes into it. Raises PlaceError."""
    other = "give this agent another [site] data folder."
    make_folder(folder, f"Make room there, or {other}")
    taken = f"Another agent keeps its journal in {folder}"
    return Lock.take(folder / "journal.lock", taken, f"Stop it first, or {other}")
