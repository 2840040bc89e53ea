"""What people entered at their terminals, and whether the journal has it: each of it once, and nothing beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from edge_agent.views import JournalRow

_Key = tuple[str, str, str, Fraction | None]


@dataclass(frozen=True)
class Entry:
    """One thing that a person had recorded by the input `input`: a fact of this kind about this job or terminal.

    `quantity` is what was typed or seen, None where the kind has none. `answered`: the screen answered that it
    was taken; what was never answered may have been, or not.
    """

    input: str
    terminal: str
    kind: str
    about: str
    quantity: Fraction | None = None
    answered: bool = True

    @property
    def key(self) -> _Key:
        """What its fact in the journal looks like; its id is the agent's own and says nothing here."""
        return self.terminal, self.kind, self.about, self.quantity


@dataclass(frozen=True)
class Comparison:
    """`missing`: entries that were answered and are not in the journal. `surplus`: facts that nobody entered, or
    that are there more often than they were."""

    missing: int
    surplus: int


def compare(entries: Sequence[Entry], journal: Iterable[JournalRow]) -> Comparison:
    """The entries against all facts that were recorded at a terminal, whatever their ids. Pure."""
    there = Counter(_key(row) for row in journal if row.terminal)
    sure = Counter(entry.key for entry in entries if entry.answered)
    possible = sure + Counter(entry.key for entry in entries if not entry.answered)
    return Comparison(missing=(sure - there).total(), surplus=(there - possible).total())


def _key(row: JournalRow) -> _Key:
    quantity = row.body.get("quantity")
    return row.terminal, row.kind, row.about, None if quantity is None else Fraction(str(quantity))
