"""Text as somebody would send it who means harm: one of each class of code points, and the known tricks."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

# Markup of the terminal's library, of web pages and of format strings.
MARKUP = (
    "[@click=app.quit]x[/]", "[@click=app.bell()]x", "Bolt [/M8]", "[bold][/red]", "[", "\\[x]", "$fh-alert",
    "<script>alert(1)</script>", "&lt;b&gt;", "{name} {0} {left!r} %s %(x)s ${HOME} `id` $(id)",
)  # fmt: skip
# What a terminal obeys: ESC, CSI in both forms, OSC 8 and 52 (links, clipboard), DCS, bells, titles.
CONTROL = (
    "\x1b[2J\x1b[?1049l", "\x9b2J", "\x1b]52;c;ZXZpbA==\x07", "\x9d52;c;ZXZpbA==\x9c", "\x1b]8;;http://x\x1b\\y",
    "\x1bP$qm\x1b\\", "\x1b]0;title\x07", "\x07\x08\x0e\x0f\x7f", "\r\n\x0b\x0c\x85\u2028\u2029", "\x00a\x00",
    "\x11\x10\x03\x04\x1a\x1c", "\x1b[200~x\x1b[201~", "\x1b[6n\x1b[c", "\x13\x17",
)  # fmt: skip
# What fools an eye: turned, invisible, piled up, half of a pair, wide.
UNSEEN = (
    "\u202egpj.exe", "\u2066a\u2069b", "a\u200bb\u200dc\ufeff", "e" + "\u0301" * 40, "\ud800\udc00\udfff",
    "\U000e0041",
    "\ufdd0\uffff", "\u3164\u2800", "\U0001f468\u200d\U0001f527" * 3, "\ufdfa" * 20, "\uff21\uff22",
    "x" * 5000,
)  # fmt: skip
PATHS = (
    "../../etc/cron.d/x", "/etc/passwd", "..", ".", "~root/x", "a/b\\c:d*?", "con", "\x00.toml", "-rf", "a\nb",
    "x" * 300,
    "%2e%2e%2f", "\u2025/\uff0f",
)  # fmt: skip
SQL = ("'; DROP TABLE journal; --", '" OR 1=1 --', "x') UNION SELECT hash FROM pin --", "\\'; --", "a%' --")
FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1")
TRICKS = (*MARKUP, *CONTROL, *UNSEEN, *PATHS, *SQL, *FORMULAS)


@cache
def of_each_class() -> tuple[str, ...]:
    """Texts of 40 characters in which there is each control and format character, and of every other class
    (category, direction, width, composing or not) the first, one from the middle and the last code point."""
    found: dict[tuple[object, ...], list[str]] = {}
    all_of: list[str] = []
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        category = unicodedata.category(char)
        if category in ("Cc", "Cf", "Zl", "Zp", "Zs"):
            all_of.append(char)
        else:
            width, direction = unicodedata.east_asian_width(char), unicodedata.bidirectional(char)
            composed = bool(unicodedata.decomposition(char))
            found.setdefault((category, width, direction, bool(unicodedata.combining(char)), composed), []).append(char)
    some = [each for chars in found.values() for each in (chars[0], chars[len(chars) // 2], chars[-1])]
    whole = "".join((*all_of, *some))
    return tuple(whole[at : at + 40] for at in range(0, len(whole), 40))
