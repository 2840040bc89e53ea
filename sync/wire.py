"""The open contract on the wire: JSON over HTTP, the same words for both ends.

`POST /v1/facts` books, `GET /v1/facts?id=..&id=..` asks, `GET /v1/plans?agent=..&cursor=..` pulls
(with `device` and `epoch` of the PC); each with `Authorization: Bearer <token>`.
"""

from __future__ import annotations

import msgspec

from sync.contract import Fact, Receipt
from sync.device import Device

FACTS = "/v1/facts"
PLANS = "/v1/plans"


class FactsRequest(msgspec.Struct, frozen=True):
    """Facts of one agent, in seq order, from the PC that speaks as it."""

    agent: str
    facts: tuple[Fact, ...]
    device: Device | None = None


class ReceiptsReply(msgspec.Struct, frozen=True):
    """One receipt for each fact of a push, in order; or those that are known, for a question."""

    receipts: tuple[Receipt, ...]


class Problem(msgspec.Struct, frozen=True):
    """Sent with a 4xx status. `not_understood`: nothing of the request was booked, it will never do.

    `other_device`, with 409: another PC is this agent now; a person has to act.
    """

    code: str
    reason: str
