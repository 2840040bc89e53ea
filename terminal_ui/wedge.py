"""Tells a keyboard-wedge scan from typing, by its pace.

A scanner that pretends to be a keyboard sends its characters a few milliseconds apart and ends with
Enter or Tab; a person does not. Every key is held back until the pace has told: 50 ms at the most,
which nobody feels. A scan never reaches a field, and control characters in it do nothing.

Pure: the time comes in with each key.
"""

from __future__ import annotations

from dataclasses import dataclass

SUFFIXES = ("enter", "tab")
_LONGEST = 512  # a burst beyond this is noise, not a label


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One key: Textual's name of it and its character, None for a key that has none."""

    key: str
    char: str | None = None


@dataclass(frozen=True, slots=True)
class WedgeScan:
    """A scan came over the keyboard; `text` is the frame without prefix and suffix."""

    text: str


Told = KeyPress | WedgeScan


class Wedge:
    """The keys of one terminal. `gap`: seconds between two characters of a scan at the most.

    `prefix`: a character that the scanner sends first, when it is set up so; then a scan needs it, its
    pace may be three times slower, and a burst without it is typing.
    """

    def __init__(self, gap: float = 0.05, least: int = 4, prefix: str = "") -> None:
        self.gap = gap * 3 if prefix else gap
        self._least = least
        self._prefix = prefix
        self._burst: list[KeyPress] = []
        self._last = float("-inf")

    @property
    def holding(self) -> bool:
        """Whether keys are held back: call `lapse` when `gap` has passed."""
        return bool(self._burst)

    def press(self, press: KeyPress, at: float) -> list[Told]:
        """A key came at `at` (monotonic seconds); what is now certain, in order."""
        told = self.lapse(at)
        if not self._burst and (press.char is None or (self._prefix and press.char != self._prefix)):
            return [*told, press]  # function keys and arrows never begin a scan
        self._last = at
        if press.key in SUFFIXES:
            return told + self._ended(press)
        self._burst.append(press)
        if len(self._burst) > _LONGEST:
            told += self._released()
        return told

    def lapse(self, now: float) -> list[Told]:
        """The held keys, when the pace says that they were typed."""
        return self._released() if self._burst and now - self._last > self.gap else []

    def _ended(self, suffix: KeyPress) -> list[Told]:
        text = "".join(press.char or "" for press in self._burst)
        if self._prefix:
            text = text.removeprefix(self._prefix)
        if len(text) < self._least:
            return [*self._released(), suffix]
        self._burst.clear()
        return [WedgeScan(text)]

    def _released(self) -> list[Told]:
        held: list[Told] = list(self._burst)
        self._burst.clear()
        return held
