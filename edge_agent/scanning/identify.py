r"""What a frame of a scanner can mean, before anybody asks what is expected.

    >>> from edge_agent.scanning.labels import label
    >>> from sync.contract import MaterialDefinition, MaterialLot, StorageUnit
    >>> book = PlanBook.of([
    ...     StorageUnit(id="A-03-2", zone="A"),
    ...     MaterialDefinition(id="B-6204", description="Bearing", gtin="09501101530003"),
    ...     MaterialLot(id="B-6204/L75", material="B-6204"),
    ... ])

An own label is believed before anything else:

    >>> [(c.kind.value, c.id, c.trust) for c in identify(b"L:A-03-2.7", book).candidates]
    [('location', 'A-03-2', 1)]

The AIM identifier that the scanner puts before the text says how to read it. A GTIN becomes the item
of the book, and stays a number where the book has none:

    >>> code = identify(b"]d20109501101530003" b"10L75\x1d" b"17261200", book)
    >>> code.symbology, code.candidates[0].id, code.candidates[0].lot, code.candidates[0].expires
    (']d2', 'B-6204', 'L75', datetime.date(2026, 12, 31))

Plain text is looked up in the book, and is never a badge or a command:

    >>> [(c.kind.value, c.id, c.lot) for c in identify(b"L75", book).candidates]
    [('material', 'B-6204', 'L75')]

What can not be trusted has no candidates and a fault:

    >>> identify(b"L:A-03-3.7", book).fault
    'scan.bad_check'
    >>> code = identify(b"]C10109501101530003" b"10L7517261200", book)
    >>> code.fault, code.params["read"], code.params["lot"]
    ('scan.lost_fnc1', 'L7517261200', 'L75')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from edge_agent.planbook import PlanBook
from edge_agent.scanning import gs1, labels
from edge_agent.scanning.expected import Candidate
from edge_agent.views import Kind

PLAIN_TEXT = 6  # the trust of a code that does not say itself what it is
LONGEST = 512  # bytes of a frame; the largest code that the floor prints holds a fraction of it

_AIM = re.compile(r"\][A-Za-z][0-9]")
_CONTROL = re.compile("[\x00-\x03\x05-\x1c\x1f\x7f-\x9f]")  # all but EOT, GS and RS, which codes use
_SWALLOWED = ("10", "11", "13", "15", "17", "21", "240", "30", "310", "37")  # what follows a lot on labels
_HIBC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"


@dataclass(frozen=True, slots=True)
class Identified:
    """A frame read. `text` is without the AIM identifier, which is `symbology` (empty: none was sent).

    `candidates` are all that it can mean, known to the book or not. `fault` is the message code of
    why nothing of it may be used, with `params`; then there are no candidates. `notes` are message
    codes of what is odd about a code that may be used.
    """

    text: str
    symbology: str = ""
    candidates: tuple[Candidate, ...] = ()
    fault: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def identify(raw: bytes, book: PlanBook) -> Identified:
    """Everything that the frame can mean. Never raises, whatever the bytes."""
    text = _decode(raw)
    if len(raw) > LONGEST:
        return _fault(printable(raw[:LONGEST]), "", "scan.too_long", size=str(len(raw)), most=str(LONGEST))
    if _CONTROL.search(text):
        return _fault(printable(raw[:LONGEST]), "", "scan.control_characters")
    aim = _AIM.match(text)
    symbology = aim.group() if aim else ""
    text = text[len(symbology) :].strip(" ")
    if not text.strip(gs1.GS):
        return _fault(text, symbology, "scan.empty")
    match labels.read(text):
        case labels.Label(kind, id, revision):
            return Identified(text, symbology, (Candidate(kind, id, revision=revision),))
        case labels.LabelFault(kind):
            return _fault(text, symbology, "scan.bad_check", what=kind.value)
    reading = gs1.read(text, symbology)
    if reading is not None:
        return _of_reading(text, symbology, reading, book)
    candidates = _plain(text, symbology, book)
    if not candidates and _is_hibc(text):
        return _fault(text, symbology, "scan.hibc_unsupported")
    if not candidates and not symbology and gs1.seems(text):
        return _fault(text, symbology, "scan.no_aim")
    return Identified(text, symbology, candidates)


def broken(raw: bytes, book: PlanBook, code: str) -> Identified:
    """A frame that a keyboard wedge did not send whole, as `code` says: none of it may be used.

    >>> broken(b"4711", PlanBook.of(()), "scan.unended").fault
    'scan.unended'
    """
    read = identify(raw, book)
    return read if read.fault == "scan.too_long" else _fault(read.text, read.symbology, code)


def printable(raw: bytes) -> str:
    r"""The frame as evidence: every byte that is not printable ASCII as \xNN, and a backslash as \x5c.

    >>> print(printable(b"]d2 10L\x1d\xff"))
    ]d2 10L\x1d\xff
    """
    return "".join(chr(b) if 0x20 <= b <= 0x7E and b != 0x5C else f"\\x{b:02x}" for b in raw)


def _decode(raw: bytes) -> str:
    """Scanners send UTF-8 or Latin-1 and do not say which; text that is valid UTF-8 is UTF-8."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _of_reading(text: str, symbology: str, reading: gs1.Gs1Reading, book: PlanBook) -> Identified:
    for number in ("sscc", "gtin"):
        if number in reading.faults:
            return _fault(text, symbology, "scan.bad_check", what=number)
    if "syntax" in reading.faults:
        return _fault(text, symbology, "scan.gs1_unreadable")
    item = book.gtins.get(reading.gtin) if reading.gtin else None
    swallowed = _lost_fnc1(reading.lot, item.id if item else None, book) if reading.lot else None
    if reading.lot and swallowed:
        return _fault(text, symbology, "scan.lost_fnc1", read=reading.lot, lot=swallowed)
    notes = ("scan.bad_date",) if "date" in reading.faults else ()
    return Identified(text, symbology, _gs1_candidates(reading, book), notes=notes)


def _gs1_candidates(reading: gs1.Gs1Reading, book: PlanBook) -> tuple[Candidate, ...]:
    """An SSCC names the handling unit, whatever else the code tells of its content."""
    if reading.sscc:
        return (Candidate(Kind.HANDLING_UNIT, reading.sscc, reading.trust),)
    if reading.gtin:
        item = book.gtins.get(reading.gtin)
        ids = [item.id if item else reading.gtin]
    else:
        ids = [lot.material for lot in book.lots.get(reading.lot or "", ())]
    return tuple(
        Candidate(
            Kind.MATERIAL,
            id,
            reading.trust,
            lot=reading.lot,
            expires=reading.expires,
            best_before=reading.best_before,
            quantity=_quantity(reading, id, book),
            serial=reading.serial,
        )
        for id in ids
    )


def _quantity(reading: gs1.Gs1Reading, material: str, book: PlanBook) -> Decimal | None:
    """The count, or the weight of an item that is booked in kilograms: never a weight for pieces."""
    item = book.materials.get(material)
    if item is not None and item.uom == "kg":
        return reading.weight
    return reading.quantity


def _lost_fnc1(lot: str, material: str | None, book: PlanBook) -> str | None:
    """The known lot that this one seems to be, grown by the element strings behind a lost separator.

    A scanner that drops the separator makes lot LOT1 with serial SER9 read as lot LOT121SER9.
    """
    if _has_lot(lot, material, book):
        return None
    for end in range(len(lot) - 1, 0, -1):
        shorter, rest = lot[:end], lot[end:]
        if rest.startswith(_SWALLOWED) and _has_lot(shorter, material, book) and gs1.element_strings(rest)[1]:
            return shorter
    return None


def _has_lot(number: str, material: str | None, book: PlanBook) -> bool:
    return any(material in (None, lot.material) for lot in book.lots.get(number, ()))


def _plain(text: str, symbology: str, book: PlanBook) -> tuple[Candidate, ...]:
    """Whatever the book knows under this text; digits that fit a GTIN are that too, without a symbology."""
    found = [
        Candidate(kind, text, PLAIN_TEXT)
        for kind in (Kind.MATERIAL, Kind.JOB, Kind.LOCATION, Kind.HANDLING_UNIT)
        if book.knows(kind, text)
    ]
    material, slash, number = text.rpartition("/")
    if slash and book.lot_of(material, number):
        found.append(Candidate(Kind.MATERIAL, material, PLAIN_TEXT, lot=number))
    for lot in book.lots.get(text, ()):
        found.append(Candidate(Kind.MATERIAL, lot.material, PLAIN_TEXT, lot=text))
    gtin = gs1.gtin(text) if not symbology else None
    if gtin:
        item = book.gtins.get(gtin)
        found.append(Candidate(Kind.MATERIAL, item.id if item else gtin, PLAIN_TEXT))
    return tuple(dict.fromkeys(found))


def _is_hibc(text: str) -> bool:
    """A HIBC LIC code: `+`, at least a labeler and an item, and the check character (mod 43) fits."""
    if len(text) < 8 or text[0] != "+" or any(char not in _HIBC for char in text):
        return False
    return sum(map(_HIBC.index, text[:-1])) % 43 == _HIBC.index(text[-1])


def _fault(text: str, symbology: str, code: str, **params: str) -> Identified:
    return Identified(text, symbology, fault=code, params={"text": text} | params)
