from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from sync.contract import AnyPlan, PlanPage
from sync.openapi import RouteDoc, document
from sync.reference_erp import ROUTES
from sync.wire import FACTS, FactsRequest, Problem
from tests.sync.plant import PLANS, fact, good

DOCUMENT = document("Open contract", "1", ROUTES)


def refs(node: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


def check(value: Any, schema: dict[str, Any]) -> None:
    """Raises ValidationError when JSON does not fit a schema of the document."""
    jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(
        json.loads(msgspec.json.encode(value))
    )


def body_schema(method: str, path: str) -> dict[str, Any]:
    schema: dict[str, Any] = DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    return schema


def test_every_route_is_there_with_its_answers() -> None:
    described = {(m.upper(), path) for path, methods in DOCUMENT["paths"].items() for m in methods}
    assert described == {(route.method, route.path) for route in ROUTES}
    assert set(DOCUMENT["paths"][FACTS]["post"]["responses"]) == {"200", "401", "409", "413", "422"}


def test_every_reference_leads_somewhere() -> None:
    for ref in refs(DOCUMENT):
        assert ref.removeprefix("#/components/schemas/") in DOCUMENT["components"]["schemas"]


def test_every_part_of_a_path_is_a_parameter() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
            assert named == re.findall(r"\{(\w+)\}", path)


def test_operation_names_are_unique() -> None:
    names = [
        operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()
    ]
    assert len(set(names)) == len(names)


def test_real_messages_fit_their_schema_and_others_do_not() -> None:
    check(FactsRequest("pc1", (fact(1, good()),)), body_schema("post", FACTS))
    check(PLANS, body_schema("put", "/v1/plans"))
    with pytest.raises(jsonschema_rs.ValidationError):
        check({"agent": "pc1", "facts": [{"id": 7}]}, body_schema("post", FACTS))


def test_a_route_without_a_token_asks_for_none() -> None:
    assert "security" not in DOCUMENT["paths"]["/"]["get"]
    assert DOCUMENT["paths"][FACTS]["get"]["security"] == [{"bearer": []}]
    assert "text/html" in DOCUMENT["paths"]["/"]["get"]["responses"]["200"]["content"]


def test_a_type_that_two_routes_speak_is_described_once() -> None:
    both = document("t", "1", [
        RouteDoc("GET", "/a", "a", None, PlanPage, statuses={400: Problem}),
        RouteDoc("GET", "/b", "b", list[AnyPlan], PlanPage, statuses={400: Problem}),
    ])  # fmt: skip
    a, b = (both["paths"][path]["get"]["responses"] for path in ("/a", "/b"))
    assert a == b
    assert {"PlanPage", "Problem", "JobOrder"} <= set(both["components"]["schemas"])
