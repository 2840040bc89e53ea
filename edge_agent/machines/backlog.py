"""What the books of the machines keep in memory while the disk refuses, bounded. Pure.

No part is left out, ever: readings of one minute become one, which changes no figure, and where that is not
enough all of the older half become one, which changes only the minute that their parts stand in. Of states
each is kept once; where that is not enough the older ones become one time of NO DATA, and their stops go.

The first state and the first stop of a machine may stand on disk, open. They are kept to be closed there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from edge_agent.machines.ledger import Evidence, Step
from edge_agent.machines.stops import NO_DATA, Span, Stop

_DOUBTFUL = (Evidence.RESET, Evidence.JUMP, Evidence.UNSURE)

Turned = tuple[str, Span | Stop]  # a machine, and what came of its state


def fewer_steps(steps: Sequence[Step], most: int) -> tuple[list[Step], int]:
    """The same parts in at most `most` steps (at least 8), and how many steps lost the minute of their parts.

    >>> fewer_steps((), 8)
    ([], 0)
    """
    by_minute = _joined(steps, _minute)
    if len(by_minute) <= most // 2:
        return by_minute, 0
    older, newer = by_minute[: -(most // 4)], by_minute[-(most // 4) :]
    return [*_joined(older, lambda step: None), *newer], len(older)


def _joined(steps: Sequence[Step], alike: Callable[[Step], Hashable]) -> list[Step]:
    """Steps that are alike as one, in the order of the last of each. What is doubtful stays apart by its cause."""
    joined: dict[Hashable, Step] = {}
    for step in steps:
        key = (alike(step), step.evidence if step.evidence in _DOUBTFUL else None)
        if (before := joined.pop(key, None)) is not None:
            step = replace(
                step, began=min(before.began, step.began), parts=before.parts + step.parts,
                doubtful=before.doubtful + step.doubtful,
            )  # fmt: skip
        joined[key] = step
    return list(joined.values())


def _minute(step: Step) -> datetime:
    return step.standing.last.at.replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a machine did between two moments is not known any more: so many states and stops."""

    equipment: str
    began: datetime
    ended: datetime
    states: int
    stops: int


def fewer_turns(turns: Sequence[Turned], most: int) -> tuple[list[Turned], list[LeftOut]]:
    """Each state and stop once, as it is known last; at most half of `most`, but for four of each machine."""
    last = {_key(turn): turn for turn in turns}
    once = list(dict.fromkeys(last[_key(turn)] for turn in turns))
    if len(once) <= most // 2:
        return once, []
    older, newer = once[: -(most // 4)], once[-(most // 4) :]
    kept: list[Turned] = []
    told: list[LeftOut] = []
    for equipment in dict.fromkeys(equipment for equipment, _ in older):
        mine = [turn for machine, turn in older if machine == equipment]
        left, gap = _without_the_old(equipment, mine)
        kept += [(equipment, turn) for turn in left]
        told += [gap] if gap is not None else []
    return [*kept, *newer], told


def _without_the_old(equipment: str, turns: Sequence[Span | Stop]) -> tuple[list[Span | Stop], LeftOut | None]:
    """The first state and stop of a machine, those that last, and NO DATA for the time between."""
    spans = [turn for turn in turns if isinstance(turn, Span)]
    stops = [turn for turn in turns if isinstance(turn, Stop)]
    over = [span for span in spans[1:] if span.ended is not None]
    gone = [stop for stop in stops[1:] if stop.ended is not None]
    kept = [turn for turn in turns if turn not in over and turn not in gone]
    if not over:
        return [*kept, *gone], None
    began, ended = over[0].began, max(span.ended for span in over if span.ended is not None)
    return [*kept, Span(NO_DATA, began, ended=ended)], LeftOut(equipment, began, ended, len(over), len(gone))


def _key(turn: Turned) -> Hashable:
    equipment, what = turn
    return (equipment, what.began) if isinstance(what, Span) else (equipment, what.id)
