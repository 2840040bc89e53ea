"""The middle of the screen during production: good, scrap and target, the machine, and for whom it is."""

from __future__ import annotations

from decimal import Decimal

from textual.content import Content

from edge_agent.views import WorkPage
from edge_agent.views.maintenance import Unattributed
from terminal_ui.clockface import due_words
from terminal_ui.scene import Look, Scene
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.lines import EMPTY, beside, columns, fit, line, right
from terminal_ui.widgets.machine import machine_tile, state_words, stood_line
from terminal_ui.widgets.numbers import big
from terminal_ui.widgets.strip import hour_strip


def work_lines(page: WorkPage, scene: Scene, look: Look, width: int, height: int) -> list[Content]:
    """Four rows on a handheld, nine and more on a screen."""
    if width < NARROW:
        return _narrow(page, scene, look, width)
    cell = 15 if width < 100 else 20
    numbers = _numbers(page, look, cell, ("good", "scrap", "target"))
    tile = machine_tile(scene, page.count_since_report, look, width - 3 * cell - 7)
    rows = [line(" ", row) for row in beside(numbers, tile, 3 * cell + 5)]
    stood = line("      ", stood_line(page.stood, scene, look))
    strip = hour_strip(scene, width - 4, look)
    picture = [line("  ", strip)] if strip else []
    below = [line("  ", _progress(page, look, width - 4))]
    below += [line("  ", asked) for asked in (*_stops(page, look), *_loose(page, scene, look, width))]
    about = _about(page, scene, look, width - 4)
    said = bool(stood.plain.strip())
    room = height - len(rows) - said - len(picture) - len(below)  # for what the job is about and takes
    if page.materials and room <= len(about):
        about = _in_one(about, look, width - 4)
    if page.materials and picture and room <= len(about):  # a picture gives way to what goes into the part
        picture, room = [], room + 1
    if page.materials and 1 < len(about) == room:  # and so does for whom it is, which the list tells as well
        about = about[:-1]
    told = [line("  ", row) for row in (*_materials(page, look, width - 4, room - len(about)), *about)]
    rows += [stood] if said or room > len(told) else []
    rows += picture + below
    spare = height - len(rows) - len(told)
    rows = ([EMPTY] if spare > 0 else []) + rows + ([EMPTY] if spare > 1 else []) + told
    return rows[:height]


def amount(value: Decimal) -> str:
    """A quantity without the zeros that say nothing.

    >>> amount(Decimal("500.000")), amount(Decimal("12.50")), amount(Decimal("1E+3"))
    ('500', '12.5', '1000')
    """
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _numbers(page: WorkPage, look: Look, cell: int, names: tuple[str, ...]) -> list[Content]:
    figures = {
        "good": page.good,
        "scrap": page.scrap,
        "target": page.target,
        "left": max(Decimal(0), page.target - page.good),
    }
    heads = columns(
        [(right(line((look.say(f"work.{name}"), "$fh-quiet")), cell - 1), cell) for name in names], 0
    )
    digits = [big(amount(figures[name]), cell - 2, look.glyphs.unicode) for name in names]
    rows = [
        columns([(right(line((number[row], "bold")), cell - 1), cell) for number in digits], 0)
        for row in range(3)
    ]
    return [heads, *rows]


def _progress(page: WorkPage, look: Look, width: int) -> Content:
    share = min(Decimal(1), page.good / page.target) if page.target else Decimal(0)
    room = min(40, width - 30)
    full = int(share * room)
    left = max(Decimal(0), page.target - page.good)
    told = look.say("work.progress", n=amount(left), uom=page.uom, percent=str(int(share * 100)))
    return line(
        (look.glyphs.bar_full * full, ""), (look.glyphs.bar_rest * (room - full), "$fh-rule"), "  ", told
    )


def _stops(page: WorkPage, look: Look) -> list[Content]:
    """The strip that asks why the machine stood; it takes no key and no scan from the work."""
    if not page.stops_to_explain:
        return []
    return [line((f"{look.glyphs.held} {look.say('work.stops', n=str(page.stops_to_explain))}", "$fh-warn"))]


def unattributed_words(loose: Unattributed, scene: Scene, look: Look, code: str) -> str:
    """How many parts were counted while no job was open, and since when."""
    since = due_words(loose.since, scene.now, look.zone, weekdays(look))
    return look.say(f"{code}_doubtful" if loose.doubtful else code, n=str(loose.parts), since=since)


def _loose(page: WorkPage, scene: Scene, look: Look, width: int) -> list[Content]:
    """The strip that asks for them; it takes no key and no scan from the work either."""
    if page.unattributed is None:
        return []
    narrow = width < NARROW
    words = unattributed_words(page.unattributed, scene, look, "work.loose_short" if narrow else "work.loose")
    return [line((f"{look.glyphs.held} {words}", "$fh-warn"))]


def _about(page: WorkPage, scene: Scene, look: Look, width: int) -> list[Content]:
    first = [look.safe(page.description, 40), look.safe(page.operation, 12), _revision(page, look)]
    second = [
        f"{look.say('work.customer')} {look.safe(page.customer, 30)}" if page.customer else "",
        f"{look.say('work.due')} {due_words(page.due, scene.now, look.zone, weekdays(look))}"
        if page.due
        else "",
        look.safe(page.equipment, 30),
    ]
    gap = f"  {look.glyphs.dot}  "
    rows = [gap.join(part for part in parts if part) for parts in (first, second)]
    return [fit(line(row), width) for row in rows if row]


def _materials(page: WorkPage, look: Look, width: int, room: int) -> list[Content]:
    """What the job takes: a line for each where there is room, else the first and how many more."""
    shown = page.materials if len(page.materials) <= room else page.materials[:1]
    more = len(page.materials) - len(shown)
    rows = []
    for each in shown:
        parts = [f"{look.say('work.material')} {look.safe(each.material, 20)}"]
        parts += [f"{look.say('work.lot')} {look.safe(each.lot, 16)}"] if each.lot else []
        parts += [f"{look.say('pick_page.expires')} {look.safe(each.expires, 10)}"] if each.expires else []
        parts.append(look.say("work.material_left", n=amount(each.left), uom=each.uom))
        parts += [look.say("work.materials_more", n=str(more))] if more else []
        rows.append(fit(line(f"  {look.glyphs.dot}  ".join(parts)), width))
    return rows if room > 0 else []


def _in_one(about: list[Content], look: Look, width: int) -> list[Content]:
    """What the job is about in one line, where it fits into one."""
    joined = f"  {look.glyphs.dot}  ".join(row.plain for row in about)
    return [line(joined)] if len(joined) <= width else about


def _revision(page: WorkPage, look: Look) -> str:
    return f"{look.say('work.revision')} {look.safe(page.revision, 8)}" if page.revision else ""


def weekdays(look: Look) -> tuple[str, ...]:
    """The short names of the days, Monday first."""
    return tuple(look.say("ui.weekdays").split())


def _narrow(page: WorkPage, scene: Scene, look: Look, width: int) -> list[Content]:
    machine = scene.status.machine if scene.status else None
    rows = _numbers(page, look, 13, ("good", "left"))
    tile: list[Content] = []
    if machine is not None:
        tile = [
            line(state_words(machine, look)),
            line((look.safe(machine.name or machine.id, 12), "$fh-quiet")),
        ]
        if page.count_since_report is not None:
            tile.append(
                line((f"+{page.count_since_report} ", "bold"), (look.say("machine.new"), "$fh-quiet"))
            )
    tile.append(line((f"{look.say('work.scrap').lower()} {amount(page.scrap)}", "$fh-quiet")))
    told = [*beside(rows, tile, 27), *_stops(page, look), *_loose(page, scene, look, width)]
    return [fit(row, width) for row in told]
