"""The one door through which text from outside reaches a screen.

ERP texts, barcodes, PLC strings and site files are data: they may hold escape sequences, characters
that turn the reading direction, or half of a character. After `display_safe` none of that can act on
a terminal, and nothing is silently gone: what can not be shown is shown as a sign that stands for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
MARKS_IN_A_ROW = 3  # the most that written languages need; more climb over the neighbouring lines

# Cc beyond C0, Cf (bidi controls, joiners, soft hyphen, tags), Co, Cn, Cs, and the line separators.
_UNSHOWABLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})

# Default-ignorable letters and marks of Unicode (DerivedCoreProperties.txt): assigned, yet invisible,
# or they change the width of the cell before them.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xFE00, 0xFE10))
    | set(range(0xE0100, 0xE01F0))
)


def display_safe(text: str, limit: int = 200) -> str:
    """The text as one line that can be printed anywhere; at most `limit` characters, cut with an ellipsis.

    C0 controls and DEL become their control pictures, anything else that has no picture of its own
    U+FFFD; the result is NFC. Showing it again changes nothing.

    >>> display_safe("A\\x1b[2J\\u202eB")
    'A␛[2J�B'
    """
    head = text[: limit * 4 + 1]  # composing shortens a text at most fourfold
    line = unicodedata.normalize("NFC", "".join(map(_sign, head)))
    line = _few_marks(line)
    return line if len(line) <= limit else line[: limit - 1] + ELLIPSIS


@lru_cache(maxsize=1024)
def _sign(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code < 0x7F:
        return char
    if code == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    if code in _INVISIBLE or unicodedata.category(char) in _UNSHOWABLE:
        return REPLACEMENT
    return char


def _few_marks(line: str) -> str:
    if line.isascii():
        return line
    kept: list[str] = []
    marks = 0
    for char in line:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS_IN_A_ROW:
            kept.append(char)
    return "".join(kept)


def number_words(value: bool | int | float | str, digits: int = 5) -> str:
    """A value of a machine for people: a float in `digits` digits, or in all that it has before its point.

    Only what is as large as 1e9 or smaller than 1e-4 is told with an exponent. Text stays as it is: it may not be
    safe to show.

    >>> number_words(123456.7), number_words(41.5), number_words(0.0123456), number_words(2.5e12), number_words(True)
    ('123457', '41.5', '0.012346', '2.5e+12', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    told = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in told and abs(value) < 1e9 else told


def many(count: int, one: str, more: str) -> str:
    """How many of something, in words that fit the number.

    >>> many(1, "try", "tries"), many(0, "try", "tries")
    ('1 try', '0 tries')
    """
    return f"{count} {one if count == 1 else more}"


def some(names: Sequence[str], most: int = 12) -> str:
    """Names in a row, and that there are more.

    >>> some(("p8", "p9")), some(("p1", "p2", "p3"), 2)
    ('p8, p9', 'p1, p2 ...')
    """
    return ", ".join(names[:most]) + (" ..." if len(names) > most else "")
