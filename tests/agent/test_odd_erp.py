"""An ERP that answers, and not as the contract says: people are told what does not work, in words they can read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from edge_agent.client import AgentClient
from edge_agent.views import Input
from edge_agent.views.exceptions import ExceptionRow
from edge_agent.views.status import Health
from tests.agent.running import AgentProcess, ask, short_folder, site_text, wait

TOKEN = "a-token-for-tests"
LONG = "\x1b[31m" + "A" * 200_000


class OddErp(ThreadingHTTPServer):
    """Gives plans as it should, and answers pushes with `answer` of the ids. `dated`: it says what time it is."""

    daemon_threads = True

    def __init__(self, answer: str, dated: bool = True) -> None:
        self.answer = answer
        self.dated = dated
        self.pulls = self.pushes = 0
        super().__init__(("127.0.0.1", 0), _Odd)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Odd(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OddErp

    def log_message(self, *told: Any) -> None:
        pass

    def _say(self, body: object, status: int = 200, **more: str) -> None:
        raw = json.dumps(body).encode()
        self.send_response_only(status)
        if self.server.dated:
            self.send_header("date", self.date_time_string())
        for name, value in {"content-type": "application/json", "content-length": str(len(raw)), **more}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self) -> None:
        if not self.path.startswith("/v1/plans"):
            return self._say({"receipts": []})
        self.server.pulls += 1
        person = {"kind": "Person", "id": "p1", "name": LONG, "badge": "1001", "roles": ["operator"]}
        return self._say({"cursor": "1", "as_of_seq": 0, "plans": [person]})

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        ids = [fact["id"] for fact in json.loads(self.rfile.read(length))["facts"]]
        self.server.pushes += 1
        refused = {"outcome": "refused", "code": "[@click=app.quit]" * 99, "reason": LONG}
        match self.server.answer:
            case "garbage":
                self._say({"receipts": "no"})
            case "busy":
                self._say({"code": "busy", "reason": "busy"}, 503, retry_after="86400")
            case "bare":
                self._say({"receipts": [{"outcome": "duplicate", "fact": id, "reference": "B1"} for id in ids]})
            case _:
                self._say({"receipts": [{**refused, "fact": id} for id in ids]})


@contextmanager
def agent_of(answer: str, dated: bool = True) -> Iterator[tuple[AgentProcess, OddErp]]:
    with short_folder() as folder, OddErp(answer, dated) as erp:
        threading.Thread(target=erp.serve_forever, daemon=True).start()
        token = folder / "token"
        token.touch(mode=0o600)
        token.write_text(TOKEN)
        agent = AgentProcess(folder, site_text(erp=erp.url))
        agent.start()
        try:
            yield agent, erp
        finally:
            agent.end()
            erp.shutdown()


@pytest.mark.parametrize("dated", [True, False])
def test_an_erp_that_never_says_what_time_it_is_is_told_with_what_it_means(dated: bool) -> None:
    with agent_of("busy", dated) as (agent, _):
        wait(lambda: health(agent).links[0].state == "up", "the plans")
        told = [each for each in health(agent).problems if "the header Date" in each]
        assert len(told) == (0 if dated else 1)
        assert all("Connector erp answers" in each and "nothing old is cleared away" in each for each in told)
        assert health(agent).clock_trusted


async def sign_on(agent: AgentProcess) -> None:
    async with AgentClient(agent.address) as client:
        wait(lambda: health(agent).links[0].state == "up", "the plans")
        await client.send("T1", Input("0190-sign-on", "scan", "B:1001"))


def health(agent: AgentProcess) -> Health:
    return msgspec.json.decode(ask(agent.socket, "GET", "/v1/health")[1], type=Health)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("garbage", "Reports are not sent: 127.0.0.1:{port} answered JSON that is not of our contract"),
        ("bare", "Reports are not sent: The ERP says that it has report"),
        ("busy", "It asks for a pause of 86400 s, of which 600 s are waited for: until then nothing is tried again."),
    ],
)
async def test_an_erp_that_gives_plans_and_books_nothing_is_not_up(answer: str, words: str) -> None:
    with agent_of(answer) as (agent, erp):
        await sign_on(agent)
        wait(lambda: erp.pushes, "a push")
        wait(lambda: health(agent).links[0].state == "down", "the link to be down")
        pulls = erp.pulls
        wait(lambda: erp.pulls > pulls + 2, "more pulls")
        told = health(agent)
        assert (told.ok, told.links[0].state, told.unsent) == (False, "down", 1)
        assert words.format(port=erp.server_port) in " ".join(told.problems)


async def test_text_of_an_erp_is_kept_and_told_with_a_limit() -> None:
    with agent_of("refuse") as (agent, _):
        await sign_on(agent)
        wait(lambda: health(agent).parked_count, "a refused report")
        answer = ask(agent.socket, "GET", "/v1/exceptions")[1]
        (row,) = msgspec.json.decode(answer, type=list[ExceptionRow])
        assert (len(row.code), len(row.reason)) == (64, 500)
        assert len(answer) < 5000
        assert len(ask(agent.socket, "GET", "/v1/terminals/T1/view")[1]) < 5000
        assert len(agent.log) < 20_000
