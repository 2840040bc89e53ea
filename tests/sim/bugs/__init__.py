"""Planted bugs: the product with one mistake in it. The simulation must find each, or it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

Plant = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Bug:
    """`plant` makes the mistake for as long as it is entered; `lies`: it is the disk that is wrong.

    `seed` is one that finds it.
    """

    name: str
    what: str
    plant: Plant
    seed: int
    lies: bool = False


BUGS: dict[str, Bug] = {}


def bug(what: str, *, seed: int = 0, lies: bool = False) -> Callable[[Callable[[], Iterator[None]]], None]:
    """Enters a function with one `yield` into the list; `what` says the mistake in a sentence."""

    def entered(plant: Callable[[], Iterator[None]]) -> None:
        BUGS[plant.__name__] = Bug(plant.__name__, what, contextmanager(plant), seed, lies)

    return entered


@contextmanager
def swapped(owner: Any, name: str, other: Any) -> Iterator[None]:
    """Another one in the place of an attribute, for a while."""
    ours = owner.__dict__[name]
    setattr(owner, name, other)
    try:
        yield
    finally:
        setattr(owner, name, ours)


def load() -> dict[str, Bug]:
    """All of them, by name."""
    from tests.sim.bugs import at_the_erp, in_decisions, in_the_agent, in_the_relay, in_the_store  # noqa: F401

    return BUGS
