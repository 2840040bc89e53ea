"""What the values of a device mean to people: the unit of a point, the word that a machine has for a value. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from device_drivers.contract import Value
from edge_agent.machines.equipment import Equipment
from edge_agent.views.maintenance import DeviceReading, PointReading


@dataclass(frozen=True)
class Meanings:
    """Of one device: its `points` as its driver has them (units), and the `machines` that are made of it."""

    points: Sequence[Any] = ()
    machines: Sequence[Equipment] = ()

    def unit(self, item: str) -> str:
        """What its value counts: as the point says, else as a machine does; empty: nobody says it."""
        told = (_unit(point) for point in self.points if point.name == item)
        return next(filter(None, (*told, *(each.unit(item) for each in self.machines))), "")

    def word(self, item: str, value: Value) -> str:
        """The word for a value: of a state, a mode or an alarm; empty: no machine has one."""
        return next(filter(None, (each.word(item, value) for each in self.machines)), "")

    def told(self, point: PointReading) -> PointReading:
        """A reading with unit and word."""
        return msgspec.structs.replace(point, unit=self.unit(point.item), word=self.word(point.item, point.value))


@dataclass(frozen=True)
class Glossary:
    """The meanings of every device, by its name."""

    devices: Mapping[str, Meanings] = field(default_factory=dict)

    def told(self, reading: DeviceReading) -> DeviceReading:
        """A test read with units and words."""
        known = self.devices.get(reading.device, Meanings())
        return msgspec.structs.replace(reading, points=tuple(map(known.told, reading.points)))


def _unit(point: Any) -> str:
    """The engineering unit of a point, whatever its driver calls it."""
    told = getattr(point, "engineering_unit", None)
    told = getattr(point, "unit", "") if told is None else told
    return told if isinstance(told, str) else ""
