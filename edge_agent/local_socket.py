"""The local socket: only this user may connect, only one agent may own it."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from pathlib import Path


class SocketTaken(Exception):
    """Another agent owns the socket, or something else lies in its place. The text says what to do."""


class LocalSocket:
    """The place of an agent on its PC: first `take` it, `listen` when everything works, `close` last."""

    def __init__(self, path: Path, lock: int) -> None:
        self._path = path
        self._lock = lock
        self._listener: socket.socket | None = None

    @classmethod
    def take(cls, path: Path) -> LocalSocket:
        """Become the one agent at this path. Raises SocketTaken.

        The folder is made with mode 0700 when it is missing. The lock is a file beside the socket: the
        kernel gives it back when the process dies, however it dies. A socket that a dead agent left is
        cleared away; anything else stays where it is.
        """
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_path = path.with_name(path.name + ".lock")
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = lock_path.read_text(encoding="ascii", errors="replace").strip() or "unknown"
            os.close(lock)
            raise SocketTaken(
                f"Another agent is running on {path} (process {owner}). Stop it first, or give this agent "
                "another [site] socket and data folder."
            ) from None
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        taken = cls(path, lock)
        try:
            taken._clear()
        except SocketTaken:
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
            raise SocketTaken(
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
        os.close(self._lock)

    def _clear(self) -> None:
        """Nothing but a socket is ever removed."""
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise SocketTaken(
                f"{self._path} is there and is not a socket. Move it away, or change [site] socket."
            )
        self._path.unlink()
