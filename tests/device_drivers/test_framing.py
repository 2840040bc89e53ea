"""Frames out of bytes, by property."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.scanners.framing import CHARACTER_TIMEOUT, SETTLING_TIME, Framer

codes = st.binary(min_size=1, max_size=60).map(
    lambda raw: bytes(b for b in raw if b not in b"\r\n\x02\x03") or b"X"
)
line_ends = st.sampled_from([b"\r", b"\n", b"\r\n"])


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    """A stream in pieces, cut at these places."""
    edges = [0, *sorted({place % (len(stream) + 1) for place in at}), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.tuples(codes, line_ends, st.booleans())), st.lists(st.integers(0, 5000)))
def test_every_code_comes_out_whole_however_the_bytes_arrive(
    scans: list[tuple[bytes, bytes, bool]], at: list[int]
) -> None:
    stream = b"".join(b"\x02" + code + b"\x03" if stx else code + end for code, end, stx in scans)
    framer = Framer()
    assert [frame for piece in cut(stream, at) for frame in framer.feed(piece, 0.0)] == [
        c for c, _, _ in scans
    ]
    assert framer.dropped == 0


@given(
    st.lists(st.binary(min_size=1, max_size=30).filter(lambda raw: b"#\r" not in raw)),
    st.lists(st.integers(0, 5000)),
)
def test_own_affixes_are_taken_off_and_nothing_else(scans: list[bytes], at: list[int]) -> None:
    framer = Framer(prefix=b"<<", suffix=b"#\r")
    stream = b"".join(b"<<" + code + b"#\r" for code in scans)
    assert [frame for piece in cut(stream, at) for frame in framer.feed(piece, 0.0)] == scans


@given(st.lists(st.tuples(st.binary(max_size=700), st.floats(0, 2)), max_size=30))
def test_no_noise_makes_an_empty_or_an_overlong_frame(noise: list[tuple[bytes, float]]) -> None:
    framer, now = Framer(limit=512), 0.0
    for data, pause in noise:
        now += pause
        for frame in framer.feed(data, now):
            assert 0 < len(frame) <= 512
            assert b"\r" not in frame or b"\n" not in frame or b"\x02" not in frame


@given(codes, codes, st.floats(CHARACTER_TIMEOUT, SETTLING_TIME, exclude_max=True))
def test_half_a_code_never_passes_for_a_code(head: bytes, tail: bytes, pause: float) -> None:
    framer = Framer()
    assert framer.feed(head, 0.0) == []
    assert framer.feed(tail + b"\r", pause) == []
    assert framer.feed(b"NEXT\r", pause) == [b"NEXT"]
    assert framer.dropped == 1


@given(codes, codes)
def test_a_scan_long_after_a_torn_one_counts(head: bytes, code: bytes) -> None:
    framer = Framer()
    framer.feed(head, 0.0)
    assert framer.feed(code + b"\r", SETTLING_TIME) == [code]
    assert framer.dropped == 1


def test_a_slow_but_steady_sender_is_understood() -> None:
    framer = Framer()
    frames = [frame for n, byte in enumerate(b"ABC\r") for frame in framer.feed(bytes([byte]), n * 0.2)]
    assert frames == [b"ABC"]


def test_group_separators_and_ends_inside_stx_stay() -> None:
    assert Framer().feed(b"A\x1dB\r\x02C\rD\x1dE\x03\r\n", 0.0) == [b"A\x1dB", b"C\rD\x1dE"]


def test_an_overlong_frame_is_dropped_whole_and_the_next_one_counts() -> None:
    framer = Framer(limit=8)
    assert framer.feed(b"123456789\r12345678\r", 0.0) == [b"12345678"]
    assert framer.dropped == 1


@pytest.mark.parametrize("stream", [b"12#\r", b"<12#\r", b"noise<<12#\r"])
def test_a_frame_without_its_prefix_is_dropped(stream: bytes) -> None:
    framer = Framer(prefix=b"<<", suffix=b"#\r")
    assert framer.feed(stream + b"<<34#\r", 0.0) == [b"34"]
    assert framer.dropped == 1


@given(codes, codes, st.floats(0, CHARACTER_TIMEOUT, exclude_max=True), st.lists(st.integers(0, 100)))
def test_what_comes_right_after_the_wire_was_opened_may_be_a_rest(
    rest: bytes, code: bytes, late: float, at: list[int]
) -> None:
    framer = Framer(listening_since=0.0)
    frames = [frame for piece in cut(rest + b"\r", at) for frame in framer.feed(piece, late)]
    assert frames == []
    assert (framer.dropped, framer.refused) == (1, 1)
    assert framer.feed(code + b"\r", late + 0.5) == [code]


@given(codes)
def test_what_comes_after_a_quiet_while_is_a_code(code: bytes) -> None:
    framer = Framer(listening_since=0.0)
    assert framer.feed(code + b"\r", CHARACTER_TIMEOUT) == [code]
    assert (framer.dropped, framer.refused) == (0, 0)


def test_stx_says_where_a_frame_begins_whenever_it_comes() -> None:
    assert Framer(listening_since=0.0).feed(b"REST\x02WHOLE\x03", 0.01) == [b"WHOLE"]


@given(st.lists(st.tuples(st.binary(max_size=40), st.floats(0, 2)), max_size=30), st.sampled_from([b"", b"#"]))
def test_every_scan_is_a_piece_of_what_was_sent_without_a_long_pause_in_it(
    sent: list[tuple[bytes, float]], suffix: bytes
) -> None:
    """No scan is ever glued together from bytes that a pause, or an end of a frame, stood between."""
    framer, now, runs = Framer(suffix=suffix, listening_since=0.0), 0.0, [b""]
    for data, pause in sent:
        now += pause
        runs = [*runs, b""] if data and pause >= CHARACTER_TIMEOUT else runs
        runs[-1] += data
        for frame in framer.feed(data, now):
            assert frame in runs[-1]
        assert framer.refused <= framer.dropped
