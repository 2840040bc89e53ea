"""One state out of state machines within each other, as PackML over OPC UA tells it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from device_drivers.contract import DataValue, StatusCode, Value


class NestedState:
    """Items of state machines, from the outermost in; what they say together is a value of the outermost.

    A state that is `known` counts. Any other means that the machine within says more, down to the
    innermost, whose state counts in any case. A state machine that is not asked may be Bad: it does not
    run. One that is asked and is Bad, or was never heard, makes the state Bad; one that is asked and is
    Uncertain makes it Uncertain.
    """

    def __init__(self, items: Sequence[str], known: Callable[[Value], bool]) -> None:
        self._items = tuple(items)
        self._known = known
        self._heard: dict[str, DataValue] = {}

    def take(self, value: DataValue) -> DataValue:
        """A value of one of the items in, the state as it is now out.

        Its time is that of the latest change on the way in.
        """
        self._heard[value.item] = value
        latest, status = value.source_time, StatusCode.GOOD
        for index, item in enumerate(self._items):
            heard = self._heard.get(item)
            if heard is None or heard.status is StatusCode.BAD:
                break
            latest = heard.source_time if index == 0 else max(latest, heard.source_time)
            status = StatusCode.UNCERTAIN if heard.status is StatusCode.UNCERTAIN else status
            if self._known(heard.value) or index == len(self._items) - 1:
                return replace(heard, item=self._items[0], status=status, source_time=latest)
        bad_since = heard.source_time if heard else latest
        return DataValue(self._items[0], None, StatusCode.BAD, bad_since)
