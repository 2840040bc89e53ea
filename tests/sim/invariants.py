"""What must be true of a run: I1 to I8 of the promise, as the people, the PC and the ERP have it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from edge_agent.store import Connection, cursor, journal
from edge_agent.store.journal import facts
from edge_agent.store.parking import REPLACED
from edge_agent.store.progress import progress
from edge_agent.store.retention import base_of
from sync.contract import (
    Correction,
    Fact,
    JobOrder,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    ScanRefused,
    SignedOff,
)
from sync.reference_views import Booking
from tests.sim.decided import Decided
from tests.sim.pc import CONNECTOR
from tests.sim.people import Person
from tests.sim.violation import Violation

_ALL = 1_000_000


@dataclass(frozen=True)
class Parked:
    """A fact that is not simply before or behind the cursor; `by`: the refused one that it waits for."""

    state: str
    code: str = ""
    by: int | None = None

    @property
    def waits(self) -> bool:
        """Whether the ERP is not to have it for now."""
        return self.state in ("refused", "held")


@dataclass(frozen=True)
class Local:
    """What the PC has, and what it had before it left the journal."""

    facts: tuple[Fact, ...]
    cursor: int
    parked: dict[int, Parked]

    @classmethod
    def read(cls, conn: Connection, gone: Mapping[str, Fact]) -> Local:
        """`gone`: facts that were there when some began to leave."""
        rows = conn.execute("SELECT seq, state, code, held_back_by FROM parked WHERE connector = ?", (CONNECTOR,))
        there = facts(conn, 0, _ALL)
        known = {fact.id: fact for fact in there}
        left = {id: gone[id] for id in _left(conn, gone) - set(known)}
        return cls(
            tuple(sorted((left | known).values(), key=lambda fact: fact.seq)), cursor.cursor(conn, CONNECTOR),
            {seq: Parked(state, code, by) for seq, state, code, by in rows},
        )  # fmt: skip

    def first_waiting(self, about: str) -> Fact | None:
        """What the ERP refused first of what waits about a thing."""
        return next(
            (fact for fact in self.facts if fact.body.about == about and fact.seq in self.parked
             and self.parked[fact.seq].state == "refused"), None,
        )  # fmt: skip


def _left(conn: Connection, gone: Mapping[str, Fact]) -> set[str]:
    base = base_of(conn).seq
    return {id for id, fact in gone.items() if fact.seq <= base}


def of_journal(conn: Connection, saved: Collection[str], gone: Mapping[str, Fact]) -> Iterator[Violation]:
    """At every start: nothing that was called saved is missing (I1), no gap, the chain holds (I4).

    `gone` are the facts that were there when some began to leave.
    """
    (said,) = conn.execute("PRAGMA integrity_check(1)").fetchone()
    if said != "ok":
        yield Violation("CORRUPT", said)
    if (broken := journal.verify(conn)) is not None:
        yield Violation("CHAIN", f"at {broken}")
    there = {id for (id,) in conn.execute("SELECT id FROM journal")} | _left(conn, gone)
    base, sent = base_of(conn).seq, cursor.cursor(conn, CONNECTOR)
    (waits,) = conn.execute("SELECT min(seq) FROM parked").fetchone()
    if base > sent or (waits is not None and waits <= base):
        yield Violation("LEFT_EARLY", f"facts up to {base} are gone; the ERP has them up to {sent}, and {waits} waits")
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
        reports = {fact.id for fact in ours if not isinstance(fact.body, ScanRefused) and not _by_itself(fact)}
        claimed = [id for facts in person.claimed.values() for id in facts]
        nobodys = reports - set(claimed)
        inputs = _inputs_of(ours, nobodys)
        if inputs > person.unsure:
            yield Violation("DOUBLE", f"{inputs} reports at {person.terminal} that nobody made; {person.unsure} unsure")
        if person.contradicted:
            yield Violation("CONTRADICTED", f"{person.contradicted[:3]} were answered in two ways")


def _by_itself(fact: Fact) -> bool:
    """Whether the terminal made it: it was locked."""
    return isinstance(fact.body, SignedOff) and fact.body.idle


def _inputs_of(ours: Sequence[Fact], ids: Collection[str]) -> int:
    """How many inputs these facts are: those of one input have one moment."""
    return len({fact.event_time for fact in ours if fact.id in ids})


def of_delivery(
    local: Local, booked: Mapping[str, Booking], closed: Collection[str], decided: Decided, mistaken: Collection[str]
) -> Iterator[Violation]:
    """Once, in order, and nothing between: at the ERP or parked with a reason (I2, I3, I5, I6, I7).

    `mistaken`: the ids under which an ERP that does not compare has something else, and says that it has ours. What
    came with such a fact was booked before anybody could see that.
    """
    known = {fact.id: fact for fact in local.facts}
    for id, booking in booked.items():
        fact = known.get(id)
        if fact is None or (fact.seq, type(fact.body).__name__) != (booking.seq, booking.kind):
            yield Violation("NOT_OURS", f"the ERP has {id} ({booking.kind}), the journal has {fact}")
    applied = applied_of(local, booked)
    yield from _places(local, applied, closed, decided)
    yield from _order(local, applied, booked, mistaken)


def applied_of(local: Local, booked: Mapping[str, Booking]) -> set[str]:
    """The facts that the ERP has taken."""
    return {fact.id for fact in local.facts if fact.id in booked and booked[fact.id].outcome == "applied"}


def _places(
    local: Local, applied: Collection[str], closed: Collection[str], decided: Decided
) -> Iterator[Violation]:
    for fact in local.facts:
        parked = local.parked.get(fact.seq, Parked(""))
        if fact.id in applied and parked.waits:
            yield Violation("SAID_REFUSED", f"{fact.seq} is booked, and parked here as {parked.state}")
        if parked.waits:
            first = local.first_waiting(fact.body.about)
            if first is None or parked.by not in (None, *local.parked):
                yield Violation("HELD_BACK", f"{fact.seq} about {fact.body.about} is {parked.state} behind nothing")
            elif fact.body.about not in closed and not decided.handed_over(first.id):
                yield Violation("HELD_BACK", f"{fact.seq} about {fact.body.about} is {parked.state} ({parked.code})")
        if fact.id in applied or parked.waits or fact.id in decided.struck:
            continue
        if (parked.state, parked.code) == ("done", REPLACED):  # a decision that a later one stands for
            continue
        passed = fact.seq <= local.cursor or parked.state in ("done", "booked")
        what = f"{fact.seq} about {fact.body.about} ({parked.state})"
        yield Violation("NOT_AT_ERP" if passed else "NOT_DRAINED", what)


def _waits(local: Local, fact: Fact) -> bool:
    return fact.seq in local.parked and local.parked[fact.seq].waits


def _order(
    local: Local, applied: Collection[str], booked: Mapping[str, Booking], mistaken: Collection[str]
) -> Iterator[Violation]:
    last: dict[str, int] = {}
    parked = [fact for fact in local.facts if _waits(local, fact) and fact.id not in mistaken]
    undecided = {
        about: min(fact.seq for fact in parked if fact.body.about == about)
        for about in {fact.body.about for fact in parked}
    }
    for fact in sorted((f for f in local.facts if f.id in applied), key=lambda f: booked[f.id].number):
        about = fact.body.about
        if fact.seq < last.get(about, 0):
            yield Violation("ORDER", f"{fact.seq} was booked after {last[about]} about {about}")
        last[about] = max(fact.seq, last.get(about, 0))
    for about, first in undecided.items():
        if last.get(about, 0) > first:
            yield Violation("ORDER", f"{last[about]} was booked, {first} about {about} waits")


def of_figures(
    conn: Connection, local: Local, orders: Sequence[JobOrder], closed: Collection[str], dead: Collection[str]
) -> Iterator[Violation]:
    """The figures of the ERP, those of the terminals and the sum of the facts are one and the same.

    `dead` are the facts that the ERP is never to have.
    """
    waiting = {fact.id for fact in local.facts if fact.seq in local.parked and local.parked[fact.seq].waits}
    still = [each.body for each in local.facts if each.id in waiting and isinstance(each.body, Correction)]
    sums, taken = _sums(local.facts, dead), _sums([fact for fact in local.facts if fact.id not in waiting], dead)
    for order in orders:
        if order.id in closed:
            continue
        ours = progress(conn, order.id)
        at_erp = {"good": order.good, "scrap": order.scrap} | {line.id: line.done for line in order.requirements}
        shown = {"good": ours.good, "scrap": ours.scrap} | dict(ours.lines)
        if any(each.about == order.id and each.corrects in dead for each in still):
            continue  # the figures are right again when the ERP has it
        for what, there in at_erp.items():
            here, sent = sums[order.id, what], taken[order.id, what]
            if there != sent:
                yield Violation("FIGURES", f"{order.id} {what}: the ERP has {there}, reported were {sent}")
            if (seen := shown.get(what, 0)) != here:
                yield Violation("SHOWN", f"{order.id} {what}: the terminal shows {seen}, reported were {here}")


def _sums(facts: Sequence[Fact], dead: Collection[str]) -> defaultdict[tuple[str, str], Decimal]:
    """By job, and good, scrap or the line."""
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    by_id = {fact.id: fact.body for fact in facts}
    for fact in facts:
        body, sign = fact.body, 1
        if isinstance(body, Correction):
            if body.corrects in dead:
                continue
            body, sign = by_id[body.corrects], -1
        if fact.id in dead:
            continue
        match body:
            case MaterialProduced():
                sums[body.about, "good"] += sign * body.quantity
            case MaterialScrapped():
                sums[body.about, "scrap"] += sign * body.quantity
            case MaterialMoved():
                sums[body.about, body.requirement] += sign * body.quantity
    return sums
