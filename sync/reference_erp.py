"""The reference ERP: a small server of the open contract, with real books. `python -m sync.reference_erp`.

It is the ERP of the demo, the partner of the contract's tests and a pattern for a bridge. It listens
on 127.0.0.1 only. The page at `/` and the figures behind it ask for no token: that is right for a
reference that nobody but this PC can reach, and wrong for anything else.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import hmac
import json
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sync.contract import AnyPlan, PlanKey, PlanPage
from sync.device import Device
from sync.openapi import RouteDoc, document
from sync.ports import NotAllowed
from sync.reference_books import Books
from sync.reference_views import BookingsReply, OrdersReply
from sync.token_file import read_token
from sync.wire import FACTS, PLANS, FactsRequest, Problem, ReceiptsReply

HOST = "127.0.0.1"
BODY_LIMIT = 4 * 2**20  # bytes
ID_LIMIT = 64  # characters of a fact's id
_DIGITS = 18  # of an epoch: what SQLite can count to

_T = TypeVar("_T")
_Endpoint = Callable[[Request], Awaitable[Response]]
_PAGE = Path(__file__).with_name("reference_page.html")
_REFUSED = {401: Problem, 413: Problem, 422: Problem}
_OTHER = {409: Problem}

ROUTES = (
    RouteDoc("POST", FACTS, "Book facts, in order", FactsRequest, ReceiptsReply, statuses=_OTHER | _REFUSED),
    RouteDoc(
        "GET", FACTS, "What was decided on these facts; unknown ones are left out", None, ReceiptsReply,
        query={"id": "the id of a fact; may be given many times"}, statuses={401: Problem},
    ),
    RouteDoc(
        "GET", PLANS, "Plans that changed since the cursor; without one, all", None, PlanPage,
        query={"agent": "who asks", "cursor": "of the last answer", "device": "its PC", "epoch": "of that PC"},
        statuses={401: Problem, 409: Problem, 422: Problem},
    ),
    RouteDoc("PUT", PLANS, "The office adds or replaces plans", list[AnyPlan], None, 204, statuses=_REFUSED),
    RouteDoc(
        "DELETE", PLANS + "/{kind}/{id}", "The office withdraws a plan", None, None, 204,
        statuses={401: Problem, 404: Problem},
    ),
    RouteDoc(
        "POST", "/v1/orders/{id}/close", "The office completes an order", None, None, 204,
        statuses={401: Problem, 404: Problem},
    ),
    RouteDoc(
        "GET", "/v1/bookings", "Every decided fact of an agent, in order of arrival", None, BookingsReply,
        query={"agent": "whose facts"}, statuses={401: Problem, 422: Problem},
    ),
    RouteDoc("GET", "/v1/orders", "All orders with their latest bookings", None, OrdersReply, token=False),
    RouteDoc("GET", "/openapi.json", "This document", None, None, token=False),
    RouteDoc("GET", "/", "The orders as a page", None, None, media="text/html", token=False),
)  # fmt: skip


class _Bad(Exception):
    """The request can not be served; the answer says why."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.problem = Problem(code, reason)


class ReferenceErp:
    """The routes over one set of books; one thread of its own does all the blocking work."""

    def __init__(self, books: Books, token: str) -> None:
        self._books = books
        self._token = token.encode()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="books")

    def app(self) -> Starlette:
        """The ASGI application."""
        open_routes = {"/": self.page, "/v1/orders": self.orders, "/openapi.json": self.openapi}
        token_routes: list[tuple[str, str, _Endpoint]] = [
            ("POST", FACTS, self.push),
            ("GET", FACTS, self.ask),
            ("GET", PLANS, self.pull),
            ("PUT", PLANS, self.put_plans),
            ("DELETE", PLANS + "/{kind}/{id:path}", self.withdraw),
            ("POST", "/v1/orders/{id:path}/close", self.close_order),
            ("GET", "/v1/bookings", self.bookings),
        ]
        return Starlette(
            routes=[
                *(Route(path, _answering(e), methods=["GET"]) for path, e in open_routes.items()),
                *(Route(path, _answering(self._guarded(e)), methods=[m]) for m, path, e in token_routes),
            ],
            exception_handlers={404: _no_route},
            # A page of the internet must not reach these figures under a name that leads here.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])],
        )

    def close(self) -> None:
        """End the thread and give the books back."""
        self._thread.shutdown()
        self._books.close()

    async def push(self, request: Request) -> Response:
        wanted = await _body(request, FactsRequest)
        for fact in wanted.facts:
            if not 0 < len(fact.id) <= ID_LIMIT or not fact.id.isascii():
                raise _Bad(422, "not_understood", f"The id of a fact has 1 to {ID_LIMIT} plain characters.")
            if fact.agent != wanted.agent:
                raise _Bad(422, "not_understood", f"Fact {fact.id} is of another agent than the request.")
        await self._admit(wanted.agent, wanted.device)
        return _json(ReceiptsReply(await self._in_thread(lambda: self._books.push(wanted.facts))))

    async def ask(self, request: Request) -> Response:
        ids = request.query_params.getlist("id")
        return _json(ReceiptsReply(await self._in_thread(lambda: self._books.ask(ids))))

    async def pull(self, request: Request) -> Response:
        agent, cursor = _agent(request), request.query_params.get("cursor")
        await self._admit(agent, _device(request))
        return _json(await self._in_thread(lambda: self._books.pull(agent, cursor)))

    async def put_plans(self, request: Request) -> Response:
        plans = await _body(request, list[AnyPlan])
        await self._in_thread(lambda: self._books.put(plans))
        return Response(status_code=204)

    async def withdraw(self, request: Request) -> Response:
        key = PlanKey(request.path_params["kind"], request.path_params["id"])
        if not await self._in_thread(lambda: self._books.withdraw(key)):
            raise _Bad(404, "not_found", f"There is no {key.kind} {key.id}.")
        return Response(status_code=204)

    async def close_order(self, request: Request) -> Response:
        id: str = request.path_params["id"]
        if not await self._in_thread(lambda: self._books.close_order(id)):
            raise _Bad(404, "not_found", f"There is no order {id}.")
        return Response(status_code=204)

    async def bookings(self, request: Request) -> Response:
        agent = _agent(request)
        return _json(BookingsReply(await self._in_thread(lambda: self._books.bookings(agent))))

    async def orders(self, request: Request) -> Response:
        return _json(await self._in_thread(self._books.orders))

    async def openapi(self, request: Request) -> Response:
        return Response(_document(), media_type="application/json")

    async def page(self, request: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        ours = f"script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'"
        policy = f"default-src 'none'; connect-src 'self'; {ours}"
        html = (await self._in_thread(_PAGE.read_text)).replace("{nonce}", nonce)
        return HTMLResponse(html, headers={"content-security-policy": policy, "cache-control": "no-store"})

    async def _admit(self, agent: str, device: Device | None) -> None:
        refusal = await self._in_thread(lambda: self._books.admit(agent, device))
        if refusal:
            raise _Bad(409, "other_device", refusal)

    def _guarded(self, endpoint: _Endpoint) -> _Endpoint:
        async def guarded(request: Request) -> Response:
            given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
            if not hmac.compare_digest(given, self._token):
                raise _Bad(401, "not_allowed", "The token is missing or wrong.")
            return await endpoint(request)

        return guarded

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _answering(endpoint: _Endpoint) -> _Endpoint:
    async def answering(request: Request) -> Response:
        if request.scope["path"].endswith("\n"):  # a route takes that for the end of its path, and means another plan
            return await _no_route(request)
        try:
            return await endpoint(request)
        except _Bad as bad:
            return _json(bad.problem, bad.status)
        except ClientDisconnect:  # nobody is there to be answered
            return Response(status_code=400)

    return answering


async def _no_route(request: Request, error: Exception | None = None) -> Response:
    """No path of ours: not even one with a line end in its last part."""
    return _json(Problem("not_found", "There is nothing at this path."), 404)


@functools.cache
def _document() -> bytes:
    return json.dumps(document("Floorhand open contract", "1", ROUTES)).encode()


def _agent(request: Request) -> str:
    agent = request.query_params.get("agent")
    if not agent:
        raise _Bad(422, "not_understood", "The query must name the agent.")
    return agent


def _device(request: Request) -> Device | None:
    key, epoch = request.query_params.get("device"), request.query_params.get("epoch", "0")
    if not (epoch.isascii() and epoch.isdigit() and len(epoch) <= _DIGITS):
        raise _Bad(422, "not_understood", "The epoch of a device is a whole number.")
    return Device(key, int(epoch)) if key else None


async def _body(request: Request, type: Any) -> Any:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > BODY_LIMIT:
            raise _Bad(413, "not_understood", f"A request has at most {BODY_LIMIT} bytes.")
    try:
        return msgspec.json.decode(content, type=type)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _Bad(422, "not_understood", f"The request is not of our contract: {error}.") from error


def _json(reply: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(reply), status, media_type="application/json")


async def serve(erp: ReferenceErp, listening: socket.socket) -> None:
    """Serve on a bound socket until a signal or a cancel."""
    config = uvicorn.Config(
        erp.app(), lifespan="off", log_config=None, access_log=False, server_header=False,
        timeout_keep_alive=30, timeout_graceful_shutdown=1,
    )  # fmt: skip
    await uvicorn.Server(config).serve(sockets=[listening])


def listen(port: int) -> socket.socket:
    """A socket that takes connections on the loopback; port 0 picks a free one."""
    # Named as TCP: asyncio switches Nagle's algorithm off for no other, and each answer would wait 40 ms for its rest.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((HOST, port))
    listening.listen(64)
    return listening


def main(arguments: Sequence[str] | None = None) -> int:
    """Start, print one JSON line with the port when connections are taken, serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m sync.reference_erp", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--database", type=Path, required=True, help="the books; made when missing")
    parser.add_argument("--plans", type=Path, help="a JSON list of plans for new books")
    parser.add_argument("--token-file", type=Path, required=True, help="the token that agents must show")
    options = parser.parse_args(arguments)
    try:
        token = read_token(options.token_file)
        plans = msgspec.json.decode(options.plans.read_bytes(), type=list[AnyPlan]) if options.plans else []
        listening = listen(options.port)
    except (NotAllowed, OSError, msgspec.MsgspecError) as error:
        parser.error(str(error))
    books = Books(options.database, lambda: datetime.now(UTC))
    if books.is_new():
        books.put(plans)
    erp = ReferenceErp(books, token)
    port = listening.getsockname()[1]
    sys.stdout.write(json.dumps({"ready": True, "port": port, "url": f"http://{HOST}:{port}"}) + "\n")
    sys.stdout.flush()
    try:
        asyncio.run(serve(erp, listening))
    except KeyboardInterrupt:
        pass
    finally:
        erp.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
