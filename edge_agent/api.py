"""The local API: HTTP over the agent's Unix socket. Routes are a table; the OpenAPI document is made from it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from edge_agent import __version__
from edge_agent.api_routes import ROUTES
from edge_agent.bus import Bus, Overflow, Subscription
from edge_agent.devices import CanNotRead
from edge_agent.events import EchoMade, FactsRecorded, MachineChanged, StatusChanged, ViewMade
from edge_agent.machine_writes import MachineWrites
from edge_agent.maintenance_pages import DeviceReading
from edge_agent.sample_stream import parse_time, sample_lines, trend_of
from edge_agent.scanner_trial import NoTrial, Trials
from edge_agent.scenarios.contract import Station
from edge_agent.status import StatusBoard
from edge_agent.store import Store, StoreError
from edge_agent.store.listing import journal_rows, sent_again
from edge_agent.store.samples import SampleStore
from edge_agent.telemetry import microseconds
from edge_agent.terminals import Terminals, UnknownTerminal
from edge_agent.views import (
    Echo,
    Input,
    Problem,
    Status,
    View,
)
from edge_agent.write_gate import Refused
from edge_agent.write_orders import WriteOrder
from sync.openapi import document

HEARTBEAT_SECONDS = 5.0
INPUT_BYTES = 64 * 1024  # of a request; the longest input that is understood fits with every escape
# A status bar that changes more often than this can not be read; live values change all the time.
_STATUS_PACE_SECONDS, _LIVE_PACE_SECONDS = 0.2, 1.0

_NAME = 200  # characters of the name of a device or an item: it goes into the journal
_HOUR = 3_600_000_000  # microseconds
_LAST_SEQ = 2**63 - 1  # what a journal can count to

_log = logging.getLogger(__name__)

ReadDevice = Callable[[str], Awaitable[DeviceReading]]


class _TooLarge(Exception):
    """The request is longer than any input; the text says how long one may be."""


class Api:
    """Serves the routes. Only this class knows that they travel over HTTP."""

    def __init__(
        self, terminals: Terminals, board: StatusBoard, store: Store, bus: Bus,
        samples: SampleStore | None = None, writes: MachineWrites | None = None,
        read_device: ReadDevice | None = None, trials: Trials | None = None,
    ) -> None:  # fmt: skip
        self._terminals = terminals
        self._board = board
        self._store = store
        self._bus = bus
        self._samples = samples
        self._writes = writes
        self._read_device = read_device
        self._trials = trials
        self._server = _Server(uvicorn.Config(
            self.app(), log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1,
            server_header=False, date_header=False, ws="none", http="h11", loop="asyncio",
        ))  # fmt: skip

    async def serve(self, listener: socket.socket) -> None:
        """Answer until `stop`. Open streams are ended within a second of it."""
        await self._server.serve(sockets=[listener])

    def stop(self) -> None:
        """Let `serve` end, also one that has not begun."""
        self._server.should_exit = True

    def app(self) -> Starlette:
        """The application without its socket."""
        handlers: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/v1/terminals/{terminal}/view": self._view,
            "/v1/terminals/{terminal}/input": self._input,
            "/v1/terminals/{terminal}/scanner-test": self._scanner_test,
            "/v1/events": self._events,
            "/v1/equipment": self._equipment,
            "/v1/equipment/{equipment}/oee": self._oee,
            "/v1/devices": self._devices,
            "/v1/devices/{device}/items/{item}": self._write,
            "/v1/devices/{device}/read": self._read,
            "/v1/journal": self._journal,
            "/v1/journal/{seq}/resend": self._resend,
            "/v1/samples": self._stored,
            "/v1/trend": self._trend,
            "/v1/labels": self._labels,
            "/v1/health": self._health,
            "/openapi.json": self._openapi,
        }
        routes = [
            Route(
                path.replace("{item}", "{item:path}"), _guarded(handler),
                methods=[each.method for each in ROUTES if each.path == path],
            )
            for path, handler in handlers.items()
        ]
        return Starlette(routes=routes)

    async def _view(self, request: Request) -> Response:
        return _json(await self._terminals.view(request.path_params["terminal"]))

    async def _input(self, request: Request) -> Response:
        given = msgspec.json.decode(await _body(request), type=Input)
        return _json(await self._terminals.handle(request.path_params["terminal"], given))

    async def _equipment(self, request: Request) -> Response:
        return _json(self._board.machines)

    async def _oee(self, request: Request) -> Response:
        id = request.path_params["equipment"]
        machine = next((each for each in self._board.machines if each.id == id), None)
        if machine is None:
            return _json(Problem("agent.unknown_equipment", {"equipment": id}), 404)
        length = min(max(int(request.query_params.get("minutes", "480")), 1), 1440)
        ended = self._board.now()
        began = ended - timedelta(minutes=length)
        from edge_agent.oee_report import report  # as rare as the printing of labels

        return _json(await self._store.read(lambda connection: report(connection, machine, began, ended)))

    async def _devices(self, request: Request) -> Response:
        return _json(self._board.devices)

    async def _write(self, request: Request) -> Response:
        order = msgspec.json.decode(await _body(request), type=WriteOrder)
        self._terminals.station(order.terminal)
        where = request.path_params["device"], request.path_params["item"]
        if max(map(len, where)) > _NAME:
            raise ValueError(f"The name of a device or of an item has at most {_NAME} characters.")
        assert self._writes
        try:
            answer = await self._writes.ask(*where, order)
        except StoreError as error:
            if error.kind != "conflict":
                raise
            return _json(Problem("write.not_again", {"what": str(error)}), 409)
        if isinstance(answer, Refused):
            return _json(Problem(answer.code, answer.params), 403)
        return _json(answer)

    async def _read(self, request: Request) -> Response:
        name = request.path_params["device"]
        if self._read_device is None or name not in [each.name for each in self._board.devices]:
            return _json(Problem("agent.unknown_device", {"device": name}), 404)
        try:
            return _json(await self._read_device(name))
        except CanNotRead as error:
            return _json(Problem("device.not_read", {"what": str(error)}), 409)

    async def _journal(self, request: Request) -> Response:
        limit = min(max(int(request.query_params.get("limit", "50")), 1), 1000)
        after = request.query_params.get("after")
        start = None if after is None else min(max(int(after), 0), _LAST_SEQ)
        return _json(
            await self._store.read(
                lambda connection: journal_rows(connection, self._board.connector, limit, start)
            )
        )

    async def _resend(self, request: Request) -> Response:
        seq = min(int(request.path_params["seq"]), _LAST_SEQ)
        try:
            row = await self._store.write(
                lambda connection: sent_again(connection, self._board.connector, seq)
            )
        except StoreError as error:
            if error.kind != "conflict":
                raise
            return _json(Problem("journal.not_resent", {"what": str(error)}), 409)
        self._bus.publish(FactsRecorded(0, frozenset({row.about})))
        return _json(row)

    async def _stored(self, request: Request) -> Response:
        asked = request.query_params
        if self._samples is None:
            return Response(media_type="application/x-ndjson")
        lines = sample_lines(
            self._samples, parse_time(asked.get("from")), parse_time(asked.get("to")), asked.getlist("items")
        )
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def _scanner_test(self, request: Request) -> Response:
        terminal = request.path_params["terminal"]
        self._terminals.station(terminal)
        try:
            if self._trials is None:
                raise NoTrial("scanner_page.no_scanner")
            if request.method == "POST":
                return _json(self._trials.write(terminal))
            return StreamingResponse(self._trials.lines(terminal), media_type="application/x-ndjson")
        except NoTrial as error:
            return _json(Problem(error.code), 409)
        except OSError as error:
            return _json(Problem("scanner_page.not_written", {"what": error.strerror or str(error)}), 503)

    async def _trend(self, request: Request) -> Response:
        asked = request.query_params
        until = parse_time(asked.get("to"))
        until = microseconds(self._board.now()) if until is None else until
        since = parse_time(asked.get("from"))
        device, item, points = asked.get("device", ""), asked.get("item", ""), int(asked.get("points", "240"))
        since = until - _HOUR if since is None else since
        return _json(await trend_of(self._samples, device, item, since, until, points))

    async def _labels(self, request: Request) -> Response:
        from edge_agent.label_page import label_rows  # the printing of labels is rare

        return _json(label_rows(self._store.book, self._board.machines))

    async def _health(self, request: Request) -> Response:
        return _json(await self._board.health(self._terminals.names))

    async def _openapi(self, request: Request) -> Response:
        return _json(document("Floorhand agent", __version__, ROUTES))

    async def _events(self, request: Request) -> Response:
        terminal = request.query_params.get("terminal", "")
        station = self._terminals.station(terminal)
        told = (ViewMade, EchoMade, StatusChanged, MachineChanged)
        events = self._bus.subscribe(*told, coalesce=_coalesce)
        try:
            first = await self._terminals.view(terminal)  # a fault here is answered, not an empty stream
        except BaseException:
            events.close()
            raise
        return StreamingResponse(self._stream(events, station, first), media_type="text/event-stream")

    async def _stream(
        self, events: Subscription[object], station: Station, first: View
    ) -> AsyncIterator[bytes]:
        """The view and the status now, then each change; the status at least every heartbeat."""
        with events:
            try:
                yield _event("view", first)
                while True:
                    watched = self._terminals.watched(station.terminal)
                    yield _event("status", await self._board.status(station, watched))
                    async for chunk in self._until_status(events, station):
                        yield chunk
            except (Overflow, StoreError) as error:
                told = {"terminal": station.terminal, "what": str(error)}
                _log.warning("events.ended", extra=told)  # the terminal attaches again

    async def _until_status(self, events: Subscription[object], station: Station) -> AsyncIterator[bytes]:
        """Views and echoes of the terminal, until a status is due."""
        loop, terminal = asyncio.get_running_loop(), station.terminal
        watched = self._terminals.watched(terminal)
        began = loop.time()
        due = began + HEARTBEAT_SECONDS
        while (left := due - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    event = await anext(events)
            except TimeoutError:
                return
            match event:
                case ViewMade(view) if view.terminal == terminal:
                    yield _event("view", view)
                    if self._terminals.watched(terminal) != watched:
                        return  # of another machine: its values come with the view
                case EchoMade(echo) if echo.terminal == terminal:
                    yield _event("echo", echo)
                case StatusChanged():
                    due = min(due, began + _STATUS_PACE_SECONDS)
                case MachineChanged(id) if id in (station.equipment, watched):
                    due = min(due, began + _LIVE_PACE_SECONDS)


def _coalesce(event: object) -> str | None:
    """Of status changes one is as good as ten; views and echoes are told each."""
    match event:
        case StatusChanged():
            return "status"
        case MachineChanged(id):
            return f"machine {id}"
        case _:
            return None


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the agent decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Every refusal as a Problem; a bug is logged and told as `internal`, the agent goes on."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except UnknownTerminal as error:
            return _json(Problem("agent.unknown_terminal", {"terminal": str(error)}), 404)
        except (msgspec.DecodeError, ValueError) as error:
            return _json(Problem("agent.not_understood", {"what": str(error)[:200]}), 400)
        except StoreError as error:
            _log.error(
                "input.not_saved", extra={"path": request.url.path, "kind": error.kind, "what": str(error)}
            )
            return _json(Problem("store.not_saved", {"what": str(error)}), 503)
        except _TooLarge as error:
            return _json(Problem("agent.not_understood", {"what": str(error)}), 413)
        except Overflow:
            return _json(Problem("agent.too_slow"), 503)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception:
            _log.exception("api.bug", extra={"path": request.url.path})
            return _json(Problem("agent.internal"), 500)

    return guarded


async def _body(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > INPUT_BYTES:
            raise _TooLarge(f"A request has at most {INPUT_BYTES} bytes.")
    return bytes(content)


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _event(name: str, body: View | Status | Echo) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"
