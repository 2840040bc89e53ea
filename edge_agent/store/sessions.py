"""Where each terminal stands, kept with every input so that it survives the terminal and the agent."""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.store.database import Connection


@dataclass(frozen=True, slots=True)
class Session:
    """`state` and `last_view` are JSON of whoever saves them; `last_input` is the id of the last input."""

    state: bytes
    last_input: str
    last_view: bytes


def load(conn: Connection, terminal: str) -> Session | None:
    """Where the terminal stands; None: it was never used."""
    kept = "SELECT state, last_input, last_view FROM session WHERE terminal = ?"
    row = conn.execute(kept, (terminal,)).fetchone()
    return None if row is None else Session(*row)


def save(conn: Connection, terminal: str, session: Session) -> None:
    """Replace it; in the transaction of the facts that the input recorded."""
    conn.execute(
        "INSERT OR REPLACE INTO session (terminal, state, last_input, last_view) VALUES (?, ?, ?, ?)",
        (terminal, session.state, session.last_input, session.last_view),
    )
