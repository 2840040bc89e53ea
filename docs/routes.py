"""The reference of the two APIs, from their tables of routes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import msgspec

from edge_agent.local_api import routes as api
from sync import reference_erp
from sync.contract import AnyPlan
from sync.openapi import RouteDoc

_PAGE = """# The two APIs

## The agent's local API

HTTP over the Unix socket of the site file (`socket` in `[site]`): only the user who runs the agent may open it, and the
members of `group` in `[api]`. The terminal and the command line speak it, and so may your own tools:

```text
curl --unix-socket data/agent.sock http://agent/v1/health
```

Where a socket can not be reached, `port` and `token_file` in `[api]` open a TCP port on 127.0.0.1 as well, for whoever
has the token: `floorhand terminal --address http://127.0.0.1:8470 --token-file FILE`.

`/openapi.json` there is the whole description, with every field.

{local}

## The open contract

What an ERP, or a bridge before it, offers to the agent; how it is meant stands in
[Connect an ERP](../how-to/connect-an-erp.md). The agent itself uses `POST` and `GET /v1/facts` and `GET /v1/plans`;
the others are the office's side of the reference ERP. Each asks for `Authorization: Bearer <token>` unless it says
"no token". `/openapi.json` of the reference ERP is the whole description.

{contract}

This page is written from the routes by `make schema`.
"""


def api_page() -> str:
    """The text of the page."""
    return _PAGE.format(
        local=_part(api.ROUTES, tokens=False), contract=_part(reference_erp.ROUTES, tokens=True)
    )


def _part(routes: Sequence[RouteDoc], *, tokens: bool) -> str:
    rows = ["| route | what | asked with | answers |", "|---|---|---|---|"]
    rows += [_row(route, tokens=tokens) for route in routes]
    types = dict.fromkeys(name for route in routes for name in _structs(route))
    told = [f"* `{each.__name__}`: {_first_sentence(each)}" for each in types]
    return "\n".join([*rows, "", *told])


def _row(route: RouteDoc, *, tokens: bool) -> str:
    asked = [f"`{_spelled(route.request)}`"] if route.request is not None else []
    asked += [f"`{name}`: {meaning}" for name, meaning in route.query.items()]
    asked += ["no token"] if tokens and not route.token else []
    answer = f"`{_spelled(route.response)}`" if route.response is not None else str(route.status)
    if route.response is None and route.media != "application/json":
        answer = f"`{route.media}`"
    answers = "; ".join(filter(None, (answer, ", ".join(map(str, sorted(route.statuses))))))
    cells = (f"`{route.method} {route.path}`", route.summary, "; ".join(asked), answers)
    return "| " + " | ".join(cells) + " |"


def _spelled(type: Any) -> str:
    """A message type as the tables name it.

    >>> _spelled(list[int]), _spelled(RouteDoc)
    ('list of int', 'RouteDoc')
    """
    inside = get_args(type)
    if not inside:
        return str(type.__name__)
    if getattr(type, "__origin__", None) is list:
        return f"list of {_spelled(inside[0])}"
    return "plan" if type == AnyPlan else " or ".join(map(_spelled, inside))


def _structs(route: RouteDoc) -> Iterator[type]:
    for type in route.types:
        for each in (type, *get_args(type)):
            if inspect.isclass(each) and issubclass(each, msgspec.Struct):
                yield each


def _first_sentence(struct: type) -> str:
    text = " ".join((inspect.getdoc(struct) or "").split())
    return re.split(r"(?<=\.) (?=[A-Z`])", text)[0]
