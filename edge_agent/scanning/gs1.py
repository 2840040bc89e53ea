"""GS1: element strings, GTINs of retail symbols and Digital Link URIs, read as one kind of answer.

An element string is believed only when the scanner said that the symbol is a GS1 one, or when the
text starts with the group separator that stands for FNC1:

    >>> read("0109501101530003" "17261200" "10L75", "]d2")
    Gs1Reading(trust=2, gtin='09501101530003', lot='L75', expires=datetime.date(2026, 12, 31))
    >>> read("0109501101530003" "17261200" "10L75", "") is None
    True

A date that does not exist spoils the date only; a wrong check digit is told and never passed over:

    >>> read("0109501101530003" "17260231" "10L75", "]C1")
    Gs1Reading(trust=2, gtin='09501101530003', lot='L75', faults=('date',))
    >>> read("0109501101530004", "]C1").faults
    ('gtin',)

Retail symbols and web addresses:

    >>> read("9501101530003", "]E0")
    Gs1Reading(trust=3, gtin='09501101530003')
    >>> read("https://id.gs1.org/01/09501101530003/10/L75", "]Q1")
    Gs1Reading(trust=4, gtin='09501101530003', lot='L75')
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl, unquote

from edge_agent.scanning.application_identifiers import identifier

GS = "\x1d"  # how scanners send the FNC1 that ends an element string
ELEMENT_SYMBOLOGIES = frozenset({"]C1", "]d2", "]Q3", "]e0", "]J1"})
GTIN_SYMBOLOGIES = frozenset({"]E0", "]E4", "]I1"})

_DATES = frozenset({"11", "12", "13", "15", "16", "17"})
_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_UPC_E_LENGTHS = frozenset({6, 7, 8})
_LINK = re.compile(
    r"https?://[^/?#]+(?:/[^?#]*?)??"  # any host, any path before the key
    r"/(00/\d{18}|01/(?:\d{8}|\d{12,14}))"
    r"(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)


@dataclass(frozen=True, slots=True, repr=False)
class Gs1Reading:
    """What a GS1 code says, as far as the floor uses it.

    `trust` is the payload class (2 element string, 3 GTIN, 4 Digital Link). `gtin` has 14 digits,
    `sscc` 18. `expires` is the use-by date (AI 17 or 7003), `best_before` that of AI 15. `quantity` is a count
    (AI 30 or 37), `weight` the net kilograms (AI 310n). `faults`: `gtin`, `sscc`: its check digit is
    wrong; `date`: a date does not exist and was left out; `syntax`: part of the code is not GS1.
    """

    trust: int
    gtin: str | None = None
    sscc: str | None = None
    lot: str | None = None
    expires: date | None = None
    best_before: date | None = None
    quantity: Decimal | None = None
    weight: Decimal | None = None
    serial: str | None = None
    faults: tuple[str, ...] = ()

    def __repr__(self) -> str:
        values = ((one.name, getattr(self, one.name)) for one in fields(self))
        said = (f"{name}={value!r}" for name, value in values if value not in (None, ()))
        return f"Gs1Reading({', '.join(said)})"


def read(text: str, symbology: str) -> Gs1Reading | None:
    """What the text of a code says as GS1, without its AIM identifier; None when it is nothing of GS1.

    `symbology` is that identifier (`]d2`), empty when the scanner sends none. Never raises.
    """
    if text[:4].lower() == "http":
        return _digital_link(text)
    if symbology in ELEMENT_SYMBOLOGIES or text.startswith(GS):
        return _reading(2, *element_strings(text))
    if symbology in GTIN_SYMBOLOGIES and _is_digits(text):
        return _retail(text, symbology)
    return None


def gtin(text: str) -> str | None:
    """The 14 digits of a GTIN-8, -12, -13 or -14 with the right check digit; None for any other text.

    >>> gtin("4006381333931"), gtin("4006381333930"), gtin("LOT-7")
    ('04006381333931', None, None)
    """
    if len(text) in _GTIN_LENGTHS and _is_digits(text) and _check_digit_fits(text):
        return text.zfill(14)
    return None


def seems(text: str) -> bool:
    """Whether text that nobody said is GS1 reads as it to the last character, with the right check digit.

    >>> seems("0104006381334013" "10L207"), seems("0104006381334014" "10L207"), seems("10L207")
    (True, False, False)
    """
    values, understood = element_strings(text)
    keys = [values[ai] for ai in ("00", "01", "02") if ai in values]
    return understood and bool(keys) and all(map(_check_digit_fits, keys))


def element_strings(text: str) -> tuple[dict[str, str], bool]:
    """The values by application identifier, and whether the whole text was understood.

    Reading stops at the first thing that is not GS1. The same identifier twice with two values is
    not GS1 either, nor is a variable-length value that goes on where its group separator is missing.
    """
    found: dict[str, str] = {}
    rest = text.strip(GS)
    while rest:
        head = _first(rest)
        if head is None or found.get(head[0], head[1]) != head[1]:
            return found, False
        found[head[0]] = head[1]
        rest = rest[len(head[0]) + len(head[1]) :].lstrip(GS)
    return found, True


def _first(text: str) -> tuple[str, str] | None:
    """The first element string: identifier and value. A date is six digits here, whatever they say."""
    found = identifier(text)
    if found is None:
        return None
    field = text.split(GS, 1)[0]
    value = found.value_of(field[len(found.code) :])
    return (found.code, value) if value else None


def _reading(trust: int, values: Mapping[str, str], understood: bool) -> Gs1Reading:
    faults = [] if understood else ["syntax"]
    item, sscc = values.get("01") or values.get("02"), values.get("00")
    if item and not _check_digit_fits(item):
        faults.append("gtin")
    if sscc and not _check_digit_fits(sscc):
        faults.append("sscc")
    if any(_date(value) is None for ai, value in values.items() if ai in _DATES or ai == "7003"):
        faults.append("date")
    expires, best_before = values.get("17") or values.get("7003"), values.get("15")
    count = values.get("30") or values.get("37")
    return Gs1Reading(
        trust,
        gtin=item,
        sscc=sscc,
        lot=values.get("10"),
        expires=_date(expires) if expires else None,
        best_before=_date(best_before) if best_before else None,
        quantity=Decimal(count) if count else None,
        weight=next(_weights(values), None),
        serial=values.get("21"),
        faults=tuple(faults),
    )


def _retail(digits: str, symbology: str) -> Gs1Reading | None:
    """An EAN, UPC or ITF-14 symbol; eight digits or fewer under `]E0` are a UPC-E with its zeros left out."""
    if symbology == "]E0" and len(digits) in _UPC_E_LENGTHS:
        return _upc_e(digits)
    if len(digits) not in _GTIN_LENGTHS:
        return None
    return Gs1Reading(3, gtin=digits.zfill(14), faults=() if _check_digit_fits(digits) else ("gtin",))


def _upc_e(digits: str) -> Gs1Reading:
    """A UPC-E of six digits, with the number system before them, and with the check digit behind them too."""
    system, kept = ("0", digits) if len(digits) == 6 else (digits[0], digits[1:7])
    payload = system + _with_zeros(kept)
    whole = payload + (digits[7:] or _check_digit(payload))
    if system not in "01" or not _check_digit_fits(whole):
        return Gs1Reading(3, faults=("gtin",))
    return Gs1Reading(3, gtin=whole.zfill(14))


def _with_zeros(kept: str) -> str:
    """The ten digits that a UPC-E stands for: its last one says where zeros were left out (5.2.2.4.2)."""
    last = kept[5]
    if last in "012":
        return f"{kept[:2]}{last}0000{kept[2:5]}"
    if last == "3":
        return f"{kept[:3]}00000{kept[3:5]}"
    if last == "4":
        return f"{kept[:4]}00000{kept[4]}"
    return f"{kept[:5]}0000{last}"


def _digital_link(uri: str) -> Gs1Reading | None:
    """A web address with a GTIN or an SSCC in its path (GS1 Digital Link, URI syntax); None for any other."""
    match = _LINK.fullmatch(uri)
    if match is None:
        return None
    key, path, query = match.groups()
    steps = [unquote(step) for step in (path or "").strip("/").split("/") if step]
    values = {key[:2]: key[3:].zfill(14)}
    understood = len(steps) % 2 == 0
    for ai, value in (*zip(steps[::2], steps[1::2], strict=False), *parse_qsl(query or "")):
        found = identifier(ai)
        if found is None or found.code != ai:
            continue  # the owner of the address may add what he likes
        fits = _first(ai + value) == (ai, value) and values.setdefault(ai, value) == value
        understood = understood and fits
    return _reading(4, values, understood)


def _weights(values: Mapping[str, str]) -> Iterator[Decimal]:
    for ai, value in values.items():
        if ai.startswith("310"):
            yield Decimal(value).scaleb(-int(ai[3]))


def _date(value: str) -> date | None:
    """The date of YYMMDD; day 00 is the last of the month (GS1 General Specifications, 3.4).

    The standard takes the century nearest to today (7.12). This is its rule as it stands in 2026, for
    good: a code must read the same whenever it is read. No expiry date in use comes near the edge.
    """
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:6])
    year += 1900 if year > 76 else 2000
    if not 1 <= month <= 12:
        return None
    last = calendar.monthrange(year, month)[1]
    return date(year, month, day or last) if day <= last else None


def _check_digit_fits(digits: str) -> bool:
    return digits[-1] == _check_digit(digits[:-1])


def _check_digit(payload: str) -> str:
    """The check digit of GTIN, SSCC and their kind (7.9.1): weights 3 and 1 from the right, sum to a ten."""
    weighted = (int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(payload)))
    return str(-sum(weighted) % 10)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
