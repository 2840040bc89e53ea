"""OPC UA with signing and encryption: nobody is believed whom nobody has trusted."""

from __future__ import annotations

import asyncio
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_drivers.contract import Clock, Misconfigured, Online, StatusCode
from device_drivers.opcua import Driver, Options, certificate, driver, trust
from device_drivers.opcua.trust import TrustFolder, thumbprint
from device_drivers.simulators.process import Simulator
from edge_agent.clock import SystemClock
from tests.device_drivers.observing import running
from tests.support.dns import dns

NOW = datetime(2026, 11, 22, tzinfo=UTC)
USER = ("--user", "edge:right word")


class LaterClock(SystemClock):
    """The real clock, ahead by `by`."""

    def __init__(self) -> None:
        super().__init__()
        self.by = timedelta()

    def now(self) -> datetime:
        """The time that it is said to be."""
        return super().now() + self.by


class Secured:
    """A server that signs and encrypts, at one port, with the certificate of one folder or of another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = b""
        self.endpoint = ""
        self._running: Simulator | None = None
        self._port = 0

    def serve(self, keys: str) -> None:
        """Serve with the certificate of this name; whoever served before is gone."""
        self.stop()
        folder = self.folder / keys
        arguments = ("--secure", str(folder), *USER, "--port", str(self._port), "--begin", "600")
        self._running = Simulator.start("opcua_machine", *arguments, "--announce", "plc.invalid")
        self.endpoint, self._port = self._running.ready["endpoint"], self._running.ready["port"]
        self.certificate = (folder / "server.der").read_bytes()

    def stop(self) -> None:
        """Nobody serves."""
        if self._running:
            self._running.stop()
            self._running = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The real server; its host name resolves nowhere."""
    secured = Secured(tmp_path_factory.mktemp("servers"))
    secured.serve("real")
    yield secured
    secured.stop()


@pytest.fixture
def folder(tmp_path: Path) -> TrustFolder:
    """An empty folder of certificates."""
    return TrustFolder(tmp_path / "pki")


@pytest.fixture
def options(server: Secured, tmp_path: Path) -> Options:
    """What the site file says; nothing is trusted yet."""
    word = tmp_path / "word"
    word.write_text("right word\n")
    node = "nsu=urn:floorhand:machining-centre;s=MachiningCentre.StateName"
    said = {
        "endpoint": server.endpoint,
        "username": "edge",
        "password_file": word,
        "certificates": tmp_path / "pki",
        "timeout": 5,
        "points": [{"name": "state", "node": node}],
    }
    return msgspec.convert(said, Options)


async def refused(options: Options) -> str:
    """The sentence with which the driver refuses."""
    async with running(Driver(options, SystemClock())) as run:
        error = await run.lost(within=15)
    assert isinstance(error, Misconfigured)
    assert not any(isinstance(each, Online) for each in run.seen)
    return str(error)


async def online(options: Options, clock: Clock | None = None) -> Online:
    """What the driver says when it is online and has given a value."""
    async with running(Driver(options, clock or SystemClock())) as run:
        assert (await run.value("state", within=15)).status is StatusCode.GOOD
        first = run.seen[0]
        assert isinstance(first, Online)
        return first


async def test_an_unknown_server_is_refused_then_trusted_by_hand_then_believed(
    server: Secured, options: Options, folder: TrustFolder
) -> None:
    said = await refused(options)
    assert "not trusted" in said
    assert thumbprint(server.certificate) in said
    assert "floorhand devices trust" in said
    assert [path.read_bytes() for path in folder.rejected.iterdir()] == [server.certificate]
    assert thumbprint(server.certificate) in trust(options)
    assert (list(folder.rejected.iterdir()), folder.trusts(server.certificate)) == ([], True)
    assert (await online(options)).warnings == ()
    with pytest.raises(Misconfigured, match=r"No certificate of .* waits"):
        trust(options)


async def test_a_rogue_at_the_address_of_a_trusted_server_is_refused(
    server: Secured, options: Options, folder: TrustFolder
) -> None:
    real = server.certificate
    believe(folder, real)
    server.serve("rogue")
    try:
        assert server.certificate != real
        assert thumbprint(server.certificate) in await refused(options)
    finally:
        server.serve("real")
    assert (await online(options)).identity


async def test_a_wrong_password_is_told(server: Secured, options: Options, folder: TrustFolder) -> None:
    believe(folder, server.certificate)
    assert options.password_file
    options.password_file.write_text("wrong word")
    assert "does not take this user and password" in await refused(options)


async def test_a_secure_server_is_not_talked_to_in_the_open(server: Secured, options: Options) -> None:
    assert "wants other security" in await refused(msgspec.structs.replace(options, insecure=True))


async def test_a_server_without_security_is_refused(options: Options) -> None:
    with Simulator.start("opcua_machine", "--begin", "600") as machine:
        open_one = msgspec.structs.replace(
            options, endpoint=machine.ready["endpoint"], username="", password_file=None
        )
        assert "offers no signing and encryption" in await refused(open_one)
        with dns("plc.example"):
            there = open_one.endpoint.replace("127.0.0.1", "plc.example")
            said = await online(msgspec.structs.replace(open_one, insecure=True, endpoint=there))
    assert [warning for warning in said.warnings if "Not secure" in warning]


async def test_the_key_is_ours_alone_and_one_that_is_not_is_refused(
    server: Secured, options: Options, folder: TrustFolder
) -> None:
    believe(folder, server.certificate)
    await online(options)
    key = folder.own / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    assert f"chmod 600 {key}" in await refused(options)


async def test_expiry_is_told_30_days_ahead_while_the_device_is_online(
    server: Secured, options: Options, folder: TrustFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_LOOK_AT_DATES", 0.05)
    believe(folder, server.certificate)
    clock = LaterClock()
    async with running(Driver(options, clock)) as run:
        await run.value("state", within=15)
        assert [each.warnings for each in run.seen if isinstance(each, Online)] == [()]
        clock.by = certificate.VALID - timedelta(days=20, hours=-1)

        def warned(seen: list[Any]) -> tuple[str, ...]:
            return next((each.warnings for each in seen if isinstance(each, Online) and each.warnings), ())

        told = await run.until(warned)
    assert "The certificate of this agent expires on" in told[0]
    assert "in 19 days" in told[0]
    assert "The certificate of the server expired on" in told[1]


async def test_cancelled_while_it_asks_for_the_certificate_it_leaves_no_connection(options: Options) -> None:
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        with suppress(ConnectionError):
            await reader.read()
        hung_up.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        there = msgspec.structs.replace(options, endpoint=f"opc.tcp://127.0.0.1:{port}")
        async with running(Driver(there, SystemClock())):
            await asyncio.wait_for(asked.wait(), 10)
        await asyncio.wait_for(hung_up.wait(), 2)


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=30, seconds=1), ""),
        (timedelta(days=30), "It expires on 2026-11-22, in 30 days. Act."),
        (timedelta(days=1), "It expires on 2026-11-22, in 1 day. Act."),
        (timedelta(hours=1), "It expires on 2026-11-22, today. Act."),
        (timedelta(0), "It expired on 2026-11-22. Act."),
    ],
)
def test_the_words_of_expiry(left: timedelta, words: str) -> None:
    assert certificate.expiry_warning("It", NOW, NOW - left, "Act.") == words


def test_two_devices_make_one_certificate(folder: TrustFolder) -> None:
    made: list[certificate.Own] = []
    threads = [threading.Thread(target=lambda: made.append(certificate.own(folder, NOW))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len({one.says.not_after for one in made}) == 1
    assert made[0].says.not_after == NOW + certificate.VALID
    assert sorted(path.name for path in folder.own.iterdir()) == ["certificate.der", "key.pem"]


def test_a_certificate_without_its_key_is_told(folder: TrustFolder) -> None:
    certificate.own(folder, NOW).key.unlink()
    with pytest.raises(certificate.CertificateError, match="has no key"):
        certificate.own(folder, NOW)


def test_a_key_that_can_not_be_used_is_told(folder: TrustFolder) -> None:
    key = certificate.own(folder, NOW).key
    key.write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(certificate.CertificateError, match=r"key\.pem holds no key that can be used\. Bring"):
        certificate.own(folder, NOW)


def test_only_the_last_refusal_of_each_endpoint_is_kept(folder: TrustFolder) -> None:
    folder.prepare()
    for number in range(20):
        folder.reject("opc.tcp://a:4840", b"cert %d" % number)
    folder.reject("opc.tcp://a:4840/other", b"of another")
    assert len(list(folder.rejected.iterdir())) == 2
    assert folder.trust("opc.tcp://a:4840") == b"cert 19"
    assert [folder.trusts(der) for der in (b"cert 19", b"cert 18", b"of another")] == [True, False, False]


def test_a_certificate_in_text_is_trusted_as_well(folder: TrustFolder) -> None:
    folder.prepare()
    der = certificate.own(folder, NOW).certificate.read_bytes()
    (folder.trusted / "plc.PEM").write_text(ssl.DER_cert_to_PEM_cert(der))
    assert folder.trusts(der)
    assert not folder.trusts(b"")


def believe(folder: TrustFolder, der: bytes) -> None:
    """An administrator copies the certificate of a server."""
    folder.prepare()
    (folder.trusted / "plc.der").write_bytes(der)
