"""Whether a device is the machine that its map is for, by what some of its points read. Pure.

>>> from datetime import UTC, datetime
>>> fit = MapFit({"sign": ("SunS",), "model": (203, 201)})
>>> fit.take(DataValues(("sign", "model"), ("SunS", 7), StatusCode.GOOD, datetime.now(UTC)))
True
>>> fit.words
('The map does not fit: model reads 7, and not 203 or 201. Check its `parameters`; or this is another model.',)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from device_drivers.contract import DataValues, StatusCode, Value
from edge_agent.display import number_words

_ADVICE = "Check its `parameters`; or this is another model."


class MapFit:
    """Compares what is read with `expected`: for an item, all values that it has when the map fits."""

    def __init__(self, expected: Mapping[str, Sequence[Value]]) -> None:
        self._expected = expected
        self._odd: dict[str, Value] = {}  # item -> what it read first that does not fit

    def take(self, values: DataValues) -> bool:
        """Values came; whether other items fit, or do not, than before. One that is Bad says nothing."""
        if not self._expected or self._expected.keys().isdisjoint(values.items):
            return False
        before = set(self._odd)
        for item, value in zip(values.items, values.values, strict=True):
            if item not in self._expected:
                continue
            if values.status is StatusCode.BAD or value in self._expected[item]:
                self._odd.pop(item, None)
            else:
                self._odd.setdefault(item, value)
        return before != self._odd.keys()

    @property
    def words(self) -> tuple[str, ...]:
        """A sentence for each point that reads something else, in the order of the map."""
        return tuple(
            f"The map does not fit: {item} reads {_shown(self._odd[item])}, and not "
            f"{' or '.join(map(_shown, values))}. {_ADVICE}"
            for item, values in self._expected.items() if item in self._odd
        )  # fmt: skip


def _shown(value: Value) -> str:
    """A value, as it is written in a sentence."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number_words(value)
