"""The pages of the maintenance flow, of the same plausible plant, and the status that lives beside them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec

from edge_agent.views import Choice, Entry, Expectation, Field, Kind, ListPage, Page, StepPage, View
from edge_agent.views.exceptions import ExceptionPage, ExceptionRow, ExceptionsPage
from edge_agent.views.histories import SampleGap, Trend
from edge_agent.views.maintenance import (
    DeviceReading,
    DowntimePage,
    DowntimeRow,
    Factors,
    LinePage,
    LinkPage,
    LostPiece,
    MachinePage,
    MachineRow,
    PointReading,
    RequestRow,
    StateSpan,
    StopRow,
    TrendPage,
)
from edge_agent.views.scanner_report import ScannerFinding, ScannerReading, ScannerReport
from edge_agent.views.status import DeviceStatus, EquipmentStatus, ItemValue
from tests.terminal_ui.samples import NOW, STATUS, at, view

BEGAN = at(282)  # 06:00


def spans(*told: tuple[str, int]) -> tuple[StateSpan, ...]:
    """States with their minutes, from the beginning of the shift to now."""
    found: list[StateSpan] = []
    began = BEGAN
    for state, minutes in told:
        found.append(StateSpan(state, began, began + timedelta(minutes=minutes)))
        began = found[-1].ended
    assert began == NOW, began
    return tuple(found)


def _row(id: str, state: str, ago: int, strip: tuple[StateSpan, ...], **more: object) -> MachineRow:
    device = id.lower()
    fields: dict[str, object] = {"device": device, "device_state": "online", **more}
    stood = tuple(span for span in strip if span.state in ("HELD", "ABORTED"))
    return MachineRow(id=id, name=id, state=state, since=at(ago), strip=strip, stood=stood, **fields)  # type: ignore[arg-type]


MACHINES = (
    _row("PRESS-01", "EXECUTE", 282, spans(("EXECUTE", 282)), job="J-198", oee=0.873),
    _row("PRESS-02", "ABORTED", 9, spans(("EXECUTE", 273), ("ABORTED", 9)), job="J-201", unexplained=1,
         alarm="Hydraulic pressure low (412)"),
    _row("PRESS-03", "EXECUTE", 44, job="J-204", unexplained=2, requests=1, oee=0.69,
         strip=spans(("EXECUTE", 90), ("HELD", 4), ("EXECUTE", 84), ("IDLE", 60), ("EXECUTE", 44))),
    _row("OVEN-1", "EXECUTE", 120, spans(("IDLE", 162), ("EXECUTE", 120)), job="J-190"),
    _row("PACK-1", "NO DATA", 23, spans(("EXECUTE", 259), ("NO DATA", 23)), device_state="lost"),
    _row("CNC-02", "IDLE", 58, spans(("EXECUTE", 30), ("IDLE", 90), ("EXECUTE", 104), ("IDLE", 58))),
)  # fmt: skip

LINE = LinePage(began=BEGAN, ended=NOW, machines=MACHINES)

WATCHED = EquipmentStatus(
    id="PRESS-03", name="PRESS-03", state="EXECUTE", raw_state="4", mode="Production", state_since=at(44),
    count=152, count_status="Good", counted=4152, unattributed=12, cycle_time=24.1,
    values=(
        ItemValue(name="cycle time", value=24.1, unit="s", status="Good", source_time=at(seconds=2)),
        ItemValue(name="oil temperature", value=51.5, unit="°C", status="Good", source_time=at(seconds=2)),
        ItemValue(name="hydraulic pressure", value=118.25, unit="bar", status="Uncertain", source_time=at(seconds=4)),
        ItemValue(name="melt temperature", value=231.0, unit="°C", status="Bad", source_time=at(4)),
        ItemValue(name="program", value="HOUSING-L", status="Good", source_time=at(44)),
        ItemValue(name="door", value=None, status="Bad", source_time=None),
    ),
)  # fmt: skip

_STOPS = (
    StopRow(id="s5", began=at(192), ended=at(188), state="HELD", alarm="Safety door open"),
    StopRow(id="s4", began=at(104), ended=at(44), state="IDLE", reason="waits for material"),
    StopRow(id="s3", began=at(900), ended=at(862), state="ABORTED", alarm="Hydraulic pressure low (412)",
            reason="hydraulics"),
)  # fmt: skip

_LOST = (
    LostPiece(element="delay", began=at(192), ended=at(191), state="HOLDING", stop="s5", alarm="Safety door open"),
    LostPiece(element="delay", began=at(191), ended=at(188), state="HELD", stop="s5"),
    LostPiece(element="delay", began=at(104), ended=at(44), state="IDLE", stop="s4", reason="waits for material"),
)  # fmt: skip

MACHINE = MachinePage(
    equipment="PRESS-03", name="PRESS-03", device="press-03", job="J-204", began=BEGAN, ended=NOW,
    strip=MACHINES[2].strip, stood=MACHINES[2].stood, stops=_STOPS, failures=5, mtbf=11_520.0, mttr=750.0,
    lost=_LOST, factors=Factors(availability=0.773, performance=0.912, quality=0.985, oee=0.694),
    requests=(
        RequestRow(id="r1", at=at(60), symptom="leaks oil", priority="1", stopped=True, person="Ana Silva", stop="s4"),
    ),
)  # fmt: skip

# It stood twice more, and the red before the last is asked for.
_REDS = (
    *_LOST[:2],
    LostPiece(element="planned_downtime", began=at(180), ended=at(165), state="STOPPED", stop="s7", reason="break"),
    LostPiece(element="delay", began=at(30), ended=at(22), state="ABORTED", alarm="Jam", stop="s8"),
)
MACHINE_RED = msgspec.structs.replace(
    MACHINE, lost=_REDS, red=1,
    stood=tuple(StateSpan(each.state, each.began, each.ended) for each in _REDS),
)  # fmt: skip

TREND = TrendPage(equipment="PRESS-03", device="press-03", item="oil temperature", unit="°C", minutes=60)
LINK = LinkPage(device="press-03", driver="modbus", endpoint="192.0.2.31:502, unit 1", equipment="PRESS-03")
DOWNTIME = DowntimePage(
    equipment="", began=at(24 * 60), ended=NOW,
    rows=(
        DowntimeRow("hydraulics", 5_820.0, 3), DowntimeRow("waits for material", 3_600.0, 4),
        DowntimeRow("", 2_400.0, 11), DowntimeRow("tool change", 1_260.0, 2), DowntimeRow("cleaning", 45.0, 1),
    ),
)  # fmt: skip


def micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def trend(buckets: int = 120) -> Trend:
    """An hour of oil temperature: it warms up, is lost for ten minutes, and comes back uncertain."""
    since, step = micros(at(60)), 3_600_000_000 // buckets
    share = [number / buckets for number in range(buckets)]
    base = [48.0 + 3.5 * each + 0.4 * math.sin(each * 40) for each in share]
    lost = [0.45 <= each < 0.6 for each in share]
    unsure = [0.6 <= each < 0.66 for each in share]
    gone = [each < 0.05 for each in share]
    none = [bad or away for bad, away in zip(lost, gone, strict=True)]
    return Trend(
        device="press-03", item="oil temperature", since=since, until=micros(NOW), step=step,
        times=[since + number * step for number in range(buckets)],
        low=[None if no else value - 0.3 for no, value in zip(none, base, strict=True)],
        high=[None if no else value + 0.3 for no, value in zip(none, base, strict=True)],
        last=[None if no else value for no, value in zip(none, base, strict=True)],
        status=["" if away else "Bad" if bad else "Uncertain" if odd else "Good"
                for away, bad, odd in zip(gone, lost, unsure, strict=True)],
        gaps=[SampleGap(device="press-03", item="", since=since, until=since + 180_000_000, reason="stopped", count=0)],
    )  # fmt: skip


_CODE = ("█" * 77, *["█████ ▌█▐█▌ ▐▐ ▐▐▌ █ ▌█ ▐ █▐▐█ █▌█ ▐▌▐  ▌▌ ▌▐▌ █▐▐▌ █ ▌ ▌▐ ▐ █▌█▌▌▐█ ▐▐ █████"] * 4, "█" * 77)
_TABLE = """[[scanners]]
name = "hand-1"
driver = "serial_scanner"
terminal = "T1"

[scanners.options]
port = "/dev/serial/by-id/usb-Honeywell_1950-if00"
profile = "honeywell"
aim = true
"""
ASKED = ScannerReport(scanners=("hand-1",), known="10A1<FNC1>217", code=_CODE, wanted=3)
_READ = ScannerReading("]C110A1<GS>217<CR>", "5D 43 31 31 30 41 31 1D 32 31 37 0D")
ONCE = msgspec.structs.replace(ASKED, scanner="hand-1", readings=(_READ,))
FOUND = msgspec.structs.replace(
    ASKED, scanner="hand-1", readings=(_READ,) * 3,
    finding=ScannerFinding(
        prefix="", suffix="<CR>", aim="]C1", separator="kept", instead="", faults=(), table=_TABLE,
    ),
)  # fmt: skip
_BARE = ScannerReading("10A1217", "31 30 41 31 32 31 37")
FAULTY = msgspec.structs.replace(
    ASKED, scanner="hand-1", readings=(_BARE,) * 3,
    finding=ScannerFinding(
        prefix="", suffix="", aim="", separator="lost", instead="", table="",
        faults=("no_suffix", "no_aim", "fnc1_lost"),
    ),
)  # fmt: skip


DEVICES = (
    msgspec.structs.replace(STATUS.devices[0], round_trip=0.012),
    STATUS.devices[1],
    DeviceStatus(
        name="pack-1", driver="opcua", equipment="PACK-1", state="lost", since=at(400), last_good=at(23), tries=14,
        reason="Nobody answers at 192.0.2.31:4840. Cable, power, or a wrong address.",
    ),
)  # fmt: skip
PLANT = msgspec.structs.replace(STATUS, watched=WATCHED, devices=DEVICES)
IN_DOUBT = msgspec.structs.replace(PLANT, devices=DEVICES[:2], doubts=5)
SPOOFED = msgspec.structs.replace(
    PLANT,
    devices=(
        msgspec.structs.replace(DEVICES[0], driver="opcua", insecure=True, warnings=(
            "Our certificate ends in 12 days: a new one is made, which every server has to be told to trust.",
        )),
        *DEVICES[1:],
    ),
)  # fmt: skip


def _page(step: str, page: Page, **more: object) -> View:
    params = {"machine": "PRESS-03", "value": "oil temperature", "device": "press-03", "hours": "24"}
    fields: dict[str, object] = {"actions": ("back",), "title": "", "params": params, **more}
    return view("maintain", step, page, **fields)  # type: ignore[arg-type]


def _numbered(*names: str) -> tuple[Choice, ...]:
    return tuple(Choice(number, name, name) for number, name in enumerate(names, 1))


def _request(number: int, symptom: str, priority: str, ago: int) -> Choice:
    detail = {"symptom": symptom, "priority": priority, "since": at(ago).isoformat(), "by": "Ana Silva"}
    return Choice(number, f"r{number}", symptom, detail)


def _exception(key: str, kind: str, what: str, ago: int, **more: object) -> ExceptionRow:
    return ExceptionRow(key=key, kind=kind, what=what, since=at(ago), **more)  # type: ignore[arg-type]


_GOOD = {"quantity": "50", "uom": "pc", "job": "J-204"}
REFUSED = _exception(
    "d1", "refused", "MaterialProduced", 17, params=_GOOD, about="J-204", person="Bo Lindqvist", terminal="T1",
    happened=at(18), seq=41, code="closed_order", attempts=1, held=(44, 45, 47),
    reason="Order J-204 is completed since 10:20. Ask K. Weber, ext. 214.",
)  # fmt: skip
HANDED = _exception(
    "d2", "refused", "MaterialMoved", 190, about="SO-771", seq=12, code="unknown_lot", reason="No lot L9.", attempts=3,
    params={"quantity": "4", "uom": "pc", "material": "BRG-6204", "destination": "TOTE-2", "job": "SO-771"},
    person="Ana Silva", terminal="T2", happened=at(190), choice="hand_over", decided_by="Ines Costa",
    decided_at=at(60), note="Karla, master data",
)  # fmt: skip
_DOUBTS = (
    REFUSED,
    _exception("clock/7", "clock", "clock", 300, params={"n": "3", "first": "7", "last": "9", "lost": ""}, seq=7),
    _exception("incident/x", "incident", "incident", 2_000, params={"n": "812", "lost": "36"},
               reason="The end of the journal is missing: it has 811 facts, 813 were saved."),
    _exception("d3", "lost", "FactLost", 2_000, params={"seq": "36"}, seq=36),
    HANDED,
)  # fmt: skip


def _doubt(step: str, page: Page, **more: object) -> View:
    fields: dict[str, object] = {"actions": ("back",), "title": "", **more}
    return view("exceptions", step, page, **fields)  # type: ignore[arg-type]


PAGES: dict[str, View] = {
    "exceptions": _doubt("list", ExceptionsPage(rows=_DOUBTS), choices=_numbered(*(row.key for row in _DOUBTS))),
    "exceptions_none": _doubt("list", ExceptionsPage(), prompt="exceptions.nothing"),
    "exception": _doubt(
        "one", ExceptionPage(row=REFUSED, choices=("resend", "correct", "hand_over")), title="J-204",
        actions=("resend", "correct", "hand_over", "back"),
    ),
    "exception_handed_over": _doubt("one", ExceptionPage(row=HANDED), prompt="exceptions.look", title="SO-771"),
    "exception_correct": _doubt(
        "correct", ExceptionPage(row=REFUSED, choices=("correct",)), title="J-204",
        params={"uom": "pc", "job": "J-204"}, entry=Entry("instead", "number", "", "pc"),
    ),
    "exception_second": _doubt(
        "second", ExceptionPage(row=REFUSED), title="J-204", expects=(Expectation(Kind.BADGE, "expect.second"),),
    ),
    "line": _page("line", LINE, actions=("downtime", "back"), choices=_numbered(*(row.id for row in MACHINES))),
    "machine": _page("machine", MACHINE, title="PRESS-03",
                     actions=("request", "work", "downtime", "link", "earlier", "back"),
                     choices=_numbered(*(item.name for item in WATCHED.values[:4]))),
    "machine_red": _page("machine", MACHINE_RED, title="PRESS-03",
                         actions=("request", "work", "downtime", "link", "earlier", "back")),
    "trend": _page("trend", TREND, title="PRESS-03", actions=("span", "back")),
    "link": _page("link", LINK, title="PRESS-03"),
    "downtime": _page("downtime", DOWNTIME),
    "symptom": _page("symptom", StepPage(), title="PRESS-03", choices=_numbered(
        "leaks oil", "makes noise", "too hot", "does not start", "bad parts", "guard broken", "other")),
    "priority": _page("priority", StepPage(), title="PRESS-03", choices=tuple(
        Choice(number, str(number), "", code=f"maintain.priority_{number}") for number in (1, 2, 3))),
    "requests": _page("requests", ListPage(columns=("symptom", "priority", "since", "by")), title="PRESS-03",
        choices=(_request(1, "leaks oil", "1", 60), _request(2, "makes noise", "3", 3_000))),
    "repair": _page("work", StepPage(fields=(Field("field.symptom", "leaks oil"), Field("field.suspected", "seal"))),
        title="PRESS-03", params={"symptom": "leaks oil"}, actions=("finish", "undo", "back")),
    "accept": _page("accept", StepPage(fields=(Field("field.failure", "seal worn"),)), title="PRESS-03"),
}  # fmt: skip

# What a test read of the link page brings.
READING = DeviceReading(
    device="press-03", at=NOW,
    points=(
        PointReading(item="oil temperature", raw="0203", value=51.5, status="Good", round_trip=0.012,
                     unit="°C"),
        PointReading(item="state", raw="000B", value=11, status="Good", round_trip=0.012, word="HELD"),
        PointReading(item="alarm", raw="019C", value=412, status="Good", round_trip=0.012,
                     word="Hydraulic pressure low"),
        PointReading(item="melt temperature", raw="", value=None, status="Bad", round_trip=None,
                     reason="The device refuses: it has no such address (exception 2)."),
    ),
)  # fmt: skip
