"""PINs: compared and hashed in a thread before a step, given out as start codes by an admin.

The PIN of an input ends here: what goes on into the step is whether it was right, or the hash of a new one.
"""

from __future__ import annotations

import asyncio
import secrets

from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.events import FactsRecorded
from edge_agent.pin_hash import fits, hash_of
from edge_agent.pin_rules import PinRecord, PinRules, why_not
from edge_agent.roles import holds
from edge_agent.scenarios.contract import PinAsked, Proved
from edge_agent.store import Connection, Entry, Store
from edge_agent.store import pins as kept
from sync.person_facts import PinChanged

_START_DIGITS = 8


class NoStartCode(Exception):
    """A person can not have a PIN. `code` names the words, `str(error)` is a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Pins:
    """The PINs of everybody. `open` it before the first input."""

    def __init__(self, store: Store, clock: Clock, bus: Bus, rules: PinRules) -> None:
        self._store = store
        self._clock = clock
        self._bus = bus
        self._rules = rules
        self._one = asyncio.Lock()  # 19 MiB at a time

    async def open(self) -> None:
        """Have lock-outs of another boot begin once more. Raises StoreError."""
        boot, now = self._clock.boot(), self._clock.monotonic()
        await self._store.write(lambda conn: kept.carry_over(conn, self._rules, boot, now))

    async def prove(self, asked: PinAsked, typed: str) -> Proved:
        """What came of a PIN that was typed where it is asked for."""
        if asked.new:
            problem = why_not(typed)
            return Proved(asked.person, problem=problem, hash="" if problem else await self._hash(typed))
        async with self._one:
            found = bool(asked.hash) and await asyncio.to_thread(fits, typed, asked.hash)
        return Proved(asked.person, right=found, against=asked.hash)

    async def start_code(self, person: str, terminal: str = "", by: str = "") -> str:
        """A new start code for a person, which replaces their PIN and ends a lock-out. Raises NoStartCode, StoreError.

        The code is told this once; the person chooses a PIN with it. `by`: the admin who is signed on at `terminal`
        and gives it; empty: the owner of the PC does.
        """
        known = self._store.book.persons.get(person)
        if known is None or not known.active:
            told = f"There is no active person {person}: give the id that the ERP has."
            raise NoStartCode("pin.unknown_person", told)
        if not holds(known, self._rules.roles):
            roles = ", ".join(sorted(self._rules.roles)) or "none"
            raise NoStartCode(
                "pin.not_needed",
                f"{person} signs on with the badge alone: [policies] pin_roles of the site file names: {roles}.",
            )
        code = _code()
        record = PinRecord(person, await self._hash(code), start=True)
        fact = Entry(self._clock.new_id(), PinChanged(about=f"person/{person}", start=True))
        now = self._clock.now()

        def keep(conn: Connection) -> None:
            kept.save(conn, record)
            self._store.record(conn, [fact], now, terminal, by)

        await self._store.write(keep)
        self._bus.publish(FactsRecorded(1))
        return code

    async def _hash(self, pin: str) -> str:
        async with self._one:
            return await asyncio.to_thread(hash_of, pin)


def _code() -> str:
    """Digits that could be a PIN."""
    code = "".join(secrets.choice("0123456789") for _ in range(_START_DIGITS))
    return code if not why_not(code) else _code()
