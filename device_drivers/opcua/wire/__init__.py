"""One connection to one OPC UA server: the only room that knows asyncua, whose exceptions end in it.

Importing it takes half a second: the driver does so in a thread, when a device runs.

The library reconnects by itself only on paper: after a frozen server or a moved namespace it looks
connected and delivers nothing. So it is told not to, and there is a fresh connection each time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.subscription import StatusChangeEvent
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import InvalidSignature  # type: ignore[attr-defined]  # re-exported without a word
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from device_drivers.addresses import addresses
from device_drivers.contract import (
    BadReply,
    Clock,
    DeviceError,
    Misconfigured,
    NotWritten,
    TimedOut,
    Unreachable,
    Written,
)
from device_drivers.opcua.coding import agrees, coded
from device_drivers.opcua.options import KEEPALIVE_COUNT, NodeRef, Options, Point
from device_drivers.opcua.paths import Step
from device_drivers.opcua.refusals import CHECK, no_such_security, refusal
from device_drivers.opcua.trust import first
from device_drivers.opcua.values import Below, Change, plain
from device_drivers.opcua.wire.nodes import (
    ITEMS_PER_CALL,
    below_of,
    current_time,
    find,
    node_at,
    product_name,
)
from device_drivers.opcua.wire.published import Heard, Missed, Published, change_of, raw_of

if TYPE_CHECKING:
    from device_drivers.opcua.certificate import Own

# What the library would log is raised here, or seen by the watchdog.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)

_PORT = 4840  # of an endpoint that names none: the one that is registered for OPC UA
_LIFETIME_COUNT = 50  # intervals after which the server forgets a client that is gone
_QUEUE_SIZE = 10  # changes of one item that the server keeps between two publishes
_TEARDOWN = 1.5  # seconds; a frozen server must not hold up a stop


class _Client(Client):
    """As the library's, but for how it comes from a name to a socket."""

    def __init__(self, options: Options) -> None:
        super().__init__(options.endpoint, timeout=options.timeout, auto_reconnect=False)
        self.name = self.description = "Floorhand"
        self._patience = options.timeout

    async def connect_socket(self) -> None:
        """To the first address of the host that takes the connection. Raises Unreachable for an unknown name."""
        at = self.server_url
        known, port = await addresses(at.hostname or "", self._patience), at.port or _PORT
        for address in known[:-1]:
            with suppress(OSError):  # the last one says why there is no connection
                await self.uaclient.connect_socket(address, port)
                return
        await self.uaclient.connect_socket(known[-1], port)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Wire:
    """One session with at most one subscription. Every method raises DeviceError, and nothing else."""

    def __init__(self, options: Options, clock: Clock, missed: Missed) -> None:
        """`missed` is told from when to when notifications were sent that never came."""
        self._options = options
        self._clock = clock
        self._missed = missed
        self._client = _Client(options)
        self._subscription: Heard | None = None
        self._items: dict[ua.NodeId, set[str]] = {}
        self._by_handle: dict[int, set[str]] = {}
        self.clock_off: float | None = None  # seconds by which the server's clock is ahead of ours, as last asked
        self._lost: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def certificate(self) -> bytes:
        """The certificate, in DER, of the server's endpoint with Basic256Sha256, sign and encrypt.

        Nothing but the endpoints is asked for, on a connection of its own.
        """
        asking = _Client(self._options)
        with self._connecting():
            try:
                async with asyncio.timeout(self._options.timeout * 1.5):
                    await asking.connect_sessionless()
                    endpoints = await asking.get_endpoints()
            finally:
                await _close(asking)
        for each in endpoints:
            if _is_secure(each) and each.ServerCertificate:
                return first(each.ServerCertificate)
        offered = {
            f"{each.SecurityPolicyUri.rpartition('#')[2]}/{each.SecurityMode.name}" for each in endpoints
        }
        raise Misconfigured(no_such_security(self._options.endpoint, sorted(offered)))

    def secure(self, own: Own, server: bytes) -> None:
        """Sign and encrypt; talk to nobody but the holder of the key of `server`.

        The library's own way reads the files again, in the event loop, and every other device waits for it.
        """
        made: Any = SecurityPolicyBasic256Sha256  # the library gives it no types
        with self._mapped():
            policy = made(server, own.shown, own.secret, ua.MessageSecurityMode.SignAndEncrypt)
            self._client.application_uri = own.says.uri
            self._client.security_policy = policy
            self._client.uaclient.set_security(policy)

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
        """The server's product name; empty when it keeps it to itself. How far its clock is off is in `clock_off`."""
        asked = [self._client.get_node(node) for node in (product_name(), current_time())]
        with self._mapped():
            began = self._clock.now()
            answer, time = await self._client.read_attributes(asked)
            took = self._clock.now() - began
        told = time.Value.Value if time.Value is not None else None
        self.clock_off = (_aware(told) - began - took / 2).total_seconds() if isinstance(told, datetime) else None
        name = plain(answer.Value.Value) if answer.Value is not None else None
        return name if isinstance(name, str) else ""

    async def read(self) -> tuple[list[tuple[Change, str]], float]:
        """Every node that is delivered, read once: what it holds with the raw value in words; the seconds it took."""
        with self._mapped():
            async with asyncio.timeout(self._options.timeout * 1.5):
                nodes, found, began = list(self._items), list[tuple[Change, str]](), self._clock.monotonic()
                for start in range(0, len(nodes), ITEMS_PER_CALL):
                    part = nodes[start : start + ITEMS_PER_CALL]
                    answers = await self._client.read_attributes([self._client.get_node(node) for node in part])
                    found += [
                        (change_of(self._items[node], answer), raw_of(answer))
                        for node, answer in zip(part, answers, strict=True)
                    ]
        return found, self._clock.monotonic() - began

    async def subscribe(self, points: Iterable[Point]) -> dict[Point, str]:
        """Have the points delivered; those that the server does not have now, and why in words."""
        with self._mapped():
            async with asyncio.timeout(self._options.timeout * 3):
                if self._subscription is None:
                    self._subscription = await self._made_subscription()
                namespaces = await self._client.get_namespace_array()
                found, refused = await find(self._client, points, namespaces)
                nodes = list(found)
                for start in range(0, len(nodes), ITEMS_PER_CALL):
                    refused |= await self._monitor(nodes[start : start + ITEMS_PER_CALL], found)
        return refused

    async def below(self, place: NodeRef | tuple[Step, ...], first: int, count: int) -> tuple[Below, ...]:
        """What is below a node: `count` nodes from the one numbered `first` on, variables with their value."""
        with self._mapped():
            async with asyncio.timeout(self._options.timeout * 3):
                namespaces = await self._client.get_namespace_array()
                node = self._client.get_node(await node_at(self._client, self._options.endpoint, place, namespaces))
                await node.read_browse_name()  # what is not there has nothing below it either, and says no word
                found = (await node.get_children_descriptions())[first : first + count]
                variables = [each.NodeId for each in found if each.NodeClass is ua.NodeClass.Variable]
                readings: dict[ua.NodeId, Change] = {}
                for start in range(0, len(variables), ITEMS_PER_CALL):
                    part = variables[start : start + ITEMS_PER_CALL]
                    told = await self._client.read_attributes([self._client.get_node(each) for each in part])
                    readings |= {each: change_of(set(), one) for each, one in zip(part, told, strict=True)}
        return tuple(below_of(each, namespaces, readings.get(each.NodeId)) for each in found)

    async def write_point(self, point: Point, value: bool | int | float | str) -> Written:
        """Give the node of a point a value, with its data type, and read it; see device_drivers.contract.Writes."""
        try:
            with self._mapped():
                async with asyncio.timeout(self._options.timeout):
                    node, kind = await self._target(point)
            value = coded(value, kind.name)
        except (DeviceError, ValueError) as error:
            raise NotWritten(f"{point.name} can not be {value!r}: {error}.") from error
        with self._mapped():
            async with asyncio.timeout(self._options.timeout * 2):
                written = ua.DataValue(ua.Variant(value, kind))  # no times: many servers refuse a write of them
                (answer,) = await self._client.uaclient.write_attributes([node], [written])
                if not answer.is_good():
                    raise NotWritten(f"{self._options.endpoint} refuses to write {point.name}: {answer.name}.")
                (found,) = await self._client.read_attributes([self._client.get_node(node)])
        now = plain(found.Value.Value) if found.Value is not None else None
        return Written(now, agrees(now, value))

    async def _target(self, point: Point) -> tuple[ua.NodeId, ua.VariantType]:
        """The node of a point and the type of its values, by today's namespace table."""
        found, refused = await find(self._client, [point], await self._client.get_namespace_array())
        if refused:
            raise NotWritten(refused[point])
        (node,) = found
        (now,) = await self._client.read_attributes([self._client.get_node(node)])
        held = now.Value
        if held is not None and held.is_array:
            raise NotWritten("its node holds a list")
        kind = await self._client.get_node(node).read_data_type_as_variant_type()
        # Of a node of any number only its value says which one.
        return node, held.VariantType if kind is ua.VariantType.Variant and held is not None else kind

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
            event: Any = told  # the library does not know of `Published`
            if isinstance(event, Published):
                yield [change_of(items, each.Value) for each in event.items if (items := self._items_of(each))]
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

    async def _made_subscription(self) -> Heard:
        """As the library's own method, which would stretch keep-alives to 45 minutes for a slow server."""
        parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=self._options.publishing_interval * 1000,
            RequestedLifetimeCount=_LIFETIME_COUNT,
            RequestedMaxKeepAliveCount=KEEPALIVE_COUNT,
        )
        made = Heard(self._client.uaclient.session, parameters, self._clock, self._missed)
        made.set_overflow_disconnect_handler(self._client.uaclient.notify_transport_lost)
        revised = await made.init()
        made.longest_silence = revised.RevisedPublishingInterval * revised.RevisedMaxKeepAliveCount / 1000
        return made

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


def _is_secure(endpoint: ua.EndpointDescription) -> bool:
    wanted = (ua.MessageSecurityMode.SignAndEncrypt, SecurityPolicyBasic256Sha256.URI)
    return (endpoint.SecurityMode, endpoint.SecurityPolicyUri) == wanted


async def _close(client: Client) -> None:
    protocol = client.uaclient.protocol
    transport = protocol.transport if protocol else None
    try:
        with suppress(OSError, UaError):  # TimeoutError is an OSError
            async with asyncio.timeout(_TEARDOWN):
                await client.disconnect()
    finally:
        # Also when cancelled, and after a loss that the library noticed by itself, when it leaves the socket
        # open. A frozen server takes no more bytes, so nothing may wait to be sent.
        if transport is not None:
            transport.abort()
