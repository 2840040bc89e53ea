"""What maintain remembers, and the pages of its steps that look at machines."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from edge_agent.machines.plant import REMEMBERED
from edge_agent.machines.reliability import downtime, reliability, stood
from edge_agent.machines.stops import Stop
from edge_agent.machines.upkeep import Request
from edge_agent.roles import Action, may
from edge_agent.scanning.labels import label_or_none
from edge_agent.scenarios.contract import Screen, Situation
from edge_agent.views import Choice, Kind
from edge_agent.views.maintenance import (
    DowntimePage,
    DowntimeRow,
    Factors,
    LinePage,
    LinkPage,
    LostPiece,
    MachinePage,
    MachineRow,
    RequestRow,
    StopRow,
    TrendPage,
)
from edge_agent.views.oee import OeeReport
from edge_agent.views.status import DeviceStatus, EquipmentStatus

SHIFT = timedelta(hours=8)  # what a strip shows
HOURS = 24  # of downtime, MTBF and MTTR
MINUTES = (60, 480, 1440)  # how far back a trend may go, one after the other

# States and stops are on disk, and known to be so, a few seconds after they were true.
_SURE = timedelta(seconds=15)
_STOPS = 5
_SHOWN = 99
_PIECES = 60  # in which it stood: more than the cells of a strip
_STOOD = ("delay", "short_stop", "maintenance", "planned_downtime", "no_order")  # as in an OeeReport


class State(msgspec.Struct, frozen=True, tag="maintain"):
    """`left` is the work that is gone on with afterwards, as the kernel keeps it; `job` the one it is on.

    `equipment` is the machine that is looked at, `item` and `minutes` what of it is drawn, `red` how many
    times an earlier red of its strip was asked for. `symptom` and
    `priority` are of the request that is being made, `request` the one that is worked on, `failure` what was
    the matter in the end, `released_by` whose PIN is asked for to take the machine back.
    """

    step: str = "line"
    job: str = ""
    left: str = ""
    equipment: str = ""
    item: str = ""
    minutes: int = MINUTES[0]
    red: int = 0
    symptom: str = ""
    priority: int = 0
    request: str = ""
    failure: str = ""
    released_by: str = ""


def at_line(state: State) -> State:
    """The list of machines."""
    return State(job=state.job, left=state.left)


def at_machine(state: State, equipment: str = "") -> State:
    """A machine; the one that is looked at when none is named."""
    return State("machine", state.job, state.left, equipment or state.equipment)


def is_mechanic(here: Situation) -> bool:
    """Whether the person may work on machines; everybody may look, and ask for work."""
    return may(here.person, Action.MAINTAIN)


def line_of(equipment: str) -> str:
    """The work center that a machine belongs to, by its path of ISA-95 equipment levels; empty: none is named.

    >>> line_of("HALL-1/LINE-2/PRESS-03"), line_of("PRESS-03")
    ('HALL-1/LINE-2', '')
    """
    return equipment.rpartition("/")[0]


def of_other_line(equipment: str, here: Situation) -> bool:
    """Whether a machine is none of the line where the terminal stands."""
    return bool(here.station.equipment) and line_of(equipment) != line_of(here.station.equipment)


def listed(here: Situation) -> tuple[EquipmentStatus, ...]:
    """The machines of the line where the terminal stands; all of them where it stands at none."""
    return tuple(each for each in here.plant.machines if not of_other_line(each.id, here))


def words_of(id: str, here: Situation) -> str:
    """A reason in the plant's words."""
    return next((each.text for each in here.book.reasons if each.id == id), id)


def reason_choices(purpose: str, here: Situation) -> tuple[Choice, ...]:
    """The reasons for a purpose, by number."""
    return tuple(
        Choice(reason.number, reason.id, reason.text, label=label_or_none(Kind.REASON, reason.id))
        for reason in here.book.reasons_for(purpose)
    )


def open_stop(equipment: str, here: Situation) -> Stop | None:
    """The stop that the machine is in, when it is long enough to be one."""
    recent = here.plant.stops(equipment, here.now - timedelta(days=REMEMBERED))
    return next((stop for stop in recent if stop.ended is None), None)


def request_choices(requests: tuple[Request, ...], here: Situation) -> tuple[Choice, ...]:
    """Open requests to choose from."""
    return tuple(
        Choice(
            number, each.id, words_of(each.symptom, here),
            {
                "symptom": words_of(each.symptom, here), "priority": str(each.priority),
                "since": each.at.isoformat(), "by": name_of(each.person, here),
            },
        )
        for number, each in enumerate(requests[:_SHOWN], 1)
    )  # fmt: skip


def name_of(person: str, here: Situation) -> str:
    """What people call somebody."""
    known = here.book.persons.get(person)
    return known.name if known is not None else person


def look_screen(state: State, here: Situation) -> Screen:
    """Line, machine, trend, link or downtime."""
    machine = here.plant.machine(state.equipment)
    if machine is None or state.step == "line":
        return _downtime(state, None, here) if state.step == "downtime" else _line(state, here)
    match state.step:
        case "trend":
            return _trend(state, machine, here)
        case "link":
            return _link(machine, here)
        case "downtime":
            return _downtime(state, machine, here)
        case _:
            return _machine(state, machine, here)


def _interval(here: Situation, length: timedelta) -> tuple[datetime, datetime]:
    """A time up to the last whole minute of which everything is on disk."""
    ended = (here.now - _SURE).replace(second=0, microsecond=0)
    return ended - length, ended


def _line(state: State, here: Situation) -> Screen:
    machines, (began, ended) = listed(here), _interval(here, SHIFT)
    rows = tuple(_row(each, began, ended, here) for each in machines)
    choices = tuple(
        Choice(number, each.id, each.name, label=label_or_none(Kind.WORKSTATION, each.id))
        for number, each in enumerate(machines[:_SHOWN], 1)
    )
    actions = ("downtime", "back") if state.left or here.station.home != "maintenance" else ("downtime", "list")
    prompt = "maintain.line" if machines else "maintain.no_machines"
    return Screen(prompt, page=LinePage(began=began, ended=ended, machines=rows), actions=actions, choices=choices)


def _row(machine: EquipmentStatus, began: datetime, ended: datetime, here: Situation) -> MachineRow:
    recent = here.plant.stops(machine.id, here.now - timedelta(days=REMEMBERED))
    device = here.plant.device(machine.device)
    return MachineRow(
        id=machine.id, name=machine.name, state=machine.state, since=machine.state_since, alarm=machine.alarm,
        state_status=machine.state_status, alarm_status=machine.alarm_status,
        job=here.plant.job(machine.id), unexplained=sum(not stop.reason for stop in recent),
        requests=len(here.plant.requests(machine.id)), device=machine.device,
        device_state=_device_state(device), oee=here.plant.oee(machine, began, ended),
        strip=here.plant.strip(machine.id, began, ended), stood=stood(recent, began, ended),
    )  # fmt: skip


def _device_state(device: DeviceStatus | None) -> str:
    """As a MachineRow tells it."""
    if device is None:
        return "none"
    return "silent" if device.silent_since and device.state != "lost" else device.state


def earlier_red(state: State, here: Situation) -> State:
    """The red before the one that is explained; after the first of the strip again the last."""
    machine = here.plant.machine(state.equipment)
    time = here.plant.time(machine, *_interval(here, SHIFT)) if machine is not None else None
    count = len(_lost(time, here)) if time is not None else 0
    return msgspec.structs.replace(state, red=(state.red + 1) % count if count else 0)


def _machine(state: State, machine: EquipmentStatus, here: Situation) -> Screen:
    plant, (began, ended) = here.plant, _interval(here, SHIFT)
    since, _ = _interval(here, timedelta(hours=HOURS))
    recent = plant.stops(machine.id, here.now - timedelta(days=REMEMBERED))
    figures = reliability(plant.spans(machine.id, since, ended), recent, since, ended)
    requests, time = plant.requests(machine.id), plant.time(machine, began, ended)
    page = MachinePage(
        equipment=machine.id, name=machine.name, device=machine.device, job=plant.job(machine.id),
        began=began, ended=ended, strip=plant.strip(machine.id, began, ended), stood=stood(recent, began, ended),
        stops=tuple(_stop(stop, here) for stop in recent[:_STOPS]),
        requests=tuple(_request(each, here) for each in requests), hours=float(HOURS),
        short_stops=plant.stood(machine.id, here.now, HOURS),
        failures=figures.failures, mtbf=_seconds(figures.mtbf), mttr=_seconds(figures.mttr),
        unattributed=plant.unattributed(machine.id),
        lost=_lost(time, here) if time is not None else (), red=state.red,
        factors=_factors(time) if time is not None else None,
    )  # fmt: skip
    work = ("work",) if requests and is_mechanic(here) else ()
    link = ("link",) if plant.device(machine.device) is not None else ()
    prompt = "maintain.machine" if is_mechanic(here) else "maintain.machine_look"
    earlier = ("earlier",) if len(page.lost) > 1 else ()
    actions = ("request", *work, "downtime", *link, *earlier, "back")
    return Screen(prompt, {"machine": machine.name}, machine.name, page, actions, _values(machine))


def _lost(time: OeeReport, here: Situation) -> tuple[LostPiece, ...]:
    stood = [each for each in time.pieces if each.element in _STOOD]
    return tuple(
        LostPiece(
            element=each.element, began=each.began, ended=each.ended, state=each.state, alarm=each.alarm,
            stop=each.stop, reason=words_of(each.reason, here) if each.reason else "",
        )
        for each in stood[-_PIECES:]
    )  # fmt: skip


def _factors(time: OeeReport) -> Factors:
    return Factors(
        availability=time.availability, performance=time.performance, quality=time.quality, oee=time.oee
    )


def _values(machine: EquipmentStatus) -> tuple[Choice, ...]:
    """The values that can be drawn."""
    return tuple(
        Choice(number, each.name, each.name, {"value": each.name, "unit": each.unit})
        for number, each in enumerate(machine.values[:_SHOWN], 1)
    )


def _stop(stop: Stop, here: Situation) -> StopRow:
    return StopRow(
        id=stop.id, began=stop.began, ended=stop.ended, state=stop.state, alarm=stop.alarm,
        reason=words_of(stop.reason, here) if stop.reason else "",
    )  # fmt: skip


def _request(request: Request, here: Situation) -> RequestRow:
    return RequestRow(
        id=request.id, at=request.at, symptom=words_of(request.symptom, here), priority=str(request.priority),
        stopped=request.stopped, person=name_of(request.person, here), stop=request.stop,
    )  # fmt: skip


def _trend(state: State, machine: EquipmentStatus, here: Situation) -> Screen:
    unit = next((each.unit for each in machine.values if each.name == state.item), "")
    page = TrendPage(
        equipment=machine.id, device=machine.device, item=state.item, unit=unit, minutes=state.minutes
    )
    params = {"machine": machine.name, "value": state.item}
    return Screen("maintain.trend", params, machine.name, page, ("span", "back"), _values(machine))


def _link(machine: EquipmentStatus, here: Situation) -> Screen:
    device = here.plant.device(machine.device)
    page = LinkPage(
        device=machine.device, driver=device.driver if device is not None else "",
        endpoint=device.endpoint if device is not None else "", equipment=machine.id,
    )  # fmt: skip
    return Screen("maintain.link", {"device": machine.device}, machine.name, page, ("back",))


def _downtime(state: State, machine: EquipmentStatus | None, here: Situation) -> Screen:
    """Of the machine, or of all those of the line."""
    began, ended = _interval(here, timedelta(hours=HOURS))
    asked = (machine,) if machine is not None else listed(here)
    lost = downtime([stop for each in asked for stop in here.plant.stops(each.id, began)], began, ended)
    rows = tuple(
        DowntimeRow(words_of(each.reason, here) if each.reason else "", each.time.total_seconds(), each.stops)
        for each in lost
    )
    name = machine.name if machine is not None else ""
    short = sum(here.plant.stood(each.id, here.now, HOURS).day for each in asked)
    page = DowntimePage(
        equipment=machine.id if machine else "", name=name, began=began, ended=ended, rows=rows, short=short
    )
    prompt = "maintain.downtime" if rows else "maintain.no_downtime"
    params = {"machine": name, "hours": str(HOURS), "n": str(short) if short else ""}
    return Screen(prompt, params, name, page, ("back",))


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()
