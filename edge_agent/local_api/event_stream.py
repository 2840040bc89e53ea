"""The events of a terminal as a stream of server-sent events: each view, each echo, and the status at its pace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import msgspec

from edge_agent.bus import Bus, Overflow, Subscription
from edge_agent.events import EchoMade, MachineChanged, StatusChanged, ViewMade, coalesced
from edge_agent.scenarios.contract import Station
from edge_agent.status import StatusBoard
from edge_agent.store import StoreError
from edge_agent.terminals.inputs import Terminals
from edge_agent.views import Echo, View
from edge_agent.views.status import Status

HEARTBEAT_SECONDS = 5.0
# A status bar that changes more often than this can not be read; live values change all the time.
_STATUS_PACE_SECONDS, _LIVE_PACE_SECONDS = 0.2, 1.0

_log = logging.getLogger(__name__)


class EventStreams:
    """Makes the stream of whoever asks for one."""

    def __init__(self, terminals: Terminals, board: StatusBoard, bus: Bus) -> None:
        self._terminals = terminals
        self._board = board
        self._bus = bus

    async def of(self, terminal: str) -> AsyncIterator[bytes]:
        """The stream of a terminal. Raises UnknownTerminal, StoreError: a fault here is answered, not an empty stream.

        The view and the status now, then each change; the status at least every heartbeat.
        """
        station = self._terminals.station(terminal)
        await self._terminals.view(terminal)
        return self._stream(station)

    async def _stream(self, station: Station) -> AsyncIterator[bytes]:
        # Not before it is read: a client that went until then closes nothing.
        told = (ViewMade, EchoMade, StatusChanged, MachineChanged)
        with self._bus.subscribe(*told, coalesce=coalesced) as events:
            try:
                yield _event("view", await self._terminals.view(station.terminal))
                while True:
                    watched = self._terminals.watched(station.terminal)
                    yield _event("status", await self._board.status(station, watched))
                    async for chunk in self._until_status(events, station):
                        yield chunk
            except (Overflow, StoreError) as error:
                what = {"terminal": station.terminal, "what": str(error)}
                _log.warning("events.ended", extra=what)  # the terminal attaches again

    async def _until_status(self, events: Subscription[object], station: Station) -> AsyncIterator[bytes]:
        """Views and echoes of the terminal, until a status is due."""
        loop, terminal = asyncio.get_running_loop(), station.terminal
        watched = self._terminals.watched(terminal)
        began = loop.time()
        due = began + HEARTBEAT_SECONDS
        while (left := due - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    event = await anext(events)
            except TimeoutError:
                return
            match event:
                case ViewMade(view) if view.terminal == terminal:
                    yield _event("view", view)
                    if self._terminals.watched(terminal) != watched:
                        return  # of another machine: its values come with the view
                case EchoMade(echo) if echo.terminal == terminal:
                    yield _event("echo", echo)
                case StatusChanged():
                    due = min(due, began + _STATUS_PACE_SECONDS)
                case MachineChanged(id) if id in (station.equipment, watched):
                    due = min(due, began + _LIVE_PACE_SECONDS)


def _event(name: str, body: View | Status | Echo) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"
