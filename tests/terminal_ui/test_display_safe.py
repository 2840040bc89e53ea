"""Whatever comes in, what goes out can not act on a terminal."""

from __future__ import annotations

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.display import ELLIPSIS, MARKS_IN_A_ROW, display_safe

FORBIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=60)


def test_every_code_point_comes_out_showable() -> None:
    size = 64
    for first in range(0, sys.maxunicode + 1, size):
        shown = display_safe(".".join(map(chr, range(first, first + size))))
        assert len(shown) >= 2 * size - 1, hex(first)
        assert not FORBIDDEN.intersection(map(unicodedata.category, shown)), hex(first)


def test_nothing_vanishes_silently() -> None:
    for code in (0, 7, 8, 9, 10, 13, 27, 127, 0x9B, 0xAD, 0x200B, 0x202E, 0x2066, 0xFEFF, 0xE0041, 0xD800):
        assert len(display_safe(f"a{chr(code)}b")) == 3, hex(code)


def test_controls_have_their_pictures() -> None:
    assert display_safe("\x1b[2J\r\n\x7f") == "␛[2J␍␊␡"
    assert display_safe("\x1d") == "␝"


def test_plain_words_pass_unchanged() -> None:
    for words in ("Gehäuse, links", "Ø 12 mm", "轴承 6204", "Łódź", "[/red] x[bold]", "Zażółć"):
        assert display_safe(words) == words


def test_decomposed_letters_are_composed() -> None:
    assert display_safe("Gehause\u0308") == "Gehausë"


@given(ANY_TEXT, st.integers(min_value=1, max_value=80))
def test_it_keeps_the_limit_and_says_when_it_cut(text: str, limit: int) -> None:
    shown = display_safe(text, limit)
    assert len(shown) <= limit
    if len(display_safe(text, 1000)) > limit:
        assert shown.endswith(ELLIPSIS)


@given(ANY_TEXT)
def test_showing_twice_is_showing_once(text: str) -> None:
    once = display_safe(text)
    assert display_safe(once) == once
    assert unicodedata.is_normalized("NFC", once)


@given(st.text(alphabet="a\u0301\u0302\u0300\u20dd\u0315", max_size=40))
def test_marks_do_not_pile_up(text: str) -> None:
    run = 0
    for char in display_safe(text):
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        assert run <= MARKS_IN_A_ROW
