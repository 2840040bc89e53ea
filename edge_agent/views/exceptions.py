"""The pages of the exceptions flow: the list of what is in doubt, and one of them.

Codes, not prose, as in `edge_agent.views`; all texts in `params`, `reason` and `note` may come from outside. Times
are aware, UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class ExceptionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in doubt. `what` names the words for what happened (`happened.<what>`), with `params`.

    `code` is what the ERP answered, empty: this is not about an answer; `reason` are its own words, or those of the
    agent. `seq` is the number of the fact, 0: of none. `held` are the later facts that wait for it, `waits_for`
    the one that it waits for itself. `choice` is the last decision, by `decided_by` and `second` at `decided_at`,
    with their `note`; empty: nobody has decided. `settled`: the ERP has only to hear of it. `connector` is one that is
    no longer in the site file, for which it waits; empty otherwise.
    """

    key: str
    kind: Literal["refused", "lost", "write", "clock", "incident", "gone"]
    what: str
    params: dict[str, str] = {}
    about: str = ""
    person: str = ""
    terminal: str = ""
    happened: datetime | None = None
    since: datetime
    seq: int = 0
    code: str = ""
    reason: str = ""
    attempts: int = 0
    held: tuple[int, ...] = ()
    waits_for: int = 0
    choice: str = ""
    decided_by: str = ""
    second: str = ""
    decided_at: datetime | None = None
    note: str = ""
    settled: bool = False
    connector: str = ""


class ExceptionsPage(msgspec.Struct, frozen=True, kw_only=True, tag="exceptions"):
    """All of them; the choices of the view open them, in the same order."""

    rows: tuple[ExceptionRow, ...] = ()


class ExceptionPage(msgspec.Struct, frozen=True, kw_only=True, tag="exception"):
    """One of them, with all that is known. `choices` is what may become of it, by this person."""

    row: ExceptionRow
    choices: tuple[str, ...] = ()


AnyExceptionPage = ExceptionsPage | ExceptionPage
