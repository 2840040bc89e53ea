r"""How a scanner is set, found out from the bytes that it sends for a label whose text is known. Pure.

>>> found = detect([b"~]C110A1\x1d217\r\n"] * 3, TEST_CODE)
>>> found.prefix, found.aim, found.separator, found.suffix
(b'~', ']C1', 'kept', b'\r\n')
>>> site_options(found)
{'mode': 'affix', 'prefix': '~', 'suffix': '\r\n', 'aim': True}
>>> detect([b"10A1217\r"], TEST_CODE).separator
'lost'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from device_drivers.scanners.framing import CHARACTER_TIMEOUT

GS = b"\x1d"  # what a scanner sends for the FNC1 that separates two parts of a GS1 code
# (10)A1(21)7: batch "A1" has no fixed length, so that FNC1 must stand behind it.
TEST_CODE = b"10A1" + GS + b"217"

_LINE_ENDS = (b"\r", b"\n", b"\r\n")
_IN_STX = re.compile(rb"\x03[\r\n]*")

Separator = Literal["kept", "lost", "replaced", "untested"]


class Bursts:
    """The bytes of one scan each: a pause of CHARACTER_TIMEOUT ends a scan, whatever else stands at its end."""

    def __init__(self) -> None:
        self.scans: list[bytes] = []
        self._last = float("-inf")

    def add(self, data: bytes, at: float) -> None:
        """Bytes that were read at `at` (seconds, monotonic)."""
        if at - self._last >= CHARACTER_TIMEOUT or not self.scans:
            self.scans.append(b"")
        self.scans[-1] += data
        self._last = at

    def done(self, now: float) -> list[bytes]:
        """The scans that nothing can be added to any more."""
        return self.scans if now - self._last >= CHARACTER_TIMEOUT else self.scans[:-1]


@dataclass(frozen=True, slots=True)
class Found:
    """What one scan, or all of them alike, say of the scanner.

    `aim` is the AIM identifier, with its flag; empty when there was none. `separator`: what became of
    FNC1 in the code; when it was replaced, by `instead`.
    """

    prefix: bytes
    aim: str
    separator: Separator
    instead: bytes
    suffix: bytes


Fault = Literal["no_suffix", "affix", "no_aim", "fnc1_lost", "fnc1_replaced"]


class NotFound(Exception):
    """The scans can not be understood. `str(error)` is a sentence that says which one, and why.

    `kind`: nothing (there was none), differs, no_label (another text), twice (two labels in one).
    """

    def __init__(self, kind: Literal["nothing", "differs", "no_label", "twice"], words: str) -> None:
        super().__init__(words)
        self.kind = kind


def detect(scans: Sequence[bytes], known: bytes) -> Found:
    """How the scanner is set; each of `scans` are the raw bytes of one scan of the label that holds `known`.

    `known` is the text of the label with GS where it has an FNC1 between two parts. Raises NotFound when
    a scan does not hold the text, or when two scans differ in what stands around it.
    """
    if not scans:
        raise NotFound("nothing", "Nothing was read.")
    found = [_detect(number, raw, known) for number, raw in enumerate(scans, 1)]
    for number, each in enumerate(found, 1):
        if each != found[0]:
            raise NotFound(
                "differs",
                f"Scan {number} came in another way than scan 1. Scan the same label each time, and wait "
                "until the scanner is ready.",
            )
    return found[0]


def site_options(found: Found) -> dict[str, str | bool]:
    """The options of the site file for such a scanner; for one without a suffix there are none."""
    said: dict[str, str | bool] = {}
    plain = not found.prefix and found.suffix in _LINE_ENDS
    if not plain and not (found.prefix == b"\x02" and _IN_STX.fullmatch(found.suffix)):
        said = {"mode": "affix", "prefix": found.prefix.decode("latin-1"), "suffix": found.suffix.decode("latin-1")}
    return said | ({"aim": True} if found.aim else {})


def advice(found: Found) -> list[str]:
    """What is to be changed in the scanner, in sentences; empty when all is well."""
    words: dict[Fault, str] = {
        "no_suffix": "Nothing ends a scan: set the suffix CR in the scanner.",
        "affix": "Prefix and suffix must be at most 16 ASCII characters each: change them in the scanner.",
        "no_aim": "AIM identifiers are off: a GTIN can not be told from a number of your own. "
        "Switch them on for all codes.",
        "fnc1_lost": "FNC1 is lost: lot and serial number become one. Let the scanner transmit it as GS (hex 1D).",
        "fnc1_replaced": f"FNC1 comes as {found.instead!r}: let the scanner transmit it as GS (hex 1D).",
    }
    return [words[fault] for fault in faults(found)]


def faults(found: Found) -> list[Fault]:
    """What is to be changed in the scanner; empty when all is well."""
    told: list[Fault] = []
    if not found.suffix:
        told.append("no_suffix")
    if len(found.prefix) > 16 or len(found.suffix) > 16 or not (found.prefix + found.suffix).isascii():
        told.append("affix")
    if not found.aim:
        told.append("no_aim")
    if found.separator == "lost":
        told.append("fnc1_lost")
    if found.separator == "replaced":
        told.append("fnc1_replaced")
    return told


def _detect(number: int, raw: bytes, known: bytes) -> Found:
    parts = [re.escape(part) for part in known.split(GS)]
    body = rb"(.{0,8}?)".join(parts)
    match = re.fullmatch(rb"(?P<before>.*?)(?P<aim>\][A-Za-z][0-9A-Za-z])?\x1d?" + body + rb"(?P<after>.*)", raw, re.S)
    if match is None:
        raise NotFound("no_label", f"Scan {number} does not hold the text of the label: it was {raw!r}.")
    before, aim, *between, after = match.groups()
    if re.search(body, after, re.S):
        raise NotFound("twice", f"Scan {number} holds the label twice: wait a moment between two scans.")
    separator, instead = _separator(between)
    return Found(before, (aim or b"").decode("ascii"), separator, instead, after)


def _separator(between: Sequence[bytes]) -> tuple[Separator, bytes]:
    if not between:
        return "untested", b""
    odd = next((each for each in between if each != GS), None)
    if odd is None:
        return "kept", b""
    return ("replaced", odd) if odd else ("lost", b"")
