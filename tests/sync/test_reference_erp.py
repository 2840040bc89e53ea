from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from docs.generate import ROOT
from sync.reference_erp import BODY_LIMIT, ROUTES
from sync.same_fact import digest
from sync.wire import FactsRequest
from tests.support.erp_process import TOKEN, ErpProcess
from tests.sync.plant import fact, good, order


def ask(
    erp: ErpProcess, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, Any]:
    """Status and JSON of one raw request; headers with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(erp.url + path, method=method, data=body, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            content = reply.read()
            return reply.status, json.loads(content) if content else None
    except urllib.error.HTTPError as error:
        with error:
            content = error.read()
            return error.code, json.loads(content) if content.startswith(b"{") else None


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.token], ids=lambda r: f"{r.method} {r.path}"
)
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}x", "Bearer \xe9"])
def test_every_route_of_the_contract_asks_for_the_token(
    erp: ErpProcess, route: Any, authorization: str
) -> None:
    path = route.path.replace("{kind}", "JobOrder").replace("{id}", "W1")
    status, problem = ask(erp, route.method, path, authorization=authorization)
    assert (status, problem["code"]) == (401, "not_allowed")


def test_the_wire_is_as_it_is_written_down(erp: ErpProcess) -> None:
    body: dict[str, Any] = {
        "agent": "raw",
        "facts": [{
            "id": "raw-1", "seq": 1, "agent": "raw", "event_time": "2026-11-22T08:00:00Z",
            "record_time": "2026-11-22T08:00:01Z", "clock_ok": True, "terminal": "t1", "person": "p1",
            "body": {"kind": "MaterialProduced", "about": "W1", "material": "HOUSING", "quantity": "2",
                     "uom": "pc", "equipment": "saw-1"},
        }],
    }  # fmt: skip
    bearer = f"Bearer {TOKEN}"
    status, first = ask(erp, "POST", "/v1/facts", json.dumps(body).encode(), authorization=bearer)
    assert status == 200
    assert first["receipts"][0] | {"reference": ""} == {
        "outcome": "applied",
        "fact": "raw-1",
        "reference": "",
    }
    _, second = ask(erp, "GET", "/v1/facts?id=none&id=raw-1", authorization=bearer)
    booked = second["receipts"][0].pop("booked")
    assert second["receipts"] == [first["receipts"][0] | {"outcome": "duplicate"}]
    assert booked["digest"] == digest(body["facts"][0])
    _, page = ask(erp, "GET", "/v1/plans?agent=raw", authorization=bearer)
    assert (page["as_of_seq"], page["reset"], page["more"]) == (1, True, False)
    (w1,) = (plan for plan in page["plans"] if plan["kind"] == "JobOrder" and plan["id"] == "W1")
    assert w1["good"] == "2"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, b""),
        (422, b"\xff\xfe"),
        (422, b'{"agent": "a"}'),
        (422, b'{"agent": "a", "facts": [{"id": "x"}]}'),
        (422, msgspec.json.encode(FactsRequest("somebody-else", (fact(1),)))),
        (422, msgspec.json.encode(FactsRequest("a" * 99, (fact(1, agent="a" * 99),)))),
        (413, b"x" * (BODY_LIMIT + 1)),
    ],
    ids=["nothing", "no text", "no facts", "half a fact", "somebody else", "long name", "too large"],
)
def test_a_request_that_can_not_be_read_books_nothing_and_says_why(
    erp: ErpProcess, status: int, body: bytes
) -> None:
    before = erp.call("GET", "/v1/orders")
    got, problem = ask(erp, "POST", "/v1/facts", body, authorization=f"Bearer {TOKEN}")
    assert (got, problem["code"]) == (status, "not_understood")
    assert problem["reason"].endswith(".")
    assert erp.call("GET", "/v1/orders") == before


def test_the_office_puts_withdraws_and_closes(erp: ErpProcess) -> None:
    erp.put(order("N1"), order("N/2"))
    erp.call("POST", "/v1/orders/N1/close")
    erp.call("DELETE", "/v1/plans/JobOrder/N/2")
    shown = {
        view["order"]["id"]: view["order"] for view in json.loads(erp.call("GET", "/v1/orders"))["orders"]
    }
    assert shown["N1"]["dispatch_status"] == "Completed"
    assert "N/2" not in shown
    for method, path in (
        ("POST", "/v1/orders/NONE/close"), ("DELETE", "/v1/plans/JobOrder/NONE"), ("GET", "/v1/none"),
        ("DELETE", "/v1/plans/JobOrder/N1%0A"), ("DELETE", "/v1/plans/JobOrder/N%0A1"),
    ):  # fmt: skip
        status, problem = ask(erp, method, path, authorization=f"Bearer {TOKEN}")
        assert (status, problem["code"]) == (404, "not_found")
    erp.call("DELETE", "/v1/plans/JobOrder/N1")  # still there


OPEN = {"/", "/openapi.json", "/v1/orders"}


def test_without_the_token_the_page_and_what_feeds_it_can_be_read_as_the_manuals_say_and_nothing_else() -> None:
    assert {(route.method, route.path) for route in ROUTES if not route.token} == {("GET", path) for path in OPEN}
    for manual in ("SECURITY.md", "docs/how-to/connect-an-erp.md"):
        told = " ".join((ROOT / manual).read_text().split())
        assert re.search(r"/v1/orders`\)( and its OpenAPI document)? ask for no token", told)


@pytest.mark.parametrize("path", sorted(OPEN))
def test_what_is_open_answers_on_this_pc_only_and_only_to_reading(erp: ErpProcess, path: str) -> None:
    assert erp.url.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(erp.url + path, timeout=10) as reply:
        assert (reply.status, TOKEN in reply.read().decode()) == (200, False)
    assert ask(erp, "GET", path, host="evil.example")[0] == 400
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert ask(erp, method, path, b"{}", authorization=f"Bearer {TOKEN}")[0] == 405


class Page(HTMLParser):
    """What a page loads from elsewhere, and its inline attributes that run or style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.nonces: set[str | None] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.outside += [
            name for name, _ in attributes if name in ("src", "href", "style") or name[:2] == "on"
        ]
        if tag in ("script", "style"):
            self.nonces.add(dict(attributes).get("nonce"))


def test_the_page_loads_nothing_from_elsewhere_and_makes_no_markup_of_data(erp: ErpProcess) -> None:
    with urllib.request.urlopen(erp.url + "/", timeout=10) as reply:
        policy, text = reply.headers["content-security-policy"], reply.read().decode()
    page = Page(text)
    assert page.outside == []
    (nonce,) = page.nonces
    assert policy.startswith("default-src 'none'")
    assert f"script-src 'nonce-{nonce}'" in policy
    for way_to_markup in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way_to_markup not in text


def test_the_figures_of_the_page_hold_each_booking_newest_first(erp: ErpProcess) -> None:
    erp.put(order("V1"))
    facts = (fact(1, good("V1"), agent="page"), fact(2, good("V1", 10**7), agent="page"))
    erp.call("POST", "/v1/facts", FactsRequest("page", facts))
    shown = {view["order"]["id"]: view for view in json.loads(erp.call("GET", "/v1/orders"))["orders"]}["V1"]
    refused, applied = shown["bookings"]
    assert (applied["outcome"], applied["quantity"], applied["person"]) == ("applied", "1", "p1")
    assert (refused["outcome"], refused["code"]) == ("refused", "over_quantity")
    assert "Order V1 takes" in refused["reason"]


def test_it_stops_in_good_order(own_erp: ErpProcess) -> None:
    own_erp.call("POST", "/v1/facts", FactsRequest("stop", (fact(1, agent="stop"),)))
    assert own_erp.stop() in (0, -15)
    own_erp.start()
    assert len(own_erp.bookings("stop")) == 1


@pytest.mark.parametrize(
    ("mode", "plans", "sentence"),
    [
        (0o644, "[]", "run chmod 600"),
        (0o600, "[", "truncated"),
        (0o600, '[{"kind": "Nonsense", "id": "1"}]', "Nonsense"),
    ],
)
def test_it_does_not_start_with_files_that_will_not_do(
    tmp_path: Path, mode: int, plans: str, sentence: str
) -> None:
    token, plan_file = tmp_path / "token", tmp_path / "plans.json"
    token.write_text("secret")
    token.chmod(mode)
    plan_file.write_text(plans)
    files = ["--database", str(tmp_path / "b.db"), "--plans", str(plan_file), "--token-file", str(token)]
    ran = subprocess.run(
        [sys.executable, "-m", "sync.reference_erp", *files], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert sentence in ran.stderr
    assert not (tmp_path / "b.db").exists()
