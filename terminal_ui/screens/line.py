"""The line page: one row a machine, its shift as a strip, and below it what is wrong with it."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from edge_agent.maintenance_pages import LinePage, MachineRow
from edge_agent.views import Choice
from terminal_ui.clockface import age_words, due_words, hour_minute
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.work import weekdays
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.leaf import Leaf, leafed
from terminal_ui.widgets.lines import Part, columns, fit, line, spread
from terminal_ui.widgets.machine import group, state_part
from terminal_ui.widgets.strip import legend, shift_strip

STRIP = 60  # cells at most: a strip is a picture, not a record
_NARROW_STRIP = 20
_NAME, _STATE, _SINCE = 14, 13, 7


def line_page(
    page: LinePage, choices: tuple[Choice, ...], scene: Scene, look: Look, width: int, height: int, first: int
) -> Leaf:
    """The machines from number `first` on; the choices open them, in the same order."""
    if not page.machines:
        return Leaf([line("  ", (look.say("line_page.no_machines"), "$fh-quiet"))], 0, 0)
    numbers = [choice.number for choice in choices] + [0] * (len(page.machines) - len(choices))
    if width < NARROW:
        entries = [
            _narrow(row, number, page, scene, look, width)
            for row, number in zip(page.machines, numbers, strict=False)
        ]
        return leafed(entries, first, height, look)
    entries = [
        _wide(row, number, page, scene, look, width)
        for row, number in zip(page.machines, numbers, strict=False)
    ]
    head = _head(page, look, width)
    leaf = leafed(entries, first, height - len(head), look)
    return leaf._replace(rows=[*head, *leaf.rows])


def _head(page: LinePage, look: Look, width: int) -> list[Content]:
    """How the machines are doing in numbers, and what the strip covers."""
    kinds = [group(row.state) for row in page.machines]
    told: list[Part] = []
    for kind, style in (("run", ""), ("idle", ""), ("stop", "bold $fh-alert"), ("none", "bold $fh-warn")):
        if count := kinds.count(kind):
            told += ["   "] if told else []
            told.append((look.say(f"line_page.{kind}", n=str(count)), style))
    span = span_words(page.began, page.ended, page.ended, look)
    signs = legend(look)
    right_hand = line((span, "$fh-quiet"), "  ") if width < 100 else line(signs, "    ", (span, "$fh-quiet"), "  ")
    rows = [spread(line("  ", *told), right_hand, width)]
    return rows if width >= 100 else [*rows, line("  ", signs)]


def span_words(began: datetime, ended: datetime, now: datetime, look: Look) -> str:
    """From when to when, each as near as it is."""
    days = weekdays(look)
    return look.say(
        "line_page.span", since=due_words(began, now, look.zone, days), until=due_words(ended, now, look.zone, days)
    )


def _wide(row: MachineRow, number: int, page: LinePage, scene: Scene, look: Look, width: int) -> list[Content]:
    since = hour_minute(row.since, look.zone) if row.since else ""
    fixed = 4 + _NAME + 1 + _STATE + 1 + _SINCE + 1
    cells = min(STRIP, width - fixed - 2)
    left = columns(
        [
            (line((look.safe(row.name or row.id, 40), "bold")), _NAME),
            (line(state_part(row.state, look)), _STATE),
            (line((since, "$fh-quiet")), _SINCE),
        ]
    )
    strip = shift_strip(row.strip, page.began, page.ended, cells, look)
    rows = [line(_number(number), left, " ", strip)]
    about = _about(row, scene, look, "  ")
    return rows + ([fit(line("    ", *about), width)] if about else [])


def _narrow(
    row: MachineRow, number: int, page: LinePage, scene: Scene, look: Look, width: int
) -> list[Content]:
    since = f"{hour_minute(row.since, look.zone)} " if row.since else ""
    room = width - 4 - len(since) - 1
    state = line(state_part(row.state, look))
    name = fit(line((look.safe(row.name or row.id, 20), "bold")), max(4, room - max(_STATE, state.cell_length)))
    head = spread(line(_number(number), name, " ", state), line((since, "$fh-quiet")), width)
    strip = shift_strip(row.strip, page.began, page.ended, _NARROW_STRIP, look)
    marks = line(*_marks(row, look))
    return [head, fit(line("    ", strip, " ", marks), width)]


def _number(number: int) -> Part:
    return (f"{number:>3} " if number else "    ", "bold")


def _about(row: MachineRow, scene: Scene, look: Look, gap: str) -> list[Part]:
    """What a person should know beside the state; nothing of a machine that is well."""
    parts: list[Part] = []
    if row.device_state == "lost":
        parts.append((look.say("line_page.device_lost", name=row.device), "bold $fh-alert"))
    if row.alarm:
        parts.append((f"{look.glyphs.wrong} {look.safe(row.alarm, 60)}", "bold $fh-alert"))
    if parts and row.since:
        parts.append((look.say("line_page.for", age=age_words(row.since, scene.now)), "$fh-quiet"))
    if row.unexplained:
        parts.append((look.say("line_page.unexplained", n=str(row.unexplained)), "$fh-warn"))
    if row.requests:
        parts.append((look.say("line_page.requests", n=str(row.requests)), "$fh-warn"))
    if parts and row.job:
        parts.append((look.safe(row.job, 20), "$fh-quiet"))
    spaced: list[Part] = []
    for part in parts:
        spaced += [gap] if spaced else []
        spaced.append(part)
    return spaced


def _marks(row: MachineRow, look: Look) -> list[Part]:
    """The same in the sixteen cells that a handheld has left."""
    if row.device_state == "lost":
        return [(look.say("line_page.lost_short"), "bold $fh-alert")]
    if row.alarm:
        return [(f"{look.glyphs.wrong} {look.safe(row.alarm, 30)}", "bold $fh-alert")]
    told = []
    if row.unexplained:
        told.append(look.say("line_page.unexplained_short", n=str(row.unexplained)))
    if row.requests:
        told.append(look.say("line_page.requests_short", n=str(row.requests)))
    return [(" ".join(told), "$fh-warn")]
