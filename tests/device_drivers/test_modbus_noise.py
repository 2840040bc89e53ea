"""Bytes of a serial line that belong to nobody: they hide no answer, and make none."""

from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import BadReply, NotWritten, TimedOut
from device_drivers.modbus.frames import WRITE_REGISTER, Request, WriteRequest, judge, rtu_frame
from device_drivers.modbus.noise import find_rtu, take_echo
from device_drivers.simulators.modbus_peer import Ask, Peer, check_sum
from tests.device_drivers.modbus_rig import TRANSPORTS, kept
from tests.device_drivers.observing import make, running

ON_A_LINE = pytest.mark.parametrize("transport", TRANSPORTS[1:])
requests = st.builds(
    Request,
    unit=st.integers(0, 247),
    function=st.integers(1, 4),
    address=st.integers(0, 0xFF00),
    count=st.integers(1, 125),
)


def answer_to(request: Request, data: bytes) -> bytes:
    """An answer as it goes over the line."""
    body = bytes([request.unit, request.function, len(data)]) + data
    return body + check_sum(body)


def echo(ask: Ask) -> bytes:
    """A request as it was sent."""
    body = struct.pack(">BBHH", ask.unit, ask.function, ask.address, ask.count)
    return body + check_sum(body)


@given(requests, st.binary(max_size=60), st.binary(max_size=20), st.data())
def test_noise_never_makes_a_value_that_nobody_sent(
    request: Request, before: bytes, after: bytes, data: st.DataObject
) -> None:
    sent = data.draw(st.binary(min_size=request.data_size, max_size=request.data_size))
    frame = answer_to(request, sent)
    cut = data.draw(st.integers(0, len(frame)))
    for bytes_ in (before + frame + after, before + frame[:cut] + after, before + after, frame[:cut] + before + frame):
        buffer = bytearray(bytes_)
        if (found := find_rtu(buffer, request)) is not None:
            assert judge(request, found) in (sent, frame)
            assert frame in bytes_


@given(requests, st.binary(max_size=32), st.binary(max_size=20), st.data())
def test_an_answer_is_found_behind_a_little_noise(
    request: Request, before: bytes, after: bytes, data: st.DataObject
) -> None:
    sent = data.draw(st.binary(min_size=request.data_size, max_size=request.data_size))
    buffer = bytearray(before + answer_to(request, sent) + after)
    found = find_rtu(buffer, request)
    assert found is not None
    assert judge(request, found) == sent
    assert bytes(buffer) == after


@given(requests, requests, st.binary(min_size=2, max_size=250))
def test_an_answer_to_another_request_is_none(request: Request, other: Request, sent: bytes) -> None:
    frame = answer_to(other, sent[: other.data_size])
    fits = (request.unit, request.function, request.data_size) == (other.unit, other.function, len(frame) - 5)
    assert (find_rtu(bytearray(b"\0" + frame), request) is not None) is fits


@given(requests, st.binary(max_size=20))
def test_what_was_sent_is_taken_away(request: Request, after: bytes) -> None:
    buffer = bytearray(b"\0" + rtu_frame(request) + after)
    assert take_echo(buffer, rtu_frame(request))
    assert bytes(buffer) == after


def test_the_answer_to_a_write_is_found_only_when_it_repeats_it() -> None:
    write = WriteRequest(1, WRITE_REGISTER, 7, b"\0\x2a")
    assert find_rtu(bytearray(b"\0" + rtu_frame(write)), write) is not None
    other = WriteRequest(1, WRITE_REGISTER, 7, b"\0\x2b")
    assert find_rtu(bytearray(b"\0" + rtu_frame(other)), write) is None


@ON_A_LINE
async def test_stray_bytes_before_and_after_an_answer_hide_no_value(transport: str, tmp_path: Path) -> None:
    chance = Random(transport)

    def stray() -> bytes:
        return chance.randbytes(chance.choice([0, 0, 1, 2, 5]))

    peer = Peer(on_the_way=lambda ask, frame: stray() + frame + stray())
    async with kept(peer, transport, tmp_path, timeout=0.3) as rig:
        for _ in range(40):
            await rig.all_good("near", "wide", "flag")
        assert {value.value for value in rig.good("near")} == {2}
        assert {value.value for value in rig.good("wide")} == {5 << 16 | 6}
        assert {value.value for value in rig.good("flag")} == {True}
        assert rig.losses == []


@ON_A_LINE
async def test_an_adapter_that_echoes_is_read_and_told(transport: str, tmp_path: Path) -> None:
    """Address 0x300: its request has the form of an answer, to the last bit."""
    peer = Peer(on_the_way=lambda ask, frame: echo(ask) + frame, bit=lambda ask, address: address == 0x301)
    points = [
        {"name": "near", "address": 2},
        *({"name": f"bit{n}", "address": 0x300 + n, "table": "coil"} for n in range(20)),
    ]
    async with kept(peer, transport, tmp_path, points=points) as rig:
        await rig.all_good("near", "bit0", "bit19")
        assert [{value.value for value in rig.good(f"bit{n}")} for n in range(3)] == [{False}, {True}, {False}]
        await rig.until(lambda: "switch its echo off" in (rig.notices() or [""])[-1])
        peer.on_the_way = lambda ask, frame: frame
        await rig.all_good("near")
        await rig.until(lambda: "echo" not in rig.notices()[-1])
        assert rig.losses == []


@ON_A_LINE
async def test_an_echo_without_an_answer_is_told_in_words(transport: str, tmp_path: Path) -> None:
    peer = Peer(on_the_way=lambda ask, frame: echo(ask))
    async with kept(peer, transport, tmp_path) as rig:
        await rig.until(lambda: rig.losses)
        assert isinstance(rig.losses[0], BadReply)
        assert "switch the echo of the adapter off" in str(rig.losses[0])
        assert rig.good("near") == []


async def test_the_echo_of_a_write_confirms_nothing() -> None:
    peer = Peer(on_the_way=lambda ask, frame: echo(ask) + frame)
    async with peer.on_tcp(rtu=True):
        said = {
            "transport": "rtu_over_tcp", "host": "127.0.0.1", "port": peer.port, "interval": 0.02, "timeout": 0.3,
            "points": [{"name": "speed", "address": 2}],
        }  # fmt: skip
        driver = make("modbus", said)
        async with running(driver) as run:
            await run.value("speed")
            assert (await driver.write_item("speed", 77)).value == 77  # type: ignore[attr-defined]
            peer.on_the_way = lambda ask, frame: echo(ask) + (b"" if ask.function > 4 else frame)
            with pytest.raises((TimedOut, BadReply)) as told:
                await driver.write_item("speed", 78)  # type: ignore[attr-defined]
            assert not isinstance(told.value, NotWritten)
