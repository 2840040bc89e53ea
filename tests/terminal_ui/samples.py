"""One view of every step of every flow, with the texts of a plausible plant; and the status beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from edge_agent.scanning.labels import label
from edge_agent.views import (
    Choice,
    Entry,
    Expectation,
    Field,
    Kind,
    ListPage,
    MaterialLine,
    Message,
    Page,
    PickPage,
    StepPage,
    Verdict,
    View,
    Who,
    WorkPage,
)
from edge_agent.views.status import DeviceStatus, EquipmentStatus, ItemValue, LinkStatus, Status

NOW = datetime(2026, 11, 20, 10, 42, tzinfo=UTC)
ANA = Who("p1", "Ana Silva")

def at(minutes: int = 0, seconds: int = 0) -> datetime:
    """So long before now."""
    return NOW - timedelta(minutes=minutes, seconds=seconds)


def said(verdict: Verdict, code: str, seq: int | None = None, ago: int = 0, **params: str) -> Message:
    return Message(verdict=verdict, code=code, params=params, at=at(ago), seq=seq)


def view(
    scenario: str,
    step: str,
    page: Page | None = None,
    *,
    actions: tuple[str, ...] = (),
    title: str = "",
    params: dict[str, str] | None = None,
    expects: tuple[Expectation, ...] = (),
    prompt: str = "",
    **more: Any,
) -> View:
    """A view of a step; its prompt is `scenario.step` unless another one is given."""
    who = more.pop("who", ANA)
    look = () if scenario == "exceptions" else ("exceptions",)  # as edge_agent.terminals.session.allowed_actions has it
    leave = ("sign_off", *look, "help", "queue") if who else ("help", "queue")
    commands = tuple(
        Expectation(Kind.COMMAND, f"action.{name}", {}, label(Kind.COMMAND, name.upper()))
        for name in (*actions, *leave)
    )
    return View(
        terminal="T1",
        terminal_name=more.pop("terminal_name", "PRESS-03"),
        revision=more.pop("revision", 7),
        input="",
        scenario=scenario,
        step=step,
        title=title,
        who=who,
        prompt=prompt or f"{scenario}.{step}",
        prompt_params=params or {},
        page=page or StepPage(),
        expects=(*expects, *commands),
        actions=(*actions, *leave),
        **more,
    )


MACHINE = EquipmentStatus(
    id="PRESS-03",
    name="PRESS-03",
    state="EXECUTE",
    raw_state="4",
    state_since=at(44),
    count=152,
    count_status="Good",
    values=(
        ItemValue(name="cycle time", value=24.1, unit="s", status="Good", source_time=NOW),
        ItemValue(name="oil", value=51.5, unit="°C", status="Good", source_time=NOW),
    ),
)

STATUS = Status(
    now=NOW,
    safe_seq=42,
    delivered_seq=40,
    unsent=2,
    oldest_unsent=at(seconds=8),
    plans_at=at(2),
    machine=MACHINE,
    links=(LinkStatus(name="erp", state="up", since=at(300)),),
    devices=(
        DeviceStatus(
            name="press-03",
            driver="modbus",
            equipment="PRESS-03",
            state="online",
            since=at(200),
            identity="Plastomat 120",
            last_good=NOW,
        ),
        DeviceStatus(name="hand-1", driver="serial_scanner", equipment="", state="online", since=at(200)),
    ),
)

TROUBLE = msgspec.structs.replace(
    STATUS,
    delivered_seq=38,
    unsent=4,
    oldest_unsent=at(17),
    parked=(40,),
    parked_count=1,
    doubts=1,
    plans_at=at(250),
    links=(
        LinkStatus(
            name="erp", state="down", since=at(17), reason="No answer from 192.0.2.10:443 within 5 s."
        ),
    ),
    machine=msgspec.structs.replace(
        MACHINE, state="NO DATA", state_since=at(3), count_status="Bad", values=()
    ),
    devices=(
        DeviceStatus(
            name="press-03",
            driver="modbus",
            equipment="PRESS-03",
            state="lost",
            since=at(200),
            tries=14,
            last_good=at(3),
            reason="Nobody answers at 192.0.2.31:502. Cable, power, or a wrong address.",
        ),
        DeviceStatus(
            name="hand-1",
            driver="serial_scanner",
            equipment="",
            state="lost",
            since=at(1),
            tries=3,
            reason="/dev/serial/by-id/usb-scanner is not there.",
        ),
    ),
)

STOPPED = msgspec.structs.replace(
    STATUS,
    machine=msgspec.structs.replace(
        MACHINE, state="ABORTED", state_since=at(9), alarm="Hydraulic pressure low (412)"
    ),
)

LOG = (
    said(Verdict.OK, "choose_job.started", 39, 44, job="J-204"),
    said(Verdict.OK, "report_production.saved_good", 40, 11, quantity="50", uom="pc", job="J-204"),
    said(Verdict.OK, "report_production.saved_scrap", 41, 1, quantity="1", uom="pc", reason="burr"),
)

WORK = WorkPage(
    job="J-204",
    operation="op 20",
    description="Housing, left",
    revision="C",
    customer="ACME",
    due=at(-198),
    uom="pc",
    good=Decimal(342),
    scrap=Decimal(2),
    target=Decimal(500),
    equipment="PRESS-03",
    count_since_report=4,
    materials=(
        MaterialLine(material="PA66-GF30", lot="R75", expires="2027-03-31", left=Decimal("22.7"), uom="kg"),
        MaterialLine(material="INSERT-M5", lot="R44", expires="2027-07-31", left=Decimal(624), uom="pc"),
    ),
)

PICK = PickPage(
    job="SO-771",
    customer="Borealis Pumps",
    phase="go",
    line=3,
    lines=14,
    lines_left=12,
    location="A-02-1",
    location_hint="aisle 2, floor shelf",
    material="BRG-6204",
    description="Bearing 6204-2RS",
    lot="L2291",
    expires="2026-12-31",
    quantity=Decimal(12),
    uom="pc",
    destination="TOTE-2",
    next_locations=("A-02-5", "A-03-1", "A-03-4"),
)
PICK_LOG = (
    said(Verdict.OK, "pick.saved", 40, 3, quantity="4", uom="pc", location="A-01-2", destination="TOTE-1"),
    said(Verdict.OK, "pick.saved", 42, 1, quantity="2", uom="pc", location="A-01-7", destination="TOTE-2"),
)
PICK_PARAMS = {
    "location": "A-02-1",
    "hint": "aisle 2, floor shelf",
    "material": "BRG-6204",
    "lot": "L2291",
    "quantity": "12",
    "uom": "pc",
    "destination": "TOTE-2",
}


def _job(
    number: int, job: str, what: str, left: str, hours: int, customer: str, blocked: str = "", begun: str = ""
) -> Choice:
    due = (NOW + timedelta(hours=hours)).isoformat()
    detail = {"job": f"{job} op 20", "what": what, "left": left, "due": due, "for": customer}
    detail |= {"begun": begun} if begun else {}
    return Choice(number, job, job, detail, blocked=blocked)


JOBS = (
    _job(1, "J-204", "Housing, left", "158 pc", 4, "ACME", begun="yes"),
    _job(2, "J-205", "Lid 40 mm", "250 pc", 20, "Borealis Pumps"),
    _job(3, "J-203", "Cover 12 mm", "500 pc", 12, "Borealis Pumps"),
    _job(4, "J-206", "Clip 7", "2000 pc", 240, "stock"),
    _job(5, "J-210", "Impeller 3 blade", "40 pc", 40, "Borealis Pumps", "Held"),
)

SCRAP_REASONS = tuple(
    Choice(number, f"SCRAP-{number}", text, label=f"R:SCRAP-{number}.X")
    for number, text in enumerate(("short shot", "flash", "burr", "scratch", "wrong colour", "test piece"), 1)
)
SHORT_REASONS = tuple(
    Choice(number, f"R-{number}", text)
    for number, text in enumerate(("bin is empty", "not enough", "damaged", "not found"), 1)
)


def _location(id: str) -> Expectation:
    params = {"expected": "A-02-1", "hint": "aisle 2, floor shelf"}
    return Expectation(Kind.LOCATION, "expect.location", params, f"L:{id}.T")


_RUN = ("report", "scrap", "finish", "undo", "list")
_NUMBER = Entry("good", "number", "", "pc")


def _work(step: str, **more: Any) -> View:
    params = {"job": "J-204", "uom": "pc", "quantity": "60", "short": "158", "good": "342", "what": "good"}
    actions = more.pop("actions", _RUN if step == "running" else ("back",))
    return view(
        "report_production",
        step,
        WORK,
        title="J-204",
        params=params,
        actions=actions,
        log=more.pop("log", LOG),
        **more,
    )


def _pick(step: str, phase: Any = None, **more: Any) -> View:
    page = msgspec.structs.replace(PICK, phase=phase or step)
    actions = more.pop("actions", ("exception", "park", "list") if step == "go" else ("exception", "back"))
    return view(
        "pick",
        step,
        page,
        title="SO-771",
        params=PICK_PARAMS,
        actions=actions,
        log=PICK_LOG,
        terminal_name="Cart 7",
        expects=more.pop("expects", (_location("A-02-1"), _location("A-02-5"))),
        **more,
    )


VIEWS: dict[str, View] = {
    "sign_on": view(
        "sign_on",
        "badge",
        StepPage(fields=(Field("field.open_job", "J-204"),)),
        who=None,
        expects=(Expectation(Kind.BADGE, "expect.badge"),),
    ),
    "sign_on_wrong": view(
        "sign_on",
        "badge",
        who=None,
        expects=(Expectation(Kind.BADGE, "expect.badge"),),
        message=said(
            Verdict.OTHER_TYPE, "scan.other_type", got="A-02-1", got_kind="location", expected_kinds="badge"
        ),
    ),
    "dispatch": view(
        "choose_job",
        "pick_one",
        ListPage(columns=("job", "what", "left", "due", "for")),
        params={"list": "production"},
        actions=("list",),
        choices=JOBS,
        expects=(Expectation(Kind.JOB, "expect.job", {}, "J:J-204.A"),),
        message=said(Verdict.OK, "sign_on.welcome", 39, name="Ana Silva"),
        log=LOG[:1],
    ),
    "dispatch_empty": view(
        "choose_job", "pick_one", ListPage(), prompt="choose_job.nothing", actions=("list",)
    ),
    "drawing": view(
        "choose_job",
        "scan_drawing",
        StepPage(
            fields=(
                Field("revision.drawing", "DRW-1033 C"),
                Field("revision.purchasing", "DRW-1033 B"),
                Field("revision.costing", "DRW-1033 A"),
            )
        ),
        title="J-205",
        params={"job": "J-205"},
        actions=("exception", "back"),
        expects=(Expectation(Kind.DRAWING, "expect.drawing", {"job": "J-205"}, "D:DRW-1033/C.5"),),
    ),
    "work": _work("running", entry=_NUMBER, message=LOG[-1]),
    "work_wrong": _work(
        "running", entry=_NUMBER, message=said(Verdict.UNKNOWN, "scan.unknown", got="4006381333931")
    ),
    "work_good": _work("good", entry=Entry("good", "number", "4", "pc")),
    "work_over": _work(
        "confirm",
        prompt="report_production.over_counted_ask",
        actions=("confirm", "back"),
        message=said(Verdict.CONFIRM, "report_production.over_counted", quantity="60", uom="pc", counted="4"),
    ),
    "work_scrap": _work("scrap", entry=Entry("scrap", "number", "", "pc")),
    "work_scrap_reason": _work("scrap_reason", choices=SCRAP_REASONS),
    "work_finish": _work("finish", actions=("confirm", "back")),
    "work_finish_reason": _work("finish_reason", choices=SHORT_REASONS),
    "work_undo": _work("undo", actions=("confirm", "back")),
    "pick_go": _pick("go", message=PICK_LOG[-1]),
    "pick_wrong": _pick(
        "go",
        message=said(
            Verdict.WRONG, "pick.wrong_location", got="A-02-3", expected="A-02-1", hint="aisle 2, floor shelf"
        ),
    ),
    "pick_item": _pick(
        "item",
        expects=(
            Expectation(Kind.MATERIAL, "expect.lot", {"expected": "L2291"}, "]C1010400638133401610L2291"),
            _location("A-02-1"),
        ),
    ),
    "pick_other_lot": _pick(
        "item",
        actions=("exception", "back", "confirm"),
        message=said(Verdict.CONFIRM, "pick.other_lot", lot="L2304", planned="L2291", material="BRG-6204"),
    ),
    "pick_held": _pick(
        "item", message=said(Verdict.HELD, "pick.lot_held", lot="L2280", why="quarantine", planned="L2291")
    ),
    "pick_quantity": _pick(
        "quantity",
        entry=Entry("quantity", "number", "12", "pc"),
        expects=(
            Expectation(Kind.HANDLING_UNIT, "expect.destination", {"expected": "TOTE-2"}, "H:TOTE-2.Z"),
        ),
    ),
    "pick_into": _pick("into", actions=("back",)),
    "pick_short_quantity": _pick(
        "short_quantity", "short", entry=Entry("found", "number", "", "pc"), actions=("back",)
    ),
    "pick_short_reason": _pick("short_reason", "short", choices=SHORT_REASONS, actions=("back",)),
    "pick_stopped": view(
        "pick",
        "go",
        prompt="pick.stopped",
        params={"job": "SO-771"},
        title="SO-771",
        actions=("list",),
        message=said(Verdict.HELD, "pick.stopped", job="SO-771"),
    ),
}
