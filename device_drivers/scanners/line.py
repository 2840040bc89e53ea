"""One connection to one scanner, whatever wire it hangs on: bytes into scans, verdicts back to the scanner."""

from __future__ import annotations

import asyncio
import re

from device_drivers.contract import BadReply, Clock, DeviceError, Emit, Online, Scan, Signal, Tap
from device_drivers.scanners.framing import CHARACTER_TIMEOUT, Framer
from device_drivers.scanners.options import ScannerOptions
from device_drivers.scanners.wire import Connect, Wire

_AIM = re.compile(rb"\][A-Za-z][0-9A-Za-z]")  # ISO/IEC 15424: flag, code character, modifier
_WITHOUT_AIM = 3  # frames in a row: one may be torn, three are how the scanner is set


class ScannerLine:
    """Runs once. Until the wire was quiet, or was listened to, for CHARACTER_TIMEOUT it is not online:
    what comes sooner may be the rest of a code whose beginning nobody heard, and is dropped."""

    def __init__(self, options: ScannerOptions, clock: Clock) -> None:
        self._options = options
        self._spoken = options.spoken
        self._clock = clock
        self._framer: Framer | None = None
        self._wire: Wire | None = None
        self._emit: Emit | None = None
        self._online = False
        self._without_aim = 0
        self._tap: Tap | None = None
        self._lost: asyncio.Future[DeviceError] | None = None

    async def run(self, connect: Connect, emit: Emit) -> None:
        """As device_drivers.contract.Driver.run."""
        self._emit = emit
        lost = self._lost = asyncio.get_running_loop().create_future()
        wire = self._wire = await connect(self._take, self._lose)
        try:
            self._listening(self._clock.monotonic())
            greeting = asyncio.ensure_future(self._greet())
            try:
                raise await lost
            finally:
                greeting.cancel()
        finally:
            self._wire = None
            wire.close()

    def signal(self, verdict: Signal) -> None:
        """As device_drivers.contract.Signals."""
        self._answer(getattr(self._spoken, verdict))

    def tap(self, take: Tap | None) -> None:
        """As device_drivers.contract.Tapped. Afterwards the rest of a code that was half heard is dropped."""
        if take is None and self._tap is not None:
            self._framer = None
            self._listening(self._clock.monotonic())
        self._tap = take

    async def _greet(self) -> None:
        await self._clock.sleep_until(self._clock.monotonic() + CHARACTER_TIMEOUT)
        self._say_online()

    def _say_online(self) -> None:
        if not self._online and self._emit is not None:
            self._online = True
            self._emit(Online(identity=""))

    def _listening(self, now: float) -> Framer:
        """The framer; it listens since the first moment at which a byte could come."""
        if self._framer is None:
            self._framer = self._options.framer(listening_since=now)
        return self._framer

    def _take(self, data: bytes) -> None:
        now = self._clock.monotonic()
        if self._tap is not None:
            self._tap(data)
            return
        framer = self._listening(now)
        refused = framer.refused
        for frame in framer.feed(data, now):
            self._take_frame(frame)
        if framer.refused > refused:
            self._refuse()

    def _take_frame(self, frame: bytes) -> None:
        assert self._emit is not None
        if self._spoken.aim and not _AIM.match(frame):
            self._refuse()
            self._without_aim += 1
            if self._without_aim >= _WITHOUT_AIM:
                self._lose(
                    BadReply(
                        "The scanner sends codes without AIM identifiers. Switch them on in the scanner, or "
                        "say `aim = false` in its options."
                    )
                )
            return
        self._without_aim = 0
        self._answer(self._spoken.ack)
        self._say_online()
        self._emit(Scan(self._clock.new_id(), frame, self._clock.now()))

    def _refuse(self) -> None:
        """Answer a frame that is not believed, so that it is sent or scanned again."""
        self._answer(self._spoken.nak or self._spoken.bad)

    def _answer(self, text: str) -> None:
        if text and self._wire is not None:
            self._wire.write(text.encode("latin-1"))

    def _lose(self, error: DeviceError) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(error)
