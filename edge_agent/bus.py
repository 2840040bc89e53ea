"""Publish and subscribe inside one event loop. A publisher never waits and never fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

E = TypeVar("E")

Coalesce = Callable[[E], Hashable | None]
Wanted = Callable[[E], bool]


class Overflow(Exception):
    """The subscriber did not keep up and has missed events: it must subscribe again and ask for the state."""


class Bus:
    """Hands each event to everybody who subscribed to its type, in the order of publishing."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription[Any]] = []

    def publish(self, event: object) -> None:
        """Give the event to all subscribers of its type; returns at once."""
        for subscription in tuple(self._subscriptions):
            if isinstance(event, subscription.types):
                subscription.offer(event)

    def subscribe(
        self, *types: type[E], coalesce: Coalesce[E] | None = None, wanted: Wanted[E] | None = None,
        limit: int = 256,
    ) -> Subscription[E]:  # fmt: skip
        """Events of these types from now on; those that are not `wanted` wake nobody.

        Of events with the same `coalesce` key only the newest waits, in the place of the first; a key
        of None stands for an event that must not be dropped. When more than `limit` events wait, the
        subscription ends with Overflow.
        """
        subscription = Subscription(self, types, coalesce, wanted, limit)
        self._subscriptions.append(subscription)
        return subscription

    def forget(self, subscription: Subscription[Any]) -> None:
        """Offer nothing to it any more."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)


class Subscription(Generic[E]):
    """An async iterator over events, for one task; use it in a `with` block, or `close` it."""

    def __init__(
        self, bus: Bus, types: tuple[type[E], ...], coalesce: Coalesce[E] | None, wanted: Wanted[E] | None,
        limit: int,
    ) -> None:  # fmt: skip
        self.types = types
        self._bus = bus
        self._coalesce = coalesce
        self._wanted = wanted
        self._limit = limit
        self._waiting: dict[Hashable, E] = {}
        self._count = 0
        self._changed = asyncio.Event()
        self._too_slow = False
        self._closed = False

    def offer(self, event: E) -> None:
        """Called by the bus: keep the event for the subscriber."""
        if self._wanted is not None and not self._wanted(event):
            return
        key = self._coalesce(event) if self._coalesce is not None else None
        if key is None:
            self._count += 1
            place: Hashable = (self, self._count)  # a place of its own: equal to no key of a caller
        else:
            place = (None, key)
        self._waiting[place] = event
        if len(self._waiting) > self._limit:
            self._too_slow = True
            self.close()
        self._changed.set()

    @property
    def quiet(self) -> bool:
        """Whether no event waits, none was missed, and more may come."""
        return not (self._waiting or self._too_slow or self._closed)

    async def arrival(self) -> None:
        """Return when it is not quiet."""
        while self.quiet:
            self._changed.clear()
            await self._changed.wait()

    def waiting(self) -> list[E]:
        """All events that wait, in their order; they wait no more. Raises Overflow once events were missed."""
        if self._too_slow:
            raise Overflow(f"More than {self._limit} events waited.")
        events = [*self._waiting.values()]
        self._waiting.clear()
        return events

    def close(self) -> None:
        """End it; what still waits is dropped. Safe to call twice."""
        self._closed = True
        self._waiting.clear()
        self._bus.forget(self)
        self._changed.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        """The next event. Raises Overflow once events were missed; ends when it was closed."""
        await self.arrival()
        if self._waiting:
            return self._waiting.pop(next(iter(self._waiting)))
        if self._too_slow:
            raise Overflow(f"More than {self._limit} events waited.")
        raise StopAsyncIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
