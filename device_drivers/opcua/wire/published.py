"""What a server sends by itself, a publish at a time, and what a node holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.client.ua_session import UaSession
from asyncua.common.subscription import OverflowPolicy, Subscription

from device_drivers.contract import Clock
from device_drivers.opcua.values import Change, follows

_BACKLOG = 200  # publishes that may wait for us; more means that we do not keep up
_RAW = 200  # characters of a raw value that people may read

Missed = Callable[[datetime, datetime], None]


@dataclass(frozen=True, slots=True)
class Published:
    """All data changes of one notification message, as they came."""

    items: Sequence[ua.MonitoredItemNotification]


class Heard(Subscription):
    """A subscription that notes when it was heard last, and notices when a notification is missing.

    The library makes three objects of each change; this hands over those of a publish as they are.
    """

    def __init__(
        self, session: UaSession, parameters: ua.CreateSubscriptionParameters, clock: Clock, missed: Missed
    ) -> None:
        super().__init__(session, parameters, queue_maxsize=_BACKLOG, overflow=OverflowPolicy.DISCONNECT)
        self.longest_silence = 0.0
        self.heard = (clock.monotonic(), clock.now())
        self._last: int | None = None
        self._clock = clock
        self._missed = missed

    async def publish_callback(self, publish_result: ua.PublishResult) -> None:
        message = publish_result.NotificationMessage
        moment = self._clock.now()
        # A keep-alive has the number of the message to come (part 4, 5.14.1.2): it counts for nothing. What
        # the library makes up itself when the connection is lost has the number 0, and was not heard.
        if message.NotificationData and message.SequenceNumber:
            if not follows(message.SequenceNumber, self._last):
                self._missed(self.heard[1], moment)
            self._last = int(message.SequenceNumber)
        if message.SequenceNumber or not message.NotificationData:
            self.heard = (self._clock.monotonic(), moment)
        await super().publish_callback(publish_result)

    def node_of(self, handle: int) -> ua.NodeId | None:
        """The node that has this handle; None for one that nobody asked for."""
        known = self._monitored_items.get(handle)
        return None if known is None or known.node is None else known.node.nodeid

    def _explode_datachange(self, datachange: ua.DataChangeNotification) -> Iterable[Any]:
        yield Published(datachange.MonitoredItems)


def change_of(items: set[str], reading: ua.DataValue) -> Change:
    """What a node holds, for the items that it gives."""
    moment = reading.SourceTimestamp
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    value = None if reading.Value is None else reading.Value.Value
    return Change(items, value, reading.StatusCode.value if reading.StatusCode else 0, moment)


def raw_of(reading: ua.DataValue) -> str:
    """What came, with its type; or the name of the status when nothing did."""
    if reading.Value is None or reading.Value.Value is None:
        return reading.StatusCode.name if reading.StatusCode else ""
    return f"{reading.Value.VariantType.name} {reading.Value.Value}"[:_RAW]
