"""TLS to an ERP with real certificates and a real server: who is trusted, who we are, and what is refused."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.connectors.rest import Connector, Options
from sync.http_calls import HttpCalls
from sync.ports import Ambiguous, NotAllowed, SyncError, Unreachable

NOW = datetime.now(UTC)


class Authority:
    """A certificate authority of a plant, with its files in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        own = _builder(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, address: str = "127.0.0.1", until: timedelta = timedelta(days=1)) -> tuple[Path, Path]:
        """Certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        where = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        signed = _builder(_named(name), self._name, key.public_key(), until).add_extension(where, critical=False)
        cert_file, key_file = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        cert_file.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip
        return cert_file, key_file


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Any, until: timedelta = timedelta(days=1)
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(NOW - timedelta(days=2)).not_valid_after(NOW + until)


class Handler(BaseHTTPRequestHandler):
    """Answers each pull with no plans."""

    def do_GET(self) -> None:
        body = json.dumps({"cursor": "1", "as_of_seq": 0, "plans": []}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


class Quiet(ThreadingHTTPServer):
    """Handshakes that fail are the point."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet."""


@contextmanager
def server(context: ssl.SSLContext | None) -> Iterator[int]:
    """A server on loopback; its port."""
    httpd = Quiet(("127.0.0.1", 0), Handler)
    if context is not None:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield httpd.server_address[1]
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def serving(files: tuple[Path, Path], clients: Path | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    return context


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    (made / "token").touch(mode=0o600)
    (made / "token").write_text("a-token")
    return made


@pytest.fixture(scope="module")
def plant(folder: Path) -> Authority:
    return Authority(folder, "plant")


async def pulls(folder: Path, port: int, **options: Any) -> str:
    """The cursor of the first pull, or what it raised."""
    said = Options(url=f"https://127.0.0.1:{port}", token_file=folder / "token", timeout=5.0, **options)
    connector = Connector(said, "pc-1")
    try:
        return (await connector.pull(None)).cursor
    finally:
        await connector.close()


async def test_a_private_authority_is_trusted_when_it_is_named(folder: Path, plant: Authority) -> None:
    with server(serving(plant.issue("erp"))) as port:
        assert await pulls(folder, port, ca_file=plant.file) == "1"
        with pytest.raises(Unreachable, match="not trusted"):
            await pulls(folder, port)


async def test_no_certificate_of_somebody_else_is_trusted(folder: Path, plant: Authority) -> None:
    stranger = Authority(folder, "stranger")
    wrong = {
        "stranger": stranger.issue("erp-of-stranger"),
        "other host": plant.issue("elsewhere", "192.0.2.1"),
        "expired": plant.issue("old", until=timedelta(days=-1)),
    }
    for why, files in wrong.items():
        with server(serving(files)) as port, pytest.raises(Unreachable, match="not trusted"):
            assert not await pulls(folder, port, ca_file=plant.file), why


async def test_a_server_that_asks_gets_our_certificate(folder: Path, plant: Authority) -> None:
    cert, key = plant.issue("pc-1")
    with server(serving(plant.issue("erp-2"), clients=plant.file)) as port:
        assert await pulls(folder, port, ca_file=plant.file, client_cert=cert, client_key=key) == "1"
        with pytest.raises(SyncError) as refused:
            await pulls(folder, port, ca_file=plant.file)
    # What the server says of it may be lost with the connection: then nobody knows, and nothing is assumed.
    assert isinstance(refused.value, NotAllowed | Ambiguous)


async def test_a_server_that_misses_our_certificate_is_told_in_words() -> None:
    alert = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required")

    def ended(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("") from alert

    calls = HttpCalls("erp", 5.0, None, httpx.MockTransport(ended))
    with pytest.raises(NotAllowed, match="client_cert"):
        await calls.call("GET", "https://erp.example", {})
    await calls.close()


async def test_nothing_older_than_tls_1_2_is_spoken(folder: Path, plant: Authority) -> None:
    old = serving(plant.issue("erp-3"))
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with server(old) as port, pytest.raises(SyncError):
        await pulls(folder, port, ca_file=plant.file)


async def test_nothing_of_the_environment_counts(
    folder: Path, plant: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = folder / "session-keys"
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with server(serving(plant.issue("erp-4"))) as port:
        assert await pulls(folder, port, ca_file=plant.file) == "1"
    assert not keys.exists()


def refusal(folder: Path, **options: Any) -> str:
    """Why a connector can not be made."""
    with pytest.raises(ValueError) as error:
        Connector(Options(token_file=folder / "token", **options), "pc-1")
    return str(error.value)


def test_a_key_that_others_may_read_is_refused(folder: Path, plant: Authority) -> None:
    cert, key = plant.issue("pc-2")
    other_cert, _ = plant.issue("pc-3")
    https = {"url": "https://erp.example"}
    key.chmod(0o640)
    assert "chmod 600" in refusal(folder, **https, client_cert=cert, client_key=key)
    key.chmod(0o600)
    assert "can not be used together" in refusal(folder, **https, client_cert=other_cert, client_key=key)
    assert "can not be read" in refusal(folder, **https, client_cert=cert, client_key=folder / "none")
    assert "go together" in refusal(folder, **https, client_cert=cert)
    assert "use https" in refusal(folder, url="http://127.0.0.1", client_cert=cert, client_key=key)


@pytest.mark.parametrize(
    ("url", "exposed"),
    [
        ("https://erp.example", False), ("http://127.0.0.1:8000", False), ("http://localhost", False),
        ("http://[::1]:8000", False), ("http://erp.example", True), ("http://192.0.2.1:80", True),
    ],
)  # fmt: skip
def test_plain_http_to_another_pc_is_said_to_be_insecure(folder: Path, url: str, exposed: bool) -> None:
    options = Options(url=url, token_file=folder / "token", insecure=True)
    assert options.exposed is exposed
    Connector(options, "pc-1")
    if exposed:
        assert "insecure = true" in refusal(folder, url=url)
