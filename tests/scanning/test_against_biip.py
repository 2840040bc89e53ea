"""What gs1 reads, held against biip: a second opinion, written by others from the same standard.

That the table is not older than the one of biip is asked where all generated files are: tests/config.
"""

from __future__ import annotations

import re

import pytest
from biip import ParseError
from biip.checksums import gs1_standard_check_digit
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_messages import GS1Message
from biip.upc import Upc
from hypothesis import given, settings
from hypothesis import strategies as st

from docs.gs1_table import IDENTIFIERS, notation
from edge_agent.scanning import gs1
from edge_agent.scanning.application_identifiers import identifier
from edge_agent.scanning.gs1 import GS, read

BY_FORMAT = {(notation(one), one.pattern.removeprefix(f"^{one.ai}")): one for one in IDENTIFIERS.values()}
digits = st.text("0123456789", min_size=13, max_size=13)


def pattern(one: GS1ApplicationIdentifier) -> re.Pattern[str]:
    """What biip lets a value be."""
    return re.compile(one.pattern.removeprefix(f"^{one.ai}").removesuffix("$"), re.ASCII)


def undisputed(one: GS1ApplicationIdentifier, value: str) -> str:
    """A value like it that has no date to doubt (biip asks whether the month exists, gs1 reads digits) and
    nothing percent-encoded (biip counts an encoded character once, GS1 and gs1 count what is written)."""
    if r"(?:0\d|1[0-2])" in one.pattern:
        value = re.sub("[0-9]", "0", value)
    return value.replace("%", "x")


def values(one: GS1ApplicationIdentifier) -> st.SearchStrategy[str]:
    """What biip lets a value be, and the same one character shorter, longer or changed."""
    right = st.from_regex(pattern(one), fullmatch=True)
    wrong = st.builds(
        lambda value, cut, more: value[:cut] + more + value[cut + 1 :],
        right,
        st.integers(0, 90),
        st.sampled_from(
            ["", "0", "1", "7", "A", "a", "_", "/", "-", "*", " ", "é", "\u0663", "00", "AA", "\n"]
        ),
    )
    return right | wrong


@pytest.mark.parametrize("one", BY_FORMAT.values(), ids=lambda one: f"{one.ai} {notation(one)}")
@settings(max_examples=15)
@given(st.data())
def test_a_value_fits_where_it_does_for_biip(one: GS1ApplicationIdentifier, data: st.DataObject) -> None:
    ours = identifier(one.ai)
    assert ours is not None
    value = undisputed(one, data.draw(values(one)))
    assert (ours.value_of(value) == value) == (value != "" and pattern(one).fullmatch(value) is not None)


def test_every_identifier_is_found_before_its_value() -> None:
    for one in IDENTIFIERS.values():
        found = identifier(f"{one.ai}1234")
        assert found is not None
        assert (found.code, found.format, found.fnc1) == (one.ai, notation(one), one.separator_required)


@given(st.text("0123456789", max_size=5) | st.text(max_size=5))
def test_a_text_starts_with_the_identifier_that_biip_finds(text: str) -> None:
    try:
        theirs = GS1ApplicationIdentifier.extract(text).ai
    except ParseError:
        theirs = None
    ours = identifier(text)
    assert (ours.code if ours else None) == theirs


@st.composite
def messages(draw: st.DrawFn) -> str:
    """A few element strings as a printer would encode them, now and then with a separator lost."""
    text = ""
    for one in draw(st.lists(st.sampled_from(list(IDENTIFIERS.values())), max_size=4)):
        value = draw(values(one))
        text += one.ai + value + (GS if one.separator_required and draw(st.integers(0, 9)) else "")
    return text


@settings(max_examples=300)
@given(messages())
def test_what_both_understand_says_the_same(text: str) -> None:
    try:
        theirs = [(each.ai.ai, each.value) for each in GS1Message.parse(text).element_strings]
    except ParseError:
        return
    ours, understood = gs1.element_strings(text)
    assert not understood or ours == dict(theirs)


def test_both_understand_the_labels_of_the_floor() -> None:
    text = f"01095011015300031726123110ABC-123{GS}3103001250{GS}21S/9{GS}30144{GS}8005000125"
    theirs = {each.ai.ai: each.value for each in GS1Message.parse(text).element_strings}
    assert gs1.element_strings(text) == (theirs, True)
    assert len(theirs) == 7


@given(st.sampled_from(["", "0", "1", "2", "9"]), st.text("0123456789", min_size=6, max_size=6))
def test_upc_e_grows_as_in_biip_with_and_without_its_check_digit(system: str, kept: str) -> None:
    for check in ("", *"0123456789") if system else ("",):
        code = system + kept + check
        try:
            theirs = Upc.parse(code).as_upc_a().zfill(14)
        except ParseError:
            theirs = None
        ours = read(code, "]E0")
        assert ours is not None
        assert (ours.gtin, ours.faults) == (theirs, () if theirs else ("gtin",))


@given(digits, st.sampled_from([7, 11, 12, 13]))
def test_check_digits_are_those_of_biip(payload: str, length: int) -> None:
    payload = payload[:length]
    right = str(gs1_standard_check_digit(payload))
    assert [digit for digit in "0123456789" if gs1.gtin(payload + digit)] == [right]
