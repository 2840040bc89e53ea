"""What crosses the local socket while a scanner is tested: the bytes of its scans, and what they say of it."""

from __future__ import annotations

from typing import Literal

import msgspec


class ScannerReading(msgspec.Struct, frozen=True):
    """One scan, byte by byte: `shown` with control characters by name, `hex` as numbers."""

    shown: str
    hex: str


class ScannerFinding(msgspec.Struct, frozen=True, kw_only=True):
    """How the scanner is set, found out from scans of the known label; `prefix`, `suffix` and `instead` as shown.

    `separator`: what became of FNC1 between two parts (kept, lost, replaced by `instead`, or untested).
    `faults`: what is to be changed in the scanner; empty when all is well. `table` is its part of the site
    file, empty while nothing ends a scan.
    """

    prefix: str
    suffix: str
    aim: str
    separator: Literal["kept", "lost", "replaced", "untested"]
    instead: str
    faults: tuple[Literal["no_suffix", "affix", "no_aim", "fnc1_lost", "fnc1_replaced"], ...]
    table: str


class ScannerReport(msgspec.Struct, frozen=True, kw_only=True):
    """The test of a terminal's scanners so far.

    `known` is the text of the label to scan, `code` the label itself in lines of a terminal, light drawn.
    `readings` are the last ones of `scanner`, oldest first; `wanted` of them make a finding. `problem` is why
    they make none. `written`: the file that holds the table.
    """

    scanners: tuple[str, ...]
    scanner: str = ""
    known: str
    code: tuple[str, ...]
    wanted: int
    readings: tuple[ScannerReading, ...] = ()
    finding: ScannerFinding | None = None
    problem: Literal["", "differs", "no_label", "twice"] = ""
    written: str = ""
