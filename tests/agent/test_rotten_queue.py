"""What a disk has changed is not sent: an ERP would book it for ever."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from edge_agent.bus import Bus
from edge_agent.pumps import ToldOutbox
from edge_agent.store import Entry, Store
from edge_agent.store.errors import Unsound
from edge_agent.store.outbox import JournalOutbox, queue
from sync.contract import UNCLEAR, Refused
from sync.relay import Relay
from tests.store.making import produced
from tests.support.manual_clock import ManualClock
from tests.sync.plant import RecordingLink
from tests.sync.scripted import ScriptedConnector

FACTS, ROTTEN = 60, 23


@pytest.fixture
async def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A long queue, of which a start looks at the end only; one bit has made 92 of a quantity of 12."""
    for module in ("recovery", "looking_over"):
        monkeypatch.setattr(f"edge_agent.store.{module}.CHECKED", 10)
    path, clock = tmp_path / "journal.db", ManualClock()
    store = await Store.open(path, "agent-1", clock)
    for number in range(FACTS):
        entry = Entry(f"f-{number + 1}", produced(f"J{number + 1:03}", quantity="12"))
        await store.write(lambda conn, one=entry: store.record(conn, [one], clock.now(), "T1", "P1"))  # type: ignore[misc]
    await store.close()
    content = bytearray(path.read_bytes())
    at = content.index(b'"quantity":"12"', content.index(b'"about":"J%03d"' % ROTTEN)) + len('"quantity":"')
    content[at] ^= 0x08
    path.write_bytes(content)
    return path


async def test_nothing_is_sent_from_the_first_rotten_report_on(path: Path) -> None:
    clock, connector, link = ManualClock(), ScriptedConnector(), RecordingLink()
    store = await Store.open(path, "agent-1", clock)
    assert store.damage == "", "the start had no time for it"
    relay = Relay(ToldOutbox(store, "erp", clock, Bus()), connector, link, clock, Random(1))
    task = asyncio.create_task(relay.run())
    async with asyncio.timeout(10):
        await clock.sleeping()
        assert connector.booked == [f"f-{seq}" for seq in range(1, ROTTEN)]
        assert link.told[-1] == "withheld"
        assert f"Row {ROTTEN} of the journal is not what was written." in link.reasons[-1]
        pushes = len(connector.pushes)
        for _ in range(5):
            clock.advance(60.0)
            await clock.sleeping()
        assert len(connector.pushes) == pushes, "it is not tried again"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert any(f"Row {ROTTEN}" in told for told in await store.problems())
    assert (await store.read(lambda conn: queue(conn, "erp"))).unsent == FACTS - ROTTEN + 1
    await store.close()

    store = await Store.open(path, "agent-1", clock)  # it mends the database
    facts = await JournalOutbox(store, "erp", clock).pending(FACTS)
    await store.close()
    assert len(facts) == FACTS
    assert {str(getattr(fact.body, "quantity", "")) for fact in facts} == {"12"}


async def test_nothing_is_sent_while_damage_is_known(path: Path) -> None:
    clock, connector, link = ManualClock(), ScriptedConnector(), RecordingLink()
    store = await Store.open(path, "agent-1", clock)
    while not await store.look_over(1000):
        pass
    assert store.damage
    task = asyncio.create_task(Relay(ToldOutbox(store, "erp", clock, Bus()), connector, link, clock, Random(1)).run())
    async with asyncio.timeout(10):
        await clock.sleeping()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await store.close()
    assert connector.calls == []
    assert link.told == ["withheld"]


async def test_a_rotten_report_is_not_asked_for_either(path: Path) -> None:
    store = await Store.open(path, "agent-1", ManualClock())
    outbox = JournalOutbox(store, "erp", ManualClock())
    await outbox.settle([Refused(f"f-{ROTTEN}", UNCLEAR, "HTTP 500.")])
    await store.write(lambda conn: conn.execute("UPDATE parked SET state = 'retry'"))
    with pytest.raises(Unsound, match=f"Row {ROTTEN} "):
        await outbox.unclear()
    await store.close()
