"""The fact of a decision: what shall become of a report that was refused, or of something else in doubt.

A refused fact holds back what came later about its job. So that the decision is not held back with it, it has an
`about` of its own; what is true instead of the refused fact is reported by facts of their own about the job.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from sync.fact_body import FactBody

# Whose `about` names what was decided on.
PREFIX = "exception/"

Choice = Literal["resend", "correct", "hand_over", "acknowledge"]


class ExceptionDecided(FactBody, frozen=True, kw_only=True):
    """A person decided on an exception (`about` is `exception/<exception>`).

    `exception` is the id of the fact that is in doubt; `clock/...` and `incident/...` are those that are not about
    one fact. The person of the fact decided, `second` confirmed it, empty where one was enough; never the same two.

    `choice` resend: the fact goes again as it is. correct: it was refused and is never to be booked; a fact with
    the quantity `instead` about `job` follows in its place, None: nothing does; where a `job` is named, the ERP
    tells its plan again: the floor has counted what was refused. hand_over: somebody else decides,
    who `note` says; the exception stays open. acknowledge: it is known and explained.
    """

    exception: str
    choice: Choice
    second: str = ""
    note: str = ""
    instead: Decimal | None = None
    job: str = ""


def about(exception: str) -> str:
    """The ordering key of all decisions on an exception.

    >>> about("0190")
    'exception/0190'
    """
    return PREFIX + exception
