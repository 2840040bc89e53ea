"""The open contract over HTTP: the reference ERP, and any ERP or bridge that speaks `sync.wire`."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta

from sync.answers import checked
from sync.contract import Duplicate, Fact, PlanPage, Receipt, Refused
from sync.device import Device
from sync.ports import Ambiguous, NotAllowed, NotUnderstood, SyncError, Unreachable
from sync.receipts import shortened
from sync.tls import trust
from sync.token_file import read_token
from sync.wire import FACTS, PLANS, FactsRequest, Problem, ReceiptsReply

if TYPE_CHECKING:
    from sync.http_calls import HttpCalls

_ASK = 50  # ids in one question: keeps the address below the 8 kB that servers and proxies allow

_Reply = TypeVar("_Reply")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the site file may say. `timeout` (seconds) is for a whole request with its answer.

    `ca_file` replaces the certificate authorities of this PC. `client_cert` and `client_key` say who we are, to
    a server that asks. `insecure` allows http to another PC: the token then crosses the network readable.
    """

    url: Annotated[str, Meta(extra={"address": "http"})]
    token_file: Annotated[Path, Meta(extra={"secret": True})]
    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Annotated[Path | None, Meta(extra={"secret": True})] = None
    timeout: Annotated[float, Meta(gt=0)] = 10.0
    insecure: bool = False

    @property
    def exposed(self) -> bool:
        """Whether what is said can be read and changed on its way."""
        address = urlsplit(self.url)
        return address.scheme == "http" and not _loopback(address.hostname or "")


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
        files = (options.ca_file, options.client_cert, options.client_key)
        self._trust = trust(*files) if address.scheme == "https" else None
        self._device: Device | None = None
        self._told: Callable[[datetime], None] | None = None
        self._calls = calls
        self._opening = asyncio.Lock()

    def introduce(self, device: Device) -> None:
        self._device = device

    def tell_time(self, told: Callable[[datetime], None]) -> None:
        self._told = told

    async def push(self, facts: Sequence[Fact]) -> Sequence[Receipt]:
        body = msgspec.json.encode(FactsRequest(self._agent, tuple(facts), self._device))
        reply = await self._call("POST", FACTS, ReceiptsReply, body=body)
        return checked(facts, reply.receipts)

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Receipt]:
        """An answer that does not say which body was booked is none: sent again, the ERP compares the bodies."""
        known: dict[str, Receipt] = {}
        for start in range(0, len(ids), _ASK):
            part = ids[start : start + _ASK]
            reply = await self._call("GET", FACTS, ReceiptsReply, query=[("id", id) for id in part])
            told = (r for r in reply.receipts if isinstance(r, Duplicate | Refused) and r.booked is not None)
            known.update({receipt.fact: receipt for receipt in told if receipt.fact in part})
        return known

    async def pull(self, cursor: str | None) -> PlanPage:
        query = [("agent", self._agent)] + ([] if cursor is None else [("cursor", cursor)])
        if self._device is not None:
            query += [("device", self._device.key), ("epoch", str(self._device.epoch))]
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
            error = _refusal(self._name, reply.status, reply.content)
            error.after = reply.after
            raise error
        if not reply.kind.startswith("application/json"):
            raise Ambiguous(f"{self._name} answered a web page, not JSON: is there a log-in page in between?")
        try:
            answer = msgspec.json.decode(reply.content, type=wanted)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Ambiguous(f"{self._name} answered JSON that is not of our contract: {error}") from error
        if self._told is not None and reply.date is not None:  # a log-in page in between may have any clock
            self._told(reply.date)
        return answer

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
    if address.scheme == "http" and (options.ca_file or options.client_cert or options.client_key):
        raise ValueError(f"ca_file, client_cert and client_key are for https, and url is {options.url!r}: use https.")
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


def _refusal(name: str, status: int, content: bytes) -> SyncError:
    """What a status other than 2xx means for what was booked."""
    match status:
        case 401 | 403:
            return NotAllowed(f"{name} does not accept the token (HTTP {status}).")
        case 409 if (problem := _problem(content, "other_device")) is not None:
            return NotAllowed(shortened(problem.reason))
        case 413:
            return NotUnderstood(f"{name} takes no request this large (HTTP 413).")
        case 429:
            return Unreachable(f"{name} asks us to wait (HTTP 429).")
        case 400 | 422:
            problem = _problem(content, "not_understood")
            if problem is not None:
                return NotUnderstood(shortened(problem.reason))
    return Ambiguous(f"{name} answered HTTP {status}: unknown what it booked.")


def _problem(content: bytes, code: str) -> Problem | None:
    """The problem of this code in the words of our contract; anybody in between may answer 400 as well."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return problem if problem.code == code else None
