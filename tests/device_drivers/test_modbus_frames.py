"""Frames, judged by pymodbus, which wrote none of this."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsResponse, ReadDiscreteInputsResponse
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

from device_drivers.modbus.frames import (
    Failure,
    Frame,
    Garbled,
    Refusal,
    Request,
    judge,
    rtu_frame,
    take_rtu,
    take_tcp,
    tcp_frame,
)

ANSWERS: dict[int, type[ModbusPDU]] = {
    1: ReadCoilsResponse, 2: ReadDiscreteInputsResponse,
    3: ReadHoldingRegistersResponse, 4: ReadInputRegistersResponse,
}  # fmt: skip
requests = st.builds(
    Request,
    unit=st.integers(1, 247),
    function=st.integers(1, 4),
    address=st.integers(0, 0xFF00),
    count=st.integers(1, 125),
)


@given(requests, st.integers(1, 0xFFFF))
def test_our_requests_are_understood(request: Request, transaction: int) -> None:
    for framer, frame in (
        (FramerSocket(DecodePDU(True)), tcp_frame(transaction, request)),
        (FramerRTU(DecodePDU(True)), rtu_frame(request)),
    ):
        used, asked = framer.handleFrame(frame, 0, 0)
        assert used == len(frame)
        assert asked
        assert (asked.dev_id, asked.function_code, asked.address, asked.count) == (
            request.unit, request.function, request.address, request.count,
        )  # fmt: skip


@given(requests, st.integers(1, 0xFFFF), st.data())
def test_we_understand_answers(request: Request, transaction: int, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=request.count, max_size=request.count))
    if request.function <= 2:
        pdu = ANSWERS[request.function](bits=[bool(word & 1) for word in words])
        packed = sum((word & 1) << at for at, word in enumerate(words))
        expected = packed.to_bytes(-(-request.count // 8), "little")
    else:
        pdu = ANSWERS[request.function](registers=words)
        expected = b"".join(word.to_bytes(2, "big") for word in words)
    pdu.dev_id, pdu.transaction_id = request.unit, transaction
    buffer = bytearray(FramerSocket(DecodePDU(False)).buildFrame(pdu))
    frame = take_tcp(buffer)
    assert frame
    assert (frame.transaction, judge(request, frame), bytes(buffer)) == (transaction, expected, b"")
    buffer = bytearray(FramerRTU(DecodePDU(False)).buildFrame(pdu))
    frame = take_rtu(buffer)
    assert frame
    assert (judge(request, frame), bytes(buffer)) == (expected, b"")


@given(requests, st.integers(0, 40), st.binary(max_size=4))
def test_a_frame_comes_in_pieces_and_another_may_follow(request: Request, cut: int, after: bytes) -> None:
    body = bytes([request.unit, request.function, request.data_size]) + bytes(request.data_size)
    whole = b"\0\7\0\0" + len(body).to_bytes(2, "big") + body
    buffer = bytearray(whole[:cut])
    if cut < len(whole):
        assert take_tcp(buffer) is None
        buffer += whole[cut:]
    buffer += after
    assert take_tcp(buffer) == Frame(7, request.unit, body[1:])
    assert bytes(buffer) == after


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_wait_for_more_or_are_refused(noise: bytes) -> None:
    for take in (take_tcp, take_rtu):
        buffer = bytearray(noise)
        try:
            frame = take(buffer)
        except Garbled:
            continue
        assert frame is None or len(buffer) < len(noise)


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (Frame(0, 5, b"\x03\x02\0\7"), b"\0\7"),
        (Frame(0, 5, b"\x83\x02"), Refusal(2)),
        (Frame(0, 6, b"\x03\x02\0\7"), "unit 6 answers where unit 5 was asked"),
        (Frame(0, 5, b"\x04\x02\0\7"), "function 4 answers where function 3 was asked"),
        (Frame(0, 5, b"\x84\x02"), "function 132 answers where function 3 was asked"),
        (Frame(0, 5, b"\x03\x04\0\7\0\7"), "has 4 bytes of data where 2 were asked for"),
        (Frame(0, 5, b"\x03\x02\0"), "has 1 bytes of data"),
        (Frame(0, 5, b"\x03\x01\0"), "has 1 bytes of data"),
        (Frame(0, 5, b"\x03\x04\0\7"), "bytes of data"),
    ],
)
def test_only_the_very_answer_counts(frame: Frame, answer: bytes | Refusal | str) -> None:
    found = judge(Request(5, 3, 0, 1), frame)
    if isinstance(answer, str):
        assert isinstance(found, Failure)
        assert found.kind == "odd"
        assert answer in found.words
    else:
        assert found == answer
