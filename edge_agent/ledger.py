"""How many parts a counter stands for, whatever happens to counter, link and agent. Pure.

A counter is believed as far as the evidence goes. What it says is one of:

* counted: it went on; rolled_over: it ran over its width and went on;
* suspect: it fell, or rose by more than the machine can make. Nothing is counted until the next
  reading shows whether it was one wrong reading (glitch) or stays;
* reset, jump: it stayed. What was made around that moment can not be known for sure: it is counted
  as doubtful, and goes to no job;
* unsure: it may have run over more than once since the last reading; the least that fits is counted.

Rules: machines.md of the design, "Counters"; ISO 22400-2 counts quantities per order, so parts are
split at the time at which another job was opened.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

# Without a known cycle time a fall is a rollover when this part of the range explains it.
_ROLLOVER_SHARE = 8
_TWICE_AS_FAST = 2  # as the ideal cycle: nothing that is built so goes faster
_SLACK = 10  # parts that a controller may book at once

UNATTRIBUTED = ""  # the job of parts that were made while no job was open, or whose number is doubtful


class Evidence(enum.StrEnum):
    """What a reading says about the readings before it."""

    FIRST = "first"
    COUNTED = "counted"
    ROLLED_OVER = "rolled_over"
    SUSPECT = "suspect"
    GLITCH = "glitch"
    RESET = "reset"
    JUMP = "jump"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Reading:
    """A counter at a moment."""

    value: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a counter: the last reading that was believed, and one that waits for another.

    `width` in bits. `epoch` counts how often it began anew.
    """

    last: Reading
    width: int
    epoch: int = 0
    suspect: Reading | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One reading taken. `parts` are sure and were made between `began` and the reading; `doubtful` may be."""

    standing: Standing
    evidence: Evidence
    began: datetime
    parts: int = 0
    doubtful: int = 0


def read(before: Standing | None, now: Reading, width: int, cycle: float = 0.0) -> Step:
    """Take a reading. `cycle` is the ideal cycle time in seconds; 0: not known.

    The same readings give the same count, however often the agent was restarted between them: all
    that counts is in `Standing`.
    """
    now = Reading(now.value % (1 << width), now.at)
    if before is None:
        return Step(Standing(now, width), Evidence.FIRST, now.at)
    if before.width != width:  # another counter than the one that was read before
        return Step(Standing(now, width, before.epoch + 1), Evidence.FIRST, now.at)
    went = _went(before.last, now, width, cycle)
    if went is not None:
        return _counted(before, now, went, cycle)
    if before.suspect is not None and (since := _went(before.suspect, now, width, cycle)) is not None:
        return _stayed(before, before.suspect, now, since)
    return Step(Standing(before.last, width, before.epoch, now), Evidence.SUSPECT, now.at)


def _counted(before: Standing, now: Reading, went: int, cycle: float) -> Step:
    """The counter went on. With the suspicion of a moment ago it is over."""
    span = 1 << before.width
    evidence = Evidence.COUNTED if now.value >= before.last.value else Evidence.ROLLED_OVER
    most = _most(before.last, now, cycle)
    if most is not None and most >= span + went:
        evidence = Evidence.UNSURE
    elif before.suspect is not None:
        evidence = Evidence.GLITCH
    return Step(Standing(now, before.width, before.epoch), evidence, before.last.at, went)


def _stayed(before: Standing, suspect: Reading, now: Reading, since: int) -> Step:
    """Two readings agree: the counter was set. From the first of them on it is believed again.

    One that fell began again, at zero as far as anybody knows; one that rose left out what is between.
    """
    fell = suspect.value < before.last.value
    doubtful = suspect.value if fell else suspect.value - before.last.value
    evidence = Evidence.RESET if fell else Evidence.JUMP
    return Step(Standing(now, before.width, before.epoch + 1), evidence, suspect.at, since, doubtful)


def _went(last: Reading, now: Reading, width: int, cycle: float) -> int | None:
    """How far it went on, if that can be; None when no machine does that."""
    span = 1 << width
    went = (now.value - last.value) % span
    most = _most(last, now, cycle)
    if most is not None:
        return went if went <= most else None
    return went if now.value >= last.value or went <= span // _ROLLOVER_SHARE else None


def _most(last: Reading, now: Reading, cycle: float) -> int | None:
    """The most parts that can have been made between two readings; None when that is not known."""
    if cycle <= 0:
        return None
    elapsed = max(0.0, (now.at - last.at).total_seconds())
    return int(elapsed / cycle * _TWICE_AS_FAST) + _SLACK


@dataclass(frozen=True, slots=True)
class Switch:
    """From this moment a terminal of the machine has this job open; empty: none."""

    terminal: str
    job: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """Parts of one job. `estimated`: the counter was not read at the switch; they are shared out by time."""

    job: str
    parts: int
    at: datetime
    estimated: bool = False


def running(switches: Iterable[Switch], until: datetime) -> str:
    """The job that the machine runs at a moment: the one opened last of those that are still open.

    A terminal that opens a job which another has open already does not make it a second one.
    """
    open_at: dict[str, Switch] = {}
    for switch in sorted(switches, key=lambda each: each.at):
        if switch.at > until:
            break
        open_at[switch.terminal] = switch
    jobs = [switch for switch in open_at.values() if switch.job]
    return max(jobs, key=lambda each: each.at).job if jobs else UNATTRIBUTED


def split(parts: int, began: datetime, ended: datetime, switches: Sequence[Switch]) -> tuple[Share, ...]:
    """Parts made between two readings, shared out to the jobs that ran, in order; their sum is `parts`.

    A part belongs to the job that ran when it was finished. Where the job was changed between the two
    readings the parts are taken to be made evenly: whole parts, the one in the making to the later job.
    """
    if not parts:
        return ()
    switched = {switch.at for switch in switches if began < switch.at < ended}
    stretch = (ended - began).total_seconds()
    shares: list[Share] = []
    given, start = 0, began
    for end in (*sorted(switched), ended):
        until = parts if end == ended else int(parts * ((end - began).total_seconds() / stretch))
        if until > given:
            shares.append(Share(running(switches, start), until - given, end, estimated=bool(switched)))
        given, start = until, end
    return _joined(shares)


def _joined(shares: Sequence[Share]) -> tuple[Share, ...]:
    """Neighbours of one job as one; a switch that changed nothing leaves nothing to estimate."""
    joined: list[Share] = []
    for share in shares:
        if joined and joined[-1].job == share.job:
            joined[-1] = Share(share.job, joined[-1].parts + share.parts, share.at, share.estimated)
        else:
            joined.append(share)
    if len(joined) == 1:
        return (Share(joined[0].job, joined[0].parts, joined[0].at),)
    return tuple(joined)
