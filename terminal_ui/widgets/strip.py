"""The shift strip: what a machine did, one sign a cell. A sign and a colour, never the colour alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual.content import Content

from edge_agent.views.maintenance import StateSpan
from terminal_ui.scene import Look, Scene
from terminal_ui.widgets.lines import Part, joined, line
from terminal_ui.widgets.machine import group

UNKNOWN = " "
_SIGNS = {"run": "R", "idle": "I", "none": "N", "stop": "S"}
_WORSE = "RINS"  # of states that lasted as long in a cell the last of these is shown
_WITH_STOP = {"R": "r", "I": "i", "N": "S"}  # nobody knows and it stood: the stop is told


def resampled(
    spans: Sequence[StateSpan], stops: Sequence[StateSpan], began: datetime, ended: datetime, cells: int
) -> str:
    """One sign a cell from `began` to `ended`: R ran, I idle, N no data, S stopped, space: not told.

    What lasted longest in a cell is its sign. With a stop in it that ran or idled for longer, it is r or i, so that
    a stop of a minute is seen in a strip of a shift. `stops` are those that count: short ones are only lost time, and
    one in which the machine idled is no mark where it idles.
    """
    whole = (ended - began).total_seconds()
    if whole <= 0 or cells <= 0:
        return UNKNOWN * max(0, cells)
    lasted: list[dict[str, float]] = [{} for _ in range(cells)]
    for span in spans:
        sign = _SIGNS[group(span.state)]
        for cell, part in _shares(span, began, whole, cells):
            lasted[cell][sign] = lasted[cell].get(sign, 0.0) + part
    hard = [span for span in stops if group(span.state) == "stop"]
    touched, stood = (
        {cell for span in some for cell, _ in _shares(span, began, whole, cells)} for some in (stops, hard)
    )
    signs = [max(took.items(), key=_longest)[0] if took else UNKNOWN for took in lasted]
    return "".join(
        _WITH_STOP.get(sign, sign) if cell in stood or (sign == "R" and cell in touched) else sign
        for cell, sign in enumerate(signs)
    )


def _longest(took: tuple[str, float]) -> tuple[float, int]:
    sign, part = took
    return round(part, 6), _WORSE.index(sign)


def _shares(span: StateSpan, began: datetime, whole: float, cells: int) -> Iterator[tuple[int, float]]:
    """The cells that a stretch touches, and how much of each it fills, from 0 to 1."""
    start = max(0.0, (span.began - began).total_seconds()) * cells / whole
    end = min(whole, (span.ended - began).total_seconds()) * cells / whole
    if end <= start:
        return
    last = min(cells - 1, int(end) - (end == int(end)))
    for cell in range(int(start), last + 1):
        yield cell, min(end, cell + 1) - max(start, cell)


def strip_parts(signs: str, look: Look) -> list[Part]:
    """The signs as they are painted; stops and missing data stand out."""
    told = drawn(look)
    return joined((told[sign] for sign in signs), alike=True)


def shift_strip(
    spans: Sequence[StateSpan], stops: Sequence[StateSpan], began: datetime, ended: datetime, cells: int, look: Look
) -> Content:
    """The strip of a machine in so many cells."""
    return line(*strip_parts(resampled(spans, stops, began, ended, cells), look))


def hour_strip(scene: Scene, width: int, look: Look) -> Content:
    """`10h ████░░!!··`: the hour, a cell a minute; stops and missing data stand out by sign and colour."""
    if not scene.hour.strip() or width < 68:
        return line("")
    hour = scene.now.astimezone(look.zone).strftime("%H")
    return line((f"{hour}h ", "$fh-quiet"), *strip_parts(scene.hour, look))


def legend(look: Look, signs: str = "RrISN ") -> Content:
    """What the signs mean, or those of them that are to be told."""
    told = drawn(look)
    parts: list[Part] = []
    words = {"R": "run", "r": "with_stop", "I": "idle", "S": "stop", "N": "no_data", UNKNOWN: "before"}
    signs = signs.replace("i", "r")  # one mark: a stop lies in it
    for sign, word in words.items():
        if sign not in signs:
            continue
        parts += ["  "] if parts else []
        parts += [told[sign], (f" {look.say(f'strip.{word}')}", "$fh-quiet")]
    return line(*parts)


def drawn(look: Look) -> dict[str, tuple[str, str]]:
    """The sign and the style of each letter of a strip."""
    glyphs = look.glyphs
    return {
        "R": (glyphs.strip_run, "$fh-quiet"),
        "I": (glyphs.strip_idle, "$fh-quiet"),
        "r": (glyphs.strip_stop_in, "bold $fh-alert"),
        "i": (glyphs.strip_stop_in, "bold $fh-alert"),
        "S": ("!", "bold $fh-alert"),
        "N": ("?", "bold $fh-warn"),
        UNKNOWN: (glyphs.strip_none, "$fh-rule"),
    }
