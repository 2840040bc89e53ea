from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import msgspec
import pytest

from sync import connectors
from sync.connectors.rest import Connector, Options
from sync.ports import Ambiguous, NotAllowed, NotUnderstood, SyncError, Unreachable
from tests.support.fault_proxy import FaultProxy
from tests.sync.plant import fact

NOWHERE = Path("token")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text("secret\n")
    return path


def test_the_connectors_are_found_by_file_name() -> None:
    assert "rest" in connectors.names()
    assert connectors.load("rest").Options is Options


@pytest.mark.parametrize("name", ["nothing", "../rest", "rest.Options", "", "os"])
def test_an_unknown_connector_is_told_with_those_that_are_there(name: str) -> None:
    with pytest.raises(ValueError, match=r"There is no connector .* there are: .*rest"):
        connectors.load(name)


def test_a_third_party_connector_comes_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = (
        EntryPoint("theirs", "sync.connectors.rest", connectors.GROUP),
        EntryPoint("broken", "sync.wire", connectors.GROUP),
    )
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: theirs if group == connectors.GROUP else ())
    assert {"broken", "rest", "theirs"} <= set(connectors.names())
    assert connectors.load("theirs").Connector is Connector
    with pytest.raises(ValueError, match="'broken' has no class Options and no class Connector"):
        connectors.load("broken")


def test_no_http_library_is_imported_before_a_connector_is_asked_for() -> None:
    look = "import sys, sync.relay, sync.puller, sync.connectors; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://erp.example", "would send the token readable"),
        ("http://10.0.0.7:80", "would send the token readable"),
        ("http://127.0.0.1.evil.example", "would send the token readable"),
        ("ftp://erp.example", "url must be like"),
        ("erp.example", "url must be like"),
        ("https://", "url must be like"),
        ("https://user:pass@erp.example", "the secret belongs into token_file"),
        ("https://erp.example/?token=1", "the secret belongs into token_file"),
    ],
)
def test_an_address_that_can_not_work_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Connector(Options(url=url, token_file=NOWHERE), "pc1")


@pytest.mark.parametrize(
    ("url", "insecure"),
    [
        ("http://127.0.0.1:1", False),
        ("http://[::1]:1", False),
        ("http://localhost", False),
        ("http://erp.example", True),
        ("https://erp.example", False),
    ],
)
async def test_addresses_that_work(url: str, insecure: bool) -> None:
    await Connector(Options(url=url, token_file=NOWHERE, insecure=insecure), "pc1").close()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999", "http://[::1]:99999", "http://localhost:99999", "https://erp..example",
            f"https://{'x' * 64}.example"],
)  # fmt: skip
async def test_what_the_library_says_of_a_bad_address_does_not_leave_its_room(url: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text("t")
    connector = Connector(Options(url=url, token_file=token, insecure=True), "pc1")
    try:
        with pytest.raises(Unreachable, match=r"check the address|Nobody answers"):
            await connector.pull(None)
    finally:
        await connector.close()


def test_a_ca_file_that_holds_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("nothing")
    for path in ("ca", "missing"):
        with pytest.raises(ValueError, match="holds no certificates"):
            Connector(Options(url="https://erp.example", token_file=NOWHERE, ca_file=tmp_path / path), "pc1")


def test_unknown_options_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="tokenfile"):
        msgspec.convert({"url": "u", "tokenfile": "x"}, type=Options)


@pytest.mark.parametrize(
    ("mode", "content", "sentence"),
    [
        (0o640, "secret", "run chmod 600"),
        (0o604, "secret", "run chmod 600"),
        (0o600, "", "one token in plain characters"),
        (0o600, "two tokens", "one token in plain characters"),
        (0o600, "bell\x07", "one token in plain characters"),
        (0o600, "schlüssel", "one token in plain characters"),
        (None, "", "can not be read"),
    ],
)
async def test_a_token_file_that_will_not_do_is_told(
    tmp_path: Path, mode: int | None, content: str, sentence: str
) -> None:
    path = tmp_path / "token"
    if mode is not None:
        path.write_text(content)
        path.chmod(mode)
    connector = Connector(Options(url="http://127.0.0.1:1", token_file=path), "pc1")
    with pytest.raises(NotAllowed, match=sentence) as told:
        await connector.push([fact(1)])
    assert not content or content not in str(told.value)
    await connector.close()


def reply(status: str, body: str = "", type: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return (head + body).encode()


UNREAD = '{"code": "not_understood", "reason": "Field 7 is odd."}'


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (reply("401 no"), NotAllowed),
        (reply("403 no"), NotAllowed),
        (reply("429 slowly"), Unreachable),
        (reply("413 large"), NotUnderstood),
        (reply("400 bad", UNREAD), NotUnderstood),
        (reply("422 bad", UNREAD), NotUnderstood),
        (reply("400 bad", "<html>", "text/html"), Ambiguous),
        (reply("422 bad", '{"code": "mood", "reason": "r"}'), Ambiguous),
        (reply("404 none"), Ambiguous),
        (reply("302 there"), Ambiguous),
        (reply("500 oops"), Ambiguous),
        (reply("503 later"), Ambiguous),
        (reply("200 OK", "<html>log in</html>", "text/html"), Ambiguous),
        (reply("200 OK", "<html>log in</html>"), Ambiguous),
        (reply("200 OK", "[]"), Ambiguous),
        (reply("200 OK", '{"receipts": []}'), Ambiguous),
        (reply("200 OK", '{"receipts": [{"outcome": "applied", "fact": "x", "reference": ""}]}'), Ambiguous),
        (reply("200 OK", '{"receipts": [{"outcome": "great", "fact": "pc1-1"}]}'), Ambiguous),
        (reply("204 none"), Ambiguous),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Ambiguous),
        (b"", Ambiguous),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n\r\nno", Ambiguous),
    ],
)
async def test_only_an_answer_of_the_contract_counts(
    token_file: Path, raw: bytes, error: type[SyncError]
) -> None:
    async with FaultProxy(upstream=0) as wire:
        wire.answer = raw
        connector = Connector(Options(url=f"http://127.0.0.1:{wire.port}", token_file=token_file), "pc1")
        with pytest.raises(error) as told:
            await connector.push([fact(1)])
        assert "secret" not in str(told.value)
        await connector.close()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("retry-after: 7", 7.0),
        ("date: Mon, 23 Nov 2026 08:00:00 GMT\r\nretry-after: Mon, 23 Nov 2026 08:02:00 GMT", 120.0),
        ("date: Mon, 23 Nov 2026 08:00:00 GMT\r\nretry-after: Mon, 23 Nov 2026 07:00:00 GMT", 0.0),
        ("retry-after: Mon, 23 Nov 2026 08:02:00 GMT", None),  # our own clock is not asked
        ("retry-after: -5", None),
        ("retry-after: soon", None),
        ("retry-after: 99999999999999999999", None),
        ("x-nothing: 1", None),
    ],
)
@pytest.mark.parametrize("status", ["429 slowly", "503 later"])
async def test_how_long_an_erp_wants_to_be_left_alone_is_understood(
    token_file: Path, status: str, told: str, seconds: float | None
) -> None:
    async with FaultProxy(upstream=0) as wire:
        wire.answer = f"HTTP/1.1 {status}\r\n{told}\r\ncontent-length: 0\r\n\r\n".encode()
        connector = Connector(Options(url=f"http://127.0.0.1:{wire.port}", token_file=token_file), "pc1")
        with pytest.raises(SyncError) as error:
            await connector.push([fact(1)])
        assert error.value.after == seconds
        await connector.close()


async def test_proxies_of_the_environment_are_not_used(
    token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FaultProxy(upstream=0) as wire:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{wire.port}")
        connector = Connector(Options(url="http://127.0.0.1:1", token_file=token_file), "pc1")
        with pytest.raises(Unreachable):
            await connector.push([fact(1)])
        await connector.close()
        assert wire.connections == 0
