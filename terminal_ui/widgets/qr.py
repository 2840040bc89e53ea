"""A label as a QR code of half blocks: it can be scanned from the screen."""

from __future__ import annotations

from functools import lru_cache

import segno

_QUIET = 2  # modules around the code; readers want a quiet zone
_LONGEST = 40  # characters; a label is shorter, and a larger code does not fit the screen
_SIGNS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


@lru_cache(maxsize=32)
def qr_rows(text: str) -> tuple[str, ...]:
    """The rows of half blocks, ink on paper; none for what is not a label (long, empty, not ASCII)."""
    if not (text.isascii() and text.isprintable() and 0 < len(text) <= _LONGEST):
        return ()
    code = segno.make(text, micro=False, error="m")
    matrix = [[bool(module) for module in row] for row in code.matrix_iter(border=_QUIET)]
    if len(matrix) % 2:
        matrix.append([False] * len(matrix[0]))
    return tuple(
        "".join(_SIGNS[upper, lower] for upper, lower in zip(above, below, strict=True))
        for above, below in zip(matrix[::2], matrix[1::2], strict=True)
    )
