"""OpenAPI 3.1 from a table of routes and the message types they speak."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

_REF = "#/components/schemas/{name}"
_JSON = "application/json"


@dataclass(frozen=True)
class RouteDoc:
    """One route. `request` and `response` are types msgspec knows, None for an empty body.

    `path` names its parts in braces; `query` maps each query parameter to what it means. `media` is
    the content type of the answer, `statuses` what else may be answered, each with its type or None.
    `token`: whether the route asks for the bearer token; `tokenless`: and can be asked without one, where the line
    itself says who asks.
    """

    method: str
    path: str
    summary: str
    request: Any = None
    response: Any = None
    status: int = 200
    query: Mapping[str, str] = field(default_factory=dict)
    media: str = _JSON
    statuses: Mapping[int, Any] = field(default_factory=dict)
    token: bool = True
    tokenless: bool = False

    @property
    def types(self) -> Iterator[Any]:
        """All message types of the route."""
        spoken = (self.request, self.response, *self.statuses.values())
        yield from (type for type in spoken if type is not None)


def document(title: str, version: str, routes: Sequence[RouteDoc]) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these routes, ready for `json.dumps`."""
    types = [type for route in routes for type in route.types]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = dict(zip(map(_key, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _key(type: Any) -> str:
    return repr(type)


def _operation(route: RouteDoc, schemas: Mapping[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _name(route),
        "responses": dict(_responses(route, schemas)),
    }
    if parameters := [*_in_path(route.path), *_in_query(route.query)]:
        operation["parameters"] = parameters
    if route.request is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": schemas[_key(route.request)]}},
        }
    if route.token:
        operation["security"] = [{}, {"bearer": []}] if route.tokenless else [{"bearer": []}]
    return operation


def _responses(route: RouteDoc, schemas: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, type, media in [
        (route.status, route.response, route.media),
        *((status, type, _JSON) for status, type in route.statuses.items()),
    ]:
        answer: dict[str, Any] = {"description": _DESCRIPTIONS.get(status, "Answer")}
        if type is not None:
            answer["content"] = {media: {"schema": schemas[_key(type)]}}
        elif media != _JSON:
            answer["content"] = {media: {}}
        yield str(status), answer


def _in_path(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _in_query(query: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in query.items()
    ]


def _name(route: RouteDoc) -> str:
    words = [word for part in route.path.split("/") if (word := part.strip("{}."))]
    return "_".join([route.method.lower(), *words]).replace(".", "_").replace("-", "_")


_DESCRIPTIONS = {
    200: "Done",
    204: "Done, nothing to say",
    400: "Not understood",
    401: "No valid token",
    403: "Not allowed",
    404: "Not found",
    409: "Does not fit what is there",
    413: "Too large",
    421: "Asked under a name that is not of this PC",
    422: "Not understood",
    503: "Not now",
}
