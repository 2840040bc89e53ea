"""What people should know of a line that works, but not as it should, and why one is lost. Pure.

>>> told = Told(retry_dead=30.0)
>>> told.news({"fast": (0.2, 0.43)}, (7,), ())
'Group fast: 0.43 s from poll to poll, not 0.2 s. Unit 7 does not answer; it is tried again every 30 s or sooner.'
>>> told.news({"fast": (0.2, 0.44)}, (7,), ()), told.news({}, (), ())
(None, '')
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from device_drivers.contract import BadReply, DeviceError, TimedOut, Unreachable
from device_drivers.modbus.blocks import Block
from device_drivers.modbus.frames import Answer, Asked, Failure, Refusal
from device_drivers.modbus.line import GATEWAY
from device_drivers.modbus.options import Options
from device_drivers.modbus.points import Point
from device_drivers.modbus.refused import EXCEPTIONS

_SAME = 1.25  # a pace that differs by less is no news
_NAMED = 3  # points in a sentence; of more it is told how many
ECHO = "The adapter of the line sends back each request (local echo): switch its echo off."


class Told:
    """Remembers what was told, so that the same is told once. `retry_dead`: seconds to the next try."""

    def __init__(self, retry_dead: float) -> None:
        self._retry_dead = retry_dead
        self._late: dict[str, float] = {}
        self._others: list[str] = []

    def news(
        self, late: Mapping[str, tuple[float, float]], dead: Iterable[int], others: Sequence[str]
    ) -> str | None:
        """The whole notice when it changed, `others` being sentences; empty when all is well again; None when
        nothing is new.
        """
        paces = {group: got for group, (_, got) in late.items()}
        units = [
            f"Unit {unit} does not answer; it is tried again every {self._retry_dead:g} s or sooner." for unit in dead
        ]
        others = [*units, *others]
        if others == self._others and self._like(paces):
            return None
        self._late, self._others = paces, others
        slow = [
            f"{f'Group {group}' if group else 'Slow'}: {got:.2g} s from poll to poll, not {wanted:g} s."
            for group, (wanted, got) in late.items()
        ]
        return " ".join([*slow, *others])

    def _like(self, paces: Mapping[str, float]) -> bool:
        return paces.keys() == self._late.keys() and all(
            1 / _SAME < got / self._late[group] < _SAME for group, got in paces.items()
        )


def without_value(options: Options, refused: Iterable[tuple[int, Block]], aside: Iterable[Block]) -> Iterator[str]:
    """Sentences about the points that a unit refuses, by exception, and about those that it never answers."""
    said = {point.name: point for point in options.points}
    by_code: dict[int, list[Block]] = {}
    for code, block in refused:
        by_code.setdefault(code, []).append(block)
    for code, blocks in sorted(by_code.items()):
        what, names = _named(options, said, blocks)
        words = EXCEPTIONS.get(code, "it does not say why")
        yield f"The device refuses {what} (exception {code}: {words}): {names}."
    if blocks := list(aside):
        what, names = _named(options, said, blocks)
        yield f"The device does not answer for {what}: {names}. It is asked again, later each time."


def _named(options: Options, said: Mapping[str, Point], blocks: Iterable[Block]) -> tuple[str, str]:
    """The places of the points of blocks as the site file writes them, and the names of the points."""
    points = [said[point.name] for block in blocks for point in block.points]
    places = ", ".join(_place(options, point) for point in points[:_NAMED])
    names = ", ".join(point.name for point in points[:_NAMED])
    more = len(points) - _NAMED
    has = "has" if len(points) == 1 else "have"
    return (f"{places} and more", f"{names} and {more} more {has} no value") if more > 0 else (
        places, f"{names} {has} no value"
    )  # fmt: skip


def _place(options: Options, point: Point) -> str:
    table = "" if options.base == "modicon" else f"{point.table} " if point.table else "holding "
    unit = "" if point.unit is None or point.unit == options.unit else f" of unit {point.unit}"
    return f"{table}{point.address}{unit}"


def why_lost(options: Options, request: Asked, answer: Answer) -> DeviceError:
    """Why the device is lost after the answer to a request."""
    where, unit = options.where, request.unit
    match answer:
        case Refusal(code) if code in GATEWAY:
            return Unreachable(
                f"The gateway at {where} answers, but not unit {unit} behind it. "
                "Check the unit number and the bus cable."
            )
        case Failure("odd", words):
            return BadReply(
                f"{where} does not answer what it is asked: {words}. "
                "Is it a Modbus device, and this its unit number?"
            )
        case _:
            return TimedOut(
                f"{where} does not answer within {options.timeout:g} s "
                f"(unit {unit}, function {request.function}, address {request.address})."
            )
