"""The open requests of a machine, as the journal has them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.machines.upkeep import Request
from edge_agent.store import Connection, Entry, Store
from edge_agent.store.requests import open_requests
from sync.contract import AnyFact, Correction
from sync.maintenance import (
    MaintenanceCompleted,
    MaintenancePartUsed,
    MaintenanceRequested,
    MaintenanceStarted,
    about,
)
from tests.support.manual_clock import ManualClock


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "journal.db", "pc-1", ManualClock())
    yield store
    await store.close()


async def record(store: Store, id: str, body: AnyFact, person: str = "p1") -> None:
    """One fact, now."""

    def write(conn: Connection) -> None:
        store.record(conn, [Entry(id, body)], ManualClock().now(), "T1", person)

    await store.write(write)


async def requests(store: Store, equipment: str = "PRESS-03") -> tuple[Request, ...]:
    return await store.read(lambda conn: open_requests(conn, equipment))


def asked(id: str, priority: int = 2, equipment: str = "PRESS-03") -> MaintenanceRequested:
    return MaintenanceRequested(
        about=about(id), request=id, equipment=equipment, symptom="SYMPTOM-1", priority=priority, stopped=False
    )


def part(id: str) -> MaintenancePartUsed:
    return MaintenancePartUsed(
        about=about(id), request=id, material="BOLT-M8", lot=None, quantity=Decimal(1), uom="pc"
    )


async def test_the_most_urgent_request_comes_first_and_of_two_the_older(store: Store) -> None:
    for id, priority in (("r1", 3), ("r2", 1), ("r3", 1)):
        await record(store, id, asked(id, priority))
    await record(store, "r4", asked("r4", equipment="CNC-02"))
    assert [request.id for request in await requests(store)] == ["r2", "r3", "r1"]
    assert [request.id for request in await requests(store, "CNC-02")] == ["r4"]
    assert await requests(store, "nothing") == ()


async def test_a_request_knows_who_worked_on_it_and_with_what(store: Store) -> None:
    await record(store, "f1", asked("r1"))
    await record(
        store, "f2", MaintenanceStarted(about=about("r1"), request="r1", equipment="PRESS-03", suspected="FAILURE-1"),
        person="p7",
    )  # fmt: skip
    await record(store, "f3", part("r1"), person="p8")
    await record(store, "f4", part("r1"), person="p7")
    await record(store, "f5", Correction(about=about("r1"), corrects="f3", reason="did_not_occur"), person="p8")
    (request,) = await requests(store)
    assert (request.person, request.suspected, request.workers) == ("p1", "FAILURE-1", ("p7", "p8"))
    assert [each.fact for each in request.parts] == ["f4"]


async def test_what_is_completed_is_no_longer_open(store: Store) -> None:
    await record(store, "f1", asked("r1"))
    done = MaintenanceCompleted(
        about=about("r1"), request="r1", equipment="PRESS-03", failure="FAILURE-1", tested=True, accepted_by="p1"
    )
    await record(store, "f2", done, person="p7")
    assert await requests(store) == ()
