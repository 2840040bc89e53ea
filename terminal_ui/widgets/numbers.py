"""Letters and digits that are read at arm's length: three rows of half blocks.

Where there is no Unicode, digits are drawn with lines, and words stay as they are.
"""

from __future__ import annotations

# Five rows of pixels a sign, top to bottom; `#` is ink.
_PIXELS = {
    "0": "### #.# #.# #.# ###", "1": "##. .#. .#. .#. ###", "2": "### ..# ### #.. ###",
    "3": "### ..# .## ..# ###", "4": "#.# #.# ### ..# ..#", "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###", "7": "### ..# ..# ..# ..#", "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###", ".": ". . . . #", ",": ". . . . #",
    ":": ". # . # .", "-": ".. .. ## .. ..", "/": "..# ..# .#. #.. #..",
    "_": "... ... ... ... ###", " ": ".. .. .. .. ..", "A": "### #.# ### #.# #.#",
    "B": "##. #.# ##. #.# ##.", "C": "### #.. #.. #.. ###", "D": "##. #.# #.# #.# ##.",
    "E": "### #.. ##. #.. ###", "F": "### #.. ##. #.. #..", "G": "#### #... #.## #..# ####",
    "H": "#.# #.# ### #.# #.#", "I": "# # # # #", "J": "..# ..# ..# #.# ###",
    "K": "#..# #.#. ##.. #.#. #..#", "L": "#.. #.. #.. #.. ###", "M": "#...# ##.## #.#.# #...# #...#",
    "N": "#..# ##.# #.## #..# #..#", "O": "#### #..# #..# #..# ####", "P": "### #.# ### #.. #..",
    "Q": "#### #..# #..# #.## ####", "R": "##. #.# ##. #.# #.#", "S": ".## #.. .#. ..# ##.",
    "T": "### .#. .#. .#. .#.", "U": "#..# #..# #..# #..# ####", "V": "#.# #.# #.# #.# .#.",
    "W": "#...# #...# #.#.# ##.## #...#", "X": "#.# #.# .#. #.# #.#", "Y": "#.# #.# .#. .#. .#.",
    "Z": "### ..# .#. #.. ###",
}  # fmt: skip

_LINES = {
    "0": (" _ ", "| |", "|_|"), "1": ("   ", "  |", "  |"), "2": (" _ ", " _|", "|_ "),
    "3": (" _ ", " _|", " _|"), "4": ("   ", "|_|", "  |"), "5": (" _ ", "|_ ", " _|"),
    "6": (" _ ", "|_ ", "|_|"), "7": (" _ ", "  |", "  |"), "8": (" _ ", "|_|", "|_|"),
    "9": (" _ ", "|_|", " _|"), ".": (" ", " ", "."), "-": ("  ", "__", "  "),
}  # fmt: skip

_HALVES = {"..": " ", "#.": "▀", ".#": "▄", "##": "█"}


def _blocks(pixels: str) -> tuple[str, str, str]:
    rows = [*pixels.split(), "....."]
    joined = ["".join(_HALVES[a + b] for a, b in zip(rows[y], rows[y + 1], strict=False)) for y in (0, 2, 4)]
    return joined[0], joined[1], joined[2]


_BLOCKS = {sign: _blocks(pixels) for sign, pixels in _PIXELS.items()}


def big(text: str, width: int, unicode: bool = True) -> list[str]:
    """Three rows of at most `width` cells; the plain text in the last row when it can not be drawn so.

    >>> big("12", 9)
    ['▀█  ▀▀█', ' █  █▀▀', '▀▀▀ ▀▀▀']
    >>> big("1234567", 9)
    ['', '', '1234567']
    """
    font = _BLOCKS if unicode else _LINES
    signs = [font[char] for char in text.upper() if char in font]
    rows = [" ".join(sign[row] for sign in signs) for row in range(3)]
    fits = bool(signs) and len(signs) == len(text) and len(rows[0]) <= width
    return rows if fits else ["", "", text]
