"""From the answers of one round to the values of its points, scale factors included. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from device_drivers.contract import DataValue, StatusCode, Value
from device_drivers.modbus.blocks import Block
from device_drivers.modbus.decoding import Raw, raw_reader, scaled, with_factor


class Field(NamedTuple):
    """One point of a block, ready to be read; `factor` names the point that scales it, or is empty."""

    name: str
    raw: Callable[[bytes], Raw]
    scale: Callable[[Raw], Value]
    factor: str


class _Held(NamedTuple):
    field: Field
    raw: Raw
    at: datetime


def fields(block: Block) -> tuple[Field, ...]:
    """The points of a block with all that can be known before the first answer."""
    return tuple(
        Field(point.name, raw_reader(point, block.start(point)), scaled(point), point.scale_from)
        for point in block.points
    )


def bad(names: Iterable[str], at: datetime) -> list[DataValue]:
    """No value, for each of these points."""
    return [DataValue(name, None, StatusCode.BAD, at) for name in names]


class Round:
    """The answers to one poll of a group. `factors`: the names of the points that scale others.

    A value that needs a factor is held until the factor of the same round is known: it is never
    computed with an older one.
    """

    def __init__(self, factors: frozenset[str] = frozenset()) -> None:
        self._wanted = factors
        self._factors: dict[str, Raw] = {}
        self._held: list[_Held] = []

    def take(self, points: Iterable[Field], data: bytes, at: datetime) -> list[DataValue]:
        """The values that are known now that a block asked for at `at` was answered."""
        values = []
        for field in points:
            name, read, scale, factor = field
            raw = read(data)
            if factor:
                self._held.append(_Held(field, raw, at))
                continue
            if name in self._wanted:
                self._factors[name] = raw
            values.append(_value(name, scale(raw), at))
        return values + self._settle() if self._held else values

    def miss(self, points: Iterable[Field], at: datetime) -> list[DataValue]:
        """The values that are known now that a block asked for at `at` gave none."""
        names = [field.name for field in points]
        self._factors.update((name, None) for name in names if name in self._wanted)
        return bad(names, at) + self._settle()

    def _settle(self) -> list[DataValue]:
        """The held values whose factor is known by now."""
        ready = [held for held in self._held if held.field.factor in self._factors]
        self._held = [held for held in self._held if held.field.factor not in self._factors]
        return [
            _value(field.name, field.scale(with_factor(raw, self._factors[field.factor])), at)
            for field, raw, at in ready
        ]


def _value(name: str, value: Value, at: datetime) -> DataValue:
    return DataValue(name, value, StatusCode.BAD if value is None else StatusCode.GOOD, at)
