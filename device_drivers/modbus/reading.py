"""One read of every point of a line for an electrician: what came, and what it means. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from device_drivers.contract import DataValue, PointRead, StatusCode
from device_drivers.modbus.blocks import Block
from device_drivers.modbus.frames import Answer, Failure, Refusal
from device_drivers.modbus.line import GATEWAY

# Modbus application protocol V1.1b3, 7.
_EXCEPTIONS = {
    1: "it does not know this function", 2: "it has no such address", 3: "it does not accept this length",
    4: "it failed while it read", 5: "it needs longer", 6: "it is busy", 8: "its memory is damaged",
}  # fmt: skip
_UNKNOWN = "its answer can not be decoded, or is the maker's sign for: not available"


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
            return f"The device refuses: {_EXCEPTIONS.get(code, 'it does not say why')} (exception {code})."
        case Failure("odd", words):
            return f"The device answers something else than was asked: {words}."
        case Failure():
            return "The device does not answer in time."
        case bytes() if not believed:
            return "An answer came too late before, so this one is not believed. Read again."
        case _:
            return ""


def reads(
    block: Block, answer: Answer, believed: bool, values: Iterable[DataValue], round_trip: float | None
) -> list[PointRead]:
    """What is known of the points of a block once `values` has all of theirs."""
    raw = raw_words(block, answer) if isinstance(answer, bytes) else {}
    by_name = {value.item: value for value in values}
    reason, told = why(answer, believed), []
    for point in block.points:
        value = by_name.get(point.name)
        good = value is not None and value.status is StatusCode.GOOD
        told.append(
            PointRead(
                point.name, raw.get(point.name, ""), value.value if value is not None else None,
                value.status if value is not None else StatusCode.BAD, round_trip,
                "" if good else reason or _UNKNOWN,
            )
        )  # fmt: skip
    return told
