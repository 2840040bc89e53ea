"""Mistakes of an ERP that is not ours: they must show as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from sync.contract import Fact, Receipt
from sync.reference_books import Books
from sync.reference_rules import No
from tests.sim.bugs import bug, swapped


@bug("the ERP keeps no keys")
def erp_without_keys() -> Iterator[None]:
    ours = Books.push
    tries = iter(range(10**9))

    def push(self: Books, facts: Sequence[Fact]) -> tuple[Receipt, ...]:
        attempt = next(tries)
        receipts = ours(self, [msgspec.structs.replace(fact, id=f"{fact.id[:40]}-{attempt}") for fact in facts])
        return tuple(msgspec.structs.replace(r, fact=f.id) for f, r in zip(facts, receipts, strict=True))

    with swapped(Books, "push", push):
        yield


@bug("the ERP keeps the key in another transaction than the booking", seed=5)
def key_outside_transaction() -> Iterator[None]:
    ours = Books._judge

    def judge(self: Books, fact: Fact) -> No | None:
        refusal = ours(self, fact)
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")
        return refusal

    with swapped(Books, "_judge", judge):
        yield
