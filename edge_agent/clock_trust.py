"""Whether the wall clock of this PC is believed, and why not. Pure: readings come in, words go out.

A clock is doubted at the start when it stands before the last fact that was recorded with a trusted clock, or more
than `FAR` behind it; while it runs, when it does not keep step with the monotonic clock; and whenever another
computer, the ERP, says something else. Where that computer agrees the clock is confirmed, whatever was before.

>>> last = 1_800_000_000.0
>>> trust = Trust(last + 3 * DAY, monotonic=5.0)
>>> trust.continues(last, last + 3 * DAY, 5.0)
>>> trust.doubt(last + 3 * DAY, 5.0), trust.confirmed(last + 3 * DAY, 5.0)
('', False)
>>> trust.compared("erp", last + 3 * DAY + 7200, last + 3 * DAY, 5.0)
>>> trust.doubt(last + 3 * DAY, 5.0)
'The clock of this PC is 2 h behind the one of erp.'
"""

from __future__ import annotations

from datetime import UTC, datetime

DAY = 86_400.0

# What a pause may last before somebody has to confirm the time: longer than the holidays of any plant. Within it a
# wrong clock can not be told from a PC that was off. A spare PC from the shelf is doubted until the first answer of
# the ERP, for a few seconds.
FAR = 60 * DAY

_BACK = 120.0  # seconds that a clock may have been set back between two runs: one without a battery backs up minutes
_AGREES = 300.0  # seconds between two clocks that agree: an answer may take long, and no report is more exact
_STEP = 2.0  # seconds of disagreement between wall and monotonic clock that a slew can explain

# A PC whose battery died starts in the past; nothing was ever recorded before this.
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


class Trust:
    """What is known of one wall clock. Readings are seconds: of the wall clock since 1970, and monotonic ones."""

    def __init__(self, wall: float, monotonic: float) -> None:
        self._offset = wall - monotonic
        self._began = False
        self._last: float | None = None  # as long as nobody has shown that the clock fits behind it
        self._others: dict[str, float] = {}  # by how many seconds each other clock is ahead of ours

    def continues(self, last: float | None, wall: float, monotonic: float) -> None:
        """When the newest fact with a trusted clock was recorded; None: there is none.

        From the first time on a jump is one, and no later time makes it plausible: an agent that starts again in the
        same process knows more of its clock than its journal does.
        """
        if self._began and self._jumped(wall, monotonic):
            return
        self._began, self._last = True, last
        self.doubt(wall, monotonic)

    def compared(self, source: str, theirs: float, wall: float, monotonic: float) -> None:
        """`source` says it is `theirs` now."""
        self._others[source] = theirs - wall
        if self._agreed():
            self._last, self._offset = None, wall - monotonic

    def doubt(self, wall: float, monotonic: float) -> str:
        """Why the clock is not believed, as a sentence; empty: it is."""
        if wall < _EARLIEST:
            return f"The clock of this PC says {_day(wall)}, and nothing was ever recorded before {_day(_EARLIEST)}."
        if self._last is not None:
            if told := _implausible(wall, self._last):
                return self._differs() or told
            self._last, self._offset = None, wall - monotonic
        if self._jumped(wall, monotonic):
            return "The clock of this PC jumped while the agent ran."
        return self._differs()

    def confirmed(self, wall: float, monotonic: float) -> bool:
        """Whether another computer agrees, and nothing speaks against it."""
        return self._agreed() and not self.doubt(wall, monotonic)

    def _jumped(self, wall: float, monotonic: float) -> bool:
        return abs(wall - monotonic - self._offset) >= _STEP

    def _agreed(self) -> bool:
        return any(abs(ahead) <= _AGREES for ahead in self._others.values())

    def _differs(self) -> str:
        if not self._others or self._agreed():
            return ""
        source, ahead = next(iter(self._others.items()))
        return f"The clock of this PC is {_length(ahead)} {'behind' if ahead > 0 else 'ahead of'} the one of {source}."


def _implausible(wall: float, last: float) -> str:
    if wall < last - _BACK:
        where = f"{_length(last - wall)} before"
    elif wall > last + FAR:
        where = f"{_length(wall - last)} after"
    else:
        return ""
    return f"The clock of this PC says {_day(wall)}: that is {where} the last report, and nobody has confirmed it yet."


def _length(seconds: float) -> str:
    """How long, in the unit that says most."""
    seconds = abs(seconds)
    for size, unit in ((DAY, "days"), (3600.0, "h")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 60:.0f} min"


def _day(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%d")
