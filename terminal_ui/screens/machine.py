"""The machine page: state, order, alarm, live values with quality and age, counters, stops, requests."""

from __future__ import annotations

from datetime import timedelta

from textual.content import Content

from edge_agent.display import number_words
from edge_agent.views import Choice
from edge_agent.views.maintenance import MachinePage, RequestRow, StopRow
from edge_agent.views.status import EquipmentStatus, ItemValue
from terminal_ui.clockface import age_words, due_words, duration_words, hour_minute
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.work import unattributed_words, weekdays
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.leaf import Leaf, leafed
from terminal_ui.widgets.lines import EMPTY, Part, beside, columns, fit, line, right, spread, wrapped
from terminal_ui.widgets.lost import factor_lines, why_red
from terminal_ui.widgets.machine import NO_DATA, alarm_part, state_part, state_words
from terminal_ui.widgets.strip import resampled, strip_parts

_FRESH = timedelta(seconds=100)  # younger values are told in seconds
_NARROW_STRIP = 20
_STRIP = 60
_FIGURES = 25  # cells for counters, times to failure and OEE


def machine_page(
    page: MachinePage, choices: tuple[Choice, ...], scene: Scene, look: Look, width: int, height: int, first: int
) -> Leaf:
    """Everything about the machine, from row `first` on; a choice that names a value stands before it."""
    numbers = {choice.title: choice.number for choice in choices}
    wide = width >= NARROW
    margin = "  " if wide else " "
    room = width - 2 * len(margin)
    live = watched(page, scene)
    rows = _now(page, live, scene, look, room)
    values = _values(live, numbers, scene, look, room - _FIGURES - 2 if wide else room)
    figures = _figures(page, live, scene, look, _FIGURES if wide else room)
    rows += [EMPTY] if wide else []
    rows += beside(values, figures, room - _FIGURES) if wide else [*values, *figures]
    rows += _stops(page, scene, look, room, wide) + _requests(page, scene, look, room, wide)
    if len(rows) > height:
        rows = [row for row in rows if row]
    return leafed([[line(margin, row)] for row in rows], first, height, look)


def watched(page: MachinePage, scene: Scene) -> EquipmentStatus | None:
    """The live machine of the page; None until it is told (or that of the page before is)."""
    live = scene.status.watched if scene.status else None
    return live if live is not None and live.id == page.equipment else None


def value_words(item: ItemValue, look: Look) -> str:
    """A value with its unit; `-` for one that was never good."""
    if item.value is None:
        return "-"
    return f"{look.safe(number_words(item.value), 20)} {look.safe(item.unit, 8)}".rstrip()


def holds(device: str, scene: Scene) -> bool:
    """Whether the values of a device are as they were told last: it tells changes alone, and is heard."""
    found = next((each for each in scene.status.devices if each.name == device), None) if scene.status else None
    return found is not None and found.only_changes and found.state == "online" and found.silent_since is None


def quality_part(item: ItemValue, scene: Scene, look: Look, held: bool = False) -> Part:
    """How far a value can be trusted, and how old it is; of a Bad one the age of the last good value.

    A good one that is `held` is not old: minutes after its last change it is told for how long it is the same.
    """
    age = age_words(item.source_time, scene.now)
    if item.status == "Good":
        held = held and item.source_time is not None and scene.now - item.source_time >= _FRESH
        return (look.say("quality.same", age=age) if held else age, "$fh-quiet")
    word = look.plain(look.texts.word("quality", item.status))
    if item.status == "Bad":
        told = look.say("quality.last_good", age=age) if age and item.value is not None else ""
        return (f"{look.glyphs.wrong} {word} {told}".rstrip(), "bold $fh-alert")
    return (f"? {word} {age}".rstrip(), "bold $fh-warn")


def _now(page: MachinePage, live: EquipmentStatus | None, scene: Scene, look: Look, room: int) -> list[Content]:
    """The state in words, the alarm, the order, and the shift."""
    state = state_words(live, look) if live else state_part(NO_DATA, look)
    since = live.state_since if live else None
    mode = look.say("machine_page.mode", mode=live.mode) if live is not None and live.mode else ""
    if mode and live is not None and live.mode_status != "Good":
        mode += " ?"
    told = ""
    if since is not None:
        told = look.say("machine_page.since", time=hour_minute(since, look.zone), age=age_words(since, scene.now))
    job = look.say("machine_page.job", job=page.job) if page.job else look.say("machine_page.no_job")
    narrow = room < NARROW - 4
    if narrow:
        style = "" if page.job else "$fh-quiet"
        rows = [line(state, (f"  {told}", "$fh-quiet")), spread(line(mode), line((job, style)), room)]
    else:
        style = "bold" if page.job else "$fh-quiet"
        gap = "  " if mode else ""
        rows = [spread(line(state, gap, mode, (f"  {told}", "$fh-quiet")), line((job, style)), room)]
    if live is None:
        rows.append(line((look.say("machine_page.waiting"), "$fh-warn")))
    elif (alarm := alarm_part(live, look, 120)) is not None:
        rows += wrapped(line(alarm), room, 2)
    return [*rows, *_shift(page, look, room, _NARROW_STRIP if narrow else _STRIP)]


def _shift(page: MachinePage, look: Look, room: int, most: int) -> list[Content]:
    """The strip, and below it why its last red is red."""
    began, ended = hour_minute(page.began, look.zone), hour_minute(page.ended, look.zone)
    cells = min(most, room - len(began) - len(ended) - 2)
    signs = resampled(page.strip, page.stood, page.began, page.ended, cells)
    strip = line((f"{began} ", "$fh-quiet"), *strip_parts(signs, look), (f" {ended}", "$fh-quiet"))
    return [strip, *why_red(page, signs, look, room)]


def _values(
    live: EquipmentStatus | None, numbers: dict[str, int], scene: Scene, look: Look, room: int
) -> list[Content]:
    if live is None or not live.values:
        return []
    rows, held = [line((look.say("machine_page.values"), "bold"))], holds(live.device, scene)
    space = room - 4
    value_width = min(16, max(line(value_words(item, look)).cell_length for item in live.values))
    longest = max(line(look.safe(item.name, 40)).cell_length for item in live.values)
    name_width = min(20, longest, space - value_width - 9)
    for item in live.values:
        number = numbers.get(item.name, 0)
        quality = line(quality_part(item, scene, look, held))
        cells = [
            (line(look.safe(item.name, 40)), name_width),
            (line((value_words(item, look), "bold" if item.status == "Good" else "")), value_width),
        ]
        rest = space - name_width - value_width - 2
        first = line((f"{number:>2}  " if number else "    ", "bold"), columns(cells), " ", fit(quality, rest))
        if quality.cell_length > rest:  # what is wrong is never cut off
            first = line((f"{number:>2}  " if number else "    ", "bold"), columns(cells))
            rows += [first, *[line("      ", row) for row in wrapped(quality, room - 6, 2)]]
        else:
            rows.append(first)
    return rows


def _figures(
    page: MachinePage, live: EquipmentStatus | None, scene: Scene, look: Look, room: int
) -> list[Content]:
    rows = [line((look.say("machine_page.counters"), "bold"))]
    if live is not None and live.count is not None:
        style = "" if live.count_status == "Good" else "$fh-warn"
        old = "" if live.count_status == "Good" else f"  ? {look.say('machine.count_old')}"
        counted = look.say("machine_page.count", n=str(live.counted), now=str(live.count))
        rows += wrapped(line((counted + old, style)), room, 2)
        loose = page.unattributed.parts if page.unattributed is not None else 0
        if live.unattributed and live.unattributed != loose:
            rows.append(line((look.say("machine_page.unattributed", n=str(live.unattributed)), "$fh-warn")))
        if page.unattributed is not None:
            words = unattributed_words(page.unattributed, scene, look, "machine_page.loose")
            rows += wrapped(line((words, "$fh-warn")), room, 2)
    else:
        rows.append(line((look.say("machine.no_count"), "$fh-quiet")))
    return rows + _failures(page, look, room) + factor_lines(page.factors, look)


def _failures(page: MachinePage, look: Look, room: int) -> list[Content]:
    hours = f"{page.hours:g}"
    if page.mtbf is None and page.mttr is None:
        return wrapped(line((look.say("machine_page.no_failure", hours=hours), "$fh-quiet")), room, 2)
    mtbf = duration_words(page.mtbf) if page.mtbf is not None else "-"
    mttr = duration_words(page.mttr) if page.mttr is not None else "-"
    failures = line((look.say("machine_page.failures", n=str(page.failures), hours=hours), "$fh-quiet"))
    return [line(look.say("machine_page.mtbf", mtbf=mtbf, mttr=mttr)), *wrapped(failures, room, 2)]


def _stops(page: MachinePage, scene: Scene, look: Look, room: int, wide: bool) -> list[Content]:
    heading = [EMPTY] * wide + [line((look.say("machine_page.stops"), "bold"))]
    told = page.short_stops
    short = ""
    if told is not None:
        short = look.say("machine_page.short", n=str(told.short), day=str(told.day), hours=f"{page.hours:g}")
    heading = heading if not short or not wide else [*heading[:-1], line(heading[-1], ("   " + short, "$fh-quiet"))]
    if short and not wide:
        heading += [line((row.plain, "$fh-quiet")) for row in wrapped(line(short), room, 2)]
    if not page.stops:
        return [*heading, line(("  " + look.say("machine_page.no_stops"), "$fh-quiet"))]
    return heading + [row for stop in page.stops for row in _stop(stop, page, scene, look, room, wide)]


def _stop(
    stop: StopRow, page: MachinePage, scene: Scene, look: Look, room: int, wide: bool
) -> list[Content]:
    time = due_words(stop.began, scene.now, look.zone, weekdays(look))
    size = 9 if wide else len(time)
    lasted = duration_words(((stop.ended or page.ended) - stop.began).total_seconds())
    lasted = lasted if stop.ended else f"{lasted} {look.glyphs.echo}"
    why = (look.safe(stop.reason, 60), "") if stop.reason else (
        f"{look.glyphs.held} {look.say('downtime_page.unexplained')}", "$fh-warn")  # fmt: skip
    cells = [(right(line(time), size), size), (line(lasted), 8), (line((look.safe(stop.state, 16), "$fh-quiet")), 9)]
    alarm = (f"  {look.safe(stop.alarm, 60)}" if stop.alarm else "", "$fh-quiet")
    if wide:
        return [fit(line("  ", columns(cells, 2), "  ", why, alarm), room)]
    return [fit(line(columns(cells[:2], 1), " ", why, alarm), room)]


def _requests(page: MachinePage, scene: Scene, look: Look, room: int, wide: bool) -> list[Content]:
    if not page.requests:
        return []
    heading = [EMPTY] * wide + [line((look.say("machine_page.requests"), "bold"))]
    return heading + [_request(row, scene, look, room, wide) for row in page.requests]


def _request(row: RequestRow, scene: Scene, look: Look, room: int, wide: bool) -> Content:
    stands = (f"  {look.glyphs.stopped} {look.say('machine_page.stands')}" if row.stopped else "", "bold $fh-alert")
    priority = look.plain(look.texts.word("priority", row.priority))
    at = line(due_words(row.at, scene.now, look.zone, weekdays(look)))
    told = line(right(at, 9) if wide else at, "  ", (look.safe(row.symptom, 60), "bold"))
    rest = line(stands, (f"  {priority}  {look.safe(row.person, 24)}", "$fh-quiet"))
    return fit(line("  " if wide else "", told, rest), room)
