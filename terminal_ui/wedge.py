"""Tells a keyboard-wedge scan from typing, by its pace.

A scanner that pretends to be a keyboard sends its characters a few milliseconds apart and ends with
Enter or Tab; a person does not. Every key is held back until the pace has told: 50 ms at the most,
which nobody feels. Two keys within the gap, Enter counted, are never typed, whatever they are and whether
or not Enter ends them: control characters in a scan do nothing, and no part of it reaches a field.

Three things look like a scan and are none. A key that is held repeats itself, after a pause: it counts
once, except where to hold it is the sense of it (arrows, backspace). What follows a code that no Enter
ended may be its rest: nothing is typed until Enter or a pause of a second, so that of a number typed too
fast no part is left that could be sent. And keys behind an end, within the gap, are a second suffix.

Pure: the time comes in with each key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SUFFIXES = ("enter", "tab", "ctrl+j")
MOST = 4096  # characters of a burst that are kept, which an input can hold; the rest is swallowed
_DEAF = 1.0  # seconds after a code that was not ended
_REPEATS_WITHIN = 1.2  # seconds: no keyboard waits longer before it repeats a key
_HELD = ("backspace", "ctrl+h", "delete", "up", "down", "left", "right", "pageup", "pagedown")


@dataclass(frozen=True, slots=True)
class KeyPress:
    """One key: Textual's name of it and its character, None for a key that has none."""

    key: str
    char: str | None = None


@dataclass(frozen=True, slots=True)
class WedgeScan:
    """A scan came over the keyboard; `text` is the frame without prefix and suffix."""

    text: str


@dataclass(frozen=True, slots=True)
class WedgeRefused:
    """What came at the pace of a scanner can not be believed: no Enter ended it, or its prefix is missing."""

    text: str
    why: Literal["unended", "unprefixed"]


@dataclass(frozen=True, slots=True)
class Swallowed:
    """Keys without a text came too fast, or one was held: they do not count."""


Told = KeyPress | WedgeScan | WedgeRefused | Swallowed


class Wedge:
    """The keys of one terminal. `gap`: seconds between two characters of a scan at the most.

    `prefix`: a character that the scanner sends first, when it is set up so; then a scan needs it, and its
    pace may be three times slower.
    """

    def __init__(self, gap: float = 0.05, prefix: str = "") -> None:
        self._gap = gap
        self._prefix = prefix
        self._burst: list[KeyPress] = []
        self._began = self._last = self._ended_at = self._deaf_until = float("-inf")
        self._alone: KeyPress | None = None  # the last key that was typed, and when it came
        self._alone_at = float("-inf")
        self._repeating = False

    @property
    def holding(self) -> bool:
        """Whether keys are held back: call `lapse` when `gap` has passed."""
        return bool(self._burst)

    @property
    def gap(self) -> float:
        """Seconds of pause after which what is held has come to its end."""
        return self._gap * 3 if self._prefix and self._text().startswith(self._prefix) else self._gap

    def press(self, press: KeyPress, at: float) -> list[Told]:
        """A key came at `at` (monotonic seconds); what is now certain, in order."""
        told = self.lapse(at)
        if (repeated := self._repeated(press, at)) is not None:
            return told + repeated
        before, self._last = self._last, at
        if press.key in SUFFIXES:
            if self._burst:
                return told + self._settled(ended=True)
            if before == self._ended_at and at - before <= self._gap:
                self._ended_at = at
                return told
        if not self._burst:
            self._began = at
        if len(self._burst) < MOST:
            self._burst.append(press)
        return told

    def lapse(self, now: float) -> list[Told]:
        """What the held keys come to, when their pause is over."""
        return self._settled(ended=False) if self._burst and now - self._last > self.gap else []

    def _settled(self, ended: bool) -> list[Told]:
        burst, text = self._burst, self._text()
        self._burst = []
        if ended:
            self._ended_at = self._last
        elif len(burst) == 1:
            return self._single(burst[0])
        if self._is_held(burst):
            self._alone_at = self._last
            return [Swallowed()]
        deaf = self._began <= self._deaf_until
        begun = bool(self._prefix) and text.startswith(self._prefix)
        self._deaf_until = float("-inf") if ended or not text else self._last + _DEAF
        if not text:
            return [Swallowed()]
        if self._prefix and not begun:
            return [WedgeRefused(text, "unprefixed")]
        told = text.removeprefix(self._prefix)
        return [WedgeScan(told) if ended and not deaf else WedgeRefused(told, "unended")]

    def _single(self, press: KeyPress) -> list[Told]:
        """One key for itself: typed, unless it may be the rest of a code that was not ended."""
        if self._began - self._ended_at <= self._gap:
            return []  # behind the end of a scan, at its pace
        typing = press.key in SUFFIXES or (press.char is not None and press.char.isprintable())
        if typing and self._began <= self._deaf_until:
            self._deaf_until = float("-inf") if press.key in SUFFIXES else self._last + _DEAF
            return []
        self._alone, self._alone_at, self._repeating = press, self._last, False
        return [press]

    def _repeated(self, press: KeyPress, at: float) -> list[Told] | None:
        """What a key comes to that is held to repeat itself; None: it is not one."""
        if press.key not in _HELD or self._alone is None or self._alone.key != press.key:
            return None
        if self._burst:
            goes_on = self._is_held(self._burst)
        else:
            goes_on = self._repeating and at - self._alone_at <= self._gap
        if not goes_on:
            return None
        told: list[Told] = [*self._burst, press]
        self._burst, self._alone_at, self._repeating = [], at, True
        return told

    def _is_held(self, burst: list[KeyPress]) -> bool:
        """Whether it is the key that was typed before, and nothing else, soon enough to be its repetition."""
        alone = self._alone
        return (
            alone is not None
            and self._began - self._alone_at <= _REPEATS_WITHIN
            and all(held.key == alone.key for held in burst)
        )

    def _text(self) -> str:
        """The characters that are held, without an Enter before them."""
        held = self._burst[1:] if self._burst and self._burst[0].key in SUFFIXES else self._burst
        return "".join(press.char or "" for press in held)
