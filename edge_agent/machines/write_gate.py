"""The write gate: whether a person may give an item of a machine a value now. Pure.

Nothing is ever written to a machine but what a rule of the site file lists, and what is judged here
stands in the journal, be it let through or not.

>>> rule = Rule("press", "speed", roles=frozenset({"setter"}), low=0, high=120, at_most=2, within=60.0)
>>> setter = Person(id="P1", name="Ann", badge="1", roles=("setter",))
>>> rules = {("press", "speed"): rule}
>>> judge(rules, Wanted("press", "speed", 80), setter, history=[], now=500.0) == Allowed(rule)
True
>>> judge(rules, Wanted("press", "speed", 130), setter, history=[], now=500.0).words
'press/speed takes 0 to 120, not 130. Give a number between.'
>>> judge(rules, Wanted("press", "speed", 80), setter, history=[450.0, 470.0], now=500.0).code
'write.rate'
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edge_agent.roles import holds
from sync.contract import Person
from sync.machine_facts import MachineValue


@dataclass(frozen=True, slots=True)
class Rule:
    """One item that may be written: a number from `low` to `high`, or one of `allowed` where there are any.

    A person with one of `roles` may do so, and all of them together `at_most` times in any `within` seconds.
    """

    device: str
    item: str
    roles: frozenset[str]
    low: float | None = None
    high: float | None = None
    allowed: tuple[MachineValue, ...] = ()
    at_most: int = 6
    within: float = 60.0


Rules = Mapping[tuple[str, str], Rule]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody wants an item to have a value."""

    device: str
    item: str
    value: MachineValue

    @property
    def where(self) -> str:
        """The item, for people."""
        return f"{self.device}/{self.item}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be written, by this rule."""

    rule: Rule


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not: `code` and `params` for the screen, `words` for the journal."""

    code: str
    words: str
    params: dict[str, str] = field(default_factory=dict)


def judge(
    rules: Rules, wanted: Wanted, who: Person | None, history: Sequence[float], now: float
) -> Allowed | Refused:
    """Whether it may be written now. `who` is signed on at the terminal that asks, None: nobody.

    `history` are the monotonic readings at which writes of this item were let through before.
    """
    where = {"item": wanted.where}
    rule = rules.get((wanted.device, wanted.item))
    if rule is None:
        words = f"{wanted.where} is only read: the site file does not list it under [[writes]]."
        return Refused("write.not_listed", words, where)
    if who is None or not who.active:
        words = f"Nobody is signed on who could answer for writing {wanted.where}. Sign on at the terminal first."
        return Refused("write.nobody", words, where)
    if not holds(who, rule.roles):
        roles = ", ".join(sorted(rule.roles))
        words = f"{wanted.where} is written by people with the role {roles}. Ask one of them."
        return Refused("write.role", words, {**where, "roles": roles})
    return _value_problem(rule, wanted) or _rate_problem(rule, wanted, history, now) or Allowed(rule)


def same(one: MachineValue | None, other: MachineValue | None) -> bool:
    """Whether two values are the same; true is not the number one.

    >>> same(1, 1.0), same(True, 1), same("1", 1)
    (True, False, False)
    """
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def _value_problem(rule: Rule, wanted: Wanted) -> Refused | None:
    value, says = wanted.value, {"item": wanted.where, "value": shown(wanted.value)}
    if rule.low is None or rule.high is None:
        if any(same(value, each) for each in rule.allowed):
            return None
        takes = ", ".join(shown(each) for each in rule.allowed)
        words = f"{wanted.where} takes {takes}, not {shown(value)}. Give one of them."
        return Refused("write.value", words, {**says, "takes": takes})
    if isinstance(value, (int, float)) and not isinstance(value, bool) and rule.low <= value <= rule.high:
        return None
    low, high = f"{rule.low:.12g}", f"{rule.high:.12g}"
    words = f"{wanted.where} takes {low} to {high}, not {shown(value)}. Give a number between."
    return Refused("write.range", words, {**says, "low": low, "high": high})


def _rate_problem(rule: Rule, wanted: Wanted, history: Sequence[float], now: float) -> Refused | None:
    recent = sorted(at for at in history if now - at < rule.within)
    if len(recent) < rule.at_most:
        return None
    says = {
        "item": wanted.where, "at_most": str(rule.at_most), "within": f"{rule.within:g}",
        "wait": str(math.ceil(recent[-rule.at_most] + rule.within - now)),
    }  # fmt: skip
    words = "{item} is written at most {at_most} times in {within} s. Try again in {wait} s."
    return Refused("write.rate", words.format_map(says), says)


def shown(value: MachineValue) -> str:
    """A value for people, bounded: what was asked for may be anything.

    >>> shown(True), shown(1.5), shown("x" * 100)[-5:]
    ('true', '1.5', 'xxxx…')
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:60] + "\N{HORIZONTAL ELLIPSIS}"
