"""Every fact that can be brought back, in the order of its number, without holding them all.

The mirror is the second copy of each, in their order: it is read from its begin to its end. The pages of the
damaged database are asked for the numbers only that it does not have, and for those behind its last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from edge_agent.store.carving import Pages
from edge_agent.store.mirror import Mirror
from edge_agent.store.mirror_lines import Content, Mirrored

_AT_ONCE = 1000  # numbers that the pages are asked for together


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a number: its columns, None when nothing has them; `mark` as the mirror has it, if it does."""

    seq: int
    content: Content | None
    mark: str = ""


class SecondCopy:
    """The facts behind `base`."""

    def __init__(self, mirror: Mirror, pages: Pages, base: int) -> None:
        self._mirror = mirror
        self._pages = pages
        self._base = base

    def facts(self) -> Iterator[Found]:
        """One for each number behind the base, up to the last that anything has. Raises OSError."""
        expected = self._base + 1
        for line in self._mirror.lines():
            if line.seq < expected:  # it left the journal, or is there twice
                continue
            yield from self._not_in_order(expected, line.seq - 1)
            yield Found(line.seq, line.content, line.mark)
            expected = line.seq + 1
        yield from self._not_in_order(expected, self._pages.last())

    def _not_in_order(self, first: int, last: int) -> Iterator[Found]:
        for begin in range(first, last + 1, _AT_ONCE):
            end = min(last, begin + _AT_ONCE - 1)
            rows = self._pages.rows(begin, end)
            for seq in range(begin, end + 1):
                if seq in rows:
                    yield Found(seq, rows[seq].content)
                else:
                    late = self._late.get(seq)
                    yield Found(seq, late.content if late is not None else None)

    @cached_property
    def _late(self) -> dict[int, Mirrored]:
        """Lines that stand behind a higher number: of some that were on their way together, one was written again."""
        late, highest = dict[int, Mirrored](), 0
        for line in self._mirror.lines():
            if line.seq < highest:
                late[line.seq] = line
            highest = max(highest, line.seq)
        return late
