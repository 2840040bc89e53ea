"""The answer among bytes of a serial line that belong to nobody: noise before it, and the echo of an adapter. Pure.

An adapter that drives two wires hears itself: what it sends comes back before the answer. And where a line begins to
be driven, a stray byte is seen. Such bytes hide no answer: it is looked for behind them, and is one only when unit,
function, length and check sum fit what was asked.

>>> from device_drivers.modbus.frames import Request, crc
>>> answer = bytes([7, 3, 2, 0, 42])
>>> find_rtu(bytearray(b"\\0" + answer + crc(answer) + b"\\0"), Request(7, 3, 0, 1)).pdu
b'\\x03\\x02\\x00*'
"""

from __future__ import annotations

from device_drivers.modbus.frames import REFUSED, Asked, Frame, Request, crc

_NOISE = 32  # bytes before an answer; with more, the line is no line that can be read


def find_rtu(buffer: bytearray, request: Asked) -> Frame | None:
    """Take the first answer to a request out of the buffer, with the noise before it; None when there is none yet."""
    for start in range(min(len(buffer) - 4, _NOISE + 1)):
        if buffer[start] != request.unit:
            continue
        size = _size(buffer, start, request)
        body = bytes(buffer[start : start + size])
        if size and len(buffer) >= start + size + 2 and crc(body) == buffer[start + size : start + size + 2]:
            del buffer[: start + size + 2]
            return Frame(0, body[0], body[1:])
    return None


def take_echo(buffer: bytearray, sent: bytes) -> bool:
    """Take what was sent out of the buffer where it has come back, with the noise before it; whether it has."""
    at = buffer.find(sent, 0, len(sent) + _NOISE)
    if at < 0:
        return False
    del buffer[: at + len(sent)]
    return True


def _size(buffer: bytearray, start: int, request: Asked) -> int:
    """Bytes without check sum of the answer to a request that begins here; 0: none does."""
    function = buffer[start + 1]
    if function == request.function | REFUSED:
        return 3
    if function != request.function:
        return 0
    if isinstance(request, Request):
        return 3 + request.data_size if buffer[start + 2] == request.data_size else 0
    return 6 if bytes(buffer[start + 1 : start + 6]) == request.echo else 0
