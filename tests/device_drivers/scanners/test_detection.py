"""How a scanner is set is found out from its bytes, by property."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.scanners.detection import (
    GS,
    TEST_CODE,
    Bursts,
    NotFound,
    Separator,
    advice,
    detect,
    site_options,
)
from device_drivers.scanners.framing import CHARACTER_TIMEOUT
from device_drivers.scanners.options import ScannerOptions

marks = st.binary(max_size=4).map(lambda raw: bytes(b"\x02\x03\t\r\n~#<>!"[byte % 10] for byte in raw))
aims = st.sampled_from([b"", b"]C1", b"]d2", b"]Q3", b"]E0", b"]e0"])
codes = st.sampled_from([TEST_CODE, b"4006381333931", b"01095011015300031726123110LOT" + GS + b"21S" + GS + b"99X"])
fates: st.SearchStrategy[tuple[Separator, bytes]] = st.sampled_from(
    [("kept", GS), ("lost", b""), ("replaced", b"^"), ("replaced", b"<GS>")]
)


@given(marks, aims, codes, fates, marks, st.booleans(), st.integers(1, 5))
def test_what_is_found_is_what_the_scanner_was_set_to(
    prefix: bytes, aim: bytes, known: bytes, fate: tuple[Separator, bytes], suffix: bytes, lead: bool, times: int
) -> None:
    body = known.replace(GS, fate[1])
    found = detect([prefix + aim + GS * lead + body + suffix] * times, known)
    assert (found.prefix, found.aim.encode(), found.suffix) == (prefix, aim, suffix)
    assert found.separator == (fate[0] if GS in known else "untested")
    assert found.instead == (fate[1] if fate[0] == "replaced" and GS in known else b"")


@given(marks, aims, codes, marks.filter(bool), st.integers(1, 5))
def test_the_options_that_are_written_read_the_scanner(
    prefix: bytes, aim: bytes, known: bytes, suffix: bytes, times: int
) -> None:
    raw = prefix + aim + known + suffix
    options = msgspec.convert(site_options(detect([raw], known)), ScannerOptions)
    framer = options.framer(listening_since=float("-inf"))
    assert framer.feed(raw * times, 0.0) == [aim + known] * times
    assert options.spoken.aim is bool(aim)


@given(st.lists(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=4), min_size=1, max_size=5))
def test_a_pause_ends_a_scan_and_nothing_else_does(scans: list[list[bytes]]) -> None:
    bursts, now = Bursts(), 100.0
    for pieces in scans:
        now += CHARACTER_TIMEOUT * 2
        for piece in pieces:
            now += CHARACTER_TIMEOUT / 2
            bursts.add(piece, now)
        assert len(bursts.done(now)) == len(bursts.scans) - 1
    assert bursts.done(now + CHARACTER_TIMEOUT * 1.1) == [b"".join(pieces) for pieces in scans]


@pytest.mark.parametrize(
    ("scans", "words"),
    [
        ([], "Nothing was read"),
        ([b"10A1\x1d217\r", b"10A1\x1d21"], "Scan 2 does not hold"),
        ([b"10A1\x1d217\r", b"]C110A1\x1d217\r"], "Scan 2 came in another way"),
        ([b"10A1\x1d217\r10A1\x1d217\r"], "Scan 1 holds the label twice"),
    ],
)
def test_scans_that_can_not_be_understood_are_told_apart(scans: list[bytes], words: str) -> None:
    with pytest.raises(NotFound, match=words):
        detect(scans, TEST_CODE)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"]C110A1\x1d217", ["Nothing ends a scan"]),
        (b"10A1\x1d217\r", ["AIM identifiers are off"]),
        (b"]C110A1217\r", ["FNC1 is lost"]),
        (b"]C110A1^217\r", ["FNC1 comes as"]),
        (b"\xff]C110A1\x1d217\r", ["at most 16 ASCII characters"]),
        (b"]C110A1\x1d217\r", []),
    ],
)
def test_what_is_to_be_changed_in_the_scanner_is_said(raw: bytes, words: list[str]) -> None:
    told = advice(detect([raw], TEST_CODE))
    assert len(told) == len(words)
    assert all(word in sentence for word, sentence in zip(words, told, strict=True))
