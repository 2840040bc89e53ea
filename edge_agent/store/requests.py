"""The open maintenance requests of a machine, read from the journal."""

from __future__ import annotations

from edge_agent.machines.upkeep import Request, request_of
from edge_agent.store.database import Connection
from edge_agent.store.journal import facts

_FACTS = 1000  # of one request; more parts than any repair takes


def open_requests(conn: Connection, equipment: str) -> tuple[Request, ...]:
    """The requests for a machine that are not completed, the most urgent first, of those the oldest."""
    rows = conn.execute("SELECT about FROM open_request WHERE equipment = ? ORDER BY seq", (equipment,))
    found = [request_of(facts(conn, 0, _FACTS, about)) for (about,) in rows.fetchall()]
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.priority))
