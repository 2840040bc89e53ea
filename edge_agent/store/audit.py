"""Who did at this PC what is no fact of a person at a terminal: a line each, in a file and in the log.

Start codes, backups, restores, reports that are sent again through the API, and a site file that changed.
"""

from __future__ import annotations

import json
import logging
import os
import pwd
from datetime import datetime
from pathlib import Path

_FILE, _OLDER = "audit.jsonl", "audit-1.jsonl"
_LARGEST = 2**20  # bytes: thousands of lines; then a new file begins, and the one before the last goes

_log = logging.getLogger(__name__)


class Audit:
    """The audit file of a data folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE

    def note(self, event: str, at: datetime, **what: str | int) -> None:
        """Append a line and sync it. A disk that takes none loses it there: the log has it still, and says so."""
        _log.info(f"audit.{event}", extra=what)
        line = json.dumps({"at": at.isoformat(timespec="seconds"), "event": event, **what}, ensure_ascii=False) + "\n"
        try:
            if self._file.exists() and self._file.stat().st_size > _LARGEST:
                self._file.replace(self._file.with_name(_OLDER))
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, line.encode("utf-8", "backslashreplace"))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            _log.error("audit.not_kept", extra={"what": str(error)})

    def last(self, event: str) -> dict[str, str | int]:
        """The newest line about an event; empty: there is none that can be read."""
        found: dict[str, str | int] = {}
        for file in (self._file.with_name(_OLDER), self._file):
            try:
                lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
            except OSError:
                continue
            for line in lines:
                try:
                    told = json.loads(line)
                except ValueError:  # a power cut ended it
                    continue
                if isinstance(told, dict) and told.get("event") == event:
                    found = told
        return found


def user_of_this_pc(uid: int) -> str:
    """The name of a user of the operating system; where it has none, the number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
