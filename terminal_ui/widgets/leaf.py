"""Lists that are longer than the room: whole entries, and in words how many more there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content

from terminal_ui.scene import Look
from terminal_ui.widgets.lines import line


class Leaf(NamedTuple):
    """The rows of a page; it stands on `shown` of `total` entries."""

    rows: list[Content]
    shown: int
    total: int


def leafed(entries: Sequence[Sequence[Content]], first: int, height: int, look: Look) -> Leaf:
    """The entries from number `first` on, as many whole ones as fit; the last row says what follows."""
    total = len(entries)
    first = min(max(0, first), max(0, total - 1))
    rows: list[Content] = []
    shown = 0
    for number, entry in enumerate(entries[first:], first):
        room = height - len(rows) - (number < total - 1)
        if len(entry) > room and (shown or room <= 0):
            break
        rows += entry[: max(0, room)]
        shown += 1
    if first + shown < total and height > 0:
        rows.append(more_row(total - first - shown, look))
    return Leaf(rows, shown, total)


def more_row(count: int, look: Look) -> Content:
    """So many entries follow, and the key that shows them."""
    return line((f"  {look.say('list.more', n=str(count))}", "$fh-quiet"))
