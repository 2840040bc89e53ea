"""The balance of a shift: what the screens called saved against what the ERP has booked."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from edge_agent.clock import SystemClock
from edge_agent.demo.plant import AGENT, Plant
from edge_agent.views import JournalRow

_DRAIN_SECONDS = 60.0
_MIN_REPORTS = 30


@dataclass(frozen=True)
class Disturbances:
    """What was done to the plant."""

    kills: int
    lost_replies: int
    erp_away_seconds: float


@dataclass(frozen=True)
class Balance:
    """`confirmed`: facts that a screen called saved. `lost`, `double`, `out_of_order` and `wrong_totals`
    must be 0; `refused` counts facts that the ERP would not book."""

    confirmed: int
    at_erp: int
    lost: int
    double: int
    out_of_order: int
    wrong_totals: int
    refused: int
    done: Disturbances
    work_reports: int = 0
    picks: int = 0
    seconds: float = 0.0

    def timed(self, seconds: float, work_reports: int, picks: int) -> Balance:
        """The same balance with how long the shift took and how much was done in it."""
        return replace(self, seconds=round(seconds, 1), work_reports=work_reports, picks=picks)

    @property
    def ok(self) -> bool:
        """Whether every figure is as it must be."""
        wrong = self.lost + self.double + self.out_of_order + self.wrong_totals + self.refused
        enough = self.work_reports >= _MIN_REPORTS and self.picks >= _MIN_REPORTS
        disturbed = self.done.kills == 3 and self.done.lost_replies == 1
        return not wrong and enough and disturbed and self.confirmed == self.at_erp > 0

    def document(self) -> dict[str, Any]:
        """The balance as it is printed."""
        return {
            "confirmed": self.confirmed, "at_erp": self.at_erp, "lost": self.lost, "double": self.double,
            "out_of_order": self.out_of_order, "kills": self.done.kills, "seconds": self.seconds,
            "wrong_totals": self.wrong_totals, "refused": self.refused, "work_reports": self.work_reports,
            "picks": self.picks, "lost_replies": self.done.lost_replies,
            "erp_away_seconds": self.done.erp_away_seconds, "ok": self.ok,
        }  # fmt: skip


async def settle(plant: Plant, confirmed: set[str], done: Disturbances) -> Balance:
    """Wait until the queue is empty, then compare. Raises TimeoutError when it never is."""
    clock = SystemClock()
    give_up = clock.monotonic() + _DRAIN_SECONDS
    while (health := await plant.client.health()).unsent:
        if clock.monotonic() > give_up:
            raise TimeoutError(f"{health.unsent} facts are still unsent after {_DRAIN_SECONDS:.0f} s")
        await clock.sleep_until(clock.monotonic() + 0.1)
    journal: list[JournalRow] = []
    while rows := await plant.client.journal(limit=1000, after=journal[-1].seq if journal else 0):
        journal += rows
    bookings = await asyncio.to_thread(_ask_erp, plant, f"v1/bookings?agent={AGENT}", "bookings")
    orders = await asyncio.to_thread(_ask_erp, plant, "v1/orders", "orders")
    return draw(journal, bookings, orders, confirmed, done, health.parked_count)


def draw(
    journal: Sequence[JournalRow], bookings: Sequence[dict[str, Any]], orders: Sequence[dict[str, Any]],
    confirmed: set[str], done: Disturbances, refused: int,
) -> Balance:  # fmt: skip
    """The balance of these records. Pure."""
    applied = [each for each in bookings if each["outcome"] == "applied"]
    times = Counter(each["fact"] for each in applied)
    known = {row.id for row in journal}
    kept = confirmed & known  # a fact that was confirmed and is not in the journal is lost too
    arrived: dict[str, int] = {}
    late = 0
    for each in applied:
        late += each["seq"] <= arrived.get(each["about"], 0)
        arrived[each["about"]] = max(each["seq"], arrived.get(each["about"], 0))
    return Balance(
        confirmed=len(confirmed), at_erp=len(kept & times.keys()), lost=len(confirmed - (kept & times.keys())),
        double=sum(count - 1 for count in times.values()), out_of_order=late,
        wrong_totals=_wrong_totals(journal, orders), refused=refused, done=done,
    )  # fmt: skip


def _wrong_totals(journal: Sequence[JournalRow], orders: Sequence[dict[str, Any]]) -> int:
    """How many orders have other quantities at the ERP than the journal adds up to."""
    kinds = ("MaterialProduced", "MaterialScrapped", "MaterialMoved")
    told: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for row in journal:
        if row.kind in kinds:
            told[row.about, row.kind] += Fraction(str(row.body["quantity"]))
    wrong = 0
    for each in orders:
        order = each["order"]
        lines = sum((Fraction(line["done"]) for line in order["requirements"]), Fraction(0))
        booked = [Fraction(order["good"]), Fraction(order["scrap"]), lines]
        wrong += booked != [told[order["id"], kind] for kind in kinds]
    return wrong


def _ask_erp(plant: Plant, path: str, part: str) -> Any:
    request = urllib.request.Request(plant.erp_page + path, headers={"Authorization": "Bearer demo-token"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)[part]
