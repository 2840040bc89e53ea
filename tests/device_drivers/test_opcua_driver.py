"""The OPC UA driver: what it makes of values, and what it says when a server is not as the site says."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import DataValue, DeviceError, Misconfigured, Online, StatusCode
from device_drivers.opcua import Options, driver
from device_drivers.opcua.driver import plain
from device_drivers.opcua.options import node_ref
from device_drivers.simulators.process import Simulator
from tests.device_drivers.observing import make, running

NAMESPACE = "urn:floorhand:machining-centre"


class Colour(Enum):
    """An enumeration of a server."""

    RED = 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("a", "a"),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
        ([1, 2], None),
        (Colour.RED, 3),
        (b"\x01\xff", "01ff"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_values_become_ours(value: Any, expected: Any) -> None:
    assert plain(value) == expected


@given(st.text(min_size=1), st.integers(0, 65535))
def test_any_text_is_a_string_identifier(text: str, index: int) -> None:
    assert (node_ref(f"ns={index};s={text}").identifier, node_ref(f"ns={index};s={text}").index) == (
        text,
        index,
    )


def test_node_ids_of_every_kind() -> None:
    assert node_ref("i=2261").identifier == 2261
    assert node_ref("nsu=urn:a%3Bb%25;s=T;x").uri == "urn:a;b%"
    assert node_ref("nsu=urn:a;s=T;x").identifier == "T;x"
    assert node_ref("ns=1;b=AQI=").identifier == b"\x01\x02"
    assert node_ref("g=00000000-0000-0000-0000-000000000001").identifier == uuid.UUID(int=1)


@pytest.mark.parametrize("text", ["", "Tag", "s=", "ns=x;s=T", "i=T", "g=1", "b=?", "ns=1;x=1", "nsu=;s=T"])
def test_what_is_no_node_id_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="is no node id"):
        msgspec.convert({"endpoint": "opc.tcp://a", "points": [{"name": "x", "node": text}]}, Options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpoint": "http://a"}, "endpoint"),
        ({"endpoint": "opc.tcp://user:word@a"}, "endpoint"),
        ({"publishing_interval": 1}, "at least 6 times"),
        ({"password_file": Path("x")}, "needs a `username`"),
        ({"points": [{"name": "x", "node": "i=1"}] * 2}, "twice"),
    ],
)
def test_contradictory_options_are_refused_in_words(options: dict[str, Any], words: str) -> None:
    base = {"endpoint": "opc.tcp://a", "points": [{"name": "x", "node": "i=1"}]}
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({**base, **options}, Options)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A running machining centre."""
    with Simulator.start("opcua_machine", "--begin", "600") as machine:
        yield machine.ready["endpoint"]


async def test_statuses_and_times_come_from_the_server(endpoint: str) -> None:
    node = f"nsu={NAMESPACE};s=MachiningCentre."
    points = [{"name": name, "node": node + name} for name in ("StateName", "OilLevel", "Probe")]
    points += [{"name": "again", "node": node + "StateName"}, {"name": "product", "node": "i=2261"}]
    async with running(make("opcua", {"endpoint": endpoint, "points": points})) as run:
        oil, probe, state = [await run.value(name) for name in ("OilLevel", "Probe", "StateName")]
        assert (oil.value, oil.status) == (71.5, StatusCode.UNCERTAIN)
        assert (probe.value, probe.status) == (None, StatusCode.BAD)
        assert (state.value, state.status) == ((await run.value("again")).value, StatusCode.GOOD)
        assert state.source_time < datetime.now(UTC)
        assert (await run.value("product")).status is StatusCode.GOOD


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (f"nsu={NAMESPACE};s=MachiningCentre.Nothing", r"point 'x' \(.*Nothing\): BadNodeIdUnknown"),
        ("nsu=urn:elsewhere;s=T", f"has no namespace 'urn:elsewhere'.*{NAMESPACE}"),
    ],
)
async def test_a_node_that_is_not_there_is_named(endpoint: str, node: str, words: str) -> None:
    async with running(make("opcua", {"endpoint": endpoint, "points": [{"name": "x", "node": node}]})) as run:
        with pytest.raises(Misconfigured, match=words):
            raise await run.lost()


@pytest.mark.parametrize("node", [f"nsu={NAMESPACE};s=MachiningCentre.Nothing", "nsu=urn:elsewhere;s=T"])
async def test_a_node_that_is_not_there_leaves_the_others_alone(endpoint: str, node: str) -> None:
    points = [{"name": "gone", "node": node}]
    points += [{"name": "state", "node": f"nsu={NAMESPACE};s=MachiningCentre.StateName"}]
    async with running(make("opcua", {"endpoint": endpoint, "points": points})) as run:
        gone, state = await run.value("gone"), await run.value("state")
        assert (gone.value, gone.status, state.status) == (None, StatusCode.BAD, StatusCode.GOOD)
        assert isinstance(run.seen[0], Online)


async def test_a_node_that_comes_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "_ASK_AGAIN", 0.1)
    with Simulator.start("opcua_machine", "--begin", "600", "--loading", "2") as machine:
        points = [{"name": "product", "node": "i=2261"}]
        points += [{"name": "state", "node": f"nsu={NAMESPACE};s=MachiningCentre.StateName"}]
        async with running(make("opcua", {"endpoint": machine.ready["endpoint"], "points": points})) as run:
            assert (await run.value("state")).status is StatusCode.BAD
            await run.until(lambda seen: [o for o in seen if isinstance(o, DataValue) and is_good(o, "state")])
            assert sum(isinstance(observation, Online) for observation in run.seen) == 1


def is_good(value: DataValue, item: str) -> bool:
    """Whether it is a good value of the item."""
    return (value.item, value.status) == (item, StatusCode.GOOD)


async def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    options = {
        "endpoint": "opc.tcp://127.0.0.1:1",
        "points": [{"name": "x", "node": "i=1"}],
        "username": "edge",
    }
    async with running(make("opcua", {**options, "password_file": str(tmp_path / "gone")})) as run:
        with pytest.raises(Misconfigured, match="gone"):
            raise await run.lost()


@asynccontextmanager
async def stranger(says: bytes) -> AsyncIterator[str]:
    """Something on a port that is no OPC UA server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(says)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"opc.tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"ERRF\x10\0\0\0\0\0\x02\x80\0\0\0\0"]
)
async def test_what_is_no_opc_ua_server_is_a_device_error(says: bytes) -> None:
    async with stranger(says) as address:
        options = {"endpoint": address, "timeout": 0.5, "points": [{"name": "x", "node": "i=1"}]}
        async with running(make("opcua", options)) as run:
            assert isinstance(await run.lost(), DeviceError)
