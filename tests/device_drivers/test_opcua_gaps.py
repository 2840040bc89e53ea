"""OPC UA: what is lost is told, nodes are found by path, and a server may move its namespaces or stall."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from asyncua import ua
from asyncua.client.client import Client
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import (
    DataValue,
    Gap,
    Misconfigured,
    Online,
    StatusCode,
    TimedOut,
    Unchanged,
    Unreachable,
)
from device_drivers.opcua import Options
from device_drivers.opcua.paths import Step, browse_path
from device_drivers.opcua.values import follows, overflowed, severity
from device_drivers.opcua.wire import published
from device_drivers.simulators.process import Simulator
from edge_agent.clock import SystemClock
from tests.device_drivers.observing import Running, make, running
from tests.support.dns import dns
from tests.support.fault_proxy import FaultProxy
from tests.support.manual_clock import START, ManualClock

NAMESPACE = "urn:floorhand:machining-centre"
PATH = f"Objects/nsu={NAMESPACE};MachiningCentre/nsu={NAMESPACE};"
NODE = f"nsu={NAMESPACE};s=MachiningCentre."
BUSY = ("--begin", "600", "--time-scale", "50")


@pytest.fixture(scope="module")
def machine() -> Iterator[Simulator]:
    """A machining centre with much to tell."""
    with Simulator.start("opcua_machine", *BUSY) as running_one:
        yield running_one


def options(port: int, **more: Any) -> dict[str, Any]:
    """A temperature, by path, from the server at a port."""
    endpoint = f"opc.tcp://127.0.0.1:{port}/machining-centre"
    points = [{"name": "temperature", "path": PATH + "Temperature"}]
    return {"endpoint": endpoint, "insecure": True, "publishing_interval": 0.1, "points": points, **more}


def gaps(run: Running) -> list[Gap]:
    """The gaps that were told so far."""
    return [each for each in run.seen if isinstance(each, Gap)]


names = st.text(min_size=1)
URIS = st.sampled_from(["", "urn:a", "http://a/b:c"])


@given(st.lists(st.tuples(names, URIS, st.integers(0, 65535)), min_size=1))
def test_a_path_survives_being_written(parts: list[tuple[str, str, int]]) -> None:
    steps = [Step(name, uri=uri, index=0 if uri else index) for name, uri, index in parts]

    def written(step: Step) -> str:
        name = "".join(f"&{sign}" if sign in "/&:;0123456789n" else sign for sign in step.name)
        return (f"nsu={step.uri};" if step.uri else f"{step.index}:") + name

    assert browse_path("/".join(["Objects", *map(written, steps)])) == (Step("Objects"), *steps)


@pytest.mark.parametrize(
    "path",
    ["Objects", "Machine/State", "Objects/", "Objects//A", "Objects/A/", "2:Objects/A", "Objects/99999:A"],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    said = {"endpoint": "opc.tcp://a", "points": [{"name": "x", "path": path}]}
    with pytest.raises(msgspec.ValidationError, match="is no browse path"):
        msgspec.convert(said, Options)


@pytest.mark.parametrize("point", [{"name": "x"}, {"name": "x", "node": "i=1", "path": "Objects/A"}])
def test_a_point_has_a_node_or_a_path(point: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError, match="either a `node` or a `path`"):
        msgspec.convert({"endpoint": "opc.tcp://a", "points": [point]}, Options)


@given(st.integers(0, 2**32 - 1))
def test_every_status_code_has_one_of_three_severities(code: int) -> None:
    expected = [StatusCode.GOOD, StatusCode.UNCERTAIN, StatusCode.BAD, StatusCode.BAD][code >> 30]
    assert severity(code) is expected
    assert not overflowed(code & ~0x480)


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_one_message_follows_another(last: int, sequence: int) -> None:
    assert follows(sequence, last) is ((sequence - last) % (2**32 - 1) == 1)


async def test_paths_and_node_ids_find_the_same_and_a_wrong_path_is_bad_alone(machine: Simulator) -> None:
    points = [
        {"name": "temperature", "path": PATH + "Temperature"},
        {"name": "same", "node": NODE + "Temperature"},
        {"name": "product", "path": "Objects/Server/ServerStatus/BuildInfo/ProductName"},
        {"name": "nothing", "path": PATH + "Nothing"},
        {"name": "elsewhere", "path": "Objects/nsu=urn:elsewhere;Machine"},
    ]
    async with running(make("opcua", options(machine.ready["port"], points=points))) as run:
        statuses = {name: (await run.value(name)).status for name in (point["name"] for point in points)}
    assert [statuses[name] for name in ("nothing", "elsewhere")] == [StatusCode.BAD] * 2
    assert [statuses[name] for name in ("temperature", "same", "product")] == [StatusCode.GOOD] * 3
    assert gaps(run) == []


async def test_paths_that_lead_nowhere_are_named(machine: Simulator) -> None:
    points = [{"name": "x", "path": PATH + "Nothing"}]
    async with running(make("opcua", options(machine.ready["port"], points=points))) as run:
        with pytest.raises(Misconfigured, match=r"point 'x': nothing is \(BadNoMatch\) at Objects/"):
            raise await run.lost()


async def test_insecure_is_said_wherever_the_device_is_shown(machine: Simulator) -> None:
    with dns("plc.example"):
        for host, told in (("plc.example", ["Not secure"]), ("127.0.0.1", []), ("localhost", [])):
            here = options(machine.ready["port"])["endpoint"].replace("127.0.0.1", host)
            async with running(make("opcua", options(machine.ready["port"], endpoint=here))) as run:
                await run.value("temperature")
            first = run.seen[0]
            assert isinstance(first, Online)
            assert [warning[:10] for warning in first.warnings] == told


async def test_what_the_server_s_queue_dropped_is_a_gap_of_that_item(machine: Simulator) -> None:
    points = [{"name": "vibration", "node": NODE + "Vibration"}]
    async with running(make("opcua", options(machine.ready["port"], points=points))) as run:
        value = await run.value("vibration")
    assert (value.value, value.status) == (0.4, StatusCode.GOOD)
    assert [(gap.item, gap.until) for gap in gaps(run)] == [("vibration", value.source_time)]
    assert run.seen.index(gaps(run)[0]) < run.seen.index(value)


async def test_a_notification_that_never_came_is_a_gap_since_the_server_was_last_heard() -> None:
    told: list[Any] = []
    clock = ManualClock()
    session = Client("opc.tcp://127.0.0.1:4840").uaclient.session
    heard = published.Heard(session, ua.CreateSubscriptionParameters(), clock, lambda *gap: told.append(gap))
    for seconds, sequence, changes in (
        (0, 1, 0),
        (0, 1, 1),
        (0, 2, 1),
        (5, 3, 0),
        (7, 3, 1),
        (9, 5, 1),
        (10, 6, 1),
    ):
        clock.advance(seconds - (clock.now() - START).total_seconds())
        message = ua.NotificationMessage(SequenceNumber=ua.UInt32(sequence))
        message.NotificationData = [ua.DataChangeNotification() for _ in range(changes)]
        await heard.publish_callback(ua.PublishResult(NotificationMessage=message))
    assert told == [(START + timedelta(seconds=7), START + timedelta(seconds=9))]
    assert heard.heard[1] == START + timedelta(seconds=10)
    clock.advance(2)
    lost = ua.NotificationMessage(SequenceNumber=ua.UInt32(0), NotificationData=[ua.StatusChangeNotification()])
    await heard.publish_callback(ua.PublishResult(NotificationMessage=lost))
    assert heard.heard[1] == START + timedelta(seconds=10), "the library made it up: nobody was heard"


async def test_a_frozen_server_is_lost_in_time_and_the_gap_begins_when_it_was_last_heard() -> None:
    with Simulator.start("opcua_machine", *BUSY) as machine:
        chosen = options(machine.ready["port"], stale_after=1.0)
        async with running(make("opcua", chosen)) as run:
            last = await run.value("temperature")
            machine.freeze()
            error = await run.lost(within=4)
            machine.thaw()
        assert isinstance(error, TimedOut | Unreachable)
        (gap,) = gaps(run)
        newest = max(each.source_time for each in run.seen if isinstance(each, DataValue))
        assert gap.item is None
        assert last.source_time <= newest
        assert 0.9 < (gap.until - gap.since).total_seconds() < 3
        assert (gap.since - newest).total_seconds() < 0.8
        async with running(make("opcua", chosen)) as again:
            assert (await again.value("temperature", within=3)).status is StatusCode.GOOD


async def test_no_value_of_a_lost_server_is_believed_while_its_connection_is_torn_down() -> None:
    with Simulator.start("opcua_machine", *BUSY) as machine:
        async with running(make("opcua", options(machine.ready["port"], stale_after=1.0))) as run:
            await run.value("temperature")
            machine.freeze()
            try:
                await run.until(lambda seen: gaps(run))
                told = [seen for seen in run.seen if isinstance(seen, (DataValue, Gap))][-2:]
                assert not run.task.done()  # a frozen server takes its time to say good-bye
                assert isinstance(told[0], DataValue)
                assert isinstance(told[1], Gap)
                assert (told[0].item, told[0].status) == ("temperature", StatusCode.BAD)
                assert told[1].until - told[0].source_time < timedelta(seconds=0.2)
                await run.lost()
                assert [seen for seen in run.seen if isinstance(seen, DataValue)][-1].status is StatusCode.BAD
            finally:
                machine.thaw()


async def test_a_server_without_news_is_heard_all_the_same(machine: Simulator) -> None:
    points = [{"name": "product", "path": "Objects/Server/ServerStatus/BuildInfo/ProductName"}]
    chosen = options(machine.ready["port"], points=points, stale_after=0.7)
    async with running(make("opcua", chosen)) as run:
        await run.until(lambda seen: sum(isinstance(each, Unchanged) for each in seen) >= 2)
        online = run.seen[0]
    assert isinstance(online, Online)
    assert online.rhythm is not None
    assert online.rhythm >= 0.7


async def test_a_server_that_moves_its_namespaces_when_it_restarts_is_read_as_before() -> None:
    points = [
        {"name": "by path", "path": PATH + "Temperature"},
        {"name": "by node", "node": NODE + "Temperature"},
    ]
    ports, shown = [0], []
    for others in ("0", "3"):
        arguments = (*BUSY, "--port", str(ports[-1]), "--namespaces", others)
        with Simulator.start("opcua_machine", *arguments) as machine:
            ports.append(machine.ready["port"])
            async with running(make("opcua", options(ports[-1], points=points))) as run:
                shown += [(await run.value(point["name"])).status for point in points]
                machine.kill()
                assert isinstance(await run.lost(), Unreachable)
                assert [gap.item for gap in gaps(run)] == [None]
    assert shown == [StatusCode.GOOD] * 4


async def test_a_slow_server_is_waited_for_and_nothing_is_missing(machine: Simulator) -> None:
    async with FaultProxy(machine.ready["port"]) as line:
        line.latency = 0.3
        async with running(make("opcua", options(line.port, timeout=3))) as run:
            await run.until(lambda seen: len([each for each in seen if isinstance(each, DataValue)]) >= 3)
    assert gaps(run) == []


async def test_a_host_that_has_no_address_is_told() -> None:
    chosen = {**options(1), "endpoint": "opc.tcp://plc.invalid:4840"}
    async with running(make("opcua", chosen)) as run:
        with pytest.raises(Unreachable, match=r"The name plc\.invalid can not be resolved"):
            raise await run.lost(within=10)


@pytest.mark.parametrize(("clock", "words"), [(-600, "behind ours"), (600, "ahead of ours"), (0, "")])
async def test_values_of_a_server_whose_clock_is_off_have_the_time_at_which_they_come(clock: int, words: str) -> None:
    with Simulator.start("opcua_machine", *BUSY, "--clock", str(clock)) as machine:
        began = SystemClock().now()
        async with running(make("opcua", options(machine.ready["port"]))) as run:
            online = await run.until(lambda seen: next((one for one in seen if isinstance(one, Online)), None))
            value = await run.value("temperature")
        assert any(words in each for each in online.warnings) or not words
        assert any("The clock of the server is" in each for each in online.warnings) is bool(words)
        assert began - timedelta(seconds=20) < value.source_time <= SystemClock().now()
