"""The values of a machine folded into what a person wants to know: its state, its count, its alarm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from device_drivers.contract import DataValue, StatusCode, Value
from edge_agent.machines.items import kept
from edge_agent.machines.nested_state import NestedState
from edge_agent.machines.stops import NO_DATA, UNDEFINED
from edge_agent.views.maintenance import Quality
from edge_agent.views.status import EquipmentStatus, ItemValue


class Equipment:
    """One machine. Feed it the values of its device with `take`; `status` is what they come to.

    `state`, `count`, `scrap_count`, `alarm` and `show` are items of the device, empty when there is none;
    `state_within` are those of state machines within `state`, from the outside in (see nested_state). Keys of
    `states`, `modes` and `alarms` are the raw values as text; alarm 0 is no alarm. `count_width` in bits, or
    `count_modulus` numbers where that is no power of two; `cycle_time` the ideal seconds of one part, 0 when it
    is not known.
    """

    def __init__(
        self,
        *,
        id: str,
        name: str = "",
        device: str = "",
        state: str = "",
        state_within: Sequence[str] = (),
        states: Mapping[str, str] | None = None,
        count: str = "",
        count_width: int = 32,
        count_modulus: int = 0,
        counts: Literal["good", "all"] = "good",
        scrap_count: str = "",
        cycle_time: float = 0.0,
        mode: str = "",
        modes: Mapping[str, str] | None = None,
        alarm: str = "",
        alarms: Mapping[str, str] | None = None,
        show: Sequence[str] = (),
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.id = id
        self.name = name or id
        self.device = device
        self._state, self._states = state, dict(states or {})
        self._state_items = frozenset((state, *state_within)) - {""}
        self._nested = NestedState((state, *state_within), self._names_state) if state_within else None
        self._count, self.cycle_time = count, cycle_time
        self._width, self.modulus = count_width, count_modulus or 1 << count_width
        self._counts, self._scrap_count = counts, scrap_count
        self._mode, self._modes = mode, dict(modes or {})
        self._alarm, self._alarms = alarm, dict(alarms or {})
        self._show, self._units = tuple(show), dict(units or {})
        self._items: dict[str, ItemValue] = {}
        self._now = (NO_DATA, "")  # canonical state, raw state
        self._since: datetime | None = None

    @property
    def feeds(self) -> frozenset[str]:
        """The items of the device that it is made of."""
        named = {self._count, self._scrap_count, self._mode, self._alarm, *self._show}
        return self._state_items | frozenset(named) - {""}

    def unit(self, item: str) -> str:
        """The unit that the machine gives to an item; empty: none."""
        return self._units.get(item, "")

    def word(self, item: str, value: Value) -> str:
        """The word that the machine has for a value of an item: its state or mode in PackML, its alarm; or empty."""
        raw = text(value)
        named: list[Mapping[str, str]] = []
        named += [self._states] if item in self._state_items else []
        named += [self._modes] if item and item == self._mode else []
        named += [self._alarms] if item and item == self._alarm else []
        return next((str(words[raw]) for words in named if raw and raw in words), "")

    def take(self, value: DataValue) -> bool:
        """One value of the device; returns whether `status` may look different now."""
        if self._nested is None or value.item not in self._state_items:
            return self._keep(value)
        shown = value.item != self._state and self._keep(value)
        return self._keep(self._nested.take(value)) or shown

    def behind(self, item: ItemValue, now: datetime) -> DataValue | None:
        """What it has to take to know of an item what its device knows; None when it does, or is not made of it."""
        mine = self._items.get(item.name)
        if item.name not in self.feeds or mine == item:
            return None
        if item.status != "Bad":
            assert item.source_time
            return DataValue(item.name, item.value, StatusCode(item.status), item.source_time)
        return None if mine and mine.status == "Bad" else DataValue(item.name, None, StatusCode.BAD, now)

    def _keep(self, value: DataValue) -> bool:
        if value.item not in (self._state, self._count, self._scrap_count, self._mode, self._alarm, *self._show):
            return False
        before = self._items.get(value.item)
        self._items[value.item] = after = kept(before, value)
        if value.item == self._state:
            self._turn(value)
        return before is None or (before.value, before.status) != (after.value, after.status)

    def counter(self, value: DataValue) -> int | None:
        """What the counter shows, when this is a good value of it; None otherwise."""
        if value.item != self._count or value.status is not StatusCode.GOOD:
            return None
        return _whole(value.value)

    def scrap_counter(self, value: DataValue) -> int | None:
        """The same of its counter of defective pieces."""
        if value.item != self._scrap_count or value.status is not StatusCode.GOOD:
            return None
        return _whole(value.value)

    def watched(self, value: DataValue) -> bool:
        """Whether this value may change its state, its mode or its alarm, and so what its stops are."""
        return bool(self._state) and value.item in (*self._state_items, self._mode, self._alarm)

    def status(self) -> EquipmentStatus:
        """The machine now."""
        state, raw = self._now
        count = self._items.get(self._count)
        return EquipmentStatus(
            id=self.id,
            name=self.name,
            state=state,
            raw_state=raw,
            state_since=self._since,
            state_status=self._quality(self._state),
            mode=self._mode_words(),
            mode_status=self._quality(self._mode),
            count=_whole(count.value) if count else None,
            count_status=_status(count),
            count_width=self._width,
            count_modulus=self.modulus if self.modulus != 1 << self._width else 0,
            counts=self._counts,
            counts_scrap=bool(self._scrap_count),
            cycle_time=self.cycle_time,
            alarm=self._alarm_words(),
            alarm_status=self._quality(self._alarm),
            values=tuple(self._shown(item) for item in self._show),
            device=self.device,
        )

    def _names_state(self, value: Value) -> bool:
        return text(value) in self._states

    def _turn(self, value: DataValue) -> None:
        """A value of the state item: `state_since` is when the machine changed, not when we heard of it."""
        if value.status is StatusCode.BAD:
            turned = (NO_DATA, "")
        else:
            raw = text(value.value)
            turned = (str(self._states.get(raw, UNDEFINED)), raw)
        if turned[0] != self._now[0] or self._since is None:
            self._since = value.source_time
        self._now = turned

    def _quality(self, item: str) -> Quality:
        """That of one of its items; Good where it has none: nothing is claimed."""
        return _status(self._items.get(item)) if item else "Good"

    def _mode_words(self) -> str:
        item = self._items.get(self._mode)
        if item is None or item.status == "Bad":
            return ""
        raw = text(item.value)
        return str(self._modes.get(raw, raw))

    def _alarm_words(self) -> str:
        item = self._items.get(self._alarm)
        if item is None or item.status == "Bad":
            return ""
        raw = text(item.value)
        if raw in ("", "0", "false"):
            return ""
        return self._alarms.get(raw, raw)

    def _shown(self, name: str) -> ItemValue:
        unit = self._units.get(name, "")
        item = self._items.get(name)
        if item is None:
            return ItemValue(name=name, value=None, unit=unit, status="Bad", source_time=None)
        return ItemValue(
            name=name, value=item.value, unit=unit, status=item.status, source_time=item.source_time
        )


def text(value: Value) -> str:
    """A raw value as a key of a map: 3 and 3.0 are the same, true and false are words.

    >>> text(3), text(3.0), text(True), text("RUN"), text(None)
    ('3', '3', 'true', 'RUN', '')
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def _status(item: ItemValue | None) -> Quality:
    return "Bad" if item is None else item.status


def _whole(value: Value) -> int | None:
    """A count; None for what is not a whole number."""
    match value:
        case bool():
            return None
        case int():
            return value
        case float() if value.is_integer():
            return int(value)
        case _:
            return None
