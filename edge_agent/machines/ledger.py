"""How many parts a counter stands for, whatever happens to counter, link and agent. Pure.

A counter is believed as far as the evidence goes. What it says is one of:

* counted: it went on; rolled_over: it was seen near its end, and soon after that near its beginning;
* suspect: it fell, or rose by much, or by more than the machine can make. Nothing is counted until the
  next reading shows whether it was one wrong reading (glitch) or stays. What stays is counted when the
  time explains it: a weekend's parts come with the second reading;
* reset, jump: it stayed and nothing explains it. What was made around that moment can not be known for
  sure: it is counted as doubtful, and goes to no job;
* unsure: it fell in a time that explains a rollover as well as a reset, such as a weekend in which the controller
  was off: what one rollover comes to is doubtful, and a person says what becomes of it. Or it rose in a time in
  which it may have gone round: the least that fits was made for sure, and is counted.

Rules: machines.md of the design, "Counters"; ISO 22400-2 counts quantities per order, so parts are
split at the time at which another job was opened.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

_AT_ONCE = 1000  # parts; more at a time are believed when the next reading agrees
# Without a known cycle time a fall can be a rollover when this part of the range explains it.
_ROLLOVER_SHARE = 8
_TWICE_AS_FAST = 2  # as the ideal cycle: nothing that is built so goes faster
_PACE = 600  # seconds between two readings in which a counter is still followed when no cycle time is known
_SLACK = 10  # parts that a controller may book at once
_FASTEST = 500  # parts a second when nobody says how long one takes: presses for tablets come close
_WIDE_SLACK = 100  # the same as _SLACK for such a machine

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

    `modulus` is how many numbers it has: 2**16, or 10,000 where it goes on at 0 after 9,999. `epoch` counts how
    often it began anew.
    """

    last: Reading
    modulus: int
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


def read(before: Standing | None, now: Reading, modulus: int, cycle: float = 0.0) -> Step:
    """Take a reading. `cycle` is the ideal cycle time in seconds; 0: not known.

    The same readings give the same count, however often the agent was restarted between them: all
    that counts is in `Standing`.
    """
    now = Reading(now.value % modulus, now.at)
    if before is None:
        return Step(Standing(now, modulus), Evidence.FIRST, now.at)
    if before.modulus != modulus:  # another counter than the one that was read before
        return Step(Standing(now, modulus, before.epoch + 1), Evidence.FIRST, now.at)
    if _believed_at_once(before.last, now, modulus, cycle):
        return _counted(before, now, cycle)
    if before.suspect is not None and _possible(before.suspect, now, modulus, cycle):
        return _agreed(before, before.suspect, now, cycle)
    return Step(Standing(before.last, modulus, before.epoch, now), Evidence.SUSPECT, now.at)


def _believed_at_once(last: Reading, now: Reading, modulus: int, cycle: float) -> bool:
    """Whether one reading is enough. A fall has to be a rollover that was seen: a small step, no silence before it."""
    went = _between(last, now, modulus)
    if went > _AT_ONCE or not _possible(last, now, modulus, cycle):
        return False
    return now.value >= last.value or (went <= modulus // _ROLLOVER_SHARE and _followed(last, now, modulus, cycle))


def _counted(before: Standing, now: Reading, cycle: float, way: int | None = None) -> Step:
    """The counter went on, by `way` where it was seen on its way. With the suspicion of a moment ago it is over."""
    went = _between(before.last, now, before.modulus) if way is None else way
    evidence = Evidence.COUNTED if now.value >= before.last.value else Evidence.ROLLED_OVER
    if cycle > 0 and _most(before.last, now, cycle) >= before.modulus + went:
        evidence = Evidence.UNSURE
    elif before.suspect is not None and way is None:
        evidence = Evidence.GLITCH
    return Step(Standing(now, before.modulus, before.epoch), evidence, before.last.at, went)


def _agreed(before: Standing, suspect: Reading, now: Reading, cycle: float) -> Step:
    """Two readings agree: what they show is so. Whether it was made is for the time to say.

    A counter that was set fell and began again, at zero as far as anybody knows, or rose and left out what is
    between. Time alone proves no rollover: a controller that was off for as long forgets its counter as well.
    """
    modulus = before.modulus
    fell, since = suspect.value < before.last.value, _between(suspect, now, modulus)
    rose, explained = _between(before.last, suspect, modulus), _possible(before.last, suspect, modulus, cycle)
    if explained and not fell:
        return _counted(before, now, cycle, rose + since)
    evidence = Evidence.JUMP if not fell else Evidence.UNSURE if explained else Evidence.RESET
    doubtful = suspect.value if evidence is Evidence.RESET else rose
    return Step(Standing(now, modulus, before.epoch + 1), evidence, suspect.at, since, doubtful)


def _between(last: Reading, now: Reading, modulus: int) -> int:
    """How far it went on, if it did."""
    return (now.value - last.value) % modulus


def _possible(last: Reading, now: Reading, modulus: int, cycle: float) -> bool:
    """Whether a machine can have made what is between two readings."""
    most = _most(last, now, cycle)
    if cycle <= 0 and now.value < last.value:
        most = min(most, modulus // _ROLLOVER_SHARE)
    return _between(last, now, modulus) <= most


def _followed(last: Reading, now: Reading, modulus: int, cycle: float) -> bool:
    """Whether it was read so soon that it can not have gone far: what it did between the two is as good as seen."""
    soon = cycle <= 0 and (now.at - last.at).total_seconds() <= _PACE
    return soon or _most(last, now, cycle) <= modulus // _ROLLOVER_SHARE


def _most(last: Reading, now: Reading, cycle: float) -> int:
    """The most parts that can have been made between two readings."""
    elapsed = max(0.0, (now.at - last.at).total_seconds())
    if cycle <= 0:
        return int(elapsed * _FASTEST) + _WIDE_SLACK
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
