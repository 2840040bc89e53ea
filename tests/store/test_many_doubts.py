"""More exceptions than a page holds: none is out of reach, and a restored backup makes one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from edge_agent.doubts import Doubt, answered
from edge_agent.store import schema
from edge_agent.store.backup import continue_behind
from edge_agent.store.database import connect
from edge_agent.store.doubts import SHOWN, doubt_of, doubts, open_doubts
from sync.contract import FactLost
from tests.store.making import produced, record
from tests.store.test_doubts import Office
from tests.support.manual_clock import START


def test_what_waits_for_a_decision_goes_first_and_nothing_is_out_of_reach() -> None:
    office = Office()
    office.pull()
    office.report(*[FactLost(about="journal/agent-1")] * (SHOWN + 11))
    for each in doubts(office.conn):
        office.decide(each, *answered(each, "hand_over", note="the planner"))
    office.report(produced(quantity="500"))
    office.send_all()
    first, behind = doubts(office.conn), doubts(office.conn, SHOWN)
    assert [each.handed_over for each in first[:12]] == [False] * 12
    assert "refused" in {each.kind for each in first[:12]}
    assert len({each.key for each in (*first, *behind)}) == len(first) + len(behind) == open_doubts(office.conn)
    assert all(each.handed_over for each in behind)
    assert doubts(office.conn, open_doubts(office.conn)) == ()
    assert doubt_of(office.conn, behind[-1].key) == behind[-1]
    assert (doubt_of(office.conn, "nothing"), doubt_of(office.conn, "")) == (None, None)


def test_the_numbers_that_the_erp_has_after_a_restore_are_one_exception(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with closing(connect(copy)) as conn:
        schema.upgrade(conn)
        conn.execute("BEGIN IMMEDIATE")
        record(conn, produced(), FactLost(about="journal/agent-1"))
        conn.execute("COMMIT")
    assert continue_behind(copy, "agent-1", {"erp": 300}, START) == (3, 300)
    with closing(connect(copy)) as conn:
        real, filled = doubts(conn)
        assert open_doubts(conn) == 2
        assert spanned(real) == (2, 2, 1)
        assert spanned(filled) == (3, 300, 298)
        assert filled.choices == ("acknowledge", "hand_over")


def spanned(doubt: Doubt) -> tuple[int, int, int]:
    return doubt.seq, doubt.last, doubt.facts
