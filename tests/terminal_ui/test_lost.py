"""Why the last red of a shift strip is red, and what OEE that leaves, as the machine page tells them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.views.maintenance import Factors, LostPiece, StateSpan
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.step import Middle
from terminal_ui.texts import Texts
from terminal_ui.widgets.lost import reds
from terminal_ui.widgets.strip import resampled
from tests.terminal_ui.pages import BEGAN, MACHINE, PAGES, PLANT
from tests.terminal_ui.samples import NOW

LOOK = Look(Texts("en"), UNICODE, NOW.tzinfo)


def minute(after: float) -> timedelta:
    return timedelta(minutes=after)


def lost(began: float, ended: float, state: str = "HELD", **more: str) -> LostPiece:
    """A piece between two minutes of the strip's time."""
    fields = {"element": "delay", "stop": "s1", **more}
    return LostPiece(began=BEGAN + minute(began), ended=BEGAN + minute(ended), state=state, **fields)


def told(
    *pieces: LostPiece, factors: Factors | None = None, language: str = "en", size: tuple[int, int] = (80, 17),
    red: int = 0,
) -> str:
    """The page of a machine that ran but for these pieces."""
    stood = tuple(StateSpan(piece.state, piece.began, piece.ended) for piece in pieces)
    page = msgspec.structs.replace(
        MACHINE, strip=(StateSpan("EXECUTE", BEGAN, NOW),), stood=stood, stops=(), lost=pieces, factors=factors,
        red=red,
    )
    look = Look(Texts(language), UNICODE, NOW.tzinfo)
    scene = Scene(NOW, msgspec.structs.replace(PAGES["machine"], page=page), PLANT)
    return " ".join(" ".join(row.plain for row in Middle(look).fitted(scene, *size)).split())


@pytest.mark.parametrize(
    ("piece", "words"),
    [
        (lost(90, 94, alarm="Door open"), "07:30-07:34 stood with a job open, no reason yet Door open"),
        (lost(90, 94, reason="hydraulics"), "07:30-07:34 stood with a job open, hydraulics"),
        (lost(90, 94, element="maintenance", stop=""), "07:30-07:34 maintenance with a job open Values now"),
        (lost(90, 94, element="no_order"), "07:30-07:34 stood, no job was open, no reason yet"),
        (lost(0, 4), "until 06:04 stood"),
        (lost(270, 282), "since 10:30 stood"),
        (lost(0, 282), "all this time stood"),
    ],
)
def test_the_last_red_of_the_strip_is_explained(piece: LostPiece, words: str) -> None:
    assert words in told(piece)


def test_of_two_it_is_the_last() -> None:
    both = told(lost(40, 45, reason="cleaning"), lost(90, 94, stop="s2", reason="hydraulics"))
    assert "07:30-07:34" in both
    assert "06:40-06:45" not in both


@pytest.mark.parametrize("size", [(80, 17), (40, 10)])
def test_each_of_them_can_be_asked_for(size: tuple[int, int]) -> None:
    pieces = [lost(40, 45, stop="s1", reason="cleaning"), lost(90, 94, stop="s2"), lost(200, 210, stop="s3")]
    told_of = [told(*pieces, red=red, size=size) for red in range(4)]
    for words, when in zip(told_of, ("09:20-09:30", "07:30-07:34", "06:40-06:45", "09:20-09:30"), strict=True):
        assert when in words
    assert ["1/3: F" in told_of[0], "2/3: F" in told_of[1], "3/3: F" in told_of[2]] == [True] * 3
    assert "cleaning" in told_of[2]


def test_it_is_told_in_german_and_on_a_handheld() -> None:
    assert "07:30-07:34 stand mit offenem Auftrag, noch kein Grund" in told(lost(90, 94), language="de")
    assert "07:30-07:34 stood with a job open, no reason yet" in told(lost(90, 94), size=(40, 10))


def test_where_nothing_is_red_nothing_is_explained() -> None:
    quiet = told(factors=None)
    assert "stood" not in quiet
    assert "OEE" not in quiet
    idle = lost(100, 160, "IDLE", stop="s2", reason="waits for material")
    spans = (StateSpan("IDLE", BEGAN, NOW),)
    assert reds(resampled(spans, spans, BEGAN, NOW, 60), (idle,), BEGAN, NOW) == ()


def test_what_only_state_and_alarm_cut_off_is_one() -> None:
    pieces = (lost(90, 91, "HOLDING"), lost(91, 94, alarm="Door open"), lost(94, 95, reason="cleaning"))
    signs = resampled([StateSpan("EXECUTE", BEGAN, NOW)], [StateSpan("HELD", BEGAN + minute(90), BEGAN + minute(94))],
                      BEGAN, NOW, 60)  # fmt: skip
    ((_, found),) = reds(signs, pieces, BEGAN, NOW)
    assert (found.began, found.ended, found.alarm) == (BEGAN + minute(90), BEGAN + minute(94), "Door open")


def test_only_the_factors_that_are_known_are_told() -> None:
    known = Factors(availability=0.8, performance=None, quality=None, oee=None)
    alone = told(factors=known)
    assert "OEE -" in alone
    assert "A 80 % Last stops" in alone
    nothing = Factors(availability=None, performance=None, quality=None, oee=None)
    assert "OEE" not in told(factors=nothing)
    every = told(factors=MACHINE.factors)
    assert "OEE 69 %" in every
    assert "A 77 % P 91 % Q 98 %" in every


states = st.sampled_from(["HELD", "ABORTED", "IDLE"])


stretches = st.tuples(st.integers(0, 270), st.integers(1, 40), states, st.booleans())


@given(st.lists(stretches, max_size=8), st.integers(1, 80))
def test_it_is_always_a_piece_that_lies_in_the_last_red_cell(
    drawn: list[tuple[int, int, str, bool]], cells: int
) -> None:
    at, pieces = 0, []
    for began, length, state, asked in sorted(drawn):
        start, end = max(at, began), min(max(at, began) + length, 282)
        if start < end:
            pieces.append(lost(start, end, state, stop=f"s{start}" if asked else ""))
            at = end
    spans = [StateSpan(each.state, each.began, each.ended) for each in pieces]
    stood = [span for span, each in zip(spans, pieces, strict=True) if each.stop]
    signs = resampled(spans, stood, BEGAN, NOW, cells)
    explained = reds(signs, tuple(pieces), BEGAN, NOW)
    found = explained[0][1] if explained else None
    assert len({piece for _, piece in explained}) == len(explained)
    cell = max(signs.rfind(sign) for sign in "riS")
    assert (found is None) == (cell < 0)
    if found is not None:
        step = (NOW - BEGAN) / cells
        assert found.began < BEGAN + step * (cell + 1)
        assert found.ended > BEGAN + step * cell
        assert found.stop or found.state != "IDLE"


def test_a_plain_terminal_says_it_too() -> None:
    rows = Middle(Look(Texts("de"), ASCII, NOW.tzinfo)).fitted(Scene(NOW, PAGES["machine"], PLANT), 80, 17)
    assert "07:30-07:34" in rows[2].plain
    assert all(row.plain.isascii() for row in rows)
