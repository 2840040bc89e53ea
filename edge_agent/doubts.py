"""What is in doubt, as the exceptions screen asks for it: refused facts, and what else a person must look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from sync.contract import (
    AnyFact,
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
from sync.exceptions import Choice, ExceptionDecided, about
from sync.maintenance import (
    MaintenanceCompleted,
    MaintenancePartUsed,
    MaintenanceRequested,
    MaintenanceStarted,
)  # fmt: skip

# What the ERP says when an id or a number of ours stands for something else there already.
CONFLICTS = frozenset({"key_reused", "number_reused"})


# What another quantity can stand in place of; of those first also on another job.
OF_A_JOB = MaterialProduced | MaterialScrapped
COUNTED = OF_A_JOB | MaterialMoved | MaterialShort | MaintenancePartUsed
# A repair goes on from these: they are sent again, or somebody else decides.
_NOT_CORRECTED = MaintenanceRequested | MaintenanceStarted | MaintenanceCompleted | ExceptionDecided | FactLost
# What counts here until another fact takes it back.
_TAKEN_BACK = COUNTED | JobStarted | JobCompleted


@dataclass(frozen=True, slots=True)
class Decided:
    """The last decision on an exception; `second` confirmed it, empty: one person was enough."""

    choice: str
    at: datetime
    person: str
    second: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One exception. `key` is what a decision names: the id of its fact, `clock/...` or `incident/...`.

    `kind`: refused, the ERP will not book `fact`, `code` and `reason` are its words, `held` are the later facts
    that wait for it, and it waits itself for fact `waits_for` about the same job (0: for none). lost: nothing
    brought `fact` back, or `facts` from `seq` to `last` that a restored backup did not have and the ERP has. write:
    nobody knows what a machine took, or it took something else. clock: `facts` facts from `seq` to `last` have
    times that may be wrong. incident: the database was mended; `reason` says why, `lost` are the numbers that
    nothing brought back, of `facts` that were; or, `again`, `facts` are offered to the ERP once more. gone:
    `connector` is no longer in the site file; it had refused `fact`, or `facts` others wait for it.

    `correction` is the decision with which people have corrected it already, `not_taken`: the ERP refused to
    hear of the last one. `taken_back`: a correction in the journal takes `fact` back already.
    """

    key: str
    kind: Literal["refused", "lost", "write", "clock", "incident", "gone"]
    since: datetime
    fact: Fact | None = None
    code: str = ""
    reason: str = ""
    attempts: int = 0
    held: tuple[int, ...] = ()
    waits_for: int = 0
    seq: int = 0
    last: int = 0
    facts: int = 0
    lost: tuple[int, ...] = ()
    decided: Decided | None = None
    correction: ExceptionDecided | None = None
    not_taken: bool = False
    connector: str = ""
    taken_back: bool = False
    again: bool = False

    @property
    def conflict(self) -> bool:
        """Whether the ERP has something else under the id or the number of the fact."""
        return self.code in CONFLICTS

    @property
    def corrected(self) -> bool:
        """Whether people have corrected it, and the ERP has only to hear of it."""
        if self.kind != "refused" or self.not_taken:
            return False
        return self.decided is not None and self.decided.choice == "correct"

    @property
    def handed_over(self) -> bool:
        """Whether somebody else is to decide."""
        return self.decided is not None and self.decided.choice == "hand_over"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What may become of it; nothing once it was corrected: the ERP has only to hear of that.

        A decision that the ERP does not take changes nothing in its books: it can be left at that.
        """
        if self.corrected:
            return ()
        if self.kind != "refused" or self.fact is None:
            return ("acknowledge", "hand_over")
        if self.waits_for:
            return ("hand_over",)
        if isinstance(self.fact.body, ExceptionDecided):
            return ("resend", "hand_over", "acknowledge")
        correct: tuple[Choice, ...] = () if isinstance(self.fact.body, _NOT_CORRECTED) else ("correct",)
        return ("resend", *correct, "hand_over")


def answered(
    doubt: Doubt, choice: Choice, *, second: str = "", note: str = "", instead: Decimal | None = None, job: str = ""
) -> tuple[AnyFact, ...]:
    """The facts of a decision, the decision itself last.

    With a correction: what the refused fact did here is taken back, and a fact with the quantity `instead` stands
    in its place, about `job` where one is named. Nothing of the refused fact is changed. Nothing is taken back twice,
    and nothing when the ERP has something else under its id: that would be taken back there.

    What was corrected already, by a decision that the ERP did not take, stands so in the journal: only the decision is
    new, about the same quantity and job.
    """
    facts: list[AnyFact] = []
    if choice == "correct" and (before := doubt.correction) is not None:
        instead, job = before.instead, before.job
    elif choice == "correct" and doubt.fact is not None:
        body = doubt.fact.body
        if isinstance(body, _TAKEN_BACK) and not doubt.conflict and not doubt.taken_back:
            reason = "incorrect_data" if instead else "did_not_occur"
            facts.append(Correction(about=body.about, corrects=doubt.fact.id, reason=reason))
        if instead and isinstance(body, COUNTED):
            job = job or body.about
            facts.append(msgspec.structs.replace(body, quantity=instead, about=job))
        else:
            # Of a conflict no other fact says whose figures the floor needs anew.
            instead, job = None, body.about if doubt.conflict else ""
    decided = ExceptionDecided(
        about=about(doubt.key), exception=doubt.key, choice=choice, second=second, note=note, instead=instead,
        job=job,
    )  # fmt: skip
    return (*facts, decided)
