"""Bytes of a scanner in, complete frames out. Pure: time is handed in.

>>> framer = Framer()
>>> framer.feed(b"]C10104012345678901\\x1d10A", at=0.0)
[]
>>> framer.feed(b"B\\r\\n\\x02X\\x03", at=0.1)
[b']C10104012345678901\\x1d10AB', b'X']
"""

from __future__ import annotations

_STX, _ETX = b"\x02", b"\x03"
_ENDS = b"\r\n"

# A scanner sends a frame in one go. A pause inside one means that the rest is lost or late.
CHARACTER_TIMEOUT = 0.25
# So long after such a pause nobody can tell the late rest of a torn frame from a new one; a person
# needs longer than this for the next scan.
SETTLING_TIME = 1.0


# Far more than any label holds: the agent says in words what is wrong with what is too long for one.
LONGEST = 4096


class Framer:
    """Cuts a byte stream into frames; every byte in between stays as it is, GS (0x1D) included.

    Without `suffix` any of CR, LF and CRLF ends a frame, and STX ... ETX is understood, whatever the
    scanner was set to. With `suffix` a frame is exactly what stands between `prefix` and `suffix`,
    and one that does not begin with the prefix is dropped. So are empty frames, frames longer than
    `limit`, and a frame with a pause of CHARACTER_TIMEOUT in it, together with its late rest: half a
    code must never pass for a code.

    `listening_since` (seconds, monotonic) is when the wire was opened. Bytes that come sooner than
    CHARACTER_TIMEOUT after it may be the rest of a frame whose beginning went to nobody: that frame
    is dropped too.
    """

    def __init__(
        self, prefix: bytes = b"", suffix: bytes = b"", limit: int = LONGEST, listening_since: float = float("-inf")
    ) -> None:
        self._prefix, self._suffix, self._limit = prefix, suffix, limit
        self._buffer = bytearray()
        self._last = listening_since
        self._unheard = True  # nothing was read yet
        self._in_stx = False
        self._spoilt = False  # what comes until the next end belongs to a frame that is dropped
        self.dropped = 0  # frames lost to a pause, to their length, to a late start or to a missing prefix
        self.refused = 0  # frames that came to their end and were not given out: whoever sent them waits

    def feed(self, data: bytes, at: float) -> list[bytes]:
        """The frames that are complete with `data`, which was read at `at` (seconds, monotonic)."""
        if not data:
            return []
        self._look_at_pause(at - self._last)
        self._last = at
        frames = []
        for value in data:
            frame = self._take(value)
            if frame:
                frames.append(frame)
        return frames

    def _look_at_pause(self, pause: float) -> None:
        unheard, self._unheard = self._unheard, False
        if unheard:
            self._spoilt = pause < CHARACTER_TIMEOUT
            self.dropped += self._spoilt
        elif pause >= SETTLING_TIME:
            self.dropped += bool(self._buffer) and not self._spoilt
            self._restart(spoilt=False)
        elif pause >= CHARACTER_TIMEOUT and (self._buffer or self._in_stx):
            self.dropped += not self._spoilt
            self._restart(spoilt=True)

    def _take(self, value: int) -> bytes | None:
        """One byte more; the frame that it completes, empty when there is nothing in it."""
        self._buffer.append(value)
        body = self._ended()
        if body is None:
            if len(self._buffer) > self._limit + len(self._prefix) + len(self._suffix):
                self.dropped += not self._spoilt
                self._restart(spoilt=True)
            return None
        spoilt = self._spoilt
        self.refused += spoilt
        self._restart(spoilt=False)
        return None if spoilt else body

    def _ended(self) -> bytes | None:
        """The body of the buffered frame when the last byte ended it."""
        if self._suffix:
            whole = self._buffer.endswith(self._suffix) and not self._in_prefix()
            return self._body_between() if whole else None
        if self._buffer.endswith(_STX):
            self.dropped += len(self._buffer) > 1 and not self._spoilt
            self._restart(spoilt=False)
            self._in_stx = True
            return None
        ends = _ETX if self._in_stx else _ENDS
        return bytes(self._buffer[:-1]) if self._buffer[-1] in ends else None

    def _in_prefix(self) -> bool:
        """Whether what looks like a suffix is still the prefix, or begins in it: both may be the same."""
        shortest = len(self._prefix) + len(self._suffix)
        begun = self._buffer.startswith(self._prefix) and len(self._buffer) < shortest
        return begun or self._prefix.startswith(self._buffer)

    def _body_between(self) -> bytes:
        body = bytes(self._buffer[: -len(self._suffix)])
        if body.startswith(self._prefix):
            return body.removeprefix(self._prefix)
        if body and not self._spoilt:
            self.dropped += 1
            self.refused += 1
        return b""

    def _restart(self, spoilt: bool) -> None:
        self._buffer.clear()
        self._in_stx = False
        self._spoilt = spoilt
