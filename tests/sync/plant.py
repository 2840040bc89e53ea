"""A small plant for the tests of sync: plans, facts, and the ports held in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from sync.contract import (
    UNCLEAR,
    AnyFact,
    AnyPlan,
    DispatchStatus,
    Fact,
    JobOrder,
    MaterialDefinition,
    MaterialLot,
    MaterialProduced,
    MaterialRequirement,
    MaterialUse,
    Person,
    PlanPage,
    Receipt,
    Refused,
    Stock,
    WorkType,
)
from tests.support.manual_clock import START

PLENTY = Decimal(1_000_000)


def order(id: str, quantity: Decimal = PLENTY, **more: object) -> JobOrder:
    """A released production order."""
    fields: dict[str, object] = {
        "work_type": WorkType.PRODUCTION,
        "description": "Housing",
        "dispatch_status": DispatchStatus.RELEASED,
        "material": "HOUSING",
        "quantity": quantity,
    }
    return JobOrder(id=id, **(fields | more))  # type: ignore[arg-type]  # fields of a struct by name


def pick(id: str, *quantities: int) -> JobOrder:
    """A released pick list with one line of SCREW for each quantity, named L1, L2 ..."""
    lines = tuple(
        MaterialRequirement(
            id=f"L{number}", material="SCREW", use=MaterialUse.MOVED, quantity=Decimal(quantity),
            source="A-01", destination="CART-1",
        )
        for number, quantity in enumerate(quantities, 1)
    )  # fmt: skip
    return order(id, Decimal(0), work_type=WorkType.INVENTORY, requirements=lines)


PLANS: tuple[AnyPlan, ...] = (
    Person(id="p1", name="Ann Berg", badge="4711"),
    MaterialDefinition(id="HOUSING", description="Housing"),
    MaterialDefinition(id="SCREW", description="Screw M8"),
    MaterialDefinition(id="BEARING", description="Bearing", lot_tracked=True),
    MaterialLot(id="BEARING/L75", material="BEARING"),
    Stock(id="s1", location="A-01", material="SCREW", quantity=Decimal(500)),
    order("W1"),
    order("W2"),
    order("W3"),
)


def good(about: str = "W1", quantity: int | str = 1) -> MaterialProduced:
    """Good pieces on an order."""
    return MaterialProduced(
        about=about, material="HOUSING", quantity=Decimal(quantity), uom="pc", equipment="saw-1"
    )


def fact(seq: int, body: AnyFact | None = None, agent: str = "pc1", person: str = "p1") -> Fact:
    """The fact of that seq; its id is `<agent>-<seq>`."""
    return Fact(
        id=f"{agent}-{seq}", seq=seq, agent=agent, event_time=START, record_time=START, clock_ok=True,
        terminal="t1", person=person, body=body if body is not None else good(),
    )  # fmt: skip


class MemoryOutbox:
    """The port of the relay over a list; parks what is refused with what comes after it on the same job."""

    def __init__(self, facts: Sequence[Fact] = ()) -> None:
        self.facts = list(facts)
        self.receipts: dict[str, Receipt] = {}
        self.settlements: list[list[str]] = []
        self._unclear: set[str] = set()
        self._news = asyncio.Event()
        self._settled = asyncio.Condition()

    def add(self, *facts: Fact) -> None:
        """Commit more facts."""
        self.facts += facts
        self._news.set()

    async def pending(self, limit: int, without: Sequence[str] = ()) -> Sequence[Fact]:
        self._news.clear()
        parked = {f.body.about for f in self.facts if isinstance(self.receipts.get(f.id), Refused)}
        open_facts = [f for f in self.facts if f.id not in self.receipts and f.body.about not in parked]
        return [f for f in open_facts if f.body.about not in without][:limit]

    async def unclear(self) -> Sequence[Fact]:
        return [f for f in self.facts if f.id in self._unclear and f.id not in self.receipts]

    def resend(self, id: str) -> None:
        """A person lets a parked fact go again."""
        receipt = self.receipts.pop(id)
        assert isinstance(receipt, Refused)
        if receipt.code == UNCLEAR:
            self._unclear.add(id)
        self._news.set()

    async def settle(self, receipts: Sequence[Receipt]) -> None:
        self.settlements.append([receipt.fact for receipt in receipts])
        for receipt in receipts:
            assert receipt.fact not in self.receipts, f"{receipt.fact} was settled twice"
            self.receipts[receipt.fact] = receipt
        async with self._settled:
            self._settled.notify_all()

    async def wait(self) -> None:
        await self._news.wait()

    async def settled(self, count: int) -> None:
        """Wait until so many facts have a receipt."""
        async with self._settled:
            await self._settled.wait_for(lambda: len(self.receipts) >= count)

    @property
    def parked(self) -> dict[str, str]:
        """The codes of the refused facts."""
        return {id: r.code for id, r in self.receipts.items() if isinstance(r, Refused)}


class MemoryInbox:
    """The port of the puller over a dictionary."""

    def __init__(self) -> None:
        self.plans: dict[tuple[str, str], AnyPlan] = {}
        self.pages: list[PlanPage] = []
        self.taken_facts: list[Fact] = []
        self.forgot: list[int] = []
        self._cursor: str | None = None
        self._taken = asyncio.Condition()

    async def cursor(self) -> str | None:
        return self._cursor

    async def accepted(self, upto: int | None = None) -> Fact | None:
        taken = [each for each in self.taken_facts if upto is None or each.seq <= upto]
        return taken[-1] if taken else None

    async def forgotten(self, as_of_seq: int) -> None:
        self.forgot.append(as_of_seq)

    async def take(self, page: PlanPage) -> None:
        if page.reset:
            self.plans.clear()
        self.plans.update({(type(plan).__name__, plan.id): plan for plan in page.plans})
        for key in page.withdrawn:
            self.plans.pop((key.kind, key.id), None)
        self._cursor = page.cursor
        self.pages.append(page)
        async with self._taken:
            self._taken.notify_all()

    async def taken(self, pages: int) -> None:
        """Wait until so many pages were taken."""
        async with self._taken:
            await self._taken.wait_for(lambda: len(self.pages) >= pages)


class RecordingLink:
    """What the agent was told about the link, in order: `up` or the kind of loss."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.reasons: list[str] = []
        self._news = asyncio.Event()

    async def heard(self, *told: str) -> None:
        """Wait until exactly this was told."""
        while self.told != list(told):
            self._news.clear()
            await self._news.wait()

    def up(self) -> None:
        self.told.append("up")
        self._news.set()

    def down(self, kind: str, reason: str) -> None:
        self.told.append(kind)
        self.reasons.append(reason)
        self._news.set()
