"""The local socket: only this user may connect, only one agent may own it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from edge_agent.places import Lock, PlaceError, make_folder


class LocalSocket:
    """The place of an agent on its PC: first `take` it, `listen` when everything works, `close` last."""

    def __init__(self, path: Path, lock: Lock) -> None:
        self._path = path
        self._lock = lock
        self._listener: socket.socket | None = None

    @classmethod
    def take(cls, path: Path) -> LocalSocket:
        """Become the one agent at this path. Raises PlaceError.

        The folder is made with mode 0700 when it is missing. The lock is a file beside the socket. A
        socket that a dead agent left is cleared away; anything else stays where it is.
        """
        make_folder(path.parent, "Choose another [site] socket.")
        lock = Lock.take(
            path.with_name(path.name + ".lock"),
            f"Another agent is running on {path}",
            "Stop it first, or give this agent another [site] socket and data folder.",
        )
        taken = cls(path, lock)
        try:
            taken._clear()
        except PlaceError:
            taken.close()
            raise
        return taken

    def listen(self) -> socket.socket:
        """A listening Unix socket of mode 0600."""
        listener = socket.socket(socket.AF_UNIX)
        before = os.umask(0o177)  # the mode must be right from the first moment, not after a chmod
        try:
            listener.bind(str(self._path))
        except OSError as error:
            listener.close()
            raise PlaceError(
                f"Can not listen on {self._path}: {error}. Choose another [site] socket."
            ) from error
        finally:
            os.umask(before)
        listener.listen(64)
        listener.setblocking(False)
        self._listener = listener
        return listener

    def close(self) -> None:
        """Stop listening and remove the socket; the lock goes last."""
        if self._listener is not None:
            self._listener.close()
            self._path.unlink(missing_ok=True)
        self._lock.close()

    def _clear(self) -> None:
        """Nothing but a socket is ever removed."""
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise PlaceError(
                f"{self._path} is there and is not a socket. Move it away, or change [site] socket."
            )
        try:
            self._path.unlink()
        except OSError as error:
            raise PlaceError(
                f"Can not clear {self._path} away: {error.strerror}. Choose another [site] socket."
            ) from error
