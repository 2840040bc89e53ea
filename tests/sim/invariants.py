"""What must be true of a run: I1 to I8 of the promise, as the people, the PC and the ERP have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from edge_agent.store import Connection, journal, parking
from edge_agent.store.journal import facts
from edge_agent.store.progress import progress
from sync.contract import Correction, Fact, JobOrder, MaterialProduced, MaterialScrapped, ScanRefused
from sync.reference_books import Books
from sync.reference_views import Booking
from tests.sim.pc import AGENT, CONNECTOR
from tests.sim.people import Person

_ALL = 1_000_000


@dataclass(frozen=True)
class Violation:
    """What is not true: a short name, and which facts."""

    kind: str
    what: str


@dataclass(frozen=True)
class Local:
    """What the PC has."""

    facts: tuple[Fact, ...]
    cursor: int
    parked: dict[int, tuple[str, str]]  # seq -> state, code

    @classmethod
    def read(cls, conn: Connection) -> Local:
        parked = conn.execute("SELECT seq, state, code FROM parked WHERE connector = ?", (CONNECTOR,))
        return cls(
            facts(conn, 0, _ALL), parking.cursor(conn, CONNECTOR),
            {seq: (state, code) for seq, state, code in parked},
        )  # fmt: skip


def of_journal(conn: Connection, saved: Collection[str]) -> Iterator[Violation]:
    """At every start: nothing that was called saved is missing (I1), no gap, the chain holds (I4)."""
    (said,) = conn.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        yield Violation("CORRUPT", said)
    if (broken := journal.verify(conn)) is not None:
        yield Violation("CHAIN", f"at {broken}")
    there = {id for (id,) in conn.execute("SELECT id FROM journal")}
    if lost := [id for id in sorted(saved) if id not in there]:
        yield Violation("LOST", f"{len(lost)} of {len(saved)} that were called saved: {lost[:3]}")
    if incident := conn.execute("SELECT why FROM incident").fetchone():
        yield Violation("REBUILT", f"a disk that keeps its word was called damaged: {incident[0]}")


def of_mirror(mirrored: Collection[str], saved: Collection[str]) -> Iterator[Violation]:
    """The second copy has what was called saved as well."""
    if lost := [id for id in sorted(saved) if id not in mirrored]:
        yield Violation("NOT_MIRRORED", f"{len(lost)} of {len(saved)}: {lost[:3]}")


def of_people(local: Local, people: Sequence[Person]) -> Iterator[Violation]:
    """Each input counts once, and stands for what was answered."""
    for person in people:
        ours = [fact for fact in local.facts if fact.terminal == person.terminal]
        reports = {fact.id for fact in ours if not isinstance(fact.body, ScanRefused)}
        claimed = [id for facts in person.claimed.values() for id in facts]
        nobodys = reports - set(claimed)
        inputs = _inputs_of(ours, nobodys)
        if inputs > person.unsure:
            yield Violation("DOUBLE", f"{inputs} reports at {person.terminal} that nobody made; {person.unsure} unsure")
        if person.contradicted:
            yield Violation("CONTRADICTED", f"{person.contradicted[:3]} were answered in two ways")


def _inputs_of(ours: Sequence[Fact], ids: Collection[str]) -> int:
    """How many inputs these facts are: those of one input have one moment."""
    return len({fact.event_time for fact in ours if fact.id in ids})


def of_delivery(local: Local, books: Books, closed: Collection[str]) -> Iterator[Violation]:
    """Once, in order, and nothing between: at the ERP or parked with a reason (I2, I3, I5, I6, I7)."""
    booked = {each.fact: each for each in books.bookings(AGENT)}
    known = {fact.id: fact for fact in local.facts}
    for id, booking in booked.items():
        fact = known.get(id)
        if fact is None or (fact.seq, type(fact.body).__name__) != (booking.seq, booking.kind):
            yield Violation("NOT_OURS", f"the ERP has {id} ({booking.kind}), the journal has {fact}")
    applied = {fact.id for fact in local.facts if fact.id in booked and booked[fact.id].outcome == "applied"}
    yield from _places(local, applied, closed)
    yield from _order(local, applied, booked)


def _places(local: Local, applied: Collection[str], closed: Collection[str]) -> Iterator[Violation]:
    for fact in local.facts:
        state, code = local.parked.get(fact.seq, ("", ""))
        waits = state in ("refused", "held")
        if fact.id in applied and waits:
            yield Violation("SAID_REFUSED", f"{fact.seq} is booked, and parked here as {state}")
        if fact.id in applied or waits:
            if waits and fact.body.about not in closed:
                yield Violation("HELD_BACK", f"{fact.seq} about {fact.body.about} is {state} ({code})")
            continue
        passed = fact.seq <= local.cursor or state in ("done", "booked")
        yield Violation("NOT_AT_ERP" if passed else "NOT_DRAINED", f"{fact.seq} about {fact.body.about} ({state})")


def _order(local: Local, applied: Collection[str], booked: dict[str, Booking]) -> Iterator[Violation]:
    last: dict[str, int] = {}
    undecided = {
        about: min(fact.seq for fact in local.facts if fact.body.about == about and fact.seq in local.parked)
        for about in {fact.body.about for fact in local.facts if fact.seq in local.parked}
    }
    for fact in sorted((f for f in local.facts if f.id in applied), key=lambda f: booked[f.id].number):
        about = fact.body.about
        if fact.seq < last.get(about, 0):
            yield Violation("ORDER", f"{fact.seq} was booked after {last[about]} about {about}")
        last[about] = max(fact.seq, last.get(about, 0))
    for about, first in undecided.items():
        if last.get(about, 0) > first and local.parked[first][0] in ("refused", "held"):
            yield Violation("ORDER", f"{last[about]} was booked, {first} about {about} waits")


def of_figures(
    conn: Connection, local: Local, orders: Sequence[JobOrder], closed: Collection[str]
) -> Iterator[Violation]:
    """The figures of the ERP, those of the terminals and the sum of the facts are one and the same."""
    sums = _sums(local.facts)
    for order in orders:
        if order.id in closed:
            continue
        good, scrap = sums[order.id]
        if (order.good, order.scrap) != (good, scrap):
            yield Violation(
                "FIGURES", f"{order.id}: the ERP has {order.good} + {order.scrap}, reported were {good} + {scrap}"
            )
        shown = progress(conn, order.id)
        if (shown.good, shown.scrap) != (good, scrap):
            yield Violation(
                "SHOWN", f"{order.id}: the terminal shows {shown.good} + {shown.scrap}, reported were {good} + {scrap}"
            )


def _sums(facts: Sequence[Fact]) -> defaultdict[str, tuple[Decimal, Decimal]]:
    sums: defaultdict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    by_id = {fact.id: fact.body for fact in facts}
    for fact in facts:
        body, sign = fact.body, 1
        if isinstance(body, Correction):
            body, sign = by_id[body.corrects], -1
        good, scrap = sums[body.about]
        if isinstance(body, MaterialProduced):
            sums[body.about] = good + sign * body.quantity, scrap
        elif isinstance(body, MaterialScrapped):
            sums[body.about] = good, scrap + sign * body.quantity
    return sums
