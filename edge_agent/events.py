"""What the parts of the agent tell each other on the bus."""

from __future__ import annotations

from dataclasses import dataclass

from device_drivers.contract import DataValues, Gap, Scan
from edge_agent.views import Echo, Verdict, View
from edge_agent.views.status import DeviceStatus


@dataclass(frozen=True, slots=True)
class ScanArrived:
    """A scanner read a code; `terminal` is the id of the terminal that it belongs to."""

    scanner: str
    terminal: str
    scan: Scan


@dataclass(frozen=True, slots=True)
class ValuesArrived:
    """Items of a device have a value, or have lost it (status BAD)."""

    device: str
    values: DataValues


@dataclass(frozen=True, slots=True)
class GapArrived:
    """Changes of an item, or of all items, of a device may be missing in a stretch of time."""

    device: str
    gap: Gap


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """A device came, went, or failed to come back."""

    status: DeviceStatus


@dataclass(frozen=True, slots=True)
class EchoMade:
    """A scan came in and is looked at."""

    echo: Echo


@dataclass(frozen=True, slots=True)
class VerdictGiven:
    """What came of a scan is known, and committed; `input` is the id of the scan."""

    terminal: str
    input: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ViewMade:
    """A terminal has a new view; what it says is committed."""

    view: View


@dataclass(frozen=True, slots=True)
class FactsRecorded:
    """So many facts were committed, or refused ones go again (0): there is something to send.

    `jobs` are those that they are about; `terminal` the one whose answer shows them already.
    """

    count: int
    jobs: frozenset[str] = frozenset()
    terminal: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptsKept:
    """The ERP has answered: what is in doubt may be more or less."""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A link, a device, a machine or the queue looks different: ask the status board."""


@dataclass(frozen=True, slots=True)
class PlansChanged:
    """New plans came down; what terminals show may be different."""


@dataclass(frozen=True, slots=True)
class MachineChanged:
    """A machine of the site file looks different."""

    id: str


def coalesced(event: object) -> str | None:
    """Of status changes one is as good as ten; views and echoes are told each."""
    match event:
        case StatusChanged():
            return "status"
        case MachineChanged(id):
            return f"machine {id}"
        case _:
            return None
