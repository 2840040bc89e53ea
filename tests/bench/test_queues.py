"""The benches of long queues in small: what they measure happens, and as it should."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from bench import cold_start, drain
from bench.queued import AGENT
from edge_agent.client import AgentClient
from edge_agent.views.status import Health
from tests.agent.running import short_folder

QUEUED = 1000
LONG = 11_000  # more than a start looks at before its first view


async def test_a_queue_is_booked_once_and_in_order_while_somebody_scans() -> None:
    with short_folder() as folder:
        told = {each.name: each.value for each in await drain.measure(folder, QUEUED)}
        with closing(sqlite3.connect(folder / "erp.db")) as books:
            booked = books.execute("SELECT seq, agent, outcome FROM decision ORDER BY number").fetchall()
    assert (told["drain_facts"], told["drain_refused"]) == (QUEUED, 0)
    assert told["drain_scans"] > 0
    assert booked[:QUEUED] == [(seq, AGENT, "applied") for seq in range(1, QUEUED + 1)]


async def test_a_start_with_a_queue_shows_a_screen_and_then_has_seen_every_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Health] = []
    ask = AgentClient.health

    async def health(client: AgentClient) -> Health:
        seen.append(await ask(client))
        return seen[-1]

    monkeypatch.setattr(AgentClient, "health", health)
    with short_folder() as folder:
        told = {each.name: each.value for each in await cold_start.measure(folder, LONG)}
    assert told["cold_all_well_early"] == 0
    assert 0 < told["cold_screen"] <= told["cold_verified"]
    assert (seen[0].unsent, seen[-1].unseen, seen[-1].damage) == (LONG, 0, "")
