"""What a batch of receipts is worth: pure checks, the same for every connector."""

from __future__ import annotations

from collections.abc import Sequence

from sync.contract import HELD_BACK, Fact, Receipt, Refused
from sync.ports import Ambiguous


def checked(facts: Sequence[Fact], receipts: Sequence[Receipt]) -> Sequence[Receipt]:
    """The receipts, if they name every fact in order and decide the first; raises Ambiguous otherwise."""
    if [receipt.fact for receipt in receipts] != [fact.id for fact in facts]:
        raise Ambiguous(
            f"The ERP answered {len(facts)} facts with {len(receipts)} receipts that name others."
        )
    if receipts and not decisions(receipts[:1]):
        raise Ambiguous("The ERP holds back the first fact of a batch: there is nothing before it.")
    return receipts


def decisions(receipts: Sequence[Receipt]) -> list[Receipt]:
    """The receipts that decide something: all but the facts held back behind a refused one."""
    return [r for r in receipts if not (isinstance(r, Refused) and r.code == HELD_BACK)]
