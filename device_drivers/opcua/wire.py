"""One connection to one OPC UA server: the only file that knows asyncua. Its exceptions end here.

Importing it takes half a second: the driver does so in a thread, when a device runs.

The library reconnects by itself only on paper: after a frozen server or a moved namespace it looks
connected and delivers nothing. So it is told not to, and there is a fresh connection each time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.client.ua_session import UaSession
from asyncua.common.subscription import (
    OverflowPolicy,
    StatusChangeEvent,
    Subscription,
)
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import InvalidSignature  # type: ignore[attr-defined]  # re-exported without a word
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from device_drivers.contract import (
    BadReply,
    Clock,
    DeviceError,
    Misconfigured,
    TimedOut,
    Unreachable,
    Value,
)
from device_drivers.opcua.options import KEEPALIVE_COUNT, Options, Point
from device_drivers.opcua.paths import Step
from device_drivers.opcua.refusals import CHECK, no_such_security, refusal
from device_drivers.opcua.values import follows, plain

# What the library would log is raised here, or seen by the watchdog.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)

_LIFETIME_COUNT = 50  # intervals after which the server forgets a client that is gone
_QUEUE_SIZE = 10  # changes of one item that the server keeps between two publishes
_BACKLOG = 200  # publishes that may wait for us; more means that we do not keep up
_ITEMS_PER_CALL = 500  # servers limit how many items one call may create
_TEARDOWN = 1.5  # seconds; a frozen server must not hold up a stop
_WHOLE_PATH = 0xFFFFFFFF  # the server followed a path to its end (part 4, 5.9.4)
_PRODUCT_NAME = 2261  # i=2261, Server_ServerStatus_BuildInfo_ProductName (part 5)
_ROOT = 84  # i=84, the root folder
_DOWNWARDS = 33  # i=33, HierarchicalReferences
_TRUE: Any = True  # the library wants a class of its own, which can not be made
_FALSE: Any = False

Missed = Callable[[datetime, datetime], None]


@dataclass(frozen=True)
class Change:
    """What the server sent for the items of one node. `code` is its status, `source_time` aware or None."""

    items: set[str]
    value: Value
    code: int
    source_time: datetime | None


class Wire:
    """One session with at most one subscription. Every method raises DeviceError, and nothing else."""

    def __init__(self, options: Options, clock: Clock, missed: Missed) -> None:
        """`missed` is told from when to when notifications were sent that never came."""
        self._options = options
        self._clock = clock
        self._missed = missed
        self._client = self._made_client()
        self._subscription: _Heard | None = None
        self._items: dict[ua.NodeId, set[str]] = {}
        self._by_handle: dict[int, set[str]] = {}
        self._lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def certificate(self) -> bytes:
        """The certificate, in DER, of the server's endpoint with Basic256Sha256, sign and encrypt.

        Nothing but the endpoints is asked for, on a connection of its own.
        """
        asking = self._made_client()
        with self._connecting():
            try:
                async with asyncio.timeout(self._options.timeout * 1.5):
                    await asking.connect_sessionless()
                    endpoints = await asking.get_endpoints()
            finally:
                await _close(asking)
        for each in endpoints:
            if _is_secure(each) and each.ServerCertificate:
                return _first(each.ServerCertificate)
        offered = {
            f"{each.SecurityPolicyUri.rpartition('#')[2]}/{each.SecurityMode.name}" for each in endpoints
        }
        raise Misconfigured(no_such_security(self._options.endpoint, sorted(offered)))

    async def secure(self, certificate: str, key: str, application_uri: str, server: bytes) -> None:
        """Sign and encrypt; talk to nobody but the holder of the key of `server`."""
        with self._mapped():
            self._client.application_uri = application_uri
            await self._client.set_security(
                SecurityPolicyBasic256Sha256, certificate, key, server_certificate=server,
                mode=ua.MessageSecurityMode.SignAndEncrypt,
            )  # fmt: skip

    async def connect(self, password: str) -> None:
        """Socket, channel and session."""
        if self._options.username:
            self._client.set_user(self._options.username)
            self._client.set_password(password)

        async def on_loss(error: Exception) -> None:
            if not self._lost.done():
                self._lost.set_result(error)

        self._client.connection_lost_callback = on_loss
        with self._connecting():
            # The library waits for each step by itself, but not for all of them on every network.
            async with asyncio.timeout(self._options.timeout * 1.5):
                await self._client.connect()

    async def identity(self) -> str:
        """The server's product name; empty when it keeps it to itself."""
        with self._mapped():
            (answer,) = await self._client.read_attributes([self._client.get_node(_node(_PRODUCT_NAME, 0))])
        name = plain(answer.Value.Value) if answer.Value is not None else None
        return name if isinstance(name, str) else ""

    async def subscribe(self, points: Iterable[Point]) -> dict[Point, str]:
        """Have the points delivered; those that the server does not have now, and why in words."""
        with self._mapped():
            async with asyncio.timeout(self._options.timeout * 3):
                if self._subscription is None:
                    self._subscription = await self._made_subscription()
                namespaces = await self._client.get_namespace_array()
                found, refused = await self._find(points, namespaces)
                nodes = list(found)
                for start in range(0, len(nodes), _ITEMS_PER_CALL):
                    refused |= await self._monitor(nodes[start : start + _ITEMS_PER_CALL], found)
        return refused

    @property
    def patience(self) -> float:
        """Seconds of silence after which the server is lost, with the intervals that it insists on."""
        assert self._subscription
        return max(self._options.stale_after, self._subscription.longest_silence * 1.5)

    @property
    def heard(self) -> tuple[float, datetime]:
        """When the server last published, be it only a keep-alive: monotonic, and by the wall clock."""
        assert self._subscription
        return self._subscription.heard

    async def changes(self) -> AsyncIterator[list[Change]]:
        """What the server sends, a publish at a time, until it ends the subscription."""
        assert self._subscription
        async for told in self._subscription:
            event: Any = told  # the library does not know of `_Published`
            if isinstance(event, _Published):
                yield [_change(items, each.Value) for each in event.items if (items := self._items_of(each))]
            elif isinstance(event, StatusChangeEvent):
                name = event.notification.Status.name
                raise Unreachable(f"{self._options.endpoint} ended the subscription: {name}.")
        raise Unreachable(f"{self._options.endpoint} ended the subscription.")

    def _items_of(self, notified: ua.MonitoredItemNotification) -> set[str]:
        """The items of the node of a notification; none when nobody asked for it."""
        handle = notified.ClientHandle
        if handle not in self._by_handle:
            node = self._subscription.node_of(handle) if self._subscription else None
            self._by_handle[handle] = self._items.get(node, set()) if node else set()
        return self._by_handle[handle]

    async def loss(self) -> None:
        """Wait until the connection is lost; returns only by raising."""
        with self._mapped():
            raise await asyncio.shield(self._lost)

    async def close(self) -> None:
        """Say good-bye if the server listens, and close the socket in any case; never raises."""
        await _close(self._client)

    def _made_client(self) -> Client:
        client = Client(self._options.endpoint, timeout=self._options.timeout, auto_reconnect=False)
        client.name = client.description = "Floorhand"
        return client

    async def _made_subscription(self) -> _Heard:
        """As the library's own method, which would stretch keep-alives to 45 minutes for a slow server."""
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=self._options.publishing_interval * 1000,
            RequestedLifetimeCount=_LIFETIME_COUNT,
            RequestedMaxKeepAliveCount=KEEPALIVE_COUNT,
        )
        made = _Heard(self._client.uaclient.session, parameters, self._clock, self._missed)
        made.set_overflow_disconnect_handler(self._client.uaclient.notify_transport_lost)
        revised = await made.init()
        made.longest_silence = revised.RevisedPublishingInterval * revised.RevisedMaxKeepAliveCount / 1000
        return made

    async def _find(
        self, points: Iterable[Point], namespaces: Sequence[str]
    ) -> tuple[dict[ua.NodeId, list[Point]], dict[Point, str]]:
        """The nodes of the points by today's namespace table, and the points that have none."""
        found: dict[ua.NodeId, list[Point]] = {}
        refused: dict[Point, str] = {}
        by_path: list[tuple[Point, ua.RelativePath]] = []
        for point in points:
            named = point.steps if point.path else (point.ref,)
            if strange := [step.uri for step in named if step.uri and step.uri not in namespaces]:
                there = ", ".join(namespaces)
                refused[point] = f"point {point.name!r}: it has no namespace {strange[0]!r}, but {there}"
            elif point.path:
                by_path.append((point, _relative(point.steps, namespaces)))
            else:
                ref = point.ref
                node = _node(ref.identifier, namespaces.index(ref.uri) if ref.uri else ref.index)
                found.setdefault(node, []).append(point)
        for start in range(0, len(by_path), _ITEMS_PER_CALL):
            part = by_path[start : start + _ITEMS_PER_CALL]
            results = await self._client.translate_browsepaths(_node(_ROOT, 0), [path for _, path in part])
            for (point, _), result in zip(part, results, strict=True):
                ends = {each.TargetId for each in result.Targets if each.RemainingPathIndex == _WHOLE_PATH}
                if len(ends) == 1:
                    end = ends.pop()
                    found.setdefault(_node(end.Identifier, end.NamespaceIndex), []).append(point)
                else:
                    why = "several nodes are" if ends else f"nothing is ({result.StatusCode.name})"
                    refused[point] = f"point {point.name!r}: {why} at {point.path}"
        return found, refused

    async def _monitor(self, nodes: list[ua.NodeId], found: dict[ua.NodeId, list[Point]]) -> dict[Point, str]:
        assert self._subscription
        for node in nodes:
            self._items.setdefault(node, set()).update(point.name for point in found[node])
        made: list[int | ua.StatusCode] = await self._subscription.subscribe_data_change(
            [self._client.get_node(node) for node in nodes],
            queuesize=_QUEUE_SIZE,
            sampling_interval=ua.Double(self._options.publishing_interval * 1000 / 2),
        )
        return {
            point: f"point {point.name!r} ({point.node or point.path}): {answer.name}"
            for node, answer in zip(nodes, made, strict=True) if isinstance(answer, ua.StatusCode)
            for point in found[node]
        }  # fmt: skip

    @contextmanager
    def _connecting(self) -> Iterator[None]:
        """A server that does not answer at all is unreachable, not late."""
        try:
            with self._mapped():
                yield
        except TimedOut as error:
            raise Unreachable(f"No OPC UA server answers at {self._options.endpoint}. {CHECK}") from error

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """The library's exceptions end here."""
        where = self._options.endpoint
        try:
            yield
        except DeviceError:
            raise
        except TimeoutError as error:
            raise TimedOut(f"{where} does not answer in time.") from error
        except OSError as error:
            raise Unreachable(f"No OPC UA server answers at {where}: {error}. {CHECK}") from error
        except UaStatusCodeError as error:
            raise refusal(where, ua.StatusCode(error.code).name) from error
        except AssertionError as error:  # what the library makes of a server that refuses the channel
            insecure = self._options.insecure
            raise refusal(
                where, "BadSecurityModeRejected" if insecure else "BadSecurityChecksFailed"
            ) from error
        except InvalidSignature as error:
            raise BadReply(f"{where} signs with another key than that of its certificate.") from error
        except (UaError, ValueError) as error:
            if str(error).startswith("No matching endpoints"):  # the library has no class for it
                raise refusal(where, "BadSecurityPolicyRejected") from error
            raise BadReply(f"What answers at {where} does not speak OPC UA as we do: {error}.") from error


@dataclass(frozen=True, slots=True)
class _Published:
    """All data changes of one notification message, as they came."""

    items: Sequence[ua.MonitoredItemNotification]


class _Heard(Subscription):
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
        yield _Published(datachange.MonitoredItems)


def _change(items: set[str], reading: ua.DataValue) -> Change:
    moment = reading.SourceTimestamp
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    value = None if reading.Value is None else plain(reading.Value.Value)
    return Change(items, value, reading.StatusCode.value if reading.StatusCode else 0, moment)


def _is_secure(endpoint: ua.EndpointDescription) -> bool:
    wanted = (ua.MessageSecurityMode.SignAndEncrypt, SecurityPolicyBasic256Sha256.URI)
    return (endpoint.SecurityMode, endpoint.SecurityPolicyUri) == wanted


def _first(chain: bytes) -> bytes:
    """The first of the certificates that stand one behind the other: DER says how long it is."""
    if chain[:1] != b"\x30" or len(chain) < 4 or chain[1] != 0x82:  # shorter or longer ones are none
        return chain
    return chain[: 4 + int.from_bytes(chain[2:4], "big")]


def _relative(steps: Iterable[Step], namespaces: Sequence[str]) -> ua.RelativePath:
    """A path in the words of the protocol, downwards from the root."""
    return ua.RelativePath(
        Elements=[
            ua.RelativePathElement(
                ReferenceTypeId=_node(_DOWNWARDS, 0), IsInverse=_FALSE, IncludeSubtypes=_TRUE,
                TargetName=_name(step.name, namespaces.index(step.uri) if step.uri else step.index),
            )
            for step in steps
        ]
    )  # fmt: skip


def _node(identifier: Any, index: Any) -> ua.NodeId:
    """A node id; Any, because the library wants its own subclasses of int and str, which it does not need."""
    return ua.NodeId(identifier, index)


def _name(name: Any, index: Any) -> ua.QualifiedName:
    """The same for a browse name."""
    return ua.QualifiedName(name, index)


async def _close(client: Client) -> None:
    protocol = client.uaclient.protocol
    transport = protocol.transport if protocol else None
    with suppress(OSError, UaError):  # TimeoutError is an OSError
        async with asyncio.timeout(_TEARDOWN):
            await client.disconnect()
    # After a loss that the library noticed by itself it leaves the socket open. A frozen server takes
    # no more bytes, so nothing may wait to be sent.
    if transport is not None:
        transport.abort()
