"""The machine of the station: its state, its pace, and the hour as this terminal saw it."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from textual.content import Content

from edge_agent.display import number_words
from edge_agent.views.maintenance import MachineRow, Quality, ShortStops
from edge_agent.views.status import EquipmentStatus
from terminal_ui.clockface import since_words
from terminal_ui.scene import Look, Scene
from terminal_ui.widgets.lines import Part, line

_RUNNING = frozenset({"EXECUTE", "STARTING", "COMPLETING", "UNHOLDING", "UNSUSPENDING"})
_STOPPED = frozenset({"ABORTED", "ABORTING", "STOPPED", "STOPPING", "HELD", "HOLDING", "CLEARING"})
NO_DATA = "NO DATA"
_UNKNOWN = frozenset({"", NO_DATA, "UNDEFINED"})  # the last: a state that the site file has no name for


def group(state: str) -> str:
    """run, stop, idle or none: what a PackML state means for somebody who walks past."""
    state = state.upper()
    if state in _RUNNING:
        return "run"
    if state in _STOPPED:
        return "stop"
    return "none" if state in _UNKNOWN else "idle"


class Pace:
    """Pieces a minute from the live count, one figure a bucket; a jump back counts as nothing."""

    def __init__(self, bucket: timedelta = timedelta(seconds=15), keep: int = 16) -> None:
        self._bucket = bucket
        self._made: deque[int] = deque([0], maxlen=keep)
        self._begun: datetime | None = None
        self._count: int | None = None

    def note(self, count: int | None, now: datetime) -> None:
        """The count at a moment; None while it is not known."""
        if self._begun is None:
            self._begun = now
        gone = min(int((now - self._begun) / self._bucket), self._made.maxlen or 1)
        if gone > 0:
            self._made.extend([0] * gone)
            self._begun = now - (now - self._begun) % self._bucket
        if count is not None and self._count is not None:
            self._made[-1] += max(0, count - self._count)
        self._count = count if count is not None else self._count

    @property
    def per_minute(self) -> tuple[float, ...]:
        """The complete buckets, newest last."""
        scale = timedelta(minutes=1) / self._bucket
        return tuple(made * scale for made in list(self._made)[:-1])


class HourStrip:
    """One sign a minute of this hour: R ran, I idle, S stopped, N no data, space: not seen from here."""

    _WORSE = " RINS"

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._minutes = [" "] * 60

    def note(self, state: str, now: datetime) -> None:
        """The state at a moment; of several states in a minute the worst stays."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._minutes = hour, [" "] * 60
        sign = {"run": "R", "idle": "I", "none": "N", "stop": "S"}[group(state)]
        self._minutes[now.minute] = max(self._minutes[now.minute], sign, key=self._WORSE.index)

    @property
    def minutes(self) -> str:
        """Sixty signs."""
        return "".join(self._minutes)


def state_words(machine: EquipmentStatus, look: Look) -> Part:
    """The state of a machine as `state_part` tells it."""
    return state_part(machine.state, look, machine.state_status)


def alarm_part(machine: EquipmentStatus | MachineRow, look: Look, most: int = 60) -> Part | None:
    """The alarm, or that nobody knows whether there is one; None where there is none, or nothing is known at all."""
    if machine.alarm:
        doubt = "" if machine.alarm_status == "Good" else " ?"
        return (f"{look.glyphs.wrong} {look.safe(machine.alarm, most)}{doubt}", "bold $fh-alert")
    if machine.alarm_status != "Bad" or machine.state == NO_DATA:
        return None
    return (f"? {look.say('machine.alarm_unknown')}", "bold $fh-warn")


def state_part(state: str, look: Look, status: Quality = "Good") -> Part:
    """`▶ EXECUTE`: sign and word; coloured only when it is abnormal, with a question mark when it is uncertain."""
    glyphs = look.glyphs
    kind = group(state)
    sign = {"run": glyphs.running, "stop": glyphs.stopped, "idle": glyphs.idle, "none": "?"}[kind]
    style = {"run": "bold", "stop": "bold $fh-alert", "idle": "", "none": "bold $fh-warn"}[kind]
    told = f"{sign} {look.safe(state, 16) or NO_DATA}"
    return (f"{told} ?", "bold $fh-warn") if status == "Uncertain" else (told, style)


def machine_tile(scene: Scene, since_report: int | None, look: Look, width: int) -> list[Content]:
    """Four short lines about the machine; one that says so for a station without a machine."""
    machine = scene.status.machine if scene.status else None
    if machine is None:
        return [line((look.say("machine.none"), "$fh-quiet"))]
    since = (
        f"  {look.say('machine.since', time=since_words(machine.state_since, scene.now, look.zone))}"
        if machine.state_since
        else ""
    )
    name = f"{look.safe(machine.name or machine.id, 16)}  " if width > 36 else ""
    rows = [line(name, state_words(machine, look), (since, "$fh-quiet"))]
    rows.append(_count_line(machine, scene, since_report, look))
    rows.append(_pace_line(machine, scene, look))
    if (alarm := alarm_part(machine, look)) is not None:
        rows.append(line(alarm))
    else:
        rows += [_value_line(machine, look, width // 20)] if machine.values else []
    return rows


def _count_line(machine: EquipmentStatus, scene: Scene, since_report: int | None, look: Look) -> Content:
    if machine.count is None:
        return line((look.say("machine.no_count"), "$fh-quiet"))
    stale = "" if machine.count_status == "Good" else f"  ? {look.say('machine.count_old')}"
    told = look.say("machine.count", n=str(machine.count))
    new = "" if since_report is None else f"   {look.say('machine.since_report', n=str(since_report))}"
    return line(told, (stale, "$fh-warn"), (new, "bold"))


def _pace_line(machine: EquipmentStatus, scene: Scene, look: Look) -> Content:
    """The pace of the last minute; of a count that is not good it is how fast it was, and says so."""
    if not any(scene.pace):
        return line((look.say("machine.pace_none"), "$fh-quiet"))
    top = max(scene.pace)
    signs = look.glyphs.spark
    curve = "".join(signs[round(value / top * (len(signs) - 1))] for value in scene.pace)
    recent = scene.pace[-4:]
    stale = "" if machine.count_status == "Good" else f"  ? {look.say('machine.count_old')}"
    return line(look.say("machine.pace", n=f"{sum(recent) / len(recent):.1f}"), (stale, "$fh-warn"), "  ", curve)


def _value_line(machine: EquipmentStatus, look: Look, most: int) -> Content:
    parts: list[Part] = []
    for item in machine.values[:most]:
        value = "-" if item.value is None else number_words(item.value, 4)
        doubt = "" if item.status == "Good" else " ?"
        unit = f" {look.safe(item.unit, 8)}" if item.unit else ""
        parts.append(
            (
                f"{look.safe(item.name, 20)} {look.safe(value, 12)}{unit}{doubt}   ",
                "$fh-quiet" if not doubt else "$fh-warn",
            )
        )
    return line(*parts)


def stood_line(stood: ShortStops | None, scene: Scene, look: Look) -> Content:
    """`this hour: 1 stop, 2 short`, as the agent counted it; empty when there was none."""
    told: list[Part] = []
    if stood is None or stood.since != scene.now.replace(minute=0, second=0, microsecond=0):
        return line("")  # of an hour that is over
    if stood.stops:
        told.append((look.say("machine.stops", n=str(stood.stops)), "$fh-alert"))
    if stood.short:
        told += [", "] if told else []
        told.append((look.say("machine.short_stops" if not told else "machine.short", n=str(stood.short)), "$fh-warn"))
    return line((f"{look.say('machine.this_hour')} ", "$fh-quiet"), *told) if told else line("")
