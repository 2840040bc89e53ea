"""The open contract over HTTP: the reference ERP, and any ERP or bridge that speaks `sync.wire`."""

from __future__ import annotations

import asyncio
import importlib
import ssl
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta

from sync.answers import checked
from sync.contract import Fact, PlanPage, Receipt
from sync.ports import Ambiguous, NotAllowed, NotUnderstood, SyncError, Unreachable
from sync.token_file import read_token
from sync.wire import FACTS, PLANS, FactsRequest, Problem, ReceiptsReply

if TYPE_CHECKING:
    from sync.http_calls import HttpCalls

_ASK = 50  # ids in one question: keeps the address below the 8 kB that servers and proxies allow

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

    def __init__(self, options: Options, agent: str, calls: HttpCalls | None = None) -> None:
        """Raises ValueError, with a sentence, when the options can not work. `calls`: made already."""
        address = _address(options)
        if options.timeout <= 0:
            raise ValueError("timeout must be more than 0 seconds.")
        self._name = address.netloc
        self._url = options.url.rstrip("/")
        self._token_file = options.token_file
        self._timeout = options.timeout
        self._agent = agent
        self._trust = _trust(options.ca_file) if address.scheme == "https" else None
        self._calls = calls
        self._opening = asyncio.Lock()

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
        if self._calls is not None:
            await self._calls.close()

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
        calls = await self._opened()
        reply = await calls.call(method, self._url + path, headers, query, body)
        if not reply.ok:
            raise _refusal(self._name, reply.status, reply.content)
        if not reply.kind.startswith("application/json"):
            raise Ambiguous(f"{self._name} answered a web page, not JSON: is there a log-in page in between?")
        try:
            return msgspec.json.decode(reply.content, type=wanted)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Ambiguous(f"{self._name} answered JSON that is not of our contract: {error}") from error

    async def _opened(self) -> HttpCalls:
        """The library is loaded at the first call and beside the loop: it takes as long as a fifth of the
        start of an agent, and people at their terminals do not wait for an ERP."""
        async with self._opening:
            if self._calls is None:
                module = await asyncio.to_thread(importlib.import_module, "sync.http_calls")
                self._calls = module.HttpCalls(self._name, self._timeout, self._trust)
            return self._calls


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
