"""By its pace alone: a scan is never typing, typing is never a scan, and no key of a person is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminal_ui.wedge import MOST, KeyPress, Swallowed, Told, Wedge, WedgeRefused, WedgeScan

CHARS = st.text(
    alphabet=st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\t"), min_size=1
)
FAST = st.floats(min_value=0.0, max_value=0.049)
SLOW = st.floats(min_value=0.052, max_value=5.0)
CONTROL_KEYS = {"\x1b": "escape", "\x11": "ctrl+q", "\x10": "ctrl+p", "\x03": "ctrl+c", "\x7f": "backspace"}
ENTER, TAB, F2, UP = KeyPress("enter", "\r"), KeyPress("tab", "\t"), KeyPress("f2"), KeyPress("up")
ANY_KEY = st.one_of(
    st.characters(min_codepoint=1, max_codepoint=255).map(lambda char: key(char)),
    st.sampled_from([ENTER, TAB, F2, UP]),
)


def key(char: str) -> KeyPress:
    return KeyPress(CONTROL_KEYS.get(char, char), char)


def play(wedge: Wedge, presses: list[KeyPress], gaps: list[float], at: float = 100.0) -> list[Told]:
    """What the presses come to, with a lapse long after the last one."""
    told: list[Told] = []
    for press, gap in zip(presses, gaps, strict=True):
        at += gap
        told += wedge.press(press, at)
    return told + wedge.lapse(at + 10)


def burst(text: str, wedge: Wedge | None = None, *more: KeyPress, at: float = 100.0) -> list[Told]:
    presses = [*map(key, text), *more]
    return play(wedge or Wedge(), presses, [0.002] * len(presses), at)


def typed(told: list[Told]) -> list[Told]:
    return [item for item in told if isinstance(item, KeyPress)]


@given(st.lists(ANY_KEY, min_size=2), st.sampled_from(["", "~"]), st.data())
def test_nothing_that_comes_at_the_pace_of_a_scanner_is_ever_typed(
    presses: list[KeyPress], prefix: str, data: st.DataObject
) -> None:
    gaps = [data.draw(FAST) for _ in presses]
    assert typed(play(Wedge(prefix=prefix), presses, gaps)) == []


@given(CHARS, st.data())
def test_a_fast_burst_with_enter_is_one_scan_and_no_key(text: str, data: st.DataObject) -> None:
    presses = [*map(key, text), ENTER]
    gaps = [data.draw(FAST) for _ in presses]
    assert play(Wedge(), presses, gaps) == [WedgeScan(text)]


@given(CHARS.filter(lambda text: len(text) > 1), st.data())
def test_a_fast_burst_without_enter_is_refused_whole(text: str, data: st.DataObject) -> None:
    presses = [*map(key, text)]
    gaps = [data.draw(FAST) for _ in presses]
    assert play(Wedge(), presses, gaps) == [WedgeRefused(text, "unended")]


@given(CHARS, st.data())
def test_slow_keys_are_typing_in_their_order(text: str, data: st.DataObject) -> None:
    presses = [*map(key, text), ENTER]
    gaps = [data.draw(SLOW) for _ in presses]
    assert play(Wedge(), presses, gaps) == presses


@pytest.mark.parametrize("text", ["7", "12", "XE1", "4711"])
def test_a_short_code_with_enter_is_a_scan(text: str) -> None:
    assert burst(text, None, ENTER) == [WedgeScan(text)]


def test_a_burst_of_any_length_is_one_scan_and_only_so_much_of_it_is_kept() -> None:
    assert burst("x1" * 260, None, ENTER) == [WedgeScan("x1" * 260)]
    assert burst("x1" * 2 * MOST, None, ENTER) == [WedgeScan("x1" * (MOST // 2))]
    assert burst("x1" * 2 * MOST) == [WedgeRefused("x1" * (MOST // 2), "unended")]


def test_a_second_suffix_is_no_key_and_the_next_scan_is_whole() -> None:
    presses = [*map(key, "A1"), ENTER, KeyPress("ctrl+j", "\n"), ENTER, *map(key, "B2"), ENTER]
    assert play(Wedge(), presses, [0.002] * len(presses)) == [WedgeScan("A1"), WedgeScan("B2")]


def test_an_enter_before_the_code_belongs_to_it() -> None:
    presses = [ENTER, *map(key, "4711"), ENTER]
    assert play(Wedge(), presses, [0.002] * len(presses)) == [WedgeScan("4711")]


def test_a_function_key_in_the_first_bytes_of_a_label_does_nothing() -> None:
    presses = [F2, *map(key, "4711"), ENTER]
    assert play(Wedge(), presses, [0.002] * len(presses)) == [WedgeScan("4711")]
    assert play(Wedge(), [F2, F2, F2], [0.002] * 3) == [Swallowed()]


def test_of_a_number_that_was_typed_too_fast_no_rest_can_be_sent() -> None:
    wedge = Wedge()
    assert burst("12", wedge) == [WedgeRefused("12", "unended")]
    assert play(wedge, [key("5"), ENTER], [0.2, 0.3]) == []
    assert play(wedge, [key("1"), key("2"), ENTER], [0.2, 0.2, 0.2], 101.0) == [key("1"), key("2"), ENTER]


def test_the_rest_of_a_scan_that_broke_in_two_is_no_scan() -> None:
    wedge = Wedge()
    assert burst("LOT-XE", wedge) == [WedgeRefused("LOT-XE", "unended")]
    assert burst("12", wedge, ENTER, at=100.3) == [WedgeRefused("12", "unended")]
    assert burst("12", wedge, ENTER, at=100.5) == [WedgeScan("12")]


def test_a_held_key_counts_once_and_is_no_scan() -> None:
    wedge = Wedge()
    assert play(wedge, [key("1")], [0.0]) == [key("1")]
    assert play(wedge, [key("1")] * 30, [0.5, *[0.033] * 29]) == [Swallowed()]
    assert play(wedge, [key("1")] * 30 + [ENTER], [1.5, *[0.033] * 30]) == [Swallowed()]
    assert play(wedge, [key("2")], [0.0], 110.0) == [key("2")]


def test_a_held_backspace_or_arrow_goes_on_while_it_is_held() -> None:
    for held in (key("\x7f"), UP):
        wedge = Wedge()
        assert play(wedge, [held], [0.0]) == [held]
        told = [wedge.press(held, 100.5 + number * 0.033) for number in range(10)]
        assert told == [[], [held, held], *[[held]] * 8]
        assert not wedge.holding


def test_a_key_that_was_typed_does_not_take_the_like_from_a_scan_that_follows() -> None:
    wedge = Wedge()
    assert play(wedge, [key("4")], [0.0]) == [key("4")]
    assert burst("4471", wedge, ENTER, at=100.3) == [WedgeScan("4471")]


def test_the_same_key_twice_by_hand_is_typed_twice() -> None:
    assert play(Wedge(), [key("1"), key("1")], [0.0, 0.15]) == [key("1"), key("1")]


def test_control_characters_in_a_scan_do_nothing() -> None:
    assert burst("AB\x11\x10\x1b\x03CD", None, ENTER) == [WedgeScan("AB\x11\x10\x1b\x03CD")]


def test_group_separators_stay_in_the_frame() -> None:
    assert burst("10L75\x1d3712", None, TAB) == [WedgeScan("10L75\x1d3712")]


def test_a_function_key_inside_a_scan_is_swallowed() -> None:
    presses = [key("A"), KeyPress("f5"), key("B"), key("C"), key("D"), ENTER]
    assert play(Wedge(), presses, [0.002] * len(presses)) == [WedgeScan("ABCD")]


def test_with_a_prefix_only_what_begins_with_it_is_a_scan() -> None:
    fast = [*map(key, "~L:A-1"), ENTER]
    assert play(Wedge(prefix="~"), fast, [0.1] * len(fast)) == [WedgeScan("L:A-1")]
    assert play(Wedge(prefix="~"), fast[:-1], [0.1] * 6) == [WedgeRefused("L:A-1", "unended")]
    assert burst("12345", Wedge(prefix="~"), ENTER) == [WedgeRefused("12345", "unprefixed")]
    slower = [*map(key, "12345"), ENTER]
    assert play(Wedge(prefix="~"), slower, [0.1] * len(slower)) == slower
