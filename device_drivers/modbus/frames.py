"""Requests and answers as bytes: four reads and three writes of Modbus, in frames of TCP and of RTU. Pure.

Sources: Modbus application protocol V1.1b3 (6.1 to 6.6, 6.12, 7), Modbus messaging on TCP/IP V1.0b (3.1.3),
Modbus over serial line V1.02 (2.5.1).

>>> rtu_frame(Request(unit=4, function=1, address=10, count=13)).hex(" ")
'04 01 00 0a 00 0d dd 98'
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal, NamedTuple

from device_drivers.modbus.points import Table

FUNCTIONS = {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}
REFUSED = 0x80  # added to the function code of an answer that is an exception

# Writes: one coil, one register, several registers. Only `writing` makes requests of them.
WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS = 5, 6, 16
COIL_ON, COIL_OFF = b"\xff\x00", b"\0\0"

_PDU = struct.Struct(">BHH")
_MBAP = struct.Struct(">HHHB")


@dataclass(frozen=True, slots=True)
class Request:
    """One read of `count` addresses."""

    unit: int
    function: int
    address: int
    count: int

    @property
    def data_size(self) -> int:
        """Bytes of data in the right answer."""
        return -(-self.count // 8) if self.function <= 2 else 2 * self.count

    @property
    def repeated(self) -> bool:
        """Whether the right answer is the request once more."""
        return False

    @property
    def pdu(self) -> bytes:
        """Function code and what it asks for."""
        return _PDU.pack(self.function, self.address, self.count)


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One write of `data` to the coil, or to the registers, from `address` on."""

    unit: int
    function: int
    address: int
    data: bytes

    @property
    def data_size(self) -> int:
        """Bytes of the right answer behind its function code and one more: it has no byte count."""
        return 3

    @property
    def repeated(self) -> bool:
        """Whether the right answer is the request once more."""
        return self.function != WRITE_REGISTERS

    @property
    def echo(self) -> bytes:
        """The right answer: address and value, or address and number of registers."""
        if self.function == WRITE_REGISTERS:
            return _PDU.pack(self.function, self.address, len(self.data) // 2)
        return bytes([self.function]) + self.address.to_bytes(2, "big") + self.data

    @property
    def pdu(self) -> bytes:
        """Function code and what it asks for."""
        if self.function == WRITE_REGISTERS:
            return self.echo + bytes([len(self.data)]) + self.data
        return self.echo


Asked = Request | WriteRequest


@dataclass(frozen=True, slots=True)
class Refusal:
    """The unit, or a gateway on the way to it, answers that it does not: an exception `code`."""

    code: int


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer, or none that belongs to the request; `words` say more about an odd one."""

    kind: Literal["silent", "odd"]
    words: str = ""


Answer = bytes | Refusal | Failure


class Frame(NamedTuple):
    """What somebody sent: function code and data in `pdu`; `transaction` is 0 on a serial line."""

    transaction: int
    unit: int
    pdu: bytes


class Garbled(ValueError):
    """The bytes are no Modbus; where the next frame begins can not be told."""


def judge(request: Asked, frame: Frame) -> Answer:
    """What a frame says to a request; anything but the very answer, or an exception, is odd.

    The answer to a write is all that it repeats.
    """
    unit, pdu = frame.unit, frame.pdu
    if unit != request.unit:
        return Failure("odd", f"unit {unit} answers where unit {request.unit} was asked")
    if pdu[0] == request.function | REFUSED and len(pdu) == 2:
        return Refusal(pdu[1])
    if pdu[0] != request.function:
        return Failure("odd", f"function {pdu[0]} answers where function {request.function} was asked")
    if isinstance(request, WriteRequest):
        return pdu[1:] if pdu == request.echo else Failure("odd", "the answer is that to another write")
    size = request.data_size
    if len(pdu) != size + 2 or pdu[1] != size:
        return Failure("odd", f"the answer has {len(pdu) - 2} bytes of data where {size} were asked for")
    return pdu[2:]


def tcp_frame(transaction: int, request: Asked) -> bytes:
    """A request with the header of Modbus TCP."""
    pdu = request.pdu
    return _MBAP.pack(transaction, 0, 1 + len(pdu), request.unit) + pdu


def take_tcp(buffer: bytearray) -> Frame | None:
    """Take the first whole frame out of the buffer; None when there is none yet. Raises Garbled."""
    if len(buffer) < _MBAP.size:
        return None
    transaction, protocol, length, unit = _MBAP.unpack_from(buffer)
    if protocol != 0 or not 3 <= length <= 254:
        raise Garbled("this is not Modbus TCP")
    if len(buffer) < 6 + length:
        return None
    pdu = bytes(buffer[7 : 6 + length])
    del buffer[: 6 + length]
    return Frame(transaction, unit, pdu)


def rtu_frame(request: Asked) -> bytes:
    """A request as on a serial line."""
    body = bytes([request.unit]) + request.pdu
    return body + crc(body)


def take_rtu(buffer: bytearray) -> Frame | None:
    """Take the first whole answer out of the buffer; None when there is none yet. Raises Garbled."""
    if len(buffer) < 3:
        return None
    function = buffer[1]
    if function & REFUSED:
        length = 5
    elif function in (1, 2, 3, 4):
        length = buffer[2] + 5
    elif function in (WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS):
        length = 8
    else:
        raise Garbled(f"an answer with function {function}, which nobody asked for")
    if len(buffer) < length:
        return None
    body = bytes(buffer[: length - 2])
    if crc(body) != buffer[length - 2 : length]:
        raise Garbled("an answer with a wrong check sum")
    del buffer[:length]
    return Frame(0, body[0], body[1:])


def crc(data: bytes) -> bytes:
    """The check sum of a serial frame (Modbus over serial line, 6.2.2), low byte first as it is sent."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _CRC[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def _crc_entry(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC = tuple(_crc_entry(byte) for byte in range(256))
