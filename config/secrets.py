"""Secrets stand in files of their own, which only their owner may read; never in the site file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from config.files import open_now

_LARGEST = 64 * 1024  # bytes; a password, a token or a key is far smaller


class SecretError(Exception):
    """A secret can not be used. `str(error)` says what to do."""


def _credential(path: Path) -> bool:
    """Whether systemd has put it there for this service: an access list shows as rights of the group then."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return bool(folder) and path.resolve().is_relative_to(Path(folder).resolve())


def read_secret(path: Path) -> str:
    """The text of a secret file without the line end; raises SecretError when others could read it too."""
    try:
        with open(path, "rb", opener=open_now) as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(_LARGEST + 1) if stat.S_ISREG(mode) else b""
    except FileNotFoundError as error:
        first = "" if path.parent.is_dir() else f"mkdir -m 700 {path.parent}, then "
        raise SecretError(
            f"the secret {path} is not there: make it ({first}install -m 600 /dev/null {path}) "
            "and write the secret into it"
        ) from error
    except OSError as error:
        raise SecretError(f"the secret {path} can not be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise SecretError(f"the secret {path} is not a file: name a file that holds nothing but the secret")
    if os.name == "posix" and mode & (0o007 if _credential(path) else 0o077):
        raise SecretError(f"the secret {path} can be read by others: chmod 600 {path}")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise SecretError(f"the secret {path} is not text in UTF-8") from error
    if not text.strip():
        raise SecretError(f"the secret {path} is empty: write the secret into it")
    if len(raw) > _LARGEST:
        raise SecretError(f"the secret {path} is too long to be one: it must hold nothing but the secret")
    return text
