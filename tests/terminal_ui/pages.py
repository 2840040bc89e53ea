"""The pages of the maintenance flow, of the same plausible plant, and the status that lives beside them."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import msgspec

from edge_agent.histories import SampleGap, Trend
from edge_agent.maintenance_pages import (
    DowntimePage,
    DowntimeRow,
    LinePage,
    LinkPage,
    MachinePage,
    MachineRow,
    RequestRow,
    StateSpan,
    StopRow,
    TrendPage,
)
from edge_agent.scanner_report import ScannerFinding, ScannerReading, ScannerReport
from edge_agent.views import (
    Choice,
    DeviceStatus,
    EquipmentStatus,
    Field,
    ItemValue,
    ListPage,
    Page,
    StepPage,
    View,
)
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
    return MachineRow(id=id, name=id, state=state, since=at(ago), strip=strip, **fields)  # type: ignore[arg-type]


MACHINES = (
    _row("PRESS-01", "EXECUTE", 282, spans(("EXECUTE", 282)), job="J-198"),
    _row("PRESS-02", "ABORTED", 9, spans(("EXECUTE", 273), ("ABORTED", 9)), job="J-201", unexplained=1,
         alarm="Hydraulic pressure low (412)"),
    _row("PRESS-03", "EXECUTE", 44, job="J-204", unexplained=2, requests=1,
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

MACHINE = MachinePage(
    equipment="PRESS-03", name="PRESS-03", device="press-03", job="J-204", began=BEGAN, ended=NOW,
    strip=MACHINES[2].strip, stops=_STOPS, failures=5, mtbf=11_520.0, mttr=750.0,
    requests=(
        RequestRow(id="r1", at=at(60), symptom="leaks oil", priority="1", stopped=True, person="Ana Silva", stop="s4"),
    ),
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


PAGES: dict[str, View] = {
    "line": _page("line", LINE, actions=("downtime", "back"), choices=_numbered(*(row.id for row in MACHINES))),
    "machine": _page("machine", MACHINE, title="PRESS-03", actions=("request", "work", "downtime", "link", "back"),
                     choices=_numbered(*(item.name for item in WATCHED.values[:4]))),
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
