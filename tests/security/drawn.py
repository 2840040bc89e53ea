"""Hostile strings without an end, shown by every widget there is: what comes out neither acts nor runs over."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from random import Random

from edge_agent.display import display_safe
from edge_agent.views import View
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.scanner import ScannerSheet
from terminal_ui.screens.step import Middle
from terminal_ui.widgets.block import Block
from tests.security.hostile import TRICKS, of_each_class
from tests.terminal_ui.pages import FAULTY, FOUND, PAGES, SPOOFED
from tests.terminal_ui.samples import NOW, TROUBLE, VIEWS
from tests.terminal_ui.test_screens import BLOCKS, TEXTS, poisoned, poisoned_report

NO_CELL = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
LIMIT = 80  # characters that display_safe is asked for
WRONG = ("raw", "too_long", "unstable", "wide", "acting", "crashed")
_SIZES = ((78, 9), (40, 16), (118, 30))
_LOOKS = (Look(TEXTS, UNICODE), Look(TEXTS, ASCII))
_VIEWS: Sequence[View] = tuple((VIEWS | PAGES).values())
_CONTROL = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
_SIGNS = "[]@=.()/\\$;:'\"<>%{}&#`~|?*+-_,! \t"
_BEGINNINGS = ("\x1b[", "\x9b", "\x1b]", "\x9d", "\x1bP", "\x1b_", "\x98")  # CSI, OSC, DCS, APC, SOS
_WORDS = ("click", "app.quit", "bold", "on red", "link", "not", "/", "m", "J", "52;c;", "8;;", "null", "0", "999999")


def hostile(number: int) -> str:
    """One of them: first all tricks, then what chance makes of their pieces and of all code points."""
    if number < len(TRICKS):
        return TRICKS[number]
    dice = Random(number)
    return "".join(_piece(dice) for _ in range(dice.choice((1, 2, 3, 5, 8, 30))))


def _piece(dice: Random) -> str:
    match dice.randrange(8):
        case 0:
            trick = dice.choice(TRICKS)
            return trick[dice.randrange(len(trick)) :][: dice.randrange(1, 60)]
        case 1:
            return dice.choice(TRICKS)[:60]
        case 2:
            return "".join(dice.choices(_CONTROL, k=3))
        case 3:
            sign, end = dice.choice(("", "/", "@", "$", "#")), dice.choice(("", "]", "]x[/]", "("))
            return f"[{sign}{dice.choice(_WORDS)}{end}"
        case 4:
            return dice.choice(_BEGINNINGS) + dice.choice(_WORDS) + dice.choice("mJHhl\x07")
        case 5:
            return dice.choice(of_each_class())[dice.randrange(30) :]
        case 6:
            return "".join(chr(dice.randrange(sys.maxunicode + 1)) for _ in range(4))
        case _:
            return "".join(dice.choices(_SIGNS, k=4)) + dice.choice(_WORDS)


def drawn(first: int, count: int) -> Counter[str]:
    """So many of them through display_safe and every widget; which page is in the middle of the screen takes turns.

    All that `WRONG` names must be 0.
    """
    counts = Counter[str]()
    for number in range(first, first + count):
        text = hostile(number)
        found = Counter(strings=1)
        try:
            found.update(_cleaned(text))
            found.update(_shown(text, number))
        except Exception as error:  # whatever it is: a text that ends a terminal
            found.update({"crashed": 1, f"{number} ends with {type(error).__name__}: {error}"[:120]: 1})
        counts.update(found)
    return counts


def _cleaned(text: str) -> Counter[str]:
    shown = display_safe(text, LIMIT)
    return Counter(
        raw=_raw(shown), too_long=len(shown) > LIMIT, unstable=display_safe(shown, LIMIT) != shown, cleaned=1,
    )  # fmt: skip


def _shown(text: str, number: int) -> Counter[str]:
    counts = Counter[str]()
    look, size = _LOOKS[number // len(_VIEWS) % 2], _SIZES[number % len(_SIZES)]
    for view, kinds in ((_VIEWS[number % len(_VIEWS)], BLOCKS), (_VIEWS[(number + 7) % len(_VIEWS)], [Middle])):
        status = SPOOFED if view.scenario == "maintain" else TROUBLE
        scene = Scene(NOW, poisoned(view, text), poisoned(status, text), typed=text or None, guide=text, echo=text)
        for kind in kinds:
            counts.update(_fitted(kind, scene, look, size))
    report = poisoned_report((FOUND, FAULTY)[number % 2], text)
    counts.update(_fitted(ScannerSheet, Scene(NOW, None, None, scanner=report), look, size))
    return counts


def _fitted(kind: type[Block], scene: Scene, look: Look, size: tuple[int, int]) -> Counter[str]:
    counts = Counter(drawn=1)
    for row in kind(look).fitted(scene, *size):
        counts["raw"] += _raw(row.plain)
        counts["wide"] += row.cell_length > size[0]
        counts["acting"] += any("@" in str(span.style) for span in row.spans)
    return counts


def _raw(text: str) -> bool:
    return not NO_CELL.isdisjoint(map(unicodedata.category, text))
