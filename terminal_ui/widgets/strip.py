"""The shift strip: what a machine did, one sign a cell. A sign and a colour, never the colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from edge_agent.maintenance_pages import StateSpan
from terminal_ui.scene import Look
from terminal_ui.widgets.lines import Part, line
from terminal_ui.widgets.machine import group

UNKNOWN = " "
_SIGNS = {"run": "R", "idle": "I", "none": "N", "stop": "S"}
_WORSE = " RINS"  # of several states in a cell the last of these is shown


def resampled(spans: Sequence[StateSpan], began: datetime, ended: datetime, cells: int) -> str:
    """One sign a cell from `began` to `ended`: R ran, I idle, N no data, S stopped, space: not told.

    The worst state that a cell touches is its sign: a stop of a second is seen in a strip of a shift.
    """
    told = [UNKNOWN] * max(0, cells)
    whole = (ended - began).total_seconds()
    if whole <= 0 or not told:
        return "".join(told)
    for span in spans:
        start = max(0.0, (span.began - began).total_seconds()) * cells / whole
        end = min(whole, (span.ended - began).total_seconds()) * cells / whole
        if end <= start:
            continue
        sign = _SIGNS[group(span.state)]
        last = min(cells - 1, int(end) - (end == int(end)))
        for cell in range(int(start), last + 1):
            told[cell] = max(told[cell], sign, key=_WORSE.index)
    return "".join(told)


def strip_parts(signs: str, look: Look) -> list[Part]:
    """The signs as they are painted; stops and missing data stand out."""
    drawn = _drawn(look)
    parts: list[tuple[str, str]] = []
    for sign in signs:
        text, style = drawn[sign]
        if parts and parts[-1][1] == style and parts[-1][0][-1] == text:
            parts[-1] = (parts[-1][0] + text, style)
        else:
            parts.append((text, style))
    return list(parts)


def shift_strip(
    spans: Sequence[StateSpan], began: datetime, ended: datetime, cells: int, look: Look
) -> Content:
    """The strip of a machine in so many cells."""
    return line(*strip_parts(resampled(spans, began, ended, cells), look))


def legend(look: Look) -> Content:
    """What the signs mean."""
    drawn = _drawn(look)
    parts: list[Part] = []
    for sign, word in (("R", "run"), ("I", "idle"), ("S", "stop"), ("N", "no_data")):
        parts += ["  "] if parts else []
        parts += [drawn[sign], (f" {look.say(f'strip.{word}')}", "$fh-quiet")]
    return line(*parts)


def _drawn(look: Look) -> dict[str, tuple[str, str]]:
    glyphs = look.glyphs
    return {
        "R": (glyphs.strip_run, "$fh-quiet"),
        "I": (glyphs.strip_idle, "$fh-quiet"),
        "S": ("!", "bold $fh-alert"),
        "N": ("?", "bold $fh-warn"),
        UNKNOWN: (glyphs.strip_none, "$fh-rule"),
    }
