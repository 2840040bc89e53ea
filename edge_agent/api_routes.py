"""The routes of the local API as a table; the OpenAPI document and the reference are made from it."""

from __future__ import annotations

from edge_agent.histories import SampleGap, Samples, Trend
from edge_agent.maintenance_pages import DeviceReading
from edge_agent.scanner_report import ScannerReport
from edge_agent.views import (
    DeviceStatus,
    EquipmentStatus,
    Health,
    Input,
    JournalRow,
    LabelRow,
    OeeReport,
    Problem,
    View,
)
from edge_agent.write_orders import WriteAnswer, WriteOrder
from sync.openapi import RouteDoc

_STORE = {503: Problem}
_TERMINAL = {404: Problem, 503: Problem}
_INPUT = {400: Problem, 404: Problem, 413: Problem, 503: Problem}

ROUTES = (
    RouteDoc(
        "GET", "/v1/terminals/{terminal}/view", "What the terminal shows now",
        response=View, statuses=_TERMINAL, token=False,
    ),
    RouteDoc(
        "POST", "/v1/terminals/{terminal}/input", "Hand in one input; the view after its commit",
        Input, View, statuses=_INPUT, token=False,
    ),
    RouteDoc(
        "GET", "/v1/events", "Server-sent events of a terminal: view, status, echo",
        query={"terminal": "its id"}, media="text/event-stream", statuses=_TERMINAL, token=False,
    ),
    RouteDoc(
        "GET", "/v1/terminals/{terminal}/scanner-test",
        "Test the terminal's scanners: a report a line; until the stream ends what they send is no scan",
        response=ScannerReport, media="application/x-ndjson", statuses={404: Problem, 409: Problem}, token=False,
    ),
    RouteDoc(
        "POST", "/v1/terminals/{terminal}/scanner-test", "Write what was found beside the data of the agent",
        response=ScannerReport, statuses={409: Problem, 503: Problem}, token=False,
    ),
    RouteDoc("GET", "/v1/equipment", "Every machine now", response=list[EquipmentStatus], token=False),
    RouteDoc(
        "GET", "/v1/equipment/{equipment}/oee", "Time elements and OEE of a machine, each piece with its reason",
        response=OeeReport, query={"minutes": "up to now, at most 1440; default 480"},
        statuses={400: Problem, 404: Problem, **_STORE}, token=False,
    ),
    RouteDoc("GET", "/v1/devices", "Every device and scanner now", response=list[DeviceStatus], token=False),
    RouteDoc(
        "POST", "/v1/devices/{device}/items/{item}", "Give an item of a machine a value, through the write gate",
        WriteOrder, WriteAnswer, token=False,
        statuses={400: Problem, 403: Problem, 404: Problem, 409: Problem, 413: Problem, **_STORE},
    ),
    RouteDoc(
        "POST", "/v1/devices/{device}/read", "Read every point of a device once, now; nothing of it is stored",
        response=DeviceReading, statuses={404: Problem, 409: Problem}, token=False,
    ),
    RouteDoc(
        "GET", "/v1/journal", "Facts: the newest, or those after a seq", response=list[JournalRow],
        query={"limit": "at most 1000", "after": "a seq"}, statuses={400: Problem, **_STORE}, token=False,
    ),
    RouteDoc(
        "POST", "/v1/journal/{seq}/resend", "Send a refused fact again, and after it what it held back",
        response=JournalRow, statuses={400: Problem, 409: Problem, **_STORE}, token=False,
    ),
    RouteDoc(
        "GET", "/v1/samples", "Stored machine values as columns, one SampleGap or Samples a line",
        query={
            "from": "ISO 8601 with a time zone", "to": "the same; up to it, without it",
            "items": "pattern of device/item with * and ?; may be given again",
        },
        response=Samples | SampleGap, media="application/x-ndjson", statuses={400: Problem, **_STORE}, token=False,
    ),
    RouteDoc(
        "GET", "/v1/trend", "Stored values of one item for a plot: lowest, highest and last of each bucket",
        query={
            "device": "its name", "item": "its name", "from": "ISO 8601 with a time zone; default an hour before `to`",
            "to": "the same; default now", "points": "buckets at most, 1 to 2000; default 240",
        },
        response=Trend, statuses={400: Problem, **_STORE}, token=False,
    ),
    RouteDoc("GET", "/v1/labels", "Labels of what is known here; no badges", response=list[LabelRow], token=False),
    RouteDoc("GET", "/v1/health", "How the agent is doing", response=Health, statuses=_STORE, token=False),
    RouteDoc("GET", "/openapi.json", "This document", token=False),
)  # fmt: skip
