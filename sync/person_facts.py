"""The facts about people at a terminal: who came, who went, and what was the matter with a PIN.

`about` of all of them is `person/<id>`. No PIN and no hash of one is in any fact.
"""

from __future__ import annotations

from sync.fact_body import FactBody


class SignedOn(FactBody, frozen=True, kw_only=True):
    """A person signed on at a terminal (`about` is `person/<id>`)."""


class SignedOff(FactBody, frozen=True, kw_only=True):
    """A person left the terminal (`about` is `person/<id>`). `idle`: it locked itself, nobody said so."""

    idle: bool = False


class PinRefused(FactBody, frozen=True, kw_only=True):
    """A wrong PIN was typed for a person: the `tries`-th in a row. `locked`: no more are taken for a while."""

    tries: int
    locked: bool = False


class PinChanged(FactBody, frozen=True, kw_only=True):
    """A person has another PIN. `start`: an admin gave out a start code, and the person chooses one with it."""

    start: bool = False


PinFact = PinRefused | PinChanged
