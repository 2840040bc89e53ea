"""A secret in a file that nobody else may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sync.ports import NotAllowed

_LIMIT = 8192  # bytes


def _credential(path: Path) -> bool:
    """Whether systemd has put it there for this service: an access list shows as rights of the group then."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return bool(folder) and path.resolve().is_relative_to(Path(folder).resolve())


def read_token(path: Path) -> str:
    """The token in the file; raises NotAllowed with what to do about it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LIMIT)
    except OSError as error:
        raise NotAllowed(f"The token file {path} can not be read: {error.strerror}.") from error
    others = stat.S_IRWXO if _credential(path) else stat.S_IRWXG | stat.S_IRWXO
    if os.name == "posix" and mode & others:
        raise NotAllowed(f"Others on this PC may read the token file {path}: run chmod 600 on it.")
    token = content.strip()
    if not token or not all(0x20 < byte < 0x7F for byte in token):
        raise NotAllowed(f"The token file {path} must hold one token in plain characters, and nothing else.")
    return token.decode("ascii")
