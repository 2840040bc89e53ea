"""The balance of a shift: what was entered and what the screens called saved, against what the ERP has booked."""

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
from edge_agent.demo.disturbances import Disturbances
from edge_agent.demo.entries import Entry, compare
from edge_agent.demo.plant import AGENT, Plant
from edge_agent.display import many
from edge_agent.views import JournalRow

_DRAIN_SECONDS = 60.0
_MIN_REPORTS = 30


@dataclass(frozen=True)
class Balance:
    """`entered`: what people know to have entered; `confirmed`: facts that a screen called saved. `lost`, `missing`,
    `double`, `out_of_order` and `wrong_totals` must be 0; `refused` counts facts that the ERP would not book.

    `missing` was entered and answered and is not in the journal. `double` is what the ERP booked twice, and what
    is in the journal more often than it was entered. `wrong_scans`: those of `entered` that were to be refused; the
    journal has them, and no screen calls them saved.
    """

    entered: int
    confirmed: int
    at_erp: int
    lost: int
    missing: int
    double: int
    out_of_order: int
    wrong_totals: int
    refused: int
    done: Disturbances
    wrong_scans: int = 0
    work_reports: int = 0
    picks: int = 0
    seconds: float = 0.0

    def timed(self, seconds: float, work_reports: int, picks: int) -> Balance:
        """The same balance with how long the shift took and how much was done in it."""
        return replace(self, seconds=round(seconds, 1), work_reports=work_reports, picks=picks)

    @property
    def ok(self) -> bool:
        """Whether every figure is as it must be."""
        wrong = self.lost + self.missing + self.double + self.out_of_order + self.wrong_totals + self.refused
        enough = self.work_reports >= _MIN_REPORTS and self.picks >= _MIN_REPORTS
        return not wrong and enough and self.done.all_met and self.confirmed == self.at_erp > 0

    @property
    def words(self) -> str:
        """The verdict for a person, and how many that were entered and that were confirmed go together."""
        verdict = (
            "RIGHT: nothing was lost, nothing is there twice, and the ERP has the quantities of the journal."
            if self.ok
            else "WRONG: a figure of the last line is not as it must be, or too little happened to prove anything."
        )
        saved = self.entered - self.wrong_scans
        return (
            f"{verdict} Entered were {self.entered}: {saved} to be saved (sign-ons, starts, reports and picks), and "
            f"{many(self.wrong_scans, 'wrong scan', 'wrong scans')} on purpose, which the journal keeps as refused and "
            f"no screen calls saved. Confirmed as saved on a screen were {self.confirmed}, "
            f"{self.at_erp} of them are at the ERP."
        )

    def document(self) -> dict[str, Any]:
        """The balance as it is printed."""
        return {
            "entered": self.entered, "confirmed": self.confirmed, "at_erp": self.at_erp, "lost": self.lost,
            "missing": self.missing, "double": self.double, "out_of_order": self.out_of_order,
            "kills": self.done.kills, "seconds": self.seconds, "wrong_totals": self.wrong_totals,
            "refused": self.refused, "work_reports": self.work_reports,
            "picks": self.picks, "lost_replies": self.done.lost_replies,
            "erp_away_seconds": round(self.done.erp_away_seconds, 1), "away_calls": self.done.away_calls,
            "ok": self.ok,
        }  # fmt: skip


async def settle(plant: Plant, confirmed: set[str], entered: Sequence[Entry], done: Disturbances) -> Balance:
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
    return draw(journal, bookings, orders, confirmed, entered, done, health.parked_count)


def draw(
    journal: Sequence[JournalRow], bookings: Sequence[dict[str, Any]], orders: Sequence[dict[str, Any]],
    confirmed: set[str], entered: Sequence[Entry], done: Disturbances, refused: int,
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
    compared = compare(entered, journal)
    twice = sum(count - 1 for count in times.values()) + compared.surplus
    return Balance(
        entered=sum(each.answered for each in entered),
        wrong_scans=sum(each.answered and each.kind == "ScanRefused" for each in entered),
        confirmed=len(confirmed), at_erp=len(kept & times.keys()),
        lost=len(confirmed - (kept & times.keys())), missing=compared.missing, double=twice, out_of_order=late,
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
