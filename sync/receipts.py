"""What an ERP answers about a fact; see `sync.contract`, which has both directions."""

from __future__ import annotations

from typing import Any

import msgspec


class Applied(msgspec.Struct, frozen=True, tag_field="outcome", tag="applied"):
    """The ERP has booked the fact now; `reference` is the ERP's own number for the booking."""

    fact: str
    reference: str


class Booked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the ERP keeps under the id of a fact: its `digest` (see `sync.same_fact`), and the fact as it came
    where the ERP can still tell."""

    digest: str
    fact: dict[str, Any] | None = None


class Duplicate(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="outcome", tag="duplicate"):
    """The ERP had booked the fact before, with the same body; nothing was booked again.

    `booked` says with which body, the answer to a question with the fact as well: the asking side compares. Where it
    is missing the fact does not count as delivered, the ERP is asked for it by id.
    """

    fact: str
    reference: str
    booked: Booked | None = None


class Refused(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="outcome", tag="refused"):
    """The ERP will not book the fact until a person has decided; `reason` is in the ERP's words.

    `booked`, in the answer to a question: what was refused under this id. `code` is one of closed_order,
    unknown_order, over_quantity, unknown_material, unknown_lot, unknown_person, key_reused (the ERP has
    another fact under this id), number_reused (two facts of one agent with one seq: two PCs at work under
    its name), not_understood, or the ERP's own. One code is no decision: HELD_BACK.
    """

    fact: str
    code: str
    reason: str
    booked: Booked | None = None


Receipt = Applied | Duplicate | Refused

LONGEST = 500  # characters that are kept of a sentence of an ERP; people read no more of it


def shortened(text: str, longest: int = LONGEST) -> str:
    """Text of an ERP, with a limit: what it says is kept, sent to screens and written into the log.

    >>> shortened("Order W1 is closed.", 10)
    'Order W1 …'
    """
    return text if len(text) <= longest else text[: longest - 1] + "…"

# The fact was not looked at, because an earlier one with the same `about` in the same batch was
# refused. The relay keeps such an answer to itself: the fact stays pending behind the parked one.
HELD_BACK = "held_back"

# No ERP says this, the relay does: the fact was sent alone, again and again, and no clear answer came, while the
# ERP booked others and, asked by its id, did not say that it has it. What it truly did people find out.
UNCLEAR = "unclear"
