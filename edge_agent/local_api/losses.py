"""What the disk does not take is said once when it begins, and once when it is over: not with every request."""

from __future__ import annotations

import logging

from edge_agent.store import Store, StoreError

_log = logging.getLogger(__name__)


class Losses:
    """The routes whose requests can not be kept now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lost: dict[str, str] = {}  # the kind of the last error of each

    def failed(self, route: str, error: StoreError) -> None:
        """A request was not saved, or could not be answered."""
        if self._lost.get(route) != error.kind:
            _log.error("input.not_saved", extra={"path": route, "kind": error.kind, "what": str(error)})
        self._lost[route] = error.kind

    async def went(self, route: str) -> None:
        """A request was answered. While there is no room, one that records nothing goes: that ends nothing."""
        if route not in self._lost:
            return
        try:
            if self._lost[route] == "full" and (self._store.tight or await self._store.crowded()):
                return
        except StoreError:
            return
        if self._lost.pop(route, ""):
            _log.info("input.saved_again", extra={"path": route})
