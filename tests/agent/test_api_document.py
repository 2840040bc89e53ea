"""The published document says what the agent answers, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge_agent.local_api.api import Api
from tests.agent.running import Plant, ask

WRITE = b'{"id": "0190a000-0000-7000-8000-000000000001", "terminal": "%s", "value": 5}'
ODD = (  # what a stranger may ask, beside what is right
    ("GET", "/v1/terminals/T1/view", None),
    ("GET", "/v1/terminals/none/view", None),
    ("POST", "/v1/terminals/none/input", b'{"id": "a", "kind": "scan", "data": "x"}'),
    ("POST", "/v1/terminals/T1/input", b"{"),
    ("POST", "/v1/terminals/T1/input", b"x" * 100_000),
    ("GET", "/v1/events?terminal=none", None),
    ("GET", "/v1/journal?limit=x", None),
    ("GET", "/v1/journal", None),
    ("POST", "/v1/journal/999999/resend", None),
    ("POST", "/v1/journal/-1/resend", None),
    ("POST", "/v1/journal/9999999999999999999999/resend", None),
    ("POST", "/v1/journal/x/resend", None),
    ("GET", "/v1/equipment", None),
    ("GET", "/v1/equipment/PRESS-03/oee", None),
    ("GET", "/v1/equipment/PRESS-03/oee?minutes=99999999", None),
    ("GET", "/v1/equipment/PRESS-03/oee?minutes=x", None),
    ("GET", "/v1/equipment/PRESS-03/oee?minute=2026-11-22T06:12Z", None),
    ("GET", "/v1/equipment/PRESS-03/oee?minute=06:12", None),
    ("GET", "/v1/equipment/PRESS-03/oee?minute=2999-01-01T00:00Z", None),
    ("GET", "/v1/equipment/none/oee", None),
    ("GET", "/v1/devices", None),
    ("POST", "/v1/devices/plc/items/speed", b"{}"),
    ("POST", "/v1/devices/plc/items/speed", WRITE % b"no terminal"),
    ("POST", "/v1/devices/plc/items/speed", WRITE % b"T1"),
    ("POST", "/v1/devices/plc/items/" + "x" * 201, WRITE % b"T1"),
    ("POST", "/v1/devices/plc/items/a%0Ab", WRITE % b"T1"),
    ("GET", "/v1/labels", None),
    ("GET", "/v1/samples", None),
    ("GET", "/v1/samples?from=yesterday", None),
    ("GET", "/v1/health", None),
    ("GET", "/openapi.json", None),
)


@pytest.fixture(scope="session")
def document(plant: Plant) -> Any:
    """What the running agent publishes."""
    return json.loads(plant.get("/openapi.json"))


def test_the_document_names_the_routes_of_the_application_and_no_other(document: Any) -> None:
    app = Api(None, None, None, None).app()  # type: ignore[arg-type]
    served = {(path, method.lower()) for path, method in routes(app) if method != "HEAD"}
    assert served == {(path, method) for path, methods in document["paths"].items() for method in methods}


def test_every_route_says_how_it_answers_whom_it_does_not_let_in(document: Any) -> None:
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"401", "403", "421"} <= set(operation["responses"]), operation["operationId"]
            assert operation["security"] == [{}, {"bearer": []}]


@pytest.mark.parametrize(("method", "target", "body"), ODD)
def test_every_answer_is_documented(
    plant: Plant, document: Any, method: str, target: str, body: bytes | None
) -> None:
    status, content = ask(plant.agent.socket, method, target, body)
    operation = document["paths"][template(target)][method.lower()]
    assert str(status) in operation["responses"]
    if status != 200:
        assert set(json.loads(content)) <= {"code", "params"}


def test_every_reference_in_the_document_leads_somewhere(document: Any) -> None:
    text = json.dumps(document)
    named = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert named
    assert named <= set(document["components"]["schemas"])


def routes(app: Any) -> list[tuple[str, str]]:
    """Path and method of each route of the application."""
    return [(route.path.replace(":item}", "}"), method) for route in app.routes for method in route.methods]


def template(target: str) -> str:
    """The path as the document writes it."""
    path = target.split("?")[0]
    parts = path.split("/")
    if not parts[4:]:
        return path
    if parts[2] == "devices":
        return "/v1/devices/{device}/items/{item}"
    name = {"terminals": "{terminal}", "journal": "{seq}", "equipment": "{equipment}"}[parts[2]]
    return "/".join([*parts[:3], name, *parts[4:]])
