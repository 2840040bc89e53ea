"""By its pace alone: a scan is never typing, typing is never a scan, and no key is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from terminal_ui.wedge import KeyPress, Told, Wedge, WedgeScan

CHARS = st.text(
    alphabet=st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\t"), min_size=4
)
FAST = st.floats(min_value=0.0, max_value=0.049)
SLOW = st.floats(min_value=0.052, max_value=5.0)
CONTROL_KEYS = {"\x1b": "escape", "\x11": "ctrl+q", "\x10": "ctrl+p", "\x03": "ctrl+c"}


def key(char: str) -> KeyPress:
    return KeyPress(CONTROL_KEYS.get(char, char), char)


ENTER = KeyPress("enter", "\r")


def play(wedge: Wedge, presses: list[KeyPress], gaps: list[float]) -> list[Told]:
    """What the presses come to, with a lapse long after the last one."""
    told: list[Told] = []
    at = 100.0
    for press, gap in zip(presses, gaps, strict=True):
        at += gap
        told += wedge.press(press, at)
    return told + wedge.lapse(at + 10)


@given(CHARS, st.data())
def test_a_fast_burst_with_enter_is_one_scan_and_no_key(text: str, data: st.DataObject) -> None:
    presses = [*map(key, text), ENTER]
    gaps = [data.draw(FAST) for _ in presses]
    assert play(Wedge(), presses, gaps) == [WedgeScan(text)]


@given(CHARS, st.data())
def test_slow_keys_are_typing_in_their_order(text: str, data: st.DataObject) -> None:
    presses = [*map(key, text), ENTER]
    gaps = [data.draw(SLOW) for _ in presses]
    assert play(Wedge(), presses, gaps) == presses


@given(
    st.lists(
        st.tuples(st.sampled_from("0123456789RS\x1b\r"), st.floats(min_value=0, max_value=0.2)), max_size=60
    )
)
def test_no_character_is_lost_or_doubled(typed: list[tuple[str, float]]) -> None:
    presses = [ENTER if char == "\r" else key(char) for char, _ in typed]
    told = play(Wedge(), presses, [gap for _, gap in typed])
    out = "".join(item.text + "\r" if isinstance(item, WedgeScan) else item.char or "" for item in told)
    assert out == "".join(char for char, _ in typed)


@given(st.text(alphabet="0123456789", min_size=1, max_size=3))
def test_fewer_than_four_characters_are_typing(text: str) -> None:
    presses = [*map(key, text), ENTER]
    assert play(Wedge(), presses, [0.001] * len(presses)) == presses


def test_control_characters_in_a_scan_do_nothing() -> None:
    presses = [*map(key, "AB\x11\x10\x1b\x03CD"), ENTER]
    assert play(Wedge(), presses, [0.002] * len(presses)) == [WedgeScan("AB\x11\x10\x1b\x03CD")]


def test_group_separators_stay_in_the_frame() -> None:
    presses = [*map(key, "10L75\x1d3712"), KeyPress("tab", "\t")]
    assert play(Wedge(), presses, [0.002] * len(presses)) == [WedgeScan("10L75\x1d3712")]


def test_a_function_key_acts_at_once() -> None:
    assert Wedge().press(KeyPress("f5"), 1.0) == [KeyPress("f5")]


def test_a_function_key_inside_a_scan_is_swallowed() -> None:
    presses = [key("A"), KeyPress("f5"), key("B"), key("C"), key("D"), ENTER]
    assert play(Wedge(), presses, [0.002] * len(presses)) == [WedgeScan("ABCD")]


def test_with_a_prefix_only_what_begins_with_it_is_a_scan() -> None:
    fast = [*map(key, "~L:A-1"), ENTER]
    assert play(Wedge(prefix="~"), fast, [0.1] * len(fast)) == [WedgeScan("L:A-1")]
    typed = [*map(key, "12345"), ENTER]
    assert play(Wedge(prefix="~"), typed, [0.001] * len(typed)) == typed


def test_an_endless_burst_is_let_go() -> None:
    wedge = Wedge()
    told = [item for number in range(600) for item in wedge.press(key("x"), number * 0.001)]
    assert len(told) > 500
