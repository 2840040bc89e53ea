"""The beep means right, not decoded: what came of a scan goes back to the scanner that made it."""

from __future__ import annotations

from collections.abc import Callable

from device_drivers.contract import Signal
from edge_agent.bus import Bus
from edge_agent.events import ScanArrived, VerdictGiven
from edge_agent.views import Verdict

# LATE has none: the scanner has given up waiting and has said so itself.
SIGNALS: dict[Verdict, Signal] = {
    Verdict.OK: "good",
    Verdict.OK_PLUS: "good",
    Verdict.COMMAND: "good",
    Verdict.CONFIRM: "attention",
    Verdict.OTHER_TYPE: "attention",
    Verdict.AMBIGUOUS: "attention",
    Verdict.DUPLICATE: "attention",
    Verdict.WRONG: "bad",
    Verdict.HELD: "bad",
    Verdict.UNKNOWN: "bad",
}

_UNJUDGED = 1_000  # scans that may wait for their verdict; one of a terminal that is not there waits for ever


async def pump_signals(bus: Bus, signal: Callable[[str, Signal], None]) -> None:
    """Call `signal` with the scanner's name for each scan, once its verdict is committed; until cancelled.

    A scan that came in by a terminal's keyboard has no scanner that could beep.
    """
    scanners: dict[str, str] = {}  # id of a scan that has no verdict yet -> who made it
    with bus.subscribe(ScanArrived, VerdictGiven, limit=10_000) as events:
        async for event in events:
            if isinstance(event, ScanArrived):
                scanners[event.scan.id] = event.scanner
                if len(scanners) > _UNJUDGED:
                    del scanners[next(iter(scanners))]
            elif isinstance(event, VerdictGiven):
                scanner, told = scanners.pop(event.input, None), SIGNALS.get(event.verdict)
                if scanner is not None and told is not None:
                    signal(scanner, told)
