"""Speaks to the agent over its local socket or port: all that a terminal, the command line or a test needs.

async with AgentClient("unix:data/agent.sock") as agent:
    view = await agent.view("T1")
    view = await agent.send("T1", Input(id, "scan", "B:1001.K"))
    async for event in agent.events("T1"): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

import httpcore
import msgspec

from edge_agent.agent_line import line_to
from edge_agent.views import Echo, Input, JournalRow, Typed, View
from edge_agent.views.exceptions import ExceptionRow
from edge_agent.views.histories import SampleGap, Samples, Trend
from edge_agent.views.labels import LabelRow
from edge_agent.views.maintenance import DeviceReading
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.start_codes import StartCode
from edge_agent.views.status import DeviceStatus, EquipmentStatus, Health, Problem, Status
from edge_agent.views.upkeep import BackupMade
from edge_agent.views.write_orders import WriteAnswer, WriteOrder

Event = View | Status | Echo

_T = TypeVar("_T")
_EVENT_TYPES: dict[str, type[View] | type[Status] | type[Echo]] = {
    "view": View,
    "status": Status,
    "echo": Echo,
}
_SAMPLES: Any = Samples | SampleGap
_REQUEST_SECONDS = 5.0
_BACKUP_SECONDS = 600.0
_READ_SECONDS = 15.0  # longer than the agent lets a device take
_SILENCE_SECONDS = 15.0  # the agent sends a heartbeat every 5 s


class AgentAway(Exception):
    """The agent does not answer at its socket. `str(error)` is a sentence for people."""


class InputRefused(Exception):
    """The agent answered that it did not take the request; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class AgentClient:
    """One client of one agent. Safe for concurrent use within one event loop."""

    def __init__(self, address: str, token_file: Path | None = None) -> None:
        """`address` and `token_file` as in `agent_line.line_to`. Raises ValueError: a sentence for people."""
        self._line = line_to(address, token_file)
        self._pool = httpcore.AsyncConnectionPool(uds=self._line.path, max_connections=8)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def view(self, terminal: str) -> View:
        """What the terminal shows now. Raises AgentAway, InputRefused (no such terminal)."""
        return await self._get(f"/v1/terminals/{terminal}/view", View)

    async def send(self, terminal: str, given: Input) -> View:
        """Hand in one input; the view after it. The same input sent again gets the same view.

        Raises AgentAway (unknown whether it was taken: send it again), InputRefused (it was not).
        """
        body = msgspec.json.encode(given)
        return _decode(await self._request("POST", f"/v1/terminals/{terminal}/input", body), View)

    async def keys_pressed(self, terminal: str, typed: Typed | None = None) -> None:
        """Somebody types at the terminal and has sent nothing yet; `typed` stands in its entry now.

        Raises AgentAway, InputRefused."""
        body = msgspec.json.encode(typed) if typed is not None else None
        await self._request("POST", f"/v1/terminals/{terminal}/keys", body)

    async def equipment(self) -> list[EquipmentStatus]:
        """All machines now."""
        return await self._get("/v1/equipment", list[EquipmentStatus])

    async def devices(self) -> list[DeviceStatus]:
        """All devices and scanners now."""
        return await self._get("/v1/devices", list[DeviceStatus])

    async def read_device(self, device: str, terminal: str = "") -> DeviceReading:
        """Every point of a device, read once, now; asked at a terminal. Raises AgentAway, InputRefused (`what` says why
        it can not be, or whoever is signed on there may not)."""
        query = f"?{urlencode({'terminal': terminal})}" if terminal else ""
        path = f"/v1/devices/{quote(device, safe='')}/read{query}"
        return _decode(await self._request("POST", path, seconds=_READ_SECONDS), DeviceReading)

    async def journal(self, limit: int = 50, after: int | None = None) -> list[JournalRow]:
        """The newest facts, oldest first; with `after`, the facts that follow that seq."""
        query = f"limit={limit}" + ("" if after is None else f"&after={after}")
        return await self._get(f"/v1/journal?{query}", list[JournalRow])

    async def resend(self, seq: int) -> JournalRow:
        """Send a refused fact again, and after it what it held back; the fact as it stands now.

        Raises AgentAway, InputRefused (it was not refused, or waits for an earlier one: `what` says so).
        """
        return _decode(await self._request("POST", f"/v1/journal/{seq}/resend"), JournalRow)

    async def exceptions(self) -> list[ExceptionRow]:
        """All that is in doubt: what waits for a decision first, each part the oldest first."""
        found: list[ExceptionRow] = []
        while page := await self._get(f"/v1/exceptions?skip={len(found)}", list[ExceptionRow]):
            found += page
        return found

    async def start_code(self, person: str) -> StartCode:
        """A start code for a person, who signs on with it once and chooses a PIN. Raises AgentAway, InputRefused."""
        return _decode(await self._request("POST", f"/v1/persons/{quote(person, safe='')}/pin"), StartCode)

    async def order_write(self, device: str, item: str, order: WriteOrder) -> WriteAnswer:
        """Have an item of a machine given a value. The same order sent again gets the same answer.

        Raises AgentAway (unknown what came of it: send it again), InputRefused (the gate did not let it through).
        """
        path = f"/v1/devices/{quote(device, safe='')}/items/{quote(item, safe='')}"
        return _decode(await self._request("POST", path, msgspec.json.encode(order)), WriteAnswer)

    async def health(self) -> Health:
        """How the agent is doing as a whole."""
        return await self._get("/v1/health", Health)

    async def backup(self) -> BackupMade:
        """A copy of the journal, in the data folder of the agent. Raises AgentAway, InputRefused (`what` says why)."""
        return _decode(await self._request("POST", "/v1/backup", seconds=_BACKUP_SECONDS), BackupMade)

    async def labels(self) -> list[LabelRow]:
        """The labels of what the agent knows, to print; no badges."""
        return await self._get("/v1/labels", list[LabelRow])

    async def events(self, terminal: str) -> AsyncIterator[Event]:
        """The current view and status, then every change. Raises AgentAway when the stream ends."""
        timeout = {"connect": _REQUEST_SECONDS, "read": _SILENCE_SECONDS, "pool": _REQUEST_SECONDS}
        try:
            async with self._pool.stream(
                "GET", f"{self._line.base}/v1/events?terminal={terminal}", headers=self._line.headers,
                extensions={"timeout": timeout},
            ) as response:  # fmt: skip
                if response.status != 200:
                    raise InputRefused(_problem(await response.aread()))
                async for name, data in _server_sent_events(response.aiter_stream()):
                    if (kind := _EVENT_TYPES.get(name)) is not None:
                        yield _decode(data, kind)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise AgentAway(self._away()) from error
        raise AgentAway(self._away())

    async def samples(
        self, since: str = "", until: str = "", items: Sequence[str] = ()
    ) -> AsyncGenerator[Samples | SampleGap, None]:
        """Stored machine values: gaps, then columns. Times as ISO 8601 with a time zone, empty: without end.

        `items` are patterns of `device/item`; none: all. Raises AgentAway, also when the stream was cut.
        """
        asked = [("from", since), ("to", until), *(("items", each) for each in items)]
        query = urlencode([pair for pair in asked if pair[1]])
        async for line in self._json_lines(f"/v1/samples?{query}"):
            yield _decode(line, _SAMPLES)

    async def scanner_test(self, terminal: str) -> AsyncGenerator[ScannerReport, None]:
        """Test the terminal's scanners: the report so far, then after each scan; until the iterator is closed.

        Raises AgentAway (also when the stream was cut), InputRefused (no scanner, or one looks already).
        """
        async with aclosing(self._json_lines(f"/v1/terminals/{terminal}/scanner-test")) as lines:
            async for line in lines:
                yield _decode(line, ScannerReport)

    async def write_scanner(self, terminal: str) -> ScannerReport:
        """Write what the running test found; the report says where. Raises AgentAway, InputRefused."""
        return _decode(await self._request("POST", f"/v1/terminals/{terminal}/scanner-test"), ScannerReport)

    async def trend(self, device: str, item: str, since: str = "", until: str = "", points: int = 240) -> Trend:
        """One item for a plot, in at most `points` buckets. Times as ISO 8601 with a zone; empty: the last hour."""
        asked = [("device", device), ("item", item), ("from", since), ("to", until), ("points", str(points))]
        return await self._get(f"/v1/trend?{urlencode([pair for pair in asked if pair[1]])}", Trend)

    async def close(self) -> None:
        """Give back all connections."""
        await self._pool.aclose()

    async def _json_lines(self, path: str) -> AsyncGenerator[bytes, None]:
        timeout = {"connect": _REQUEST_SECONDS, "read": _SILENCE_SECONDS, "pool": _REQUEST_SECONDS}
        try:
            async with self._pool.stream(
                "GET", self._line.base + path, headers=self._line.headers, extensions={"timeout": timeout}
            ) as response:
                if response.status != 200:
                    raise InputRefused(_problem(await response.aread()))
                async for line in _lines(response.aiter_stream()):
                    yield line
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise AgentAway(self._away()) from error

    async def _get(self, path: str, kind: type[_T]) -> _T:
        return _decode(await self._request("GET", path), kind)

    async def _request(
        self, method: str, path: str, body: bytes | None = None, seconds: float = _REQUEST_SECONDS
    ) -> bytes:
        headers = [*self._line.headers, (b"content-type", b"application/json")]
        try:
            async with asyncio.timeout(seconds):
                response = await self._pool.request(
                    method, self._line.base + path, headers=headers, content=body
                )
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
            raise AgentAway(self._away()) from error
        if response.status not in (200, 204):
            raise InputRefused(_problem(response.content))
        return response.content

    def _away(self) -> str:
        return f"The agent does not answer at {self._line.name}. Is it running? Start it with: floorhand run SITE.toml"


def _decode(data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError as error:
        raise AgentAway(
            "Something answers at the agent's socket, but not as this program expects."
        ) from error


def _problem(data: bytes) -> Problem:
    try:
        return msgspec.json.decode(data, type=Problem)
    except msgspec.DecodeError:
        return Problem("agent.not_understood")


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a stream, without their ends."""
    parts: list[bytes] = []
    async for chunk in stream:
        first, *lines = chunk.split(b"\n")
        parts.append(first)
        for line in lines:
            yield b"".join(parts)
            parts = [line]


async def _server_sent_events(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """(event, data) of each message; the agent writes exactly one `event` and one `data` line in each."""
    buffer = b""
    async for chunk in stream:
        *blocks, buffer = (buffer + chunk).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"event" in fields and b"data" in fields:
                yield fields[b"event"].decode(), fields[b"data"]
