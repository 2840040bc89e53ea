"""From the answers of one round to the values of its points, scale factors included. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from device_drivers.contract import DataValues, StatusCode, Value
from device_drivers.modbus.blocks import Block
from device_drivers.modbus.decoding import Raw, all_values, raw_reader, scaled, with_factor


class Field(NamedTuple):
    """One point of a block, ready to be read; `factor` names the point that scales it, or is empty."""

    name: str
    raw: Callable[[bytes], Raw]
    scale: Callable[[Raw], Value]
    factor: str


class Fields(NamedTuple):
    """The points of a block. `values`: all values at once of an answer, for a block without factors."""

    names: tuple[str, ...]
    points: tuple[Field, ...]
    scaled_by: frozenset[str]
    values: Callable[[bytes], list[Value]]


class _Held(NamedTuple):
    field: Field
    raw: Raw
    at: datetime


def fields(block: Block) -> Fields:
    """The points of a block with all that can be known before the first answer."""
    points = tuple(
        Field(point.name, raw_reader(point, block.start(point)), scaled(point), point.scale_from)
        for point in block.points
    )
    return Fields(
        tuple(point.name for point in points), points,
        frozenset(point.factor for point in points if point.factor),
        all_values([(point, block.start(point)) for point in block.points]),
    )  # fmt: skip


def bad(names: Sequence[str], at: datetime) -> list[DataValues]:
    """No value, for each of these points."""
    return [DataValues(tuple(names), (None,) * len(names), StatusCode.BAD, at)] if names else []


class Round:
    """The answers to one poll of a group. `factors`: the names of the points that scale others.

    A value that needs a factor is held until the factor of the same round is known: it is never
    computed with an older one.
    """

    def __init__(self, factors: frozenset[str] = frozenset()) -> None:
        self._wanted = factors
        self._factors: dict[str, Raw] = {}
        self._held: list[_Held] = []

    def take(self, block: Fields, data: bytes, at: datetime) -> list[DataValues]:
        """The values that are known now that a block asked for at `at` was answered."""
        if not self._wanted and not block.scaled_by:
            return _told(block.names, block.values(data), at)
        names, values = [], list[Value]()
        for field in block.points:
            name, read, scale, factor = field
            raw = read(data)
            if factor:
                self._held.append(_Held(field, raw, at))
                continue
            if name in self._wanted:
                self._factors[name] = raw
            names.append(name)
            values.append(scale(raw))
        return _told(tuple(names), values, at) + self._settle()

    def miss(self, block: Fields, at: datetime) -> list[DataValues]:
        """The values that are known now that a block asked for at `at` gave none."""
        self._factors.update((name, None) for name in block.names if name in self._wanted)
        return bad(block.names, at) + self._settle()

    def _settle(self) -> list[DataValues]:
        """The held values whose factor is known by now."""
        ready = [held for held in self._held if held.field.factor in self._factors]
        self._held = [held for held in self._held if held.field.factor not in self._factors]
        found: list[DataValues] = []
        for at, those in groupby(ready, key=lambda held: held.at):
            names, values = [], list[Value]()
            for field, raw, _ in those:
                names.append(field.name)
                values.append(field.scale(with_factor(raw, self._factors[field.factor])))
            found += _told(tuple(names), values, at)
        return found


def _told(names: tuple[str, ...], values: list[Value], at: datetime) -> list[DataValues]:
    """The good ones together, and those without a value."""
    if None not in values:
        return [DataValues(names, values, StatusCode.GOOD, at)] if names else []
    there = [(name, value) for name, value in zip(names, values, strict=True) if value is not None]
    gone = [name for name, value in zip(names, values, strict=True) if value is None]
    good = [DataValues(tuple(name for name, _ in there), [value for _, value in there], StatusCode.GOOD, at)]
    return (good if there else []) + bad(gone, at)
