r"""The application identifiers of GS1 (General Specifications, 3.2) and what a value of each looks like.

The table is a file beside this one, written by `make schema`. A format is GS1's own notation: components
with a letter for the characters and their number, in brackets what may be missing:

    >>> identifier("3103001250")
    Identifier(code='3103', format='N6', fnc1=False)
    >>> identifier("253").format
    'N13 [X..17]'
    >>> identifier("0409501101530003") is None
    True

A value is told by its identifier. Of a predefined length it ends by itself, any other at an FNC1:

    >>> identifier("3103").value_of("00125010L75")
    '001250'
    >>> identifier("10").value_of("L75"), identifier("10").value_of("L 75")
    ('L75', None)

Dates are digits here: whether a day exists is for those who read it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("application_identifiers.json")

# The sets of characters by their letter: N, X, Y and Z are those of GS1 (7.11); A for letters and digits and
# B for a flag are ours, where GS1 says it in its text only.
_CHARACTERS = {
    "N": "[0-9]",
    "X": '[!"%-?A-Z_a-z]',
    "Y": "[A-Z0-9/#-]",
    "Z": "[0-9A-Za-z_-]",
    "A": "[A-Z0-9]",
    "B": "[01]",
}

_COMPONENT = re.compile(r"([NXYZAB])(?:(\d*)\.\.(\d+)|(\d+))")

# By code: format, whether an FNC1 must end the value, and GS1's title of it.
_ROWS: dict[str, tuple[str, bool, str]] = json.loads(_TABLE.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Identifier:
    """One application identifier: two to four digits, the format of its value, and whether FNC1 ends it."""

    code: str
    format: str
    fnc1: bool

    def value_of(self, text: str) -> str | None:
        """The value at the start of a text that holds no FNC1; None when the format does not fit.

        Where an FNC1 must end the value, the whole text has to be the value.
        """
        pattern = _pattern(self.format)
        match = pattern.fullmatch(text) if self.fnc1 else pattern.match(text)
        return match[0] if match else None


def identifier(text: str) -> Identifier | None:
    """The application identifier that a text starts with: no code of the table starts another one."""
    for length in (2, 3, 4):
        code = text[:length]
        if code in _ROWS:
            format, fnc1, _ = _ROWS[code]
            return Identifier(code, format, fnc1)
    return None


@cache
def _pattern(format: str) -> re.Pattern[str]:
    """The expression of a format. There are some sixty, each compiled when a code first needs them."""

    def counted(component: re.Match[str]) -> str:
        letter, least, most, exactly = component.groups()
        return _CHARACTERS[letter] + (f"{{{exactly}}}" if exactly else f"{{{least or 1},{most}}}")

    optional = format.replace(" ", "").replace("[", "(?:").replace("]", ")?")
    return re.compile(_COMPONENT.sub(counted, optional))
