"""The open contract on the wire: JSON over HTTP, the same words for both ends.

`POST /v1/facts` books, `GET /v1/facts?id=..&id=..` asks, `GET /v1/plans?agent=..&cursor=..` pulls;
each with `Authorization: Bearer <token>`.
"""

from __future__ import annotations

import msgspec

from sync.contract import Fact, Receipt

FACTS = "/v1/facts"
PLANS = "/v1/plans"


class FactsRequest(msgspec.Struct, frozen=True):
    """Facts of one agent, in seq order."""

    agent: str
    facts: tuple[Fact, ...]


class ReceiptsReply(msgspec.Struct, frozen=True):
    """One receipt for each fact of a push, in order; or those that are known, for a question."""

    receipts: tuple[Receipt, ...]


class Problem(msgspec.Struct, frozen=True):
    """Sent with a 4xx status. `not_understood`: nothing of the request was booked, it will never do."""

    code: str
    reason: str
