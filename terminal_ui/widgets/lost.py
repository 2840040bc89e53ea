"""What a machine's time was lost to: why a red of its strip is red, and what that leaves of OEE."""

from __future__ import annotations

from datetime import datetime

import msgspec
from textual.content import Content

from edge_agent.views.maintenance import Factors, LostPiece, MachinePage
from terminal_ui.clockface import hour_minute
from terminal_ui.keys import action
from terminal_ui.scene import Look
from terminal_ui.widgets.lines import line, wrapped
from terminal_ui.widgets.machine import group
from terminal_ui.widgets.strip import drawn

_RED = "riS"  # signs of a strip
_FACTORS = ("availability", "performance", "quality")


def reds(
    signs: str, lost: tuple[LostPiece, ...], began: datetime, ended: datetime
) -> tuple[tuple[str, LostPiece], ...]:
    """What the red cells of a strip are made of, the last first, each with all that went on for the same reason, once.

    In a cell that is all red it is what lasted longest; where there is a stop in it, that stop.
    """
    found: dict[LostPiece, str] = {}
    for cell in range(len(signs) - 1, -1, -1):
        if signs[cell] in _RED and (piece := _in_cell(signs, cell, lost, began, ended)) is not None:
            found.setdefault(piece, signs[cell])
    return tuple((sign, piece) for piece, sign in found.items())


def _in_cell(
    signs: str, cell: int, lost: tuple[LostPiece, ...], began: datetime, ended: datetime
) -> LostPiece | None:
    step = (ended - began) / len(signs)
    first, end = began + step * cell, began + step * (cell + 1)
    inside = [piece for piece in lost if piece.began < end and piece.ended > first]
    if not inside:
        return None
    whole = signs[cell] == "S"

    def weight(piece: LostPiece) -> tuple[bool, bool, float]:
        hard = group(piece.state) == "stop"
        lasted = (min(piece.ended, end) - max(piece.began, first)).total_seconds()
        return (hard, False, lasted) if whole else (bool(piece.stop), hard, lasted)

    return _with_neighbours(lost, lost.index(max(inside, key=weight)))


def _with_neighbours(lost: tuple[LostPiece, ...], at: int) -> LostPiece:
    """The piece with those before and behind it that only state or alarm cut off; the first alarm is that of all."""
    first, last = at, at
    while first and _goes_on(lost[first - 1], lost[first]):
        first -= 1
    while last + 1 < len(lost) and _goes_on(lost[last], lost[last + 1]):
        last += 1
    alarm = next((piece.alarm for piece in lost[first : last + 1] if piece.alarm), "")
    return msgspec.structs.replace(lost[at], began=lost[first].began, ended=lost[last].ended, alarm=alarm)


def _goes_on(one: LostPiece, other: LostPiece) -> bool:
    alike = (one.element, one.stop, one.reason) == (other.element, other.stop, other.reason)
    return alike and one.ended == other.began


def why_red(page: MachinePage, signs: str, look: Look, width: int) -> list[Content]:
    """`! 07:30-07:34 stood with a job open, no reason yet  2/5: F`: of the red that is asked for, of so many.

    Nothing where the strip has none.
    """
    found = reds(signs, page.lost, page.began, page.ended)
    if not found:
        return []
    at = page.red % len(found)
    sign, piece = drawn(look)[found[at][0]], found[at][1]
    told = f" {_when(piece, page, look)} {look.plain(look.texts.word('element', piece.element))}"
    alarm = (f"  {look.safe(piece.alarm, 60)}" if piece.alarm else "", "$fh-quiet")
    which = (f"  {at + 1}/{len(found)}: {action('earlier').shown}" if len(found) > 1 else "", "$fh-quiet")
    if not piece.stop:
        return wrapped(line(sign, told, alarm, which), width, 2)
    unsaid = (look.say("machine_page.no_reason"), "$fh-warn")
    reason = (look.safe(piece.reason, 60), "bold") if piece.reason else unsaid
    return wrapped(line(sign, f"{told}, ", reason, alarm, which), width, 2)


def _when(piece: LostPiece, page: MachinePage, look: Look) -> str:
    """From when to when, as far as the strip tells it."""
    began, ended = hour_minute(piece.began, look.zone), hour_minute(piece.ended, look.zone)
    if piece.began <= page.began:
        code = "all" if piece.ended >= page.ended else "until"
    else:
        code = "from" if piece.ended >= page.ended else "between"
    return look.say(f"machine_page.red_{code}", began=began, ended=ended)


def factor_lines(factors: Factors | None, look: Look) -> list[Content]:
    """OEE, and those of its factors that are known, in 25 cells; nothing where none is."""
    if factors is None:
        return []
    known = [(name, share) for name in _FACTORS if (share := getattr(factors, name)) is not None]
    if not known:
        return []
    oee = "-" if factors.oee is None else f"{factors.oee:.0%}".replace("%", " %")
    parts = "  ".join(f"{look.say(f'machine_page.{name}')} {share * 100:.0f} %" for name, share in known)
    return [line((look.say("machine_page.oee", oee=oee), "bold" if factors.oee is not None else "")), line(parts)]
