"""How often the agent has lately started itself again: in a file, because a start forgets all else.

A disk that rots faster than it is mended must not keep the agent from work for good: so many restarts in an hour,
and no more. Moments are those of the monotonic clock, which all processes of one boot share.
"""

from __future__ import annotations

from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.store.disk import Disk, replace

MOST = 3
WITHIN = 3600.0  # seconds

_FILE = "journal.restarts"  # beside the journal: a line for each, the boot and the seconds since then


class Restarts:
    """Those of the agent whose journal is at `path`."""

    def __init__(self, path: Path, clock: Clock, disk: Disk) -> None:
        self._file = path.with_name(_FILE)
        self._clock = clock
        self._disk = disk

    def wait(self) -> float:
        """Seconds until the next one may be; 0: now. Raises OSError."""
        lately = self._lately()
        return max(0.0, lately[-MOST] + WITHIN - self._clock.monotonic()) if len(lately) >= MOST else 0.0

    def note(self) -> None:
        """One is made now. Raises OSError: then none is to be made, because nobody would count it."""
        boot = self._clock.boot()
        lines = [f"{boot} {at!r}\n" for at in (*self._lately(), self._clock.monotonic())]
        replace(self._disk, self._file, "".join(lines[-MOST:]).encode())

    def _lately(self) -> list[float]:
        """When there were some, in their order; what can not be read was none."""
        now, moments = self._clock.monotonic(), []
        for line in self._disk.read(self._file).decode(errors="replace").splitlines():
            boot, _, at = line.partition(" ")
            try:
                moment = float(at)
            except ValueError:
                continue
            if boot == self._clock.boot() and now - WITHIN < moment <= now:
                moments.append(moment)
        return sorted(moments)
