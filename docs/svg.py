"""A terminal's screen as an SVG that needs nothing from elsewhere: any monospace font will do.

Words stand where their columns are, whatever the font; blocks and lines are drawn as rectangles, so that
they meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from rich.color import Color
from rich.segment import Segment
from rich.style import Style

_WIDE, _HIGH, _SIZE, _EDGE = 9.6, 20.0, 16, 12  # pixels of a cell, of the letters, and around the screen
_GROUND, _INK = "#101418", "#d5dbe0"  # where a cell has no colour of its own
_WORD = re.compile(r"[█▀▄▌▏░─]|[^\s█▀▄▌▏░─]+(?: [^\s█▀▄▌▏░─]+)*")

# What a block covers of its cell: left, top, width, height, opacity.
_BLOCKS = {
    "█": (0.0, 0.0, 1.0, 1.0, 1.0), "▀": (0.0, 0.0, 1.0, 0.5, 1.0), "▄": (0.0, 0.5, 1.0, 0.5, 1.0),
    "▌": (0.0, 0.0, 0.5, 1.0, 1.0), "▏": (0.0, 0.0, 0.125, 1.0, 1.0), "░": (0.0, 0.0, 1.0, 1.0, 0.2),
    "─": (0.0, 0.47, 1.0, 0.06, 1.0),
}  # fmt: skip


def screen_svg(rows: Sequence[Iterable[Segment]], columns: int) -> str:
    """The picture of these rows of styled text, top first."""
    wide, high = columns * _WIDE + 2 * _EDGE, len(rows) * _HIGH + 2 * _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" font-family="monospace"'
        f' font-size="{_SIZE}">',
        f'<rect width="{wide:g}" height="{high:g}" rx="8" fill="{_GROUND}"/>',
    ]
    for number, row in enumerate(rows):
        parts += _row(row, _EDGE + number * _HIGH)
    return "\n".join([*parts, "</svg>", ""])


def _row(row: Iterable[Segment], top: float) -> Iterator[str]:
    column, text = 0, list[str]()
    for segment in row:
        ink, ground, bold = _look(segment.style)
        left = _EDGE + column * _WIDE
        if ground != _GROUND:
            yield _rect(left, top, segment.cell_length * _WIDE, _HIGH, ground)
        for found in _WORD.finditer(segment.text):
            at = left + found.start() * _WIDE
            word = found[0]
            if word in _BLOCKS:
                x, y, width, height, opacity = _BLOCKS[word]
                box = at + x * _WIDE, top + y * _HIGH, width * _WIDE, height * _HIGH
                yield _rect(*box, ink, opacity)
            else:
                text.append(_text(word, at, top, ink, bold))
        column += segment.cell_length
    yield from text  # on top of every background of the row


def _rect(x: float, y: float, width: float, height: float, fill: str, opacity: float = 1.0) -> str:
    seen = f' opacity="{opacity:g}"' if opacity < 1 else ""
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}"{seen}'
        ' shape-rendering="crispEdges"/>'
    )


def _text(word: str, x: float, top: float, ink: str, bold: bool) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:.2f}" y="{top + _HIGH * 0.72:.2f}" textLength="{len(word) * _WIDE:.2f}" fill="{ink}"{weight}>'
        f"{escape(word)}</text>"
    )


def _look(style: Style | None) -> tuple[str, str, bool]:
    """Colour of the letters, of the ground, and whether it is bold."""
    style = style or Style()
    ink, ground = _hex(style.color, _INK), _hex(style.bgcolor, _GROUND)
    return (ground, ink, bool(style.bold)) if style.reverse else (ink, ground, bool(style.bold))


def _hex(color: Color | None, default: str) -> str:
    return default if color is None or color.is_default else color.get_truecolor().hex
