"""One read of every point of a line for an electrician: what came, and what it means. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from device_drivers.contract import DataValue, PointRead, StatusCode
from device_drivers.modbus.blocks import Block
from device_drivers.modbus.frames import Answer, Failure, Refusal
from device_drivers.modbus.line import GATEWAY
from device_drivers.modbus.refused import EXCEPTIONS
from device_drivers.modbus.values import Round, fields

_UNKNOWN = "What came can not be decoded, or is the maker's sign for: not available."


def raw_words(block: Block, data: bytes) -> dict[str, str]:
    """The registers of each point in hexadecimal, or its bit.

    >>> from device_drivers.modbus.blocks import plan
    >>> from device_drivers.modbus.points import Point, Type
    >>> (block,) = plan([Point(name="good", address=2, type=Type.UINT32)], 120, 16)
    >>> raw_words(block, bytes([0, 1, 0, 255]))
    {'good': '0001 00FF'}
    """
    told = {}
    for point in block.points:
        start = block.start(point)
        if block.table.of_bits:
            told[point.name] = str(data[start // 8] >> start % 8 & 1)
        else:
            told[point.name] = data[start * 2 : (start + point.size) * 2].hex(" ", 2).upper()
    return told


def why(answer: Answer, believed: bool) -> str:
    """Why an answer gave no value, in words; empty when it did."""
    match answer:
        case Refusal(code) if code in GATEWAY:
            return f"The gateway answers, but the unit behind it does not (exception {code})."
        case Refusal(code):
            return f"The device refuses: {EXCEPTIONS.get(code, 'it does not say why')} (exception {code})."
        case Failure("odd", words):
            return f"The device answers something else than was asked: {words}."
        case Failure():
            return "The device does not answer in time."
        case bytes() if not believed:
            return "An answer came too late before, so this one is not believed. Read again."
        case _:
            return ""


class Reading:
    """One read of every point, block by block: what came, and what that says of the blocks still to be asked.

    A unit that did not answer is not asked again: each try would cost the line a time-out. `dead`: units
    that did not answer the polls either; they are asked last, as somebody may just have mended them. So are
    blocks that are set `aside`.
    """

    def __init__(
        self, blocks: Iterable[Block], dead: Collection[int], factors: frozenset[str],
        aside: Collection[Block] = (),
    ) -> None:  # fmt: skip
        self._open = deque(sorted(blocks, key=lambda block: (block.unit in dead, block in aside)))
        self._round = Round(factors)
        self._values: dict[str, DataValue] = {}
        self._came: list[tuple[Block, dict[str, str], str, float | None]] = []  # raw, reason, round trip
        self._silent: set[int] = set()

    def next(self) -> Block | None:
        """The block to be asked now; None when there is none left."""
        while self._open and (unit := self._open[0].unit) in self._silent:
            self._miss(self._open.popleft(), f"Not asked: unit {unit} did not answer the read before.")
        return self._open[0] if self._open else None

    def take(self, answer: Answer, believed: bool, at: datetime, round_trip: float | None) -> None:
        """The answer to the block that was `next`, asked at `at`."""
        block = self._open.popleft()
        if isinstance(answer, Failure) or (isinstance(answer, Refusal) and answer.code in GATEWAY):
            self._silent.add(block.unit)
        raw = raw_words(block, answer) if isinstance(answer, bytes) else {}
        self._came.append((block, raw, why(answer, believed), None if isinstance(answer, Failure) else round_trip))
        if believed and isinstance(answer, bytes):
            found = self._round.take(fields(block), answer, at)
        else:
            found = self._round.miss(fields(block), at)
        self._values.update((value.item, value) for each in found for value in each)

    def give_up(self, words: str) -> None:
        """Ask no more; `words` say why."""
        while self.next():
            self._miss(self._open.popleft(), words)

    def told(self) -> Iterator[PointRead]:
        """What is known of every point now that no block is left."""
        for block, raw, reason, round_trip in self._came:
            for point in block.points:
                value = self._values.get(point.name)
                good = value is not None and value.status is StatusCode.GOOD
                yield PointRead(
                    point.name, raw.get(point.name, ""), value.value if value else None,
                    value.status if value else StatusCode.BAD, round_trip, "" if good else reason or _UNKNOWN,
                )  # fmt: skip

    def _miss(self, block: Block, words: str) -> None:
        self._came.append((block, {}, words, None))
