"""The demo's own proof: a scripted shift under kills, a lost reply and an ERP that goes away."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edge_agent.demo.disturbances import ERP_AWAY_SECONDS, KILLS
from edge_agent.demo.shift import work_a_shift

REPORTS = 30  # at each terminal


async def test_a_shift_under_kills_and_outages_balances() -> None:
    told: list[str] = []
    with tempfile.TemporaryDirectory(prefix="fh-") as folder:
        balance = await work_a_shift(Path(folder), told.append)
    assert balance.ok, balance.document()
    assert balance.work_reports >= REPORTS
    assert balance.picks >= REPORTS
    assert balance.confirmed == balance.at_erp >= 2 * REPORTS
    assert balance.entered - balance.wrong_scans == balance.confirmed, "a wrong scan is entered and never called saved"
    assert balance.wrong_scans > 0
    assert balance.words.startswith("RIGHT: ")
    assert (balance.lost, balance.missing, balance.double, balance.out_of_order, balance.wrong_totals) == (0,) * 5
    assert (balance.done.kills, balance.done.lost_replies) == (KILLS, 1)
    assert balance.seconds > balance.done.erp_away_seconds >= ERP_AWAY_SECONDS
    assert balance.done.away_calls > 0
    assert told.count("agent killed with SIGKILL") == KILLS
    assert balance.document()["ok"] is True
