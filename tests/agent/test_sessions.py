"""A session that this program can not read costs its terminal a sign-on, and nobody else anything."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge_agent.client import AgentClient
from edge_agent.scanning.labels import label
from edge_agent.store import Connection
from edge_agent.views import Kind, Verdict
from tests.agent.hall import Hall, hall_in
from tests.agent.person import Person, an_input, at, said
from tests.agent.running import AgentProcess, short_folder, site_text, wait

Spoil = Callable[[dict[str, Any]], object]

SPOILS: dict[str, Spoil] = {
    "a flow that is gone": lambda s: s["state"].update(type="weigh_truck"),
    "a field of another type": lambda s: s["state"].update(job=["J-206"]),
    "a step that is gone": lambda s: s["state"].update(step="polishing"),
    "a verdict that is gone": lambda s: s["message"].update(verdict="splendid"),
    "a session of another shape": lambda s: s.pop("intent"),
}


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_in(tmp_path) as hall:
        await hall.work_on("T1")
        await hall.work_on("T2", badge="1002")
        yield hall


def spoilt(spoil: Spoil) -> Callable[[Connection], None]:
    """Change what is kept of T1."""

    def change(conn: Connection) -> None:
        (state,) = conn.execute("SELECT state FROM session WHERE terminal = 'T1'").fetchone()
        kept = json.loads(state)
        spoil(kept)
        put_state(conn, json.dumps(kept).encode())

    return change


def put_state(conn: Connection, state: bytes) -> None:
    conn.execute("UPDATE session SET state = ? WHERE terminal = 'T1'", (state,))


@pytest.mark.parametrize("name", SPOILS)
async def test_an_unreadable_session_begins_anew(
    hall: Hall, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    await hall.store.write(spoilt(SPOILS[name]))
    views = [await hall.terminals.view("T1") for _ in range(2)]
    assert views[0] == views[1]
    assert (at(views[0]), said(views[0])) == ("sign_on.badge", "session.reset")
    assert views[0].message is not None
    assert views[0].message.verdict is Verdict.HELD
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "session.unreadable"
    ]
    assert at(await hall.terminals.view("T2")) == "report_production.running"
    assert said(await hall.give("T1", "scan", label(Kind.BADGE, "1001"))) == "sign_on.welcome"
    assert said(await hall.terminals.view("T1")) == "sign_on.welcome"


@pytest.mark.parametrize("state", [b"", b"[]", b'{"state": \xff}', b'{"intent": "\xff", "state": {}}'])
async def test_bytes_that_are_no_session_at_all_begin_anew(hall: Hall, state: bytes) -> None:
    await hall.store.write(lambda conn: put_state(conn, state))
    assert said(await hall.terminals.view("T1")) == "session.reset"


async def test_an_answer_that_can_not_be_read_is_drawn_again_and_nothing_is_recorded_twice(hall: Hall) -> None:
    given = an_input("entry", "5")
    first = await hall.terminals.handle("T1", given)
    await hall.store.write(
        lambda conn: conn.execute("UPDATE session SET last_view = ? WHERE terminal = 'T1'", (b'{"old": 1}',))
    )
    assert await hall.terminals.handle("T1", given) == first
    (reports,) = await hall.store.read(
        lambda conn: conn.execute("SELECT count(*) FROM journal WHERE kind = 'MaterialProduced'").fetchone()
    )
    assert reports == 1


async def test_an_agent_starts_with_an_unreadable_session() -> None:
    with short_folder() as folder:
        agent = AgentProcess(folder, site_text(["T1", "T2"]))
        try:
            agent.start()
            async with AgentClient(agent.address) as client:
                for terminal in ("T1", "T2"):
                    await Person(client, terminal).do("help")
            agent.kill()
            with closing(sqlite3.connect(agent.database, isolation_level=None)) as conn:
                put_state(conn, b"{}")
            agent.start()
            async with AgentClient(agent.address) as client:
                assert said(await Person(client, "T1").look()) == "session.reset"
                assert said(await Person(client, "T2").look()) == ""
            wait(lambda: "session.unreadable" in agent.log, "the log")
        finally:
            agent.end()
