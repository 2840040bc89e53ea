"""One fact in one line: short, by itself, and readable for ever."""

from __future__ import annotations

import hashlib
import json
import uuid
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.store.journal import time_text
from edge_agent.store.mirror_lines import WORDS, line_of, mark_of, read_line
from edge_agent.store.records import Record, chained

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
_IDS = st.uuids().map(str) | _TEXT | st.sampled_from([str(uuid.UUID(int=0)), "A0" * 16, "{" + "0" * 32 + "}"])


def record(id: str = "0190c0de-0000-7000-8000-000000000001", payload: str = "{}", **more: str) -> Record:
    at = "2026-11-22T08:00:00.000001+00:00"
    told = {"agent": "pc1", "event_time": at, "record_time": at, "terminal": "T1", "person": "p1"} | more
    return chained(
        (7, id, told["agent"], told["event_time"], told["record_time"], 1, told["terminal"], told["person"], payload),
        bytes(32),
    )


@settings(max_examples=150)
@given(_IDS, _TEXT, _TEXT, _TEXT, _TEXT, _MOMENTS, _MOMENTS)
def test_every_column_comes_back(
    id: str, agent: str, terminal: str, person: str, text: str, event: datetime, recorded: datetime
) -> None:
    payload = json.dumps({"text": text}, ensure_ascii=False)
    times = {"event_time": time_text(event), "record_time": time_text(recorded)}
    one = record(id, payload, agent=agent, terminal=terminal, person=person, **times)
    line = line_of(one)
    assert line.index(b"\n") == len(line) - 1
    again = read_line(line)
    assert again is not None
    assert (again.content, again.mark) == (one.content, mark_of(one.hash))


@given(st.data())
def test_a_line_with_a_wrong_bit_is_not_read(data: st.DataObject) -> None:
    line = bytearray(line_of(record()))
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert read_line(bytes(line)) is None


@pytest.mark.parametrize("late", [0, 3000])
def test_a_line_of_the_first_form_is_read(late: int) -> None:
    """As version 0.1 wrote it."""
    head = f'[7,"f7","pc1",{late},"2026-11-22T08:00:00.005000+00:00",1,"T1","p1"]'
    body = f'00112233445566ff {head} {{"kind":"SignedOff","about":"ä"}}'.encode()
    again = read_line(b"%08x %s\n" % (zlib.crc32(body), body))
    assert again is not None
    happened = time_text(datetime(2026, 11, 22, 8, 0, 0, 5000, UTC) - timedelta(microseconds=late))
    assert again.content == (
        7, "f7", "pc1", happened, "2026-11-22T08:00:00.005000+00:00", 1, "T1", "p1",
        '{"kind":"SignedOff","about":"ä"}',
    )  # fmt: skip
    assert again.mark == "00112233445566ff"


@pytest.mark.parametrize("told", [b"", b"=", b"=AAAA", b"=" + b"A" * 80, b"x [1] {}", b'x [1,"a",2] {}', b"\xff"])
def test_a_line_that_is_whole_and_no_line_of_ours_is_not_read(told: bytes) -> None:
    assert read_line(b"%08x %s\n" % (zlib.crc32(told), told)) is None


def test_the_words_that_old_lines_look_back_into_never_change() -> None:
    assert hashlib.sha256(WORDS).hexdigest() == "77e93a67322466bdcc27d5c0da1cde0308b8a87cea802cd6b948d292e0974a26"
