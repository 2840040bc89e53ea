r"""A short GS1-128 symbol in blocks of a terminal, so that a scanner can be tested without a printed label.

The patterns are those of ISO/IEC 15417, table 1: widths of bar, space, bar, space, bar, space.

>>> len(gs1_128(b"10A1\x1d217"))
134
>>> drawn(gs1_128(b"10A1\x1d217"), rows=1)[1].strip("█")[:6]  # start B is 2 1 1 2 1 4
' ▌█▐█▌'
"""

from __future__ import annotations

_START_B, _FNC1, _STOP = 104, 102, (2, 3, 3, 1, 1, 1, 2)
_GS = 0x1D
_QUIET = 10  # modules, on either side
_HALVES = {(0, 0): "█", (0, 1): "▌", (1, 0): "▐", (1, 1): " "}  # light is drawn: terminals are dark

# Six widths for each of the values 0 to 105.
_WIDTHS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222"
    "123122123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321"
    "232121111323131123131321112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224"
    "111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112134111"
    "111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113"
    "114311411113411311113141114131311141411131211412211214211232"
)


def gs1_128(text: bytes) -> list[int]:
    """The modules of a symbol in code set B, 1 is dark; GS in the text becomes FNC1. Raises ValueError."""
    if not all(32 <= byte < 127 or byte == _GS for byte in text):
        raise ValueError("Only printable ASCII and GS can be drawn.")
    values = [_START_B, _FNC1, *(_FNC1 if byte == _GS else byte - 32 for byte in text)]
    check = (values[0] + sum(place * value for place, value in enumerate(values[1:], 1))) % 103
    widths = [int(width) for value in (*values, check) for width in _WIDTHS[6 * value : 6 * value + 6]]
    return [1 - place % 2 for place, width in enumerate([*widths, *_STOP]) for _ in range(width)]


def drawn(modules: list[int], rows: int = 8) -> list[str]:
    """Lines of a terminal, two modules a column, with the quiet zone around."""
    padded = [0] * _QUIET + modules + [0] * (_QUIET + len(modules) % 2)
    line = "".join(_HALVES[left, right] for left, right in zip(padded[::2], padded[1::2], strict=True))
    blank = _HALVES[0, 0] * len(line)
    return [blank, *[line] * rows, blank]
