"""The OPC UA driver against a server that others wrote: node-opcua."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_drivers.contract import DataValue, Gap, Misconfigured, NotWritten, StatusCode, Written
from device_drivers.opcua import Driver, Options
from device_drivers.opcua.trust import TrustFolder
from edge_agent.clock import SystemClock
from tests.contract.driver_partners.simulated import free_port
from tests.device_drivers.observing import running
from tests.support.optional import missing, need

HERE = Path(__file__).resolve().parent
PATH = "Objects/nsu=urn:floorhand:peer;Press/nsu=urn:floorhand:peer;"


class NodeServer:
    """A running node-opcua server."""

    def __init__(self, folder: Path, accept: str) -> None:
        node = need("node")
        looked = subprocess.run([node, "-e", "require.resolve('node-opcua')"], cwd=HERE, capture_output=True)
        if looked.returncode:
            missing("the node package node-opcua is not installed: npm install --prefix tests/peers")
        port = free_port()
        self.endpoint = f"opc.tcp://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [node, "opcua_server.js", str(port), str(folder), accept],
            cwd=HERE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout
        lines = iter(self.process.stdout.readline, "")
        ready = next((json.loads(line) for line in lines if line.startswith('{"ready"')), None)
        assert ready, "node-opcua ended before it was ready"
        self.certificate = base64.b64decode(ready["certificate"])

    def stop(self) -> None:
        """End it, frozen or not."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeServer]:
    """A server that takes every client."""
    started = NodeServer(tmp_path_factory.mktemp("node"), "yes")
    yield started
    started.stop()


def options(server: NodeServer, folder: Path, **more: Any) -> Options:
    """The press, with the server trusted."""
    word = folder / "word"
    word.write_text("secret")
    trusted = TrustFolder(folder / "pki")
    trusted.prepare()
    (trusted.trusted / "press.der").write_bytes(server.certificate)
    names = ("Count", "Oil", "Probe", "Speed")
    said = {
        "endpoint": server.endpoint,
        "certificates": folder / "pki",
        "username": "edge",
        "password_file": word,
        "timeout": 5,
        "publishing_interval": 0.1,
        "points": [{"name": name, "path": PATH + name} for name in names],
    }
    return msgspec.convert(said | more, Options)


async def test_it_is_read_signed_and_encrypted_with_every_status(server: NodeServer, tmp_path: Path) -> None:
    async with running(Driver(options(server, tmp_path), SystemClock())) as run:
        await run.until(lambda seen: sum(is_count(each) for each in seen) >= 10)
        oil, probe = await run.value("Oil"), await run.value("Probe")
    assert (oil.value, oil.status) == (71.5, StatusCode.UNCERTAIN)
    assert (probe.value, probe.status) == (None, StatusCode.BAD)
    assert [each for each in run.seen if isinstance(each, Gap)] == []


async def test_it_is_written_to(server: NodeServer, tmp_path: Path) -> None:
    driver = Driver(options(server, tmp_path), SystemClock())
    async with running(driver) as run:
        await run.value("Speed")
        assert await driver.write_item("Speed", 12.5) == Written(12.5, True)
        await run.until(lambda seen: any(getattr(each, "value", None) == 12.5 for each in seen))
        with pytest.raises(NotWritten, match="holds a Float"):
            await driver.write_item("Speed", "fast")


async def test_after_a_freeze_there_is_a_gap_and_full_data(server: NodeServer, tmp_path: Path) -> None:
    chosen = options(server, tmp_path, stale_after=1.0)
    async with running(Driver(chosen, SystemClock())) as run:
        await run.value("Count")
        server.process.send_signal(signal.SIGSTOP)
        await run.lost(within=5)
    server.process.send_signal(signal.SIGCONT)
    assert [each.item for each in run.seen if isinstance(each, Gap)] == [None]
    async with running(Driver(chosen, SystemClock())) as again:
        await again.until(lambda seen: sum(is_count(each) for each in seen) >= 10)


async def test_a_server_slower_than_was_asked_is_not_lost_for_it(server: NodeServer, tmp_path: Path) -> None:
    chosen = options(server, tmp_path, publishing_interval=0.01, stale_after=0.5)
    async with running(Driver(chosen, SystemClock())) as run:
        await run.until(lambda seen: sum(is_count(each) for each in seen) >= 15)


async def test_a_server_that_does_not_trust_us_is_told_in_words(tmp_path: Path) -> None:
    server = NodeServer(tmp_path / "node", "no")
    try:
        async with running(Driver(options(server, tmp_path), SystemClock())) as run:
            error = await run.lost(within=15)
    finally:
        server.stop()
    assert isinstance(error, Misconfigured)
    assert "does not trust the certificate of this agent" in str(error)


def is_count(seen: object) -> bool:
    """Whether it is a good value of the counter."""
    return isinstance(seen, DataValue) and (seen.item, seen.status) == ("Count", StatusCode.GOOD)
