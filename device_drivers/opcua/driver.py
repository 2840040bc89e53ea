"""The OPC UA driver: the only file that knows asyncua, which is imported when a device runs.

The library reconnects by itself only on paper: after a frozen server or a moved namespace it looks
connected and delivers nothing. So every run has a fresh client, namespaces are found by URI, and a
watchdog of our own looks at the last publish.
"""

from __future__ import annotations

import asyncio
import enum
import importlib
import logging
import math
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from device_drivers.contract import (
    BadReply,
    Clock,
    DataValue,
    DeviceError,
    Emit,
    Misconfigured,
    Online,
    StatusCode,
    TimedOut,
    Unreachable,
    Value,
)
from device_drivers.opcua.options import KEEPALIVE_COUNT, Options, Point

if TYPE_CHECKING:
    from asyncua import ua
    from asyncua.client.client import Client
    from asyncua.common.subscription import Subscription

_LIFETIME_COUNT = 50  # intervals after which the server forgets a client that is gone
_QUEUE_SIZE = 10  # changes of one item that the server keeps between two publishes
_BACKLOG = 20_000  # changes that may wait for us; more means that we do not keep up
_ITEMS_PER_CALL = 500  # servers limit how many items one call may create
_TEARDOWN = 1.5  # seconds; a frozen server must not hold up a stop
_ASK_AGAIN = 10.0  # seconds after which a point that was refused is asked for once more
_REASONS = 600  # characters; the first few points say what is wrong with all of them
_PRODUCT_NAME = 2261  # i=2261, Server_ServerStatus_BuildInfo_ProductName (part 5)


class Driver:
    """One session with one subscription that carries all points."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._names: dict[ua.NodeId, set[str]] = {}

    async def run(self, emit: Emit) -> None:
        """Subscribe until cancelled; see device_drivers.contract.Driver."""
        # In a thread: it takes half a second, and no other device may wait for it.
        await asyncio.to_thread(importlib.import_module, "asyncua")
        logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)  # what it would log is raised here
        client = self._client()
        lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

        async def on_loss(error: Exception) -> None:
            if not lost.done():
                lost.set_result(error)

        client.connection_lost_callback = on_loss
        try:
            await self._connect(client)
            with self._mapped():
                async with asyncio.timeout(self._options.timeout * 3):
                    subscription = await self._subscription(client)
                    refused = await self._subscribe(client, subscription, self._options.points)
                    identity = await _identity(client)
            if len(refused) == len(self._options.points):
                told = "; ".join(refused.values())
                raise Misconfigured(f"{self._options.endpoint} refuses every point: {told[:_REASONS]}.")
            emit(Online(identity))
            self._tell_refused(refused, emit)
            await self._deliver(client, subscription, refused, lost, emit)
        finally:
            await _close(client)

    def _client(self) -> Client:
        from asyncua.client.client import Client

        client = Client(self._options.endpoint, timeout=self._options.timeout, auto_reconnect=False)
        client.name = client.description = "Floorhand"
        if self._options.username:
            client.set_user(self._options.username)
            client.set_password(self._password())
        return client

    def _password(self) -> str:
        if not self._options.password_file:
            return ""
        try:
            return self._options.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise Misconfigured(
                f"Can not read the password file {self._options.password_file}: {error.strerror}."
            ) from error

    async def _connect(self, client: Client) -> None:
        """Socket, channel and session. A server that does not answer at all is unreachable, not late."""
        try:
            with self._mapped():
                # The library waits for each step by itself, but not for all of them on every network.
                async with asyncio.timeout(self._options.timeout * 1.5):
                    await client.connect()
        except TimedOut as error:
            raise Unreachable(f"No OPC UA server answers at {self._options.endpoint}. {_CHECK}") from error

    async def _subscription(self, client: Client) -> Subscription:
        from asyncua import ua
        from asyncua.common.subscription import OverflowPolicy

        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=self._options.publishing_interval * 1000,
            RequestedLifetimeCount=_LIFETIME_COUNT,
            RequestedMaxKeepAliveCount=KEEPALIVE_COUNT,
        )
        return await client.create_subscription(
            parameters, queue_maxsize=_BACKLOG, overflow=OverflowPolicy.DISCONNECT
        )

    async def _subscribe(
        self, client: Client, subscription: Subscription, points: Iterable[Point]
    ) -> dict[Point, str]:
        """Have the points delivered; those that the server does not have now, and why in words."""
        from asyncua import ua

        namespaces = await client.get_namespace_array()
        refused: dict[Point, str] = {}
        wanted: dict[ua.NodeId, list[Point]] = {}
        for point in points:
            node = _node_id(point, namespaces)
            if node is None:
                there = ", ".join(namespaces)
                refused[point] = f"point {point.name!r}: it has no namespace {point.ref.uri!r}, but {there}"
            else:
                wanted.setdefault(node, []).append(point)
        nodes = list(wanted)
        for start in range(0, len(nodes), _ITEMS_PER_CALL):
            part = nodes[start : start + _ITEMS_PER_CALL]
            for node in part:
                self._names.setdefault(node, set()).update(point.name for point in wanted[node])
            made: list[int | ua.StatusCode] = await subscription.subscribe_data_change(
                [client.get_node(node) for node in part],
                queuesize=_QUEUE_SIZE,
                sampling_interval=ua.Double(self._options.publishing_interval * 1000 / 2),
            )
            for node, answer in zip(part, made, strict=True):
                if isinstance(answer, ua.StatusCode):
                    refused |= {
                        point: f"point {point.name!r} ({point.node}): {answer.name}" for point in wanted[node]
                    }
        return refused

    def _tell_refused(self, refused: Iterable[Point], emit: Emit) -> None:
        """A point that the server does not have is Bad; the others are as good as ever."""
        for point in refused:
            emit(DataValue(point.name, None, StatusCode.BAD, self._clock.now()))

    async def _deliver(
        self, client: Client, subscription: Subscription, refused: Iterable[Point],
        lost: asyncio.Future[Exception], emit: Emit,
    ) -> None:  # fmt: skip
        """Emit until something ends it; returns only by raising."""
        tasks = [
            asyncio.create_task(self._pump(subscription, emit)),
            asyncio.create_task(self._watch(subscription)),
            asyncio.create_task(self._ask_again(client, subscription, refused)),
        ]
        try:
            ends: list[asyncio.Future[Any]] = [*tasks, lost]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    await task
            with self._mapped():
                raise lost.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask_again(
        self, client: Client, subscription: Subscription, refused: Iterable[Point]
    ) -> None:
        """A controller that loads its program has its nodes a little later than its server."""
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + _ASK_AGAIN)
            if refused:
                with self._mapped():
                    refused = await self._subscribe(client, subscription, tuple(refused))

    async def _pump(self, subscription: Subscription, emit: Emit) -> None:
        from asyncua.common.subscription import DataChangeEvent, StatusChangeEvent

        async for event in subscription:
            if isinstance(event, DataChangeEvent):
                value, status, source_time = self._reading(event.data.monitored_item.Value)
                for name in self._names[event.node.nodeid]:
                    emit(DataValue(name, value, status, source_time))
            elif isinstance(event, StatusChangeEvent):
                raise Unreachable(
                    f"{self._options.endpoint} ended the subscription: {event.notification.Status.name}."
                )
        raise Unreachable(f"{self._options.endpoint} ended the subscription.")

    def _reading(self, reading: ua.DataValue) -> tuple[Value, StatusCode, datetime]:
        """What an item shows: value, status and the server's source time (ours when it gives none)."""
        moment = reading.SourceTimestamp or self._clock.now()
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        status = _status(reading.StatusCode)
        value = None if status is StatusCode.BAD or reading.Value is None else plain(reading.Value.Value)
        return value, StatusCode.BAD if value is None else status, moment

    async def _watch(self, subscription: Subscription) -> None:
        """Raise when the server has published nothing, not even a keep-alive, for `stale_after`."""
        limit = self._options.stale_after
        seen, since = subscription.last_publish_at, self._clock.monotonic()
        while True:
            await self._clock.sleep_until(self._clock.monotonic() + limit / 10)
            if subscription.last_publish_at != seen:
                seen, since = subscription.last_publish_at, self._clock.monotonic()
            elif self._clock.monotonic() - since >= limit:
                raise TimedOut(f"{self._options.endpoint} has sent nothing for {limit:g} s.")

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """The library's exceptions end here."""
        from asyncua import ua
        from asyncua.ua.uaerrors import UaError, UaStatusCodeError

        where = self._options.endpoint
        try:
            yield
        except DeviceError:
            raise
        except TimeoutError as error:
            raise TimedOut(f"{where} does not answer in time.") from error
        except OSError as error:
            raise Unreachable(f"No OPC UA server answers at {where}: {error}. {_CHECK}") from error
        except UaStatusCodeError as error:
            name = ua.StatusCode(error.code).name
            if name in _REFUSALS:
                raise Misconfigured(f"{where} {_REFUSALS[name]} ({name}).") from error
            raise BadReply(f"{where} answers {name}.") from error
        except UaError as error:
            raise Misconfigured(
                f"{where} can not be used without signing and encryption, or is no OPC UA server: {error}."
            ) from error


_CHECK = "Check its power, its network cable and the address in the site file."

_REFUSALS = {
    "BadUserAccessDenied": "does not take this user and password",
    "BadIdentityTokenRejected": "does not take this user and password",
    "BadIdentityTokenInvalid": "does not take this user and password",
    "BadSecurityPolicyRejected": "wants signed and encrypted messages",
    "BadSecurityModeRejected": "wants signed and encrypted messages",
    "BadTcpEndpointUrlInvalid": "does not know this endpoint",
    "BadNodeIdUnknown": "does not know a node of the site file",
}


def plain(value: Any) -> Value:
    """A value of OPC UA as one of ours; None for none, for not-a-number and for lists and structures.

    Times become ISO 8601, localized texts their text, enumerations their number, bytes hex digits.
    """
    match value:
        case enum.Enum():
            return plain(value.value)
        case float():
            return value if math.isfinite(value) else None
        case bool() | int() | str():
            return value
        case datetime():
            return value.isoformat()
        case bytes():
            return value.hex()
        case uuid.UUID():
            return str(value)
    text = getattr(value, "Text", None)  # LocalizedText
    return text if isinstance(text, str) else None


def _status(code: ua.StatusCode | None) -> StatusCode:
    if code is None or code.is_good():
        return StatusCode.GOOD
    return StatusCode.UNCERTAIN if code.is_uncertain() else StatusCode.BAD


def _node_id(point: Point, namespaces: Sequence[str]) -> ua.NodeId | None:
    """The node of a point; None when the server does not have its namespace."""
    ref = point.ref
    if not ref.uri:
        return _made(ref.identifier, ref.index)
    return _made(ref.identifier, namespaces.index(ref.uri)) if ref.uri in namespaces else None


def _made(identifier: Any, index: Any) -> ua.NodeId:
    """A node id; Any, because the library wants its own subclasses of int and str, which it does not need."""
    from asyncua import ua

    return ua.NodeId(identifier, index)


async def _identity(client: Client) -> str:
    """The server's product name; empty when it keeps it to itself."""
    (answer,) = await client.read_attributes([client.get_node(_made(_PRODUCT_NAME, 0))])
    name = plain(answer.Value.Value) if answer.Value is not None else None
    return name if isinstance(name, str) else ""


async def _close(client: Client) -> None:
    """Say good-bye if the server listens, and close the socket in any case."""
    from asyncua.ua.uaerrors import UaError

    protocol = client.uaclient.protocol
    transport = protocol.transport if protocol else None
    with suppress(OSError, UaError):  # TimeoutError is an OSError
        async with asyncio.timeout(_TEARDOWN):
            await client.disconnect()
    # After a loss that the library noticed by itself it leaves the socket open. A frozen server takes
    # no more bytes, so nothing may wait to be sent.
    if transport is not None:
        transport.abort()
