"""A screen that goes before its first event: nothing is kept for it."""

from __future__ import annotations

from typing import Any, cast

from edge_agent.bus import Bus
from edge_agent.local_api.event_stream import EventStreams
from edge_agent.scenarios.contract import Station


class Counted(Bus):
    """A bus that says how many listen."""

    @property
    def listening(self) -> int:
        return len(self._subscriptions)


class OneTerminal:
    """Of the terminals what a stream asks before it begins."""

    def station(self, terminal: str) -> Station:
        return Station(terminal=terminal, name="Saw")

    async def view(self, terminal: str) -> dict[str, str]:
        return {"terminal": terminal}


async def test_a_stream_that_nobody_reads_listens_to_nothing() -> None:
    bus = Counted()
    streams = EventStreams(cast("Any", OneTerminal()), cast("Any", None), bus)
    await streams.of("T1")
    assert bus.listening == 0
    read = cast("Any", await streams.of("T1"))
    assert (await anext(read)).startswith(b"event: view")
    assert bus.listening == 1
    await read.aclose()
    assert bus.listening == 0
