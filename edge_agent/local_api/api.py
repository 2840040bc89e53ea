"""The local API: HTTP over the agent's Unix socket. Routes are a table; the OpenAPI document is made from it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

import msgspec
from starlette.applications import Starlette
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from edge_agent import __version__
from edge_agent.bus import Bus, Overflow
from edge_agent.devices.kept_alive import CanNotRead
from edge_agent.devices.scanner_trial import NoTrial, Trials
from edge_agent.events import FactsRecorded
from edge_agent.exception_rows import row_of
from edge_agent.local_api.access import Access, guarded, own_access, peer_of, user_of
from edge_agent.local_api.asker import Asker
from edge_agent.local_api.event_stream import EventStreams
from edge_agent.local_api.losses import Losses
from edge_agent.local_api.routes import ROUTES
from edge_agent.local_api.samples import stored_lines, stored_trend
from edge_agent.local_api.server import Server
from edge_agent.machine_writes import MachineWrites
from edge_agent.machines.write_gate import Refused
from edge_agent.pins import NoStartCode, Pins
from edge_agent.roles import Action, may
from edge_agent.status import StatusBoard
from edge_agent.store import Connection, Store, StoreError
from edge_agent.store.audit import Audit, user_of_this_pc
from edge_agent.store.doubts import decision_to_resend, doubts
from edge_agent.store.listing import journal_rows, sent_again
from edge_agent.store.samples import SampleStore
from edge_agent.terminals.inputs import Terminals, UnknownTerminal
from edge_agent.terminals.session import may_not
from edge_agent.terminals.steps import signed_on
from edge_agent.views import Input, JournalRow, Typed
from edge_agent.views.maintenance import DeviceReading
from edge_agent.views.start_codes import StartCode
from edge_agent.views.status import Problem
from edge_agent.views.write_orders import WriteOrder
from sync.openapi import document

INPUT_BYTES = 64 * 1024  # of a request; the longest input that is understood fits with every escape
_NAME = 200  # characters of the name of a device or an item: it goes into the journal
_LAST_SEQ = 2**63 - 1  # what a journal can count to

_log = logging.getLogger(__name__)

ReadDevice = Callable[[str], Awaitable[DeviceReading]]


class _ItemName(PathConvertor):
    """Items have slashes in their names, and a name that is wrong may have anything, an end of a line too."""

    regex = r"[\s\S]*"


register_url_convertor("item", _ItemName())


class _TooLarge(Exception):
    """The request is longer than any input; the text says how long one may be."""


class _NotEntitled(Exception):
    """Whoever asks may not do this; `code` and `params` as in the message of a step."""

    def __init__(self, code: str, params: dict[str, str]) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Api:
    """Serves the routes. Only this class knows that they travel over HTTP."""

    def __init__(
        self, terminals: Terminals, board: StatusBoard, store: Store, bus: Bus,
        samples: SampleStore | None = None, writes: MachineWrites | None = None,
        read_device: ReadDevice | None = None, trials: Trials | None = None, pins: Pins | None = None,
        access: Access | None = None, audit: Audit | None = None, four_eyes: Collection[str] = (),
    ) -> None:  # fmt: skip
        """`four_eyes`: decisions that two people make, which only a terminal can ask."""
        self._terminals = terminals
        self._board = board
        self._store = store
        self._bus = bus
        self._samples = samples
        self._writes = writes
        self._read_device = read_device
        self._trials = trials
        self._pins = pins
        self._audit = audit
        self._four_eyes = four_eyes
        self._streams = EventStreams(terminals, board, bus)
        access = access or own_access()
        self._server = Server(guarded(self.app(), access), access)

    async def serve(self, *listeners: socket.socket) -> None:
        """Answer until `stop`. Open streams are ended within a second of it."""
        await self._server.serve(sockets=list(listeners))

    def stop(self) -> None:
        """Let `serve` end, also one that has not begun."""
        self._server.stop()

    def app(self) -> Starlette:
        """The application without its socket."""
        handlers: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/v1/terminals/{terminal}/view": self._view,
            "/v1/terminals/{terminal}/input": self._input,
            "/v1/terminals/{terminal}/keys": self._keys,
            "/v1/terminals/{terminal}/scanner-test": self._scanner_test,
            "/v1/events": self._events,
            "/v1/equipment": self._equipment,
            "/v1/equipment/{equipment}/oee": self._oee,
            "/v1/devices": self._devices,
            "/v1/devices/{device}/items/{item}": self._write,
            "/v1/devices/{device}/read": self._read,
            "/v1/journal": self._journal,
            "/v1/journal/{seq}/resend": self._resend,
            "/v1/exceptions": self._exceptions,
            "/v1/persons/{person}/pin": self._pin,
            "/v1/samples": self._stored,
            "/v1/backup": self._backup,
            "/v1/trend": self._trend,
            "/v1/labels": self._labels,
            "/v1/health": self._health,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
        }
        losses = Losses(self._store)
        routes = [
            Route(
                path.replace("{item}", "{item:item}"), _guarded(handler, path, losses),
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

    async def _keys(self, request: Request) -> Response:
        body = await _body(request)
        typed = msgspec.json.decode(body, type=Typed) if body else None
        self._terminals.keys_pressed(request.path_params["terminal"], typed)
        return Response(status_code=204)

    async def _equipment(self, request: Request) -> Response:
        return _json(self._board.machines)

    async def _oee(self, request: Request) -> Response:
        id = request.path_params["equipment"]
        machine = next((each for each in self._board.machines if each.id == id), None)
        if machine is None:
            return _json(Problem("agent.unknown_equipment", {"equipment": id}), 404)
        from edge_agent import oee_report  # as rare as the printing of labels

        ended = self._board.now()
        if "minute" in request.query_params:
            minute = oee_report.minute_of(request.query_params["minute"], ended)
            return _json(await self._store.read(lambda conn: oee_report.report_of_minute(conn, machine, minute, ended)))
        length = min(max(int(request.query_params.get("minutes", "480")), 1), 1440)
        began = ended - timedelta(minutes=length)
        return _json(await self._store.read(lambda conn: oee_report.report(conn, machine, began, ended)))

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
        await self._entitled(request, Action.READ_DEVICE)
        try:
            return _json(await self._read_device(name))
        except CanNotRead as error:
            return _json(Problem("device.not_read", {"what": str(error), "kind": error.kind}), 409)

    async def _journal(self, request: Request) -> Response:
        await self._entitled(request, Action.READ_JOURNAL)
        limit = min(max(int(request.query_params.get("limit", "50")), 1), 1000)
        after = request.query_params.get("after")
        start = None if after is None else min(max(int(after), 0), _LAST_SEQ)
        return _json(await self._store.read(lambda conn: journal_rows(conn, self._board.connector, limit, start)))

    async def _entitled(self, request: Request, action: Action) -> Asker:
        """The owner of the agent may, and who is signed on at the terminal that is named. Raises _NotEntitled."""
        if peer_of(request.scope) == "owner":
            return Asker(user=user_of_this_pc(user_of(request.scope)))
        terminal = request.path_params.get("terminal") or request.query_params.get("terminal", "")
        self._terminals.station(terminal)
        id = await self._store.read(lambda connection: signed_on(connection, terminal))
        person = self._store.book.persons.get(id)
        if person is None or not may(person, action):
            name = person.name if person is not None else ""
            raise _NotEntitled("roles.may_not", may_not(action, name).params)
        return Asker(terminal, person.id)

    async def _note(self, event: str, asker: Asker, **what: str | int) -> None:
        if self._audit is not None:
            told = {**asker.told, **what}
            await asyncio.to_thread(self._audit.note, event, self._board.now(), **told)

    async def _resend(self, request: Request) -> Response:
        asker = await self._entitled(request, Action.RESEND)
        if "resend" in self._four_eyes and not asker.user:
            raise _NotEntitled("roles.two_people", {})
        seq = min(int(request.path_params["seq"]), _LAST_SEQ)

        def again(connection: Connection) -> JournalRow:
            row = sent_again(connection, self._board.connector, seq)
            decided = decision_to_resend(connection, self._board.connector, seq, asker.note)
            self._store.record(connection, [decided], self._board.now(), asker.terminal, asker.person)
            return row

        try:
            row = await self._store.write(again)
        except StoreError as error:
            if error.kind != "conflict":
                raise
            return _json(Problem("journal.not_resent", {"what": str(error)}), 409)
        self._bus.publish(FactsRecorded(1, frozenset({row.about})))
        await self._note("resent", asker, seq=row.seq, about=row.about)
        return _json(row)

    async def _exceptions(self, request: Request) -> Response:
        await self._entitled(request, Action.SEE_EXCEPTIONS)
        skip = min(max(int(request.query_params.get("skip", "0")), 0), _LAST_SEQ)
        found = await self._store.read(lambda connection: doubts(connection, skip))
        return _json([row_of(each, self._store.book) for each in found])

    async def _pin(self, request: Request) -> Response:
        asker = await self._entitled(request, Action.SET_PIN)
        person = request.path_params["person"]
        try:
            if self._pins is None:
                raise NoStartCode("pin.unknown_person", "Nobody has a PIN here.")
            code = await self._pins.start_code(person, asker.terminal, asker.person)
        except NoStartCode as error:
            return _json(Problem(error.code, {"person": person, "what": str(error)}), 409)
        await self._note("start_code", asker, about=f"person/{person}")
        return _json(StartCode(person, code))

    async def _stored(self, request: Request) -> Response:
        lines = stored_lines(self._samples, request.query_params)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def _trend(self, request: Request) -> Response:
        return _json(await stored_trend(self._samples, request.query_params, self._board.now()))

    async def _backup(self, request: Request) -> Response:
        asker = await self._entitled(request, Action.BACK_UP)
        made = await self._store.back_up()
        await self._note("backup", asker, file=made.file, facts=made.facts)
        return _json(made)

    async def _scanner_test(self, request: Request) -> Response:
        terminal = request.path_params["terminal"]
        self._terminals.station(terminal)
        try:
            if self._trials is None:
                raise NoTrial("scanner_page.no_scanner")
            if request.method == "POST":
                await self._entitled(request, Action.SET_SCANNER)
                return _json(self._trials.write(terminal))
            return StreamingResponse(self._trials.lines(terminal), media_type="application/x-ndjson")
        except NoTrial as error:
            return _json(Problem(error.code, error.params), 409)
        except OSError as error:
            return _json(Problem("scanner_page.not_written", {"what": error.strerror or str(error)}), 503)

    async def _labels(self, request: Request) -> Response:
        from edge_agent.local_api.label_page import label_rows  # the printing of labels is rare

        return _json(label_rows(self._store.book, self._board.machines))

    async def _health(self, request: Request) -> Response:
        return _json(await self._board.health(self._terminals.names))

    async def _metrics(self, request: Request) -> Response:
        from edge_agent.local_api.metrics import MEDIA, metrics  # asked for where there is a Prometheus

        health = await self._board.health(self._terminals.names)
        return Response(metrics(health, self._board.now()), media_type=MEDIA)

    async def _openapi(self, request: Request) -> Response:
        return _json(document("Floorhand agent", __version__, ROUTES))

    async def _events(self, request: Request) -> Response:
        stream = await self._streams.of(request.query_params.get("terminal", ""))
        return StreamingResponse(stream, media_type="text/event-stream")


def _guarded(
    handler: Callable[[Request], Awaitable[Response]], route: str, losses: Losses
) -> Callable[[Request], Awaitable[Response]]:
    """Every refusal as a Problem; a bug is logged and told as `internal`, the agent goes on."""

    async def guarded(request: Request) -> Response:
        try:
            answer = await handler(request)
            await losses.went(route)
            return answer
        except UnknownTerminal as error:
            return _json(Problem("agent.unknown_terminal", {"terminal": str(error)}), 404)
        except _NotEntitled as error:
            return _json(Problem(error.code, error.params), 403)
        except (msgspec.DecodeError, ValueError) as error:
            return _json(Problem("agent.not_understood", {"what": str(error)[:200]}), 400)
        except StoreError as error:
            losses.failed(route, error)
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
