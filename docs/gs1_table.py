"""The table of GS1 application identifiers, shortened from the one that biip ships.

biip gives each value a regular expression. Here it becomes GS1's own notation, with three differences:
a date is six or more digits whatever they say, `%` and two digits of a percent-encoded text count as three
characters (as GS1 counts them, and so that no expression has two ways to read the same text), and a value
is never empty.
"""

from __future__ import annotations

import json
import re

from biip.gs1_application_identifiers import _GS1_APPLICATION_IDENTIFIERS as IDENTIFIERS

_SHORTER = (
    # two ways of saying the same
    (r"[-]", "-"),
    (r"[/]", "/"),
    (r"(?:\d{3}){1,5}", r"\d{3}(\d{3})?(\d{3})?(\d{3})?(\d{3})?"),
    # calendar and clock: as many digits
    (r"(?:0\d|1[0-2])", r"\d{2}"),
    (r"(?:[0-2]\d|3[01])", r"\d{2}"),
    (r"(?:[01]\d|2[0-3])", r"\d{2}"),
    (r"(?:[0-5]\d)", r"\d{2}"),
    # percent-encoded text: its characters
    (r"(?:[!%-?A-Z_a-z\x22]|%[0-9A-Fa-f][0-9A-Fa-f]%[0-9A-Fa-f][0-9A-Fa-f])", r"[!%-?A-Z_a-z\x22]"),
    # character sets
    (r"[!%-?A-Z_a-z\x22]", " X"),
    (r"[A-Z0-9/#-]", " Y"),
    (r"[0-9A-Za-z_-]", " Z"),
    (r"[A-Z0-9]", " A"),
    (r"[01]", " B"),
    (r"\d", " N"),
)


def table() -> str:
    """The text of the file: one identifier a line, with format, whether an FNC1 must end it, and title."""
    rows = {
        code: [notation(one.pattern.removeprefix(f"^{code}")), one.separator_required, one.data_title]
        for code, one in IDENTIFIERS.items()
    }
    lines = (f"{json.dumps(code)}: {json.dumps(row, ensure_ascii=False)}" for code, row in rows.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def notation(pattern: str) -> str:
    r"""A regular expression of biip in the notation of GS1.

    >>> notation(r"(\d{13})([!%-?A-Z_a-z\x22]{0,17})$")
    'N13 [X..17]'
    """
    text = pattern.removesuffix("$")
    for long, short in _SHORTER:
        text = text.replace(long, short)
    text = re.sub(r"([NXYZAB])(?![{])", r"\g<1>{1}", text)
    text = re.sub(r"(N)\{(\d+)\} N\{(\d+)\}(?: N\{(\d+)\})*", _added, text)
    return text


def _added(components: re.Match[str]) -> str:
    return f"N{{{sum(int(n) for n in re.findall('[{]([0-9]+)', components[0]))}}}"
