"""The middle of the screen during picking: where, what, how many, into what."""

from __future__ import annotations

from textual.content import Content

from edge_agent.views import PickPage
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.work import amount
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.lines import EMPTY, Part, beside, fit, line, right, spread
from terminal_ui.widgets.numbers import big

_PHASES = ("go", "item", "quantity", "into")


def pick_lines(page: PickPage, scene: Scene, look: Look, width: int, height: int) -> list[Content]:
    """Four rows on a handheld, nine and more on a screen."""
    if width < NARROW:
        return _narrow(page, look, width)
    room = width - 30
    rows = [spread(line("  ", *_walk(page, look)), line(*_count(page, look), "  "), width)]
    rows += [line("  ", row) for row in beside(_what(page, look, room), _take(page, look), room + 2)]
    rows += [line("  ", row) for row in _rest(page, look, width - 4)]
    spare = height - len(rows)
    rows = [
        *rows[:1],
        *([EMPTY] if spare > 0 else []),
        *rows[1:-1],
        *([EMPTY] if spare > 1 else []),
        rows[-1],
    ]
    return rows[:height]


def _what(page: PickPage, look: Look, room: int) -> list[Content]:
    """What matters in this phase in big letters, the rest below it."""
    focus = {"go": page.location, "item": page.lot or page.material, "into": page.destination}.get(
        page.phase, page.location
    )
    letters = big(look.safe(focus, 30), room, look.glyphs.unicode)
    hint = f"{look.glyphs.arrow} {look.safe(page.location_hint, 40)}" if page.location_hint else ""
    where = (
        line((look.safe(page.location, 30), "bold"), f"   {hint}") if focus != page.location else line(hint)
    )
    return [
        *(line((row, "bold")) for row in letters),
        where,
        line(
            (look.safe(page.description or page.material, 44), "bold"), f"   {look.safe(page.material, 24)}"
        ),
        *([lot] if (lot := _lot(page, look, look.say("pick_page.expires"))) else []),
        line(*_into(page, look)),
    ]


def _take(page: PickPage, look: Look) -> list[Content]:
    number = big(amount(page.quantity), 22, look.glyphs.unicode)
    head = line(look.say("pick_page.to_take", uom=page.uom))
    return [*(right(line((row, "bold")), 24) for row in number), right(head, 24)]


def _walk(page: PickPage, look: Look) -> list[Part]:
    parts: list[Part] = []
    here = page.phase if page.phase in _PHASES else "quantity"
    for phase in _PHASES:
        parts += [(f" {look.glyphs.arrow} ", "$fh-quiet")] if parts else []
        word = look.say(f"pick_page.{phase}")
        parts.append((f"[{word}]", "bold") if phase == here else (word, "$fh-quiet"))
    return parts


def _count(page: PickPage, look: Look) -> list[Part]:
    told = look.say("pick_page.line", n=str(page.line), of=str(page.lines))
    return [told, (f" {look.glyphs.dot} {look.say('pick_page.left', n=str(page.lines_left))}", "$fh-quiet")]


def _lot(page: PickPage, look: Look, before: str) -> Content:
    parts: list[Part] = []
    if page.lot:
        parts += [f"{look.say('pick_page.lot')} ", (look.safe(page.lot, 24), "bold")]
    if page.expires:
        parts.append((f"   {before} {look.safe(page.expires, 12)}", "$fh-quiet"))
    return line(*parts)


def _into(page: PickPage, look: Look) -> list[Part]:
    customer = f" ({look.safe(page.customer, 24)})" if page.customer else ""
    return [
        f"{look.say('pick_page.put_into')} ",
        (look.safe(page.destination, 24), "bold"),
        (customer, "$fh-quiet"),
    ]


def _rest(page: PickPage, look: Look, width: int) -> list[Content]:
    room = min(30, width // 3)
    done = page.lines - page.lines_left
    full = room * done // page.lines if page.lines else 0
    bar = line((look.glyphs.bar_full * full, ""), (look.glyphs.bar_rest * (room - full), "$fh-rule"),
               f"  {look.say('pick_page.done', n=str(done), of=str(page.lines))}")  # fmt: skip
    places = f" {look.glyphs.dot} ".join(look.safe(place, 16) for place in page.next_locations)
    then = line((f"   {look.say('pick_page.next')} ", "$fh-quiet"), places) if places else EMPTY
    return [fit(line(bar, then), width)]


def _narrow(page: PickPage, look: Look, width: int) -> list[Content]:
    room = width - 2
    take = line((f"{amount(page.quantity)} {look.safe(page.uom, 6)}", "bold"))
    count = line((f"{page.line}/{page.lines} ", "$fh-quiet"))
    hint = page.location_hint if page.phase == "go" else ""
    first = line(
        (look.safe(page.location, 20), "bold"), f"  {look.glyphs.arrow} {look.safe(hint, 30)}" if hint else ""
    )
    rows = [
        spread(first, count, room),
        line(look.safe(page.description or page.material, 40)),
        _lot(page, look, look.say("pick_page.expires_short")),
        line(
            f"{look.say('pick_page.take')} ",
            take,
            f" {look.say('pick_page.into_short')} ",
            (look.safe(page.destination, 20), "bold"),
        ),
    ]
    return [line(" ", fit(row, room)) for row in rows if row or row is not rows[2]]
