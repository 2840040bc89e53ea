"""One fact in one line of the mirror, as short as it can be while every line stands for itself.

A line is `CHECK =PACKED`: eight hex digits of the CRC-32 of what follows, and in base64 the first eight bytes of
the hash of the fact, its id as the sixteen bytes of a UUID (zeroes where it is none), and then, deflated (RFC 1951)
with WORDS to look back into, `HEAD BODY`: the columns as a JSON list and the body as it is stored. In HEAD times are
whole microseconds, the record time since 1970 and the event time before the record time, and an id that was told
is empty.

Lines of the first form are `CHECK MARK HEAD BODY`, nothing packed and the record time as text: they are read.
"""

from __future__ import annotations

import binascii
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from edge_agent.store.records import Record

Content = tuple[int, str, str, str, str, int, str, str, str]

_MARK, _ID = 8, 16  # bytes
_NO_ID = bytes(_ID)
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WINDOW, _MEMORY = -12, 6  # raw, 4 kB to look back: cheap to begin anew for each line

# What bodies look like, the usual ones last. No byte of it may ever change: old lines look back into it.
WORDS = (
    b'{"kind":"FactLost","about":"journal/{"kind":"SignedOff","about":"terminal/'
    b'{"kind":"MachineWriteRefused","{"kind":"MachineWriteFinished","about":"device/","request":"","outcome":"'
    b'{"kind":"MachineWriteRequested","about":"device/","device":"","item":"","value":,"old":,"old_status":"Good"'
    b'{"kind":"MaintenanceCompleted","{"kind":"MaintenanceRequested","about":"maintenance/","request":"","equipment":"'
    b'{"kind":"ScanRefused","about":"terminal/","verdict":"unknown","code":"","raw":"","scenario":"report_production",'
    b'"step":"running","expected":"","got":"","job":""}'
    b'{"kind":"DowntimeRecorded","about":"","equipment":"","stop":"","reason":"'
    b'{"kind":"Correction","about":"J-","corrects":"","reason":"did_not_occur"}'
    b'{"kind":"JobStarted","about":"{"kind":"JobCompleted","about":"J-","reason":null'
    b'{"kind":"SignedOn","about":"person/{"kind":"MaterialShort","about":"","requirement":"","material":"","lot":null,'
    b'"quantity":"","uom":"pc","source":"","reason":"","equipment":"{"kind":"MaterialScrapped","about":"'
    b',1,"T1","p1"] {"kind":"MaterialMoved","about":"SO-","requirement":"L1","material":"","lot":"","quantity":"1",'
    b'"uom":"pc","source":"A-0","destination":"CART-",1,"T1","p1"] {"kind":"MaterialProduced","about":"J-",'
    b'"material":"","quantity":"1","uom":"pc","equipment":"","machine_count":null}'
)

_json = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A fact as its line has it. `mark`: the first 16 hex digits of its hash in the journal."""

    content: Content
    mark: str

    @property
    def seq(self) -> int:
        """Its number."""
        return self.content[0]


def mark_of(hash: bytes) -> str:
    """What a line says of the hash of its fact."""
    return hash[:_MARK].hex()


def line_of(record: Record) -> bytes:
    """The line of a fact, with its end."""
    seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload = record.content
    recorded = datetime.fromisoformat(record_time)
    earlier = (recorded - datetime.fromisoformat(event_time)) // _MICROSECOND
    short = _packed_id(id)
    head = [
        seq, "" if short else id, agent, earlier, (recorded - _1970) // _MICROSECOND, clock_ok, terminal, person,
    ]  # fmt: skip
    told = f"{json.dumps(head, ensure_ascii=False, separators=(',', ':'))} {payload}".encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, WORDS)
    packed = record.hash[:_MARK] + (short or _NO_ID) + packer.compress(told) + packer.flush()
    body = b"=" + binascii.b2a_base64(packed, newline=False)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def read_line(line: bytes) -> Mirrored | None:
    """The fact of a line; None when it is not whole."""
    check, _, body = line.rstrip(b"\n").partition(b" ")
    if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(body):
        return None
    try:
        return _unpacked(body[1:]) if body.startswith(b"=") else _plain(body.decode())
    except (ValueError, TypeError, OverflowError, zlib.error):
        return None


def _packed_id(id: str) -> bytes:
    """The sixteen bytes of an id that can be had back from them; nothing for any other."""
    try:
        short = UUID(id)
    except ValueError:
        return b""
    return short.bytes if str(short) == id and short.bytes != _NO_ID else b""


def _unpacked(body: bytes) -> Mirrored:
    packed = binascii.a2b_base64(body)
    short = packed[_MARK : _MARK + _ID]
    told = zlib.decompressobj(_WINDOW, WORDS).decompress(packed[_MARK + _ID :]).decode()
    (seq, id, agent, earlier, recorded, *rest), end = _json.raw_decode(told)
    at = _1970 + recorded * _MICROSECOND
    if short != _NO_ID:
        digits = short.hex()  # as UUID writes it, in half the time: a million of them are read when a journal is mended
        id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return Mirrored(_content(seq, id, agent, at, earlier, rest, told[end + 1 :]), mark_of(packed))


def _plain(body: str) -> Mirrored:
    mark, _, told = body.partition(" ")
    (seq, id, agent, earlier, recorded, *rest), end = _json.raw_decode(told)
    return Mirrored(_content(seq, id, agent, datetime.fromisoformat(recorded), earlier, rest, told[end + 1 :]), mark)


def _content(
    seq: int, id: str, agent: str, recorded: datetime, earlier: int, rest: list[object], payload: str
) -> Content:
    clock_ok, terminal, person = rest
    if not isinstance(clock_ok, int) or not isinstance(terminal, str) or not isinstance(person, str):
        raise TypeError(rest)
    happened = recorded - earlier * _MICROSECOND
    event_time, record_time = (at.isoformat(timespec="microseconds") for at in (happened, recorded))
    return (seq, id, agent, event_time, record_time, clock_ok, terminal, person, payload)
