"""What a PIN may be, and when no more tries are taken. Pure: no hash is made here, and no PIN kept.

A lock-out counts on the monotonic clock of one boot of the PC. The wall clock has no part in it, so setting
it back or on changes nothing; after the PC was started anew nobody can tell how long it was off, and the
lock-out begins once more.

>>> rules = PinRules(frozenset({"lead"}), tries=2, lockout=900.0)
>>> once = after_wrong(PinRecord("p8", "(a hash)"), rules, "boot-1", 50.0)
>>> locked_for(once, rules, "boot-1", 50.0), tries_left(once, rules)
(0.0, 1)
>>> twice = after_wrong(once, rules, "boot-1", 60.0)
>>> locked_for(twice, rules, "boot-1", 70.0), locked_for(twice, rules, "boot-2", 3.0)
(890.0, 900.0)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

SHORTEST, LONGEST = 4, 12


@dataclass(frozen=True)
class PinRules:
    """Who needs a PIN beside the badge; after how many wrong `tries` none is taken for `lockout` seconds."""

    roles: frozenset[str] = frozenset()
    tries: int = 5
    lockout: float = 900.0


@dataclass(frozen=True)
class PinRecord:
    """What is kept of a person's PIN. `start`: it is a start code, and the person has to choose a PIN with it.

    `wrong` counts the tries since the last right one. `until` is the monotonic reading of `boot` at which a
    lock-out ends; no boot: there is none.
    """

    person: str
    hash: str
    start: bool = False
    wrong: int = 0
    boot: str = ""
    until: float = 0.0


@dataclass(frozen=True)
class PinLook:
    """How a person stands to a PIN, for a flow: nothing in it is secret. `locked_for` is in seconds."""

    needed: bool = False
    known: bool = False
    start: bool = False
    locked_for: float = 0.0
    tries: int = 0
    left: int = 0


def locked_for(record: PinRecord, rules: PinRules, boot: str, now: float) -> float:
    """Seconds for which no try is taken; 0.0: one is. `boot` and `now`: which boot this is, and its clock."""
    if not record.boot:
        return 0.0
    if record.boot != boot:
        return rules.lockout
    return min(max(0.0, record.until - now), rules.lockout)


def carried_over(record: PinRecord, rules: PinRules, boot: str, now: float) -> PinRecord:
    """The same lock-out on the clock of this boot; to be kept, or it would never end."""
    if not record.boot or record.boot == boot:
        return record
    return replace(record, boot=boot, until=now + rules.lockout)


def tries_left(record: PinRecord, rules: PinRules) -> int:
    """How many more wrong tries there are before the lock-out."""
    return max(0, rules.tries - record.wrong)


def after_wrong(record: PinRecord, rules: PinRules, boot: str, now: float) -> PinRecord:
    """After a wrong try. When a lock-out has ended the count begins at one."""
    wrong = 1 if record.boot else record.wrong + 1
    if wrong < rules.tries:
        return replace(record, wrong=wrong, boot="", until=0.0)
    return replace(record, wrong=wrong, boot=boot, until=now + rules.lockout)


def look_at(record: PinRecord | None, needed: bool, rules: PinRules, boot: str, now: float) -> PinLook:
    """What a flow may know of a record."""
    if record is None:
        return PinLook(needed)
    over = bool(record.boot) and not locked_for(record, rules, boot, now)
    wrong = 0 if over else record.wrong
    wait = locked_for(record, rules, boot, now)
    return PinLook(needed, True, record.start, wait, wrong, max(0, rules.tries - wrong))


def why_not(pin: str) -> str:
    """Why digits can not be a PIN, as a message code; empty: they can.

    >>> why_not("2580"), why_not("12"), why_not("1111"), why_not("4321")
    ('', 'pin.length', 'pin.simple', 'pin.simple')
    """
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        return "pin.length"
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    return "pin.simple" if steps in ({0}, {1}, {-1}) else ""
