"""The line page: one row a machine, its shift as a strip, and below it what is wrong with it."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from edge_agent.views import Choice
from edge_agent.views.maintenance import LinePage, MachineRow
from terminal_ui.clockface import age_words, due_words, since_words
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.work import weekdays
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.leaf import Leaf, leafed
from terminal_ui.widgets.lines import Part, columns, fit, line, spread
from terminal_ui.widgets.machine import alarm_part, group, state_part
from terminal_ui.widgets.strip import legend, resampled, shift_strip

STRIP = 60  # cells at most: a strip is a picture, not a record
_NARROW_STRIP = 20
_NARROW_STATE = 11
_MARKS = 15  # cells behind the strip of a handheld
_ALL_IN_ONE = 130  # cells: from here on figures and legend stand in one row
_STATE, _SINCE = 13, 7
_NAMES = 14, 20  # cells of the names, as the longest of them needs


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
        strips = [resampled(row.strip, row.stood, page.began, page.ended, _NARROW_STRIP) for row in page.machines]
        leaf = leafed(entries, first, height, look)
        if len(leaf.rows) < height:
            leaf.rows.append(fit(line(" ", legend(look, "".join(strips))), width))
        return leaf
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
    right_hand = line((span, "$fh-quiet"), "  ")
    if width >= _ALL_IN_ONE:
        return [spread(line("  ", *told), line(signs, "    ", right_hand), width)]
    return [spread(line("  ", *told), right_hand, width), line("  ", signs)]


def span_words(began: datetime, ended: datetime, now: datetime, look: Look) -> str:
    """From when to when, each as near as it is."""
    days = weekdays(look)
    return look.say(
        "line_page.span", since=due_words(began, now, look.zone, days), until=due_words(ended, now, look.zone, days)
    )


def _wide(row: MachineRow, number: int, page: LinePage, scene: Scene, look: Look, width: int) -> list[Content]:
    since = since_words(row.since, scene.now, look.zone) if row.since else ""
    longest = max(line(look.safe(each.name or each.id, 40)).cell_length for each in page.machines)
    name = min(max(longest, _NAMES[0]), _NAMES[1])
    fixed = 4 + name + 1 + _STATE + 1 + _SINCE + 1
    cells = min(STRIP, width - fixed - 2)
    left = columns(
        [
            (line((look.safe(row.name or row.id, 40), "bold")), name),
            (line(state_part(row.state, look, row.state_status)), _STATE),
            (line((since, "$fh-quiet")), _SINCE),
        ]
    )
    strip = shift_strip(row.strip, row.stood, page.began, page.ended, cells, look)
    rows = [line(_number(number), left, " ", strip)]
    about = _about(row, scene, look, "  ")
    return rows + ([fit(line("    ", *about), width)] if about else [])


def _narrow(
    row: MachineRow, number: int, page: LinePage, scene: Scene, look: Look, width: int
) -> list[Content]:
    since = f"{since_words(row.since, scene.now, look.zone)} " if row.since else ""
    room = width - 4 - len(since) - 1
    state = line(state_part(row.state, look, row.state_status))
    name = fit(line((look.safe(row.name or row.id, 20), "bold")), max(4, room - max(_NARROW_STATE, state.cell_length)))
    head = spread(line(_number(number), name, " ", state), line((since, "$fh-quiet")), width)
    strip = shift_strip(row.strip, row.stood, page.began, page.ended, _NARROW_STRIP, look)
    marks = line(*_marks(row, look))
    return [head, fit(line("    ", strip, " ", marks), width)]


def _number(number: int) -> Part:
    return (f"{number:>3} " if number else "    ", "bold")


def _about(row: MachineRow, scene: Scene, look: Look, gap: str) -> list[Part]:
    """What is wrong, and for how long; then, of every machine, its job and its OEE, as far as they are known."""
    parts: list[Part] = []
    if row.device_state in ("lost", "silent"):
        parts.append((look.say(f"line_page.device_{row.device_state}", name=row.device), "bold $fh-alert"))
    if (alarm := alarm_part(row, look)) is not None:
        parts.append(alarm)
    if parts and row.since:
        parts.append((look.say("line_page.for", age=age_words(row.since, scene.now)), "$fh-quiet"))
    if row.unexplained:
        parts.append((look.say("line_page.unexplained", n=str(row.unexplained)), "$fh-warn"))
    if row.requests:
        parts.append((look.say("line_page.requests", n=str(row.requests)), "$fh-warn"))
    if row.job:
        parts.append((look.safe(row.job, 20), "$fh-quiet"))
    if row.oee is not None:
        parts.append((look.say("line_page.oee", percent=f"{row.oee * 100:.0f}"), "$fh-quiet"))
    spaced: list[Part] = []
    for part in parts:
        spaced += [gap] if spaced else []
        spaced.append(part)
    return spaced


def _marks(row: MachineRow, look: Look) -> list[Part]:
    """The same in the cells that a handheld has left: what is wrong, else the job, and the OEE where it fits."""
    if row.device_state in ("lost", "silent"):
        return [(look.say(f"line_page.{row.device_state}_short"), "bold $fh-alert")]
    if (alarm := alarm_part(row, look, 30)) is not None:
        return [alarm]
    told = []
    if row.unexplained:
        told.append(look.say("line_page.unexplained_short", n=str(row.unexplained)))
    if row.requests:
        told.append(look.say("line_page.requests_short", n=str(row.requests)))
    if told:
        return [(" ".join(told), "$fh-warn")]
    oee = look.say("line_page.oee", percent=f"{row.oee * 100:.0f}") if row.oee is not None else ""
    job = look.safe(row.job, _MARKS)
    both = f"{job} {oee}".strip()
    return [(both if len(both) <= _MARKS else job, "$fh-quiet")]
