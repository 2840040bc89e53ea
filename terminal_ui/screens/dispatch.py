"""Numbered things to choose from: the dispatch list with its columns, or reasons one a line."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from edge_agent.views import Choice
from terminal_ui.clockface import due_words
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.work import weekdays
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.leaf import more_row
from terminal_ui.widgets.lines import EMPTY, columns, fit, line

_SHARE_LIMIT = 40
_NARROW_COLUMNS = 3
_LEAST = 7  # cells of a column, before the first one gives way too


def choice_lines(
    choices: tuple[Choice, ...],
    keys: tuple[str, ...],
    scene: Scene,
    look: Look,
    width: int,
    height: int,
    first: int = 0,
) -> list[Content]:
    """The choices from number `first` on, as many as fit; the last row says how many more there are."""
    shown = keys[: _NARROW_COLUMNS if width < NARROW else len(keys)]
    marked = any(choice.detail.get("begun") for choice in choices)
    widths = _widths(choices, shown, scene, look, width - 2 * marked)
    head = [_head(shown, widths, look, marked)] if shown and width >= NARROW else []
    room = max(1, height - len(head))
    rows = choices[first:]
    more = len(rows) > room
    told = [_row(choice, shown, widths, scene, look, width, marked) for choice in rows[: room - more]]
    if more:
        told.append(more_row(len(rows) - len(told), look))
    if marked and len(told) < room:
        legend = f"{look.glyphs.running} {look.say('list.begun')}"
        told += [*[EMPTY] * (len(told) + 1 < room), line(("    " + legend, "$fh-quiet"))]
    if not keys and width >= NARROW and len(told) * 2 - 1 <= room:  # far apart: read and pressed from afar
        told = [row for each in told for row in (each, EMPTY)][:-1]
    return head + told


def _head(keys: tuple[str, ...], widths: list[int], look: Look, marked: bool) -> Content:
    words = [look.texts.word("column", key) for key in keys]
    cells = [
        (line((look.safe(word, 20), "$fh-quiet")), width) for word, width in zip(words, widths, strict=True)
    ]
    return line(" " * (7 if marked else 5), columns(cells, 2))


def _row(
    choice: Choice, keys: tuple[str, ...], widths: list[int], scene: Scene, look: Look, width: int, marked: bool
) -> Content:
    """`marked`: the list has jobs that were begun, and this cell of their sign."""
    mark = f"{look.glyphs.running if choice.detail.get('begun') else ' '} " if marked else ""
    number = (f"{choice.number:>3}  {mark}", "bold" if not choice.blocked else "$fh-quiet")
    why = f"{look.glyphs.held} {look.texts.word('word', choice.blocked)}" if choice.blocked else ""
    if not keys:
        title = look.say(choice.code, **choice.detail) if choice.code else look.safe(choice.title, width)
        return fit(line(number, title, (f"  {look.plain(why)}" if why else "", "$fh-warn")), width)
    cells = [_cell(choice, key, scene, look) for key in keys]
    if why:
        cells[-1] = look.plain(why)
    styles = [("bold" if not index else "") for index in range(len(cells))]
    if why:
        styles = ["$fh-quiet"] * (len(cells) - 1) + ["bold $fh-warn"]
    return line(
        number, columns([(line((c, s)), w) for c, s, w in zip(cells, styles, widths, strict=True)], 2)
    )


def _cell(choice: Choice, key: str, scene: Scene, look: Look) -> str:
    value = choice.detail.get(key, choice.title if key == "title" else "")
    if key == "priority":
        return look.plain(look.texts.word("priority", value))
    try:
        moment = datetime.fromisoformat(value) if len(value) > 15 else None
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is not None:
        return due_words(moment, scene.now, look.zone, weekdays(look))
    return look.safe(value, 60)


def _widths(
    choices: tuple[Choice, ...], keys: tuple[str, ...], scene: Scene, look: Look, width: int
) -> list[int]:
    """Every column as wide as it needs; the widest gives way until the row fits."""
    if not keys:
        return []
    heads = [len(look.texts.word("column", key)) if width >= NARROW else 0 for key in keys]
    needs = [
        min(
            _SHARE_LIMIT,
            max([head, *(line(_cell(choice, key, scene, look)).cell_length for choice in choices)]),
        )
        for key, head in zip(keys, heads, strict=True)
    ]
    if any(choice.blocked for choice in choices):
        needs[-1] = max(needs[-1], 10)
    room = width - 6 - 2 * (len(keys) - 1)
    while sum(needs) > room and max(needs) > 3:
        others = needs[1:] if max(needs[1:], default=0) > _LEAST else needs
        needs[len(needs) - len(others) + others.index(max(others))] -= 1
    return needs
