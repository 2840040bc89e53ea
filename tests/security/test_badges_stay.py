"""The number of a badge is in what signs people on, and in nothing that is kept of it: no fact, second copy or log."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from edge_agent.client import AgentClient
from edge_agent.views import Kind
from tests.agent.person import Person, everything_sent
from tests.agent.running import plant_in, short_folder

KNOWN, OTHER, UNKNOWN = "1001", "1010", "7301946"


async def test_no_fact_no_copy_and_no_log_has_the_number_of_a_badge() -> None:
    with short_folder() as folder, plant_in(folder) as plant:
        async with AgentClient(plant.agent.address) as client:
            person = Person(client, "T1")
            await person.scan(Kind.BADGE, UNKNOWN)
            await person.work_on("J-206", KNOWN)
            await person.scan(Kind.BADGE, UNKNOWN)
            await person.scan(Kind.BADGE, OTHER)
            await person.do("sign_off")
            await everything_sent(client)
        assert plant.agent.stop() == 0
        with closing(sqlite3.connect(plant.agent.database)) as conn:
            rows = conn.execute("SELECT kind, person, payload FROM journal").fetchall()
        assert ("SignedOn", "p1") in [row[:2] for row in rows]
        assert any("(a badge)" in payload for *_, payload in rows), "refused, and told without its number"
        kept = "".join(payload for *_, payload in rows) + plant.agent.log
        data = plant.agent.folder / "data"
        files = [path for path in data.rglob("*") if path.is_file() and path.name.startswith(("facts-", "audit"))]
        assert files
        for number in (KNOWN, OTHER, UNKNOWN):
            for scanned in (number, f"B:{number}"):
                if len(number) > 4 or ":" in scanned:  # four digits may stand in an id or a time
                    assert scanned not in kept
                    assert not any(scanned.encode() in path.read_bytes() for path in files)
