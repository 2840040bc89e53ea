"""A PC whose clock begins anew at each start: what is mended a second time at the same moment hides nothing."""

from __future__ import annotations

from pathlib import Path
from random import Random

from edge_agent.store import Store, journal
from tests.crash.images import DAMAGES
from tests.crash.real_disk import report
from tests.support.manual_clock import ManualClock


async def test_a_second_damage_at_the_same_moment_is_mended_and_both_files_are_kept(tmp_path: Path) -> None:
    path, ids = tmp_path / "journal.db", list[str]()
    for life in range(1, 4):
        clock = ManualClock()
        for _ in ids:
            clock.new_id()  # its ids go on, its time does not
        store = await Store.open(path, "agent-1", clock)
        found = await store.read(lambda conn: journal.facts(conn, 0, 100))
        assert [fact.id for fact in found] == ids
        ids += [await report(store, clock) for _ in range(5)]
        await store.close()
        DAMAGES["database garbage"](tmp_path, Random(life))
    (kept,) = (tmp_path / "damaged").iterdir()
    assert sorted(each.name for each in kept.glob("journal.db*")) == ["journal.db", "journal.db.2"]
    assert not [*kept.glob("mirror*")], "it was whole: nothing took its place"
