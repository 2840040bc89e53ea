"""What a repair puts in the place of a lost fact has a time that nobody has judged: no clock is believed for it."""

from __future__ import annotations

import shutil
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.store import Entry, Store, journal
from edge_agent.store.doubts import doubts
from tests.store.making import altered, produced
from tests.support.manual_clock import START, ManualClock

YEAR = 365 * 86_400.0


async def test_a_wrong_clock_does_not_continue_what_it_filled_itself(tmp_path: Path) -> None:
    path, clock = tmp_path / "journal.db", ManualClock()
    store = await Store.open(path, "agent-1", clock)
    entries = [Entry(clock.new_id(), produced()) for _ in range(10)]
    await store.write(lambda conn: store.record(conn, entries, clock.now(), "T1", "P1"))
    await store.close()
    for seq, lost in ((4, [4]), (7, [4, 7])):
        shutil.rmtree(tmp_path / "mirror")
        altered(path, f"UPDATE journal SET person = 'P2' WHERE seq = {seq}")
        wrong = SystemClock(lambda: START.timestamp() + 2 * YEAR, lambda: 40.0)
        store = await Store.open(path, "agent-1", wrong)
        try:
            facts = await store.read(lambda conn: journal.facts(conn, 0, 100))
            assert [fact.seq for fact in facts if type(fact.body).__name__ == "FactLost"] == lost
            assert [fact.seq for fact in facts if not fact.clock_ok] == lost
            wrong.continues(await store.read(journal.last_trusted))
            assert not wrong.trusted()
            kinds = [each.kind for each in await store.read(doubts)]
            assert kinds.count("lost") == len(lost)
            assert "clock" not in kinds, "people are asked once about a fact that is lost"
        finally:
            await store.close()
