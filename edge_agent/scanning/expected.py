"""What a step expects to be scanned, and what a code can mean: the vocabulary of the scan kernel."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from edge_agent.views import Kind


@dataclass(frozen=True)
class Candidate:
    """One thing that a code can mean. `trust` is the payload class: 1 own label, 2 GS1 element string,
    3 GTIN, 4 Digital Link, 6 plain text. The rest is what else the code carried: `expires` is a use-by date."""

    kind: Kind
    id: str
    trust: int = 1
    lot: str | None = None
    expires: date | None = None
    best_before: date | None = None
    quantity: Decimal | None = None
    serial: str | None = None
    revision: str | None = None

    @property
    def carries_more(self) -> bool:
        """Whether the code says more than its id (verdict OK+)."""
        return any(x is not None for x in (self.lot, self.expires, self.best_before, self.quantity, self.serial))


class Standing(enum.Enum):
    """How a known thing stands to a step."""

    PLANNED = "planned"  # accepted
    ASK = "ask"  # legal but not planned: the person must say so twice
    HELD = "held"  # right, but blocked
    DONE = "done"  # already counted
    INCOMPLETE = "incomplete"  # right, but the code says too little (the item without its lot)


@dataclass(frozen=True)
class Rule:
    """The standing of one id. For all but PLANNED `code` and `params` are the words that say why."""

    standing: Standing = Standing.PLANNED
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


PLANNED = Rule()


@dataclass(frozen=True)
class Expected:
    """One kind of thing that may be scanned now.

    `rules` gives ids their standing; a known thing without a rule is WRONG. Keys of material rules:
    `item` (a code without a lot), `item/lot`, and `item/*` for any other lot of the item. `wrong` is
    the message code for WRONG, told with `params` (what is expected) and `got`. `any`: every known id
    of the kind is accepted, and with `unknown_too` also ids that nobody knows here. `code`: the words
    of F1 help.
    """

    kind: Kind
    code: str
    rules: Mapping[str, Rule] = field(default_factory=dict)
    wrong: str = "scan.wrong"
    params: Mapping[str, str] = field(default_factory=dict)
    any: bool = False
    unknown_too: bool = False

    def rule(self, candidate: Candidate) -> Rule | None:
        """The standing of a candidate of this kind; None when nothing is said about it."""
        id, lot = candidate.id, candidate.lot
        keys = (id,) if lot is None else (f"{id}/{lot}", f"{id}/*")
        return next((self.rules[key] for key in keys if key in self.rules), None)

    @property
    def planned(self) -> tuple[str, ...]:
        """The ids that are accepted without a question, in order."""
        return tuple(id for id, rule in self.rules.items() if rule.standing is Standing.PLANNED)
