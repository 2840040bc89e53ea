"""Lines of styled text, fitted to cells. Everything on the screen is built from these: no markup, ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from textual.content import Content

Part = str | tuple[str, str] | Content

EMPTY = Content("")
HIDDEN = "*"  # stands for each digit of a PIN


def line(*parts: Part) -> Content:
    """One line of (text, style) parts. The texts must be safe already (`Look.safe`, `Look.say`)."""
    return Content.assemble(*(part for part in parts if not isinstance(part, tuple) or part[0]))


def joined(cells: Iterable[tuple[str, str]], alike: bool = False) -> list[Part]:
    """(sign, style) cells, with neighbours of one style as one part; with `alike` only those of the same sign."""
    told: list[tuple[str, str]] = []
    for text, style in cells:
        if told and told[-1][1] == style and (not alike or told[-1][0].endswith(text)):
            told[-1] = (told[-1][0] + text, style)
        else:
            told.append((text, style))
    return list(told)


def fit(content: Content, width: int) -> Content:
    """The line cut (with an ellipsis) or filled up to exactly `width` cells."""
    if width <= 0:
        return EMPTY
    if content.cell_length > width:
        return content.truncate(width, ellipsis=True)
    return content.pad_right(width - content.cell_length)


def right(content: Content, width: int) -> Content:
    """The line at the right edge of `width` cells."""
    missing = width - content.cell_length
    return content.pad_left(missing) if missing >= 0 else fit(content, width)


def spread(left: Content, end: Content, width: int) -> Content:
    """One line with something at either edge; the left gives way."""
    room = width - end.cell_length
    return line(fit(left, room - 1), " ", end) if room > 1 else fit(end, width)


def columns(cells: Sequence[tuple[Content, int]], gap: int = 1) -> Content:
    """Cells of given widths side by side."""
    parts: list[Part] = []
    for number, (content, width) in enumerate(cells):
        if number:
            parts.append(" " * gap)
        parts.append(fit(content, width))
    return line(*parts)


def beside(left: Sequence[Content], end: Sequence[Content], width: int) -> list[Content]:
    """Two stacks side by side; the left is `width` cells wide."""
    return [line(fit(one, width), other) for one, other in zip_longest(left, end, fillvalue=EMPTY)]


def stack(lines: Iterable[Content]) -> Content:
    """Lines under each other."""
    return Content("\n").join(lines)


def wrapped(content: Content, width: int, most: int) -> list[Content]:
    """The text in at most `most` lines of `width` cells; an ellipsis at the end when more was cut."""
    lines = content.wrap(max(1, width))
    if len(lines) <= most:
        return lines
    kept = lines[:most]
    kept[-1] = line(kept[-1].truncate(max(1, width - 1)), "…")
    return kept
