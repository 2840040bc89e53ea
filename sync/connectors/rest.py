"""The open contract over HTTP: the reference ERP, and any ERP or bridge that speaks `sync.wire`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx
import msgspec
from msgspec import Meta

from sync.answers import checked
from sync.contract import Fact, PlanPage, Receipt
from sync.ports import Ambiguous, NotAllowed, NotUnderstood, SyncError, Unreachable
from sync.token_file import read_token
from sync.wire import FACTS, PLANS, FactsRequest, Problem, ReceiptsReply

_ASK = 50  # ids in one question: keeps the address below the 8 kB that servers and proxies allow
_CONNECT = 5.0  # seconds: nobody answers sooner or not at all
_KEEP = 2.0  # seconds: drop an idle connection before the server does, so that no request meets its end
_REPLY_LIMIT = 32 * 2**20  # bytes

_Reply = TypeVar("_Reply")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the site file may say. `timeout` (seconds) is for a whole request with its answer.

    `ca_file` replaces the certificate authorities of this PC. `insecure` allows http to another PC:
    the token then crosses the network readable.
    """

    url: str
    token_file: Annotated[Path, Meta(extra={"secret": True})]
    ca_file: Path | None = None
    timeout: float = 10.0
    insecure: bool = False


class Connector:
    """One connection pool to one server; `push`, `ask` and `pull` may run side by side."""

    def __init__(self, options: Options, agent: str) -> None:
        """Raises ValueError, with a sentence, when the options can not work."""
        address = _address(options)
        if options.timeout <= 0:
            raise ValueError("timeout must be more than 0 seconds.")
        self._name = address.netloc
        self._url = options.url.rstrip("/")
        self._token_file = options.token_file
        self._timeout = options.timeout
        self._agent = agent
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            verify=_trust(options.ca_file) if address.scheme == "https" else False,
            timeout=httpx.Timeout(options.timeout, connect=min(_CONNECT, options.timeout / 2)),
            limits=httpx.Limits(max_connections=4, keepalive_expiry=_KEEP),
        )

    async def push(self, facts: Sequence[Fact]) -> Sequence[Receipt]:
        body = msgspec.json.encode(FactsRequest(self._agent, tuple(facts)))
        reply = await self._call("POST", FACTS, ReceiptsReply, body=body)
        return checked(facts, reply.receipts)

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Receipt]:
        known: dict[str, Receipt] = {}
        for start in range(0, len(ids), _ASK):
            part = ids[start : start + _ASK]
            reply = await self._call("GET", FACTS, ReceiptsReply, query=[("id", id) for id in part])
            known.update({receipt.fact: receipt for receipt in reply.receipts if receipt.fact in part})
        return known

    async def pull(self, cursor: str | None) -> PlanPage:
        query = [("agent", self._agent)] + ([] if cursor is None else [("cursor", cursor)])
        return await self._call("GET", PLANS, PlanPage, query=query)

    async def close(self) -> None:
        await self._client.aclose()

    async def _call(
        self,
        method: str,
        path: str,
        wanted: type[_Reply],
        *,
        query: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> _Reply:
        """One request; its answer as `wanted`. Raises a SyncError for everything else."""
        headers = {"authorization": f"Bearer {read_token(self._token_file)}", "accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        async with _mapped(self._name), asyncio.timeout(self._timeout):
            request = self._client.build_request(
                method, self._url + path, params=list(query), content=body, headers=headers
            )
            response = await self._client.send(request, stream=True)
            try:
                content = await _read(response)
            finally:
                await response.aclose()
        if not response.is_success:
            raise _refusal(self._name, response.status_code, content)
        if not response.headers.get("content-type", "").startswith("application/json"):
            raise Ambiguous(f"{self._name} answered a web page, not JSON: is there a log-in page in between?")
        try:
            return msgspec.json.decode(content, type=wanted)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Ambiguous(f"{self._name} answered JSON that is not of our contract: {error}") from error


def _address(options: Options) -> SplitResult:
    address = urlsplit(options.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError(f"url must be like https://erp.example/floorhand, not {options.url!r}.")
    if address.username or address.password or address.query or address.fragment:
        raise ValueError("url must be an address alone: the secret belongs into token_file.")
    if address.scheme == "http" and not options.insecure and not _loopback(address.hostname):
        raise ValueError(
            f"url {options.url!r} would send the token readable over the network: use https, "
            "or say insecure = true if that is what you want."
        )
    return address


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ValueError(f"ca_file {ca_file} holds no certificates that can be read: {error}.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@asynccontextmanager
async def _mapped(name: str) -> AsyncIterator[None]:
    """Where the exceptions of httpx end: before the request was sent, or somewhere after it."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if "CERTIFICATE" in str(error).upper():
            raise Unreachable(
                f"{name} shows a certificate that is not trusted ({error}): "
                "check ca_file and the clock of this PC."
            ) from error
        raise Unreachable(f"Nobody answers at {name}: {str(error) or 'no connection in time'}.") from error
    except (httpx.TimeoutException, TimeoutError) as error:
        raise Ambiguous(f"{name} did not answer in time.") from error
    except httpx.HTTPError as error:
        raise Ambiguous(f"{name} broke off: {(str(error) or type(error).__name__).rstrip('.')}.") from error


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _REPLY_LIMIT:
            raise Ambiguous("The answer is larger than any answer of our contract.")
    return bytes(content)


def _refusal(name: str, status: int, content: bytes) -> SyncError:
    """What a status other than 2xx means for what was booked."""
    match status:
        case 401 | 403:
            return NotAllowed(f"{name} does not accept the token (HTTP {status}).")
        case 413:
            return NotUnderstood(f"{name} takes no request this large (HTTP 413).")
        case 429:
            return Unreachable(f"{name} asks us to wait (HTTP 429).")
        case 400 | 422:
            problem = _problem(content)
            if problem is not None:
                return NotUnderstood(problem.reason[:500])
    return Ambiguous(f"{name} answered HTTP {status}: unknown what it booked.")


def _problem(content: bytes) -> Problem | None:
    """The problem in the words of our contract; anybody in between may answer 400 as well."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return problem if problem.code == "not_understood" else None
