"""Own labels: `<P>:<id>.<check>`, the codes that a plant prints for its places, people and papers.

The prefix says what the code is, the check character that it was read or typed as it was printed:

    >>> label(Kind.LOCATION, "A-03-2")
    'L:A-03-2.7'
    >>> read("L:A-03-2.7")
    Label(kind=<Kind.LOCATION: 'location'>, id='A-03-2', revision=None)

A label of a drawing also says which revision it was printed for, after the last slash:

    >>> label(Kind.DRAWING, "DRW-1001", "C")
    'D:DRW-1001/C.I'
    >>> read("D:DRW-1001/C.I").revision
    'C'

A wrong digit, a dash in the wrong place or a missing check character is a fault, never another place:

    >>> read("L:A-0-32.7")
    LabelFault(kind=<Kind.LOCATION: 'location'>, text='L:A-0-32.7')

What does not look like an own label is not one:

    >>> read("4006381333931") is None
    True
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_agent.views import Kind

PREFIXES = {
    "L": Kind.LOCATION,
    "B": Kind.BADGE,
    "H": Kind.HANDLING_UNIT,
    "J": Kind.JOB,
    "T": Kind.TOOL,
    "R": Kind.REASON,
    "C": Kind.COMMAND,
    "W": Kind.WORKSTATION,
    "D": Kind.DRAWING,
}
LONGEST_ID = 64  # characters, a revision and its slash included: more does not fit a shelf label

_LETTERS = {kind: letter for letter, kind in PREFIXES.items()}
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FRAME = re.compile(rb"[\x00-\x20]*(?:\][A-Za-z][0-9])?[\x00-\x20]*([A-Za-z]):")  # AIM identifier, prefix
_OTHER_SHIFT = 13  # gives "-", "." and "/" the values of W, X and Y: never next to a digit's


@dataclass(frozen=True, slots=True)
class Label:
    """What an own label says. `revision` only on drawings, None when the label names none."""

    kind: Kind
    id: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFault:
    """It looks like an own label of this kind, but its check character is missing or does not fit."""

    kind: Kind
    text: str


def label(kind: Kind, id: str, revision: str | None = None) -> str:
    """The text to print for a thing.

    Raises ValueError, with a sentence, for what no own label can carry: a kind without a prefix, an
    id that is not `printable_id`, a revision on anything but a drawing.
    """
    if kind not in _LETTERS:
        raise ValueError(f"There is no own label for {kind.value}.")
    if revision is not None and kind is not Kind.DRAWING:
        raise ValueError(f"A label for {kind.value} carries no revision.")
    if "/" in (revision or "") or (kind is Kind.DRAWING and revision is None and "/" in id):
        raise ValueError(f"What follows the last / of a drawing label is its revision: {id!r}, {revision!r}.")
    body = id if revision is None else f"{id}/{revision}"
    if not printable_id(body) or not printable_id(id) or revision == "":
        raise ValueError(f"A label can not carry {body!r}: 1 to {LONGEST_ID} ASCII characters, no space.")
    letter = _LETTERS[kind]
    return f"{letter}:{body}.{check_character(letter + body)}"


def label_or_none(kind: Kind, id: str, revision: str | None = None) -> str | None:
    """As `label`, for ids of the ERP, which may be anything: None for what no own label can carry.

    >>> label_or_none(Kind.REASON, "tool broken") is None
    True
    """
    try:
        return label(kind, id, revision)
    except ValueError:
        return None


def read(text: str) -> Label | LabelFault | None:
    """What an own label says; a fault when it is damaged; None when the text is no own label at all.

    The prefix is a capital letter; the check character may be of either case.
    """
    kind = PREFIXES.get(text[:1])
    if kind is None or text[1:2] != ":":
        return None
    body, dot, check = text[2:].rpartition(".")
    if not dot or not printable_id(body):
        return LabelFault(kind, text)
    right = check_character(text[0] + body)
    if check not in (right, right.lower()):
        return LabelFault(kind, text)
    if kind is not Kind.DRAWING:
        return Label(kind, body)
    document, _, revision = body.rpartition("/")
    return Label(kind, document, revision) if document and revision else Label(kind, body)


def looks_like(kind: Kind, raw: bytes) -> bool:
    r"""Whether a frame begins as an own label of the kind does, damaged or not.

    >>> [looks_like(Kind.BADGE, raw) for raw in (b"B:1001.K", b"]C0B:1001", b"\x02b:10\x00", b"J:1.B")]
    [True, True, True, False]
    """
    begins = _FRAME.match(raw)
    return begins is not None and _LETTERS.get(kind) == begins[1].decode().upper()


def printable_id(id: str) -> bool:
    """Whether an own label can carry the id: 1 to 64 characters of printable ASCII without the space."""
    return 0 < len(id) <= LONGEST_ID and all("!" <= char <= "~" for char in id)


def check_character(text: str) -> str:
    """The check character of printable ASCII text: ISO/IEC 7064, MOD 37,36, letters of either case.

    For text of letters and digits it is the standard, which catches every wrong character, and every
    swap of two neighbours but one pair in 630: of values that differ by one, at one place in 36.
    Signs have no value in the standard; the usual way out is to skip them, and then A-1-12 and
    A-11-2 would have one check character. Here each counts as (its ASCII code - 13) mod 36: a sign
    that is wrong or swapped with its neighbour is caught like a letter, `-`, `.` or `/` swapped with a
    digit always. Not caught is a sign taken for the one letter or digit of the same value (`-` for W).

    >>> check_character("A12425GABC1234002")
    'M'
    """
    product = 36
    for char in text.upper():
        product = ((product + _value(char)) % 36 or 36) * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def _value(char: str) -> int:
    position = _ALPHABET.find(char)
    return position if position >= 0 else (ord(char) - _OTHER_SHIFT) % 36
