"""A writer process that is killed at any moment loses nothing that it called saved."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.store import Store, journal

KILLS = 6

_WRITER = """
import asyncio, sys
from pathlib import Path
from edge_agent.clock import SystemClock
from edge_agent.store import Entry, Store
from tests.store.making import produced

async def work(store, clock):
    while True:
        entry = Entry(clock.new_id(), produced())
        await store.write(lambda conn: store.record(conn, [entry], clock.now(), "T1", "P1"))
        print(entry.id, flush=True)

async def main():
    clock = SystemClock()
    store = await Store.open(Path(sys.argv[1]), "agent-1", clock)
    await asyncio.gather(*(work(store, clock) for _ in range(4)))

asyncio.run(main())
"""


async def test_every_row_that_was_called_saved_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    saved: set[str] = set()
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(random.randint(1, 60)):
                saved.add(writer.stdout.readline().strip())
            writer.kill()
            # What was printed before the kill arrived counts too; the last line may be cut.
            saved.update(line.strip() for line in writer.stdout if line.endswith("\n"))
    assert "" not in saved

    store = await Store.open(path, "agent-1", SystemClock())
    try:
        facts = await store.read(lambda conn: journal.facts(conn, 0, 1_000_000))
        assert saved <= {fact.id for fact in facts}
        assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1))
        assert await store.read(journal.verify) is None
    finally:
        await store.close()
