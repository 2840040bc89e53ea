"""A machine value as it is kept: never without its status, never without the time it was good."""

from __future__ import annotations

from device_drivers.contract import DataValue, StatusCode
from edge_agent.views.status import ItemValue


def kept(before: ItemValue | None, value: DataValue) -> ItemValue:
    """What is kept of an item after a new value; a bad one leaves the last good value and its time."""
    match value.status:
        case StatusCode.GOOD:
            return ItemValue(name=value.item, value=value.value, status="Good", source_time=value.source_time)
        case StatusCode.UNCERTAIN:
            return ItemValue(
                name=value.item, value=value.value, status="Uncertain", source_time=value.source_time
            )
        case StatusCode.BAD:
            last, at = (before.value, before.source_time) if before else (None, None)
            return ItemValue(name=value.item, value=last, status="Bad", source_time=at)
