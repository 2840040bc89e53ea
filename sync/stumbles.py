"""Facts over which the ERP stumbles: whose job is left out for a while, and when a person is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.contract import UNCLEAR, Fact, Refused

TIMES = 8  # with the back-off most of a minute, when nothing else is to be sent


@dataclass
class _Stumble:
    """`words`: the last answer. `times`: as told at `Stumbles`. `asked`: the ERP was asked since the last try."""

    fact: Fact
    words: str
    times: int = 0
    asked: bool = False


class Stumbles:
    """Facts that were sent alone and got no clear answer, at most one of a job.

    Its job is left out, so that the others flow; the fact goes again, alone, after each push of others. An ERP that
    books nothing at all, for a night, is no reason to bother people with each report: counted are only the tries
    since it has answered a push of something else, and nothing else has failed; after each the ERP must have been
    asked for the fact, and have answered without it. After TIMES of them the fact is `lasting`.
    """

    def __init__(self) -> None:
        self._all: dict[str, _Stumble] = {}  # by job; the one whose turn it is first
        self._witnessed = False  # something else was answered, and nothing else has failed since
        self._due = False

    @property
    def jobs(self) -> Sequence[str]:
        """What is left out."""
        return tuple(self._all)

    def has(self, facts: Sequence[Fact]) -> bool:
        """Whether this is one of them, alone."""
        return len(facts) == 1 and self._is(facts[0])

    def due(self) -> Sequence[Fact]:
        """The one that goes before others do; empty: they go first."""
        return self.turn() if self._due else ()

    def turn(self) -> Sequence[Fact]:
        """The one that has waited longest; empty: there is none. Where nothing was answered it is not the fact:
        all go as if nothing had been."""
        if not self._witnessed:
            self._all.clear()
        return [each.fact for each in list(self._all.values())[:1]]

    def answered(self, facts: Sequence[Fact]) -> None:
        """A push was answered as the contract says."""
        self.settled(facts)
        self._witnessed = self._due = bool(self._all)

    def settled(self, facts: Sequence[Fact]) -> None:
        """Nothing is to be known of these any more."""
        for fact in facts:
            if self._is(fact):
                del self._all[fact.body.about]

    def unclear(self, facts: Sequence[Fact], words: str) -> None:
        """A push was not; nobody knows yet what was booked."""
        if not self.has(facts):
            self.failed()
        if len(facts) > 1:
            return
        fact, self._due = facts[0], False
        times = self._all.pop(fact.body.about).times if self._is(fact) else 0
        self._all[fact.body.about] = _Stumble(fact, words, times + self._witnessed)

    def failed(self) -> None:
        """Something else does not work: what was counted says nothing of the facts."""
        self._witnessed = False
        for each in self._all.values():
            each.times = 0

    def not_there(self, facts: Sequence[Fact]) -> None:
        """The ERP was asked, and has none of these."""
        for fact in facts:
            if self._is(fact):
                self._all[fact.body.about].asked = True

    def lasting(self) -> Sequence[Refused]:
        """Those that people are to decide from now on, in the words of the ERP."""
        lasting = [each for each in self._all.values() if each.asked and each.times >= TIMES]
        self.settled([each.fact for each in lasting])
        return [
            Refused(each.fact.id, UNCLEAR, f"{each.words} It was sent alone, {each.times} times, while the ERP booked "
                    "other reports; asked by its id, the ERP never said that it has it.")
            for each in lasting
        ]  # fmt: skip

    def _is(self, fact: Fact) -> bool:
        known = self._all.get(fact.body.about)
        return known is not None and known.fact.id == fact.id
