"""The one door through which text from outside reaches a screen.

ERP texts, barcodes, PLC strings and site files are data: they may hold escape sequences, characters
that turn the reading direction, or half of a character. After `display_safe` none of that can act on
a terminal, and nothing is silently gone: what can not be shown is shown as a sign that stands for it.
"""

from __future__ import annotations

import unicodedata
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
