"""Facts, plans and databases for the tests of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from edge_agent.store import journal, schema
from edge_agent.store.journal import Entry
from sync.contract import (
    AnyFact,
    Correction,
    DispatchStatus,
    Fact,
    JobOrder,
    MaterialMoved,
    MaterialProduced,
    MaterialRequirement,
    MaterialScrapped,
    MaterialShort,
    MaterialUse,
    PlanPage,
    WorkType,
)
from tests.support.manual_clock import START

T = TypeVar("T")

_template = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
schema.upgrade(_template)


def empty() -> sqlite3.Connection:
    """A database in memory with the schema of this program."""
    conn = sqlite3.connect(":memory:", isolation_level=None)
    _template.backup(conn)
    conn.execute("PRAGMA recursive_triggers = ON")
    return conn


def produced(about: str = "J1", quantity: str = "5") -> MaterialProduced:
    return MaterialProduced(about=about, material="M1", quantity=Decimal(quantity), uom="pc", equipment="E1")


def scrapped(about: str = "J1", quantity: str = "1") -> MaterialScrapped:
    return MaterialScrapped(
        about=about, material="M1", quantity=Decimal(quantity), uom="pc", equipment="E1", reason="R1"
    )


def moved(about: str = "J1", line: str = "L1", quantity: str = "2") -> MaterialMoved:
    return MaterialMoved(
        about=about, requirement=line, material="M1", lot="L75", quantity=Decimal(quantity), uom="pc",
        source="A-01", destination="T-1",
    )  # fmt: skip


def short(about: str = "J1", line: str = "L1", quantity: str = "2") -> MaterialShort:
    return MaterialShort(
        about=about, requirement=line, material="M1", lot=None, quantity=Decimal(quantity), uom="pc",
        source="A-01", reason="R2",
    )  # fmt: skip


def correction(of: str, about: str = "J1") -> Correction:
    return Correction(about=about, corrects=of, reason="did_not_occur")


def record(
    conn: sqlite3.Connection,
    *bodies: AnyFact,
    ids: Sequence[str] = (),
    at: datetime = START,
    terminal: str = "T1",
) -> tuple[Fact, ...]:
    """Append facts; ids are f1, f2, ... by seq unless they are given."""
    first = journal.last_seq(conn) + 1
    entries = [Entry(ids[n] if ids else f"f{first + n}", body) for n, body in enumerate(bodies)]
    return journal.append(conn, "agent-1", entries, at, at, True, terminal, "P1")


def job(id: str = "J1", good: str = "0", scrap: str = "0", **lines: str) -> JobOrder:
    """A released job; `lines` are what the ERP has booked of each requirement."""
    return JobOrder(
        id=id, work_type=WorkType.PRODUCTION, description="", dispatch_status=DispatchStatus.RELEASED,
        quantity=Decimal(100), good=Decimal(good), scrap=Decimal(scrap),
        requirements=tuple(
            MaterialRequirement(
                id=line, material="M1", use=MaterialUse.MOVED, quantity=Decimal(50), done=Decimal(done)
            )
            for line, done in lines.items()
        ),
    )  # fmt: skip


def page(*plans: JobOrder, as_of: int = 0, cursor: str = "c1", **more: bool) -> PlanPage:
    return PlanPage(cursor=cursor, as_of_seq=as_of, plans=plans, **more)  # type: ignore[arg-type]  # more, reset


def altered(path: Path, statement: str) -> None:
    """A row of the journal is changed by somebody who gets round the trigger that forbids it, and leaves it there."""
    with closing(sqlite3.connect(path)) as conn:
        (trigger,) = conn.execute("SELECT sql FROM sqlite_master WHERE name = 'journal_update'").fetchone()
        conn.execute("DROP TRIGGER journal_update")
        conn.execute(statement)
        conn.execute(trigger)
        conn.commit()
