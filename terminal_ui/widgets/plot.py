"""A plot in cells: two by four dots each where there is Braille, one sign each where there is not. Pure.

Unicode 10.0, Braille Patterns: the dots of a cell are numbered 1 2 3 7 on the left, 4 5 6 8 on the right.
"""

from __future__ import annotations

import math

_BLANK = 0x2800
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # [row][column] of a cell
_MARK = "*"


class Canvas:
    """`width` by `height` cells; dots are counted from the upper left."""

    def __init__(self, width: int, height: int, unicode: bool = True) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self._unicode = unicode
        self._cells = [[0] * self.width for _ in range(self.height)]

    @property
    def columns(self) -> int:
        """Dots in a row."""
        return self.width * (2 if self._unicode else 1)

    @property
    def rows(self) -> int:
        """Dots in a column."""
        return self.height * (4 if self._unicode else 1)

    def dot(self, column: int, row: int) -> None:
        """Set a dot. Raises IndexError for one that is not on the canvas."""
        if not (0 <= column < self.columns and 0 <= row < self.rows):
            raise IndexError(f"There is no dot {column}, {row}.")
        if self._unicode:
            self._cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
        else:
            self._cells[row][column] = 1

    def column(self, column: int, one: int, other: int) -> None:
        """Set all dots of a column between two rows, both of them too."""
        for row in range(min(one, other), max(one, other) + 1):
            self.dot(column, row)

    def lines(self) -> list[str]:
        """The cells, row by row; a cell without a dot is a space."""
        if self._unicode:
            return ["".join(chr(_BLANK + cell) if cell else " " for cell in row) for row in self._cells]
        return ["".join(_MARK if cell else " " for cell in row) for row in self._cells]


def row_of(value: float, low: float, high: float, rows: int) -> int:
    """The row of dots of a value: `high` is row 0, `low` the last one, what lies outside at the edge.

    >>> [row_of(value, 0.0, 10.0, 11) for value in (0.0, 5.0, 10.0, 99.0)]
    [10, 5, 0, 0]
    """
    if high <= low or rows < 2:
        return max(0, rows - 1) // 2
    share = value / (high - low) - low / (high - low)
    return min(rows - 1, max(0, round((1.0 - share) * (rows - 1))))


def scale(low: float, high: float, most: int) -> tuple[float, float, float]:
    """(first, last, step) of a value axis with at most `most` round marks around `low` to `high`.

    >>> scale(19.2, 21.7, 4)
    (19.0, 22.0, 1.0)
    >>> scale(5.0, 5.0, 4)
    (4.0, 6.0, 1.0)
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0.0, 1.0, 1.0
    if high - low <= abs(high) * 1e-9:
        low, high = low - max(1.0, abs(low) * 0.1), high + max(1.0, abs(high) * 0.1)
    most = max(2, most)
    rough = high / (most - 1) - low / (most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    for factor in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0):
        step = factor * power
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first + 1 <= most:
            return first * step, last * step, step
    return low, high, high - low
