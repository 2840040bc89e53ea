"""The local socket: only this user may connect, and a group where the site file names one; one agent owns it."""

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

    def listen(self, group: int | None = None) -> socket.socket:
        """A listening Unix socket of mode 0600; of mode 0660 for a group. Raises PlaceError."""
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
        if group is not None:
            self._share(listener, group)
        listener.listen(64)
        listener.setblocking(False)
        self._listener = listener
        return listener

    def _share(self, listener: socket.socket, group: int) -> None:
        """Let a group in, before anybody can connect. A folder that this agent made is opened to it as well."""
        folder = self._path.parent
        try:
            if stat.S_IMODE(folder.stat().st_mode) == 0o700:
                os.chown(folder, -1, group)
                folder.chmod(0o710)
            os.chown(self._path, -1, group)
            self._path.chmod(0o660)
        except OSError as error:
            listener.close()
            raise PlaceError(
                f"{self._path} can not be given to the group of [api]: {error.strerror}. "
                "Run the agent as a member of that group."
            ) from error

    @staticmethod
    def loopback(port: int) -> socket.socket:
        """A listening TCP socket that only programs of this PC reach. Raises PlaceError."""
        # Named as TCP: asyncio switches Nagle's algorithm off for no other, and answers would wait for 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            listener.close()
            raise PlaceError(
                f"Can not listen on 127.0.0.1:{port}: {error.strerror}. Choose another [api] port."
            ) from error
        listener.listen(16)
        listener.setblocking(False)
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
