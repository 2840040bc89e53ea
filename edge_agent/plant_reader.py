"""The plant as the flows ask for it, read from the disk in the transaction of an input."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from edge_agent.ledger import running
from edge_agent.maintenance_pages import StateSpan
from edge_agent.plant import Plant
from edge_agent.reliability import strip
from edge_agent.store import Connection
from edge_agent.store.ledger import switches
from edge_agent.store.requests import open_requests
from edge_agent.store.stops import spans, stops
from edge_agent.views import DeviceStatus, EquipmentStatus

_KEPT = 256  # strips; of as many machines and pages as one PC draws within a minute
_SETTLED = timedelta(seconds=30)  # after which nothing comes any more of what happened before

_Strip = tuple[StateSpan, ...]


class PlantReader:
    """Keeps the strips that it made: they are drawn again with every change, and cost the most."""

    def __init__(self) -> None:
        self._strips: dict[tuple[str, datetime, datetime], _Strip] = {}

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
        )  # fmt: skip

    def _strip(self, conn: Connection, id: str, began: datetime, ended: datetime, now: datetime) -> _Strip:
        key = (id, began, ended)
        if (kept := self._strips.get(key)) is not None:
            return kept
        made = strip(spans(conn, id, began, ended), began, ended)
        if now - ended >= _SETTLED:
            if len(self._strips) >= _KEPT:
                self._strips.clear()
            self._strips[key] = made
        return made
