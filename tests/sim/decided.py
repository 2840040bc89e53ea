"""What must be true of decisions on exceptions: who may, what they record together, and what becomes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from edge_agent.doubts import CONFLICTS
from sync.contract import (
    Correction,
    Fact,
    FactLost,
    JobCompleted,
    JobStarted,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    MaterialShort,
)
from sync.exceptions import ExceptionDecided
from tests.sim.plant import LEAD_IDS
from tests.sim.violation import Violation

# What counts at the PC until a later fact takes it back.
_COUNTS = MaterialProduced | MaterialScrapped | MaterialMoved | MaterialShort | JobStarted | JobCompleted


@dataclass(frozen=True)
class Decision:
    """The fact, and what it says."""

    fact: Fact
    body: ExceptionDecided


@dataclass(frozen=True)
class Decided:
    """All decisions of a run, in order; `applied` are the facts that the ERP has taken."""

    facts: Sequence[Fact]
    applied: Collection[str]

    @cached_property
    def all(self) -> list[Decision]:
        """As they were recorded."""
        return [Decision(fact, fact.body) for fact in self.facts if isinstance(fact.body, ExceptionDecided)]

    @cached_property
    def struck(self) -> frozenset[str]:
        """The facts that are never to be booked, and the ERP knows it."""
        return frozenset(
            each.body.exception for each in self.all if each.body.choice == "correct" and each.fact.id in self.applied
        )

    @cached_property
    def dead(self) -> frozenset[str]:
        """Those of them that the ERP has not: they count nowhere."""
        return self.struck - set(self.applied)

    @cached_property
    def last(self) -> dict[str, str]:
        """The choice that stands, by exception."""
        return {each.body.exception: each.body.choice for each in self.all}

    def handed_over(self, id: str) -> bool:
        """Whether somebody else is to decide."""
        return self.last.get(id) == "hand_over"


def of_decisions(
    decided: Decided, waiting: Collection[str], codes: dict[str, str], four_eyes: Collection[str],
    taken: Collection[str],
) -> Iterator[Violation]:  # fmt: skip
    """`waiting`: the facts that are refused or held. `codes`: what the ERP said of facts, as people saw it.
    `taken`: the ids under which the ERP had something else."""
    by_id = {fact.id: fact for fact in decided.facts}
    for each in decided.all:
        second, body = each.body.second, each.body
        if body.choice in four_eyes and (second not in LEAD_IDS or second == each.fact.person):
            yield Violation("ALONE", f"{body.choice} by {each.fact.person} and {second or 'nobody'}")
        if body.choice == "correct":
            yield from _whole(each, decided.facts, by_id.get(body.exception), taken)
    made = [each for each in decided.all if each.fact.id in decided.applied]  # a refused one may be made again
    often = Counter(each.body.exception for each in made if each.body.choice == "correct")
    if twice := [id for id, count in often.items() if count > 1]:
        yield Violation("CORRECTED_TWICE", f"{twice[:3]}")
    if unsettled := sorted(decided.struck & set(waiting)):
        yield Violation("NOT_SETTLED", f"{unsettled[:3]} were corrected, the ERP knows it, and they wait")
    back = {fact.body.corrects for fact in decided.facts if isinstance(fact.body, Correction)}
    if both := sorted(decided.struck & set(decided.applied) - back):
        yield Violation("BOTH", f"{both[:3]} were corrected, and are booked")
    if strange := {id: code for id, code in codes.items() if code in CONFLICTS and id not in taken}:
        yield Violation("CONFLICT", f"the ERP has something else under ids of ours: {strange}")


def _whole(
    decision: Decision, facts: Sequence[Fact], corrected: Fact | None, taken: Collection[str]
) -> Iterator[Violation]:
    """All facts of a correction are there, and no more."""
    fact, body = decision.fact, decision.body
    together = [
        each for each in facts
        if (each.terminal, each.event_time) == (fact.terminal, fact.event_time) and fact.seq - 3 < each.seq < fact.seq
    ]  # fmt: skip
    back = [each for each in together if isinstance(each.body, Correction) and each.body.corrects == body.exception]
    instead = [each for each in together if each not in back]
    earlier = [each.body for each in facts if each.seq < fact.seq]
    before = any(isinstance(each, Correction) and each.corrects == body.exception for each in earlier)
    counts = corrected is not None and isinstance(corrected.body, _COUNTS)
    if bool(back) if body.exception in taken else before != counts:  # a person may have taken it back as well
        yield Violation("TORN", f"{body.exception} {'was' if before else 'was not'} taken back")
    job = body.job if body.instead is not None else ""
    told = [(getattr(each.body, "quantity", None), each.body.about) for each in instead]
    if told != ([(body.instead, job)] if body.instead is not None else []):
        yield Violation("TORN", f"{told} stands in the place of {body.exception}, not {body.instead} {body.job}")


def of_hand_overs(decided: Decided, waiting: Collection[str]) -> Iterator[Violation]:
    """What somebody else is to decide stays where it is."""
    known = {fact.id for fact in decided.facts if not isinstance(fact.body, FactLost)}
    if sent := sorted(id for id in known if decided.handed_over(id) and id not in waiting):
        yield Violation("HANDED_OVER_SENT", f"{sent[:3]} were handed over, and wait no more")
