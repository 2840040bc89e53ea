"""The downtime page: bars by reason, the longest first, with the share that they make up so far (Pareto)."""

from __future__ import annotations

from textual.content import Content

from edge_agent.views.maintenance import DowntimePage, DowntimeRow
from terminal_ui.clockface import duration_words
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.line import span_words
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.leaf import Leaf, leafed
from terminal_ui.widgets.lines import Part, columns, line, right, spread, wrapped

_REASON, _TIME, _STOPS, _SHARE = 20, 8, 5, 6


def downtime_page(page: DowntimePage, scene: Scene, look: Look, width: int, height: int, first: int) -> Leaf:
    """The bars from number `first` on."""
    rows = sorted(page.rows, key=lambda row: -row.seconds)
    total = sum(row.seconds for row in rows)
    head = _head(page, total, scene, look, width)
    if not rows:
        words = [look.say("downtime_page.none")] + [_short(page, look)] * (page.short > 0)
        told = [row.plain for each in words for row in wrapped(line(each), max(1, width - 4), 2)]
        return Leaf([*head, *(line("  ", (row, "$fh-quiet")) for row in told)], 0, 0)
    entries: list[list[Content]] = []
    sofar = 0.0
    for row in rows:
        sofar += row.seconds
        entries.append(_bar(row, rows[0].seconds, sofar / total if total else 1.0, look, width))
    leaf = leafed(entries, first, height - len(head), look)
    return leaf._replace(rows=[*head, *leaf.rows])


def _head(page: DowntimePage, total: float, scene: Scene, look: Look, width: int) -> list[Content]:
    span = span_words(page.began, page.ended, scene.now, look)
    where = look.safe(page.name or page.equipment, 30) or look.say("downtime_page.all")
    sum_words = look.say("downtime_page.total", time=duration_words(total))
    what = line("  " if width >= NARROW else " ", (where, "bold"), f"   {sum_words}")
    rows = [what if width < NARROW else spread(what, line((span, "$fh-quiet"), "  "), width)]
    if page.short and page.rows:
        rows += [line("  " if width >= NARROW else " ", (_short(page, look), "$fh-quiet"))]
    if width >= NARROW:
        words = [look.say(f"downtime_page.{name}") for name in ("reason", "time", "stops", "share")]
        cells = [(line((words[0], "$fh-quiet")), _REASON)]
        cells += [
            (right(line((word, "$fh-quiet")), size), size)
            for word, size in zip(words[1:], (_TIME, _STOPS, _SHARE), strict=True)
        ]
        rows.append(line("  ", columns(cells)))
    return rows


def _short(page: DowntimePage, look: Look) -> str:
    return look.say("downtime_page.short", n=str(page.short))


def _bar(row: DowntimeRow, longest: float, sofar: float, look: Look, width: int) -> list[Content]:
    reason: Part = (look.safe(row.reason, 60), "bold") if row.reason else (
        f"{look.glyphs.held} {look.say('downtime_page.unexplained')}", "bold $fh-warn")  # fmt: skip
    figures = [
        (right(line(duration_words(row.seconds)), _TIME), _TIME),
        (right(line(str(row.stops)), _STOPS), _STOPS),
        (right(line((f"{sofar:.0%}", "$fh-quiet")), _SHARE), _SHARE),
    ]
    if width < NARROW:
        room = width - 2 - _TIME - _STOPS - 5
        head = line(" ", columns([(line(reason), room), *figures[:2]]))
        return [head, line(" ", _drawn(row.seconds, longest, width - 10, look), (f" {sofar:.0%}", "$fh-quiet"))]
    table = columns([(line(reason), _REASON), *figures])
    return [line("  ", table, "  ", _drawn(row.seconds, longest, width - table.cell_length - 6, look))]


def _drawn(seconds: float, longest: float, room: int, look: Look) -> Content:
    """A bar that is never nothing for a time that is not."""
    full = round(room * seconds / longest) if longest > 0 else 0
    return line(look.glyphs.bar_full * max(1 if seconds > 0 else 0, full))
