from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.scanning.labels import (
    PREFIXES,
    Label,
    LabelFault,
    check_character,
    label,
    label_or_none,
    printable_id,
    read,
)
from edge_agent.views import Kind

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "labels.md"

kinds = st.sampled_from(sorted(PREFIXES.values()))
ids = st.text(PRINTABLE, min_size=1, max_size=64)
words = st.text(ALPHABET, min_size=2, max_size=20)


def state_after(text: str) -> int:
    """The running value of ISO/IEC 7064 MOD 37,36 in its own words: the adjusted sum, doubled, modulo 37."""
    value = 36
    for char in text:
        value = (value + ALPHABET.index(char)) % 36
        value = (36 if value == 0 else value) * 2 % 37
    return value


def is_blind_spot(text: str, place: int) -> bool:
    """Whether the standard can not see that the characters at `place` and the next one are swapped."""
    value = state_after(text[:place])
    return {(value + ALPHABET.index(char)) % 36 for char in text[place : place + 2]} == {18, 19}


def test_the_vector_of_the_standard() -> None:
    assert check_character("A12425GABC1234002") == "M"
    assert check_character("a12425gabc1234002") == "M"


@given(words)
def test_text_with_its_check_character_sums_to_one_as_the_standard_demands(text: str) -> None:
    whole = text + check_character(text)
    assert (state_after(whole[:-1]) + ALPHABET.index(whole[-1])) % 36 == 1


@given(words, st.data())
def test_every_wrong_letter_or_digit_is_caught(text: str, data: st.DataObject) -> None:
    whole = text + check_character(text)
    place = data.draw(st.integers(0, len(whole) - 1))
    char = data.draw(st.sampled_from(ALPHABET.replace(whole[place], "")))
    damaged = whole[:place] + char + whole[place + 1 :]
    assert check_character(damaged[:-1]) != damaged[-1]


@given(words, st.data())
def test_every_swap_of_neighbours_is_caught_but_at_the_blind_spot(text: str, data: st.DataObject) -> None:
    whole = text + check_character(text)
    place = data.draw(st.integers(0, len(whole) - 2))
    first, second = whole[place], whole[place + 1]
    swapped = whole[:place] + second + first + whole[place + 2 :]
    noticed = check_character(swapped[:-1]) != swapped[-1]
    assert noticed == (first != second and not is_blind_spot(whole, place))


def test_the_blind_spot_is_one_pair_in_630_and_only_of_values_that_differ_by_one() -> None:
    starts = {state_after(text): text for text in ALPHABET}
    assert len(starts) == 36, "one character reaches every state"
    for start in starts.values():
        blind = [pair for pair in combinations(ALPHABET, 2) if is_blind_spot(start + "".join(pair), 1)]
        assert len(blind) == 1
        first, second = map(ALPHABET.index, blind[0])
        assert (second - first) % 36 in (1, 35)
        assert check_character(start + "".join(blind[0])) == check_character(start + "".join(blind[0])[::-1])


@given(
    st.text(ALPHABET + "-./", min_size=1, max_size=12), st.sampled_from("-./"), st.sampled_from("0123456789")
)
def test_a_dash_dot_or_slash_that_changes_places_with_a_digit_is_always_caught(
    start: str, sign: str, digit: str
) -> None:
    assert check_character(start + sign + digit) != check_character(start + digit + sign)


def test_a_dash_in_another_place_is_another_label() -> None:
    assert isinstance(read(label(Kind.LOCATION, "A-1-12").replace("1-12", "11-2")), LabelFault)


@given(kinds, ids)
def test_what_is_printed_can_be_read(kind: Kind, id: str) -> None:
    if kind is Kind.DRAWING and "/" in id:
        with pytest.raises(ValueError, match="revision"):
            label(kind, id)
        return
    assert read(label(kind, id)) == Label(kind, id)
    assert label_or_none(kind, id) == label(kind, id)


@given(
    st.text(PRINTABLE, min_size=1, max_size=40), st.text(PRINTABLE.replace("/", ""), min_size=1, max_size=20)
)
def test_a_drawing_keeps_its_revision_whatever_slashes_its_number_has(id: str, revision: str) -> None:
    assert read(label(Kind.DRAWING, id, revision)) == Label(Kind.DRAWING, id, revision)


@given(kinds, st.text(ALPHABET + ALPHABET.lower() + "-", min_size=1, max_size=20), st.data())
def test_a_damaged_label_is_a_fault_or_nothing_but_never_another_thing(
    kind: Kind, id: str, data: st.DataObject
) -> None:
    text = label(kind, id)
    place = data.draw(st.integers(2, len(text) - 1).filter(lambda p: text[p] not in ".-"))
    char = data.draw(
        st.sampled_from([c for c in ALPHABET if c != text[place].upper() and {c, text[place]} != {"W", "-"}])
    )
    assert read(text[:place] + char + text[place + 1 :]) == LabelFault(
        kind, text[:place] + char + text[place + 1 :]
    )


@pytest.mark.parametrize(
    "text",
    [
        "L:",
        "L:.",
        "L:A-03-2",
        "L:A-03-2.",
        "L:A-03-2.8",
        "L:A-03-2.77",
        "L:.7",
        "L:A 03.7",
        "L:é.7",
        "L:" + "A" * 65 + ".7",
    ],
)
def test_looks_like_a_label_but_is_none(text: str) -> None:
    assert read(text) == LabelFault(Kind.LOCATION, text)


@pytest.mark.parametrize("text", ["", "L", ":", "l:A-03-2.7", "X:A-03-2.7", "A-03-2", "L-A-03-2.7", "LL:A.7"])
def test_is_no_own_label(text: str) -> None:
    assert read(text) is None


def test_the_check_character_may_be_typed_small() -> None:
    text = label(Kind.DRAWING, "DRW-1001", "C")
    assert read(text[:-1] + text[-1].lower()) == read(text) == Label(Kind.DRAWING, "DRW-1001", "C")
    assert read(text[:-1] + "\u0131") == LabelFault(Kind.DRAWING, text[:-1] + "\u0131"), (
        "not the I of another alphabet"
    )


def test_a_drawing_label_without_revision_says_so() -> None:
    assert read(label(Kind.DRAWING, "DRW-1001")) == Label(Kind.DRAWING, "DRW-1001", None)
    body = "DRW-1001/"
    assert read(f"D:{body}.{check_character('D' + body)}") == Label(Kind.DRAWING, body, None)


@pytest.mark.parametrize(
    ("kind", "id", "revision", "says"),
    [
        (Kind.MATERIAL, "B-6204", None, "no own label for material"),
        (Kind.LOCATION, "A-03-2", "C", "carries no revision"),
        (Kind.DRAWING, "DRW", "C/1", "its revision"),
        (Kind.DRAWING, "DRW/1", None, "its revision"),
        (Kind.DRAWING, "DRW", "", "can not carry"),
        (Kind.DRAWING, "", "C", "can not carry"),
        (Kind.LOCATION, "", None, "can not carry"),
        (Kind.LOCATION, "BIN 4", None, "no space"),
        (Kind.LOCATION, "Büro", None, "ASCII"),
        (Kind.LOCATION, "A" * 65, None, "64"),
        (Kind.DRAWING, "A" * 63, "C", "64"),
    ],
)
def test_no_label_for_what_it_can_not_carry(kind: Kind, id: str, revision: str | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        label(kind, id, revision)
    assert label_or_none(kind, id, revision) is None


@given(st.text(max_size=70))
def test_reading_any_text_raises_nothing_and_ids_are_printable(text: str) -> None:
    for prefix in ("", "L:", "D:"):
        found = read(prefix + text)
        assert not isinstance(found, Label) or printable_id(found.id)


def test_the_labels_shown_in_the_reference_are_right() -> None:
    shown = re.findall(r"`([A-Z]:[^`\s<]+)`", DOCUMENT.read_text())
    assert {text[0] for text in shown} == set(PREFIXES)
    assert [text for text in shown if not isinstance(read(text), Label)] == []


def test_the_programs_in_the_reference_compute_the_same() -> None:
    source = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S)
    assert source is not None
    names: dict[str, object] = {}
    exec(source.group(1), names)
    their = names["check_character"]
    assert callable(their)
    for text in ("A12425GABC1234002", "LA-03-2", "DDRW-1001/C", "hTote_1", *PRINTABLE):
        assert their(text) == check_character(text)
