"""The routes of the local API as a table; the OpenAPI document and the reference are made from it."""

from __future__ import annotations

from dataclasses import replace

from edge_agent.local_api.access import NOT_LET_IN
from edge_agent.views import Input, JournalRow, Typed, View
from edge_agent.views.exceptions import ExceptionRow
from edge_agent.views.histories import SampleGap, Samples, Trend
from edge_agent.views.labels import LabelRow
from edge_agent.views.maintenance import DeviceReading
from edge_agent.views.oee import OeeReport
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.start_codes import StartCode
from edge_agent.views.status import DeviceStatus, EquipmentStatus, Health, Problem
from edge_agent.views.upkeep import BackupMade
from edge_agent.views.write_orders import WriteAnswer, WriteOrder
from sync.openapi import RouteDoc

_STORE = {503: Problem}
_TERMINAL = {404: Problem, 503: Problem}
_INPUT = {400: Problem, 404: Problem, 413: Problem, 503: Problem}

_ROUTES = (
    RouteDoc(
        "GET", "/v1/terminals/{terminal}/view", "What the terminal shows now",
        response=View, statuses=_TERMINAL,
    ),
    RouteDoc(
        "POST", "/v1/terminals/{terminal}/input", "Hand in one input; the view after its commit",
        Input, View, statuses=_INPUT,
    ),
    RouteDoc(
        "POST", "/v1/terminals/{terminal}/keys",
        "Somebody types there: the lock that comes by itself waits anew; and what stands in the entry, unsent",
        Typed, status=204, statuses=_INPUT,
    ),
    RouteDoc(
        "GET", "/v1/events", "Server-sent events of a terminal: view, status, echo",
        query={"terminal": "its id"}, media="text/event-stream", statuses=_TERMINAL,
    ),
    RouteDoc(
        "GET", "/v1/terminals/{terminal}/scanner-test",
        "Test the terminal's scanners: a report a line; until the stream ends what they send is no scan",
        response=ScannerReport, media="application/x-ndjson", statuses={404: Problem, 409: Problem},
    ),
    RouteDoc(
        "POST", "/v1/terminals/{terminal}/scanner-test", "Write what was found beside the data of the agent",
        response=ScannerReport, statuses={403: Problem, 404: Problem, 409: Problem, 503: Problem},
    ),
    RouteDoc("GET", "/v1/equipment", "Every machine now", response=list[EquipmentStatus]),
    RouteDoc(
        "GET", "/v1/equipment/{equipment}/oee", "Time elements and OEE of a machine, each piece with its reason",
        response=OeeReport, query={
            "minutes": "up to now, at most 1440; default 480",
            "minute": "why one minute was as it was, as 2026-11-22T06:12Z: its pieces, the longest first",
        },
        statuses={400: Problem, 404: Problem, **_STORE},
    ),
    RouteDoc("GET", "/v1/devices", "Every device and scanner now", response=list[DeviceStatus]),
    RouteDoc(
        "POST", "/v1/devices/{device}/items/{item}", "Give an item of a machine a value, through the write gate",
        WriteOrder, WriteAnswer,
        statuses={400: Problem, 403: Problem, 404: Problem, 409: Problem, 413: Problem, **_STORE},
    ),
    RouteDoc(
        "POST", "/v1/devices/{device}/read", "Read every point of a device once, now; nothing of it is stored",
        response=DeviceReading, statuses={403: Problem, 404: Problem, 409: Problem, **_STORE},
        query={"terminal": "where somebody is signed on who may; not asked of the user of the agent"},
    ),
    RouteDoc(
        "GET", "/v1/journal", "Facts: the newest, or those after a seq", response=list[JournalRow],
        query={
            "limit": "at most 1000", "after": "a seq",
            "terminal": "where a lead or an admin is signed on; not asked of the user of the agent",
        },
        statuses={400: Problem, 403: Problem, 404: Problem, **_STORE},
    ),
    RouteDoc(
        "POST", "/v1/persons/{person}/pin", "Give a person a start code in place of their PIN; it ends a lock-out",
        response=StartCode, statuses={403: Problem, 404: Problem, 409: Problem, **_STORE},
        query={"terminal": "where an admin is signed on; not asked of the user of the agent"},
    ),
    RouteDoc(
        "POST", "/v1/journal/{seq}/resend", "Send a refused fact again, and after it what it held back",
        response=JournalRow, statuses={400: Problem, 403: Problem, 404: Problem, 409: Problem, **_STORE},
        query={"terminal": "where somebody is signed on who may; not asked of the user of the agent"},
    ),
    RouteDoc(
        "GET", "/v1/exceptions", "What is in doubt, 99 of it: what waits for a decision first",
        response=list[ExceptionRow], query={
            "skip": "how many to leave out; default 0",
            "terminal": "where somebody is signed on who may; not asked of the user of the agent",
        },
        statuses={400: Problem, 403: Problem, 404: Problem, **_STORE},
    ),
    RouteDoc(
        "GET", "/v1/samples", "Stored machine values as columns, one SampleGap or Samples a line",
        query={
            "from": "ISO 8601 with a time zone", "to": "the same; up to it, without it",
            "items": "pattern of device/item with * and ?; may be given again",
        },
        response=Samples | SampleGap, media="application/x-ndjson", statuses={400: Problem, **_STORE},
    ),
    RouteDoc(
        "GET", "/v1/trend", "Stored values of one item for a plot: lowest, highest and last of each bucket",
        query={
            "device": "its name", "item": "its name", "from": "ISO 8601 with a time zone; default an hour before `to`",
            "to": "the same; default now", "points": "buckets at most, 1 to 2000; default 240",
        },
        response=Trend, statuses={400: Problem, **_STORE},
    ),
    RouteDoc(
        "POST", "/v1/backup", "Copy the journal to a new file in the data folder, where the newest 5 stay",
        response=BackupMade, statuses={403: Problem, 404: Problem, **_STORE},
        query={"terminal": "where an admin is signed on; not asked of the user of the agent"},
    ),
    RouteDoc("GET", "/v1/labels", "Labels of what is known here; no badges", response=list[LabelRow]),
    RouteDoc("GET", "/v1/health", "How the agent is doing", response=Health, statuses=_STORE),
    RouteDoc(
        "GET", "/metrics", "The same for Prometheus, and how long commits take",
        media="text/plain", statuses=_STORE,
    ),
    RouteDoc("GET", "/openapi.json", "This document"),
)  # fmt: skip

# Before any of them, `access` looks who asks: at the socket without a token, at the port with it.
ROUTES = tuple(
    replace(each, statuses={**dict.fromkeys(NOT_LET_IN.values(), Problem), **each.statuses}, tokenless=True)
    for each in _ROUTES
)
