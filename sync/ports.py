"""What the relay and the puller need from the agent, and what a connector gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sync.contract import Fact, PlanPage, Receipt
from sync.device import Device


class Clock(Protocol):
    """Time for the relay and the puller; timers run on `monotonic` only."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC: data only."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    async def sleep_until(self, monotonic: float) -> None:
        """Return when `monotonic()` has reached the given reading."""
        ...


class Outbox(Protocol):
    """The journal as one connector sees it."""

    async def pending(self, limit: int, without: Sequence[str] = ()) -> Sequence[Fact]:
        """The next facts to send, in seq order, none about a job with a parked fact, nor about one of `without`;
        empty: nothing to do. Raises Withheld."""
        ...

    async def unclear(self) -> Sequence[Fact]:
        """Those that were parked as UNCLEAR and are to be sent again: they are asked for first. Raises Withheld."""
        ...

    async def settle(self, receipts: Sequence[Receipt]) -> None:
        """Keep the answers, in one commit: Applied and Duplicate are done, Refused is parked.

        A fact without an answer here stays pending.
        """
        ...

    async def wait(self) -> None:
        """Return when there may be something to send; at once for what came after the last `pending`."""
        ...


class Taken(Protocol):
    """A fact that the ERP has taken."""

    @property
    def seq(self) -> int: ...
    @property
    def id(self) -> str: ...


class Inbox(Protocol):
    """Where plans go."""

    async def accepted(self, upto: int | None = None) -> Taken | None:
        """The last fact, with a seq up to `upto`, that the ERP has taken; None: none that is known of."""
        ...

    async def forgotten(self, as_of_seq: int) -> None:
        """The ERP has our facts up to there, and no longer all that it took: offer them again."""
        ...

    async def cursor(self) -> str | None:
        """The cursor of the last page taken; None: never pulled."""
        ...

    async def take(self, page: PlanPage) -> None:
        """Replace the plans of the page and its cursor, in one commit."""
        ...


class Link(Protocol):
    """Told how the connector is doing; the agent shows it."""

    def up(self) -> None:
        """The other side answered as the contract says."""
        ...

    def down(self, kind: str, reason: str) -> None:
        """It did not; `kind` is that of the SyncError, or internal (a fault of ours); `reason` a sentence."""
        ...


class Connector(Protocol):
    """One ERP or broker. Never invents success: a reply counts if it is 2xx, parses and names every id."""

    def __init__(self, options: Any, agent: str) -> None: ...

    def introduce(self, device: Device) -> None:
        """Which PC speaks, before anything is asked: goes with every push and pull, where the ERP can tell."""
        ...

    async def push(self, facts: Sequence[Fact]) -> Sequence[Receipt]:
        """Book the facts, in order; one receipt for each, in order. Idempotent by `fact.id`.

        Once a fact is refused, later ones of the batch with the same `about` are not booked: HELD_BACK.
        Raises Unreachable (nothing was booked for certain), NotAllowed, NotUnderstood (the batch was
        refused as a whole), Ambiguous (unknown what was booked).
        """
        ...

    async def ask(self, ids: Sequence[str]) -> Mapping[str, Receipt]:
        """What the ERP decided on these facts; a missing id was never booked. Raises as `push`.

        A receipt says in `booked` with which body, where the ERP can tell: the relay compares.
        """
        ...

    async def pull(self, cursor: str | None) -> PlanPage:
        """Plans that changed since `cursor`; None asks for all. Raises as `push`."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


@runtime_checkable
class TellsTime(Protocol):
    """A connector whose other side says in its answers what time it is there."""

    def tell_time(self, told: Callable[[datetime], None]) -> None:
        """Whom to tell, aware, when an answer as the contract says came in; before anything is asked."""
        ...


class ConnectorModule(Protocol):
    """What `sync.connectors.load(name)` returns; `Options` is a msgspec Struct that forbids unknown keys."""

    Options: type
    Connector: type[Connector]


class SyncError(Exception):
    """The other side can not be used now. `str(error)` is a sentence for people.

    `after`: seconds that the other side asks us to wait (Retry-After), None when it does not.
    """

    kind = "sync"

    def __init__(self, words: str = "", after: float | None = None) -> None:
        super().__init__(words)
        self.after = after


class Withheld(SyncError):
    """Our own side gives nothing out: it is not sure that what it has is what was written."""

    kind = "withheld"


class Unreachable(SyncError):
    """No connection, or refused before the request was sent: nothing was booked."""

    kind = "unreachable"


class NotAllowed(SyncError):
    """Credentials missing, wrong or expired: a person must act."""

    kind = "not_allowed"


class Ambiguous(SyncError):
    """Sent, but the answer was lost, late, cut or not ours: ask by id before anything else."""

    kind = "ambiguous"


class NotUnderstood(SyncError):
    """The ERP can not read the request and booked nothing of it: the same request will never do."""

    kind = "not_understood"
