"""`floorhand scanner-test`: shows what a scanner sends, finds out how it is set, and writes its options."""

from __future__ import annotations

import argparse
import asyncio
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

import device_drivers
from device_drivers.contract import DeviceError
from device_drivers.scanners.detection import GS, Bursts, advice, detect, site_options
from device_drivers.scanners.framing import CHARACTER_TIMEOUT
from device_drivers.scanners.options import ScannerOptions
from device_drivers.scanners.wire import Connect
from edge_agent.clock import Clock
from edge_agent.devices.code128 import drawn, gs1_128

_NAMES = {0x02: "<STX>", 0x03: "<ETX>", 0x09: "<TAB>", 0x0A: "<LF>", 0x0D: "<CR>", 0x1D: "<GS>", 0x20: "<SP>"}
_WIDEST = 80  # columns of a terminal that everybody has

Tell = Callable[[str], None]


def place_of(given: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The driver that reads the scanner, and its options so far: HOST:PORT is a serial server.

    >>> place_of(argparse.Namespace(port="192.0.2.7:4001", baudrate=9600, profile="zebra"))
    ('tcp_scanner', {'host': '192.0.2.7', 'port': 4001, 'profile': 'zebra'})
    """
    host, _, number = given.port.rpartition(":")
    profile = {"profile": given.profile}
    if host and "/" not in host and number.isdecimal():
        return "tcp_scanner", {"host": host, "port": int(number), **profile}
    return "serial_scanner", {"port": given.port, "baudrate": given.baudrate, **profile}


class Checked(NamedTuple):
    """Whether the scanner is set well, and its part of the site file; empty when nothing ends its scans."""

    well: bool
    table: str


async def run(given: argparse.Namespace, clock: Clock, tell: Tell) -> Checked:
    """Ask for scans, tell what they say. Raises DeviceError, NotFound, and ValueError for a wrong option."""
    driver, said = place_of(given)
    module: Any = device_drivers.load(driver)
    options: ScannerOptions = msgspec.convert(said, module.Options)
    known = given.known.encode("latin-1").decode("unicode_escape").encode("latin-1")
    _ask(known, given.scans, tell)
    scans = await _scans(
        functools.partial(module.connect, options), options, given.scans, given.patience, clock, tell
    )
    found = detect(scans, known)
    tell(f"Prefix {shown(found.prefix) or 'none'}, suffix {shown(found.suffix) or 'none'}, AIM {found.aim or 'off'}")
    tell(f"FNC1 {found.separator}" + (" (the label has none)" if found.separator == "untested" else ""))
    todo = advice(found)
    for sentence in todo:
        tell(f"! {sentence}")
    said |= site_options(found)
    if not found.suffix:
        return Checked(False, "")
    msgspec.convert(said, module.Options)  # what is written must be good
    return Checked(not todo, site_table(driver, said))


def shown(raw: bytes) -> str:
    """Bytes for people: control characters by name, all that is not ASCII in hex.

    >>> shown(b"]C110A1" + b"\\x1d217\\r" + b"\\xff")
    ']C110A1<GS>217<CR><FF>'
    """
    return "".join(
        _NAMES.get(byte) or (chr(byte) if 0x20 < byte < 0x7F else f"<{byte:02X}>") for byte in raw
    )


def site_table(driver: str, said: dict[str, Any], name: str = "scanner-1", terminal: str = "T1") -> str:
    """The table of the site file; names of scanner and terminal that only people know are examples."""
    head = f"[[scanners]]\nname = {_toml(name)}\ndriver = {_toml(driver)}\nterminal = {_toml(terminal)}\n"
    head += "\n[scanners.options]\n"
    return head + "".join(f"{key} = {_toml(value)}\n" for key, value in said.items())


def _toml(value: str | bool | int | float) -> str:
    if isinstance(value, str):
        plain = {'"': '\\"', "\\": "\\\\"}
        return '"' + "".join(
            plain.get(each) or (each if " " <= each <= "~" else f"\\u{ord(each):04x}") for each in value
        ) + '"'  # fmt: skip
    return str(value).lower()


def _ask(known: bytes, scans: int, tell: Tell) -> None:
    modules = gs1_128(known)
    lines = drawn(modules)
    if len(lines[0]) <= _WIDEST:
        for line in lines:
            tell(line)
        where = "the code above, or a printed one of the same text"
    else:
        where = "the printed label"
    text = known.replace(GS, b"<FNC1>").decode("ascii")
    tell(f"Scan {where} ({text}) {scans} times, with a pause of a second between.")


async def _scans(
    connect: Connect, options: ScannerOptions, count: int, patience: float, clock: Clock, tell: Tell
) -> list[bytes]:
    """The raw bytes of so many scans, or of those that came while the person was patient."""
    bursts, news = Bursts(), asyncio.Event()
    lost: list[DeviceError] = []

    def take(data: bytes) -> None:
        bursts.add(data, clock.monotonic())
        news.set()

    def lose(error: DeviceError) -> None:
        lost.append(error)
        news.set()

    wire = await connect(take, lose)
    tell("Listening.")
    told = 0
    try:
        while told < count:
            news.clear()
            in_scan = len(bursts.scans) > told
            heard = await _within(CHARACTER_TIMEOUT if in_scan else patience, news)
            if lost:
                raise lost[0]
            if not heard and not in_scan:
                break
            for raw in bursts.done(clock.monotonic())[told:]:
                told += 1
                tell(f"{told}: {shown(raw)}")
                wire.write(options.spoken.good.encode("latin-1"))  # one in host-ACK mode waits for it
    finally:
        wire.close()
    return bursts.scans[:told]


async def _within(seconds: float, news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return False
    return True
