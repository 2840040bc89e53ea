"""The plant as the flows ask for it, read from the disk in the transaction of an input."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from edge_agent.machines.ledger import running
from edge_agent.machines.plant import Plant
from edge_agent.machines.reliability import strip
from edge_agent.oee_report import report
from edge_agent.store import Connection
from edge_agent.store.ledger import UNSURE, switches, unattributed
from edge_agent.store.requests import open_requests
from edge_agent.store.stops import known_since, spans, stops
from edge_agent.views.maintenance import StateSpan, Unattributed
from edge_agent.views.status import DeviceStatus, EquipmentStatus

_KEPT = 256  # strips; of as many machines and pages as one PC draws within a minute
_SETTLED = timedelta(seconds=30)  # after which nothing comes any more of what happened before

_Strip = tuple[StateSpan, ...]


class PlantReader:
    """Keeps the strips and the OEE that it made: they are drawn again with every change, and cost the most."""

    def __init__(self) -> None:
        self._strips: dict[tuple[str, datetime, datetime], _Strip] = {}
        self._oees: dict[tuple[str, datetime, datetime], float | None] = {}

    def plant(
        self, conn: Connection, machines: tuple[EquipmentStatus, ...], devices: tuple[DeviceStatus, ...],
        now: datetime,
    ) -> Plant:  # fmt: skip
        """The plant at a moment; what is asked for twice is read once."""
        return Plant(
            machines=machines, devices=devices,
            strip=lambda id, began, ended: self._strip(conn, id, began, ended, now),
            spans=functools.cache(lambda id, began, ended: spans(conn, id, began, ended)),
            stops=functools.cache(lambda id, since: stops(conn, id, since)),
            requests=functools.cache(lambda id: open_requests(conn, id)),
            job=lambda id: running(switches(conn, id, now), now),
            unattributed=functools.cache(lambda id: _unattributed(conn, id)),
            oee=lambda machine, began, ended: self._oee(conn, machine, began, ended, now),
            time=lambda machine, began, ended: report(conn, machine, began, ended),
        )  # fmt: skip

    def _oee(
        self, conn: Connection, machine: EquipmentStatus, began: datetime, ended: datetime, now: datetime
    ) -> float | None:
        """That of a list of machines: as old as the strip beside it, a minute at most."""
        key = (machine.id, began, ended)
        if key not in self._oees:
            if len(self._oees) >= _KEPT:
                self._oees.clear()
            found = report(conn, machine, began, ended).oee
            if now - ended < _SETTLED:
                return found
            self._oees[key] = found
        return self._oees[key]

    def _strip(self, conn: Connection, id: str, began: datetime, ended: datetime, now: datetime) -> _Strip:
        key = (id, began, ended)
        if (kept := self._strips.get(key)) is not None:
            return kept
        first = known_since(conn, id)
        made = () if first is None else strip(spans(conn, id, began, ended), max(began, first), ended)
        if now - ended >= _SETTLED:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            self._strips[key] = made
        return made


def _unattributed(conn: Connection, id: str) -> Unattributed | None:
    """What people are asked for: first what was made for sure, then what may have been."""
    if (sure := unattributed(conn, id)) is not None:
        return Unattributed(*sure)
    found = unattributed(conn, id, UNSURE)
    return None if found is None else Unattributed(*found, doubtful=True)
