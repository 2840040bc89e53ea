"""kill -9 of agent, ERP and terminal on real processes; the soak does the same in its thousands."""

from __future__ import annotations

from tests.crash.kills import killed

KILLS = 6


async def test_kills_of_all_three_lose_nothing_and_double_nothing() -> None:
    told = await killed(KILLS, seed=4)
    assert [told[wrong] for wrong in ("lost", "double", "out_of_order", "wrong_totals")] == [0, 0, 0, 0]
    assert all(told[f"{victim}_kills"] for victim in ("agent", "erp", "terminal"))
    assert told["confirmed"] > 2 * KILLS
    assert told["shown"], "the screen has called nothing saved: the test has shown nothing of it"
    assert told["again"], "no kill fell into an input: the test has shown nothing"
