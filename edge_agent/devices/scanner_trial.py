"""The scanners of a terminal under test: while somebody looks, their bytes come here and are no scans."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from device_drivers.contract import Signal, Tap
from device_drivers.scanners.detection import TEST_CODE, Bursts, Found, NotFound, detect, faults, site_options
from device_drivers.scanners.framing import CHARACTER_TIMEOUT
from edge_agent.clock import Clock
from edge_agent.devices.code128 import drawn, gs1_128
from edge_agent.devices.kept_alive import DeviceSettings
from edge_agent.devices.scanner_check import shown, site_table
from edge_agent.views.scanner_report import ScannerFinding, ScannerReading, ScannerReport

WANTED = 3  # scans alike, before anything is said of the scanner
HEARTBEAT_SECONDS = 5.0
_ROWS = 4  # of the code on the screen
_LONGEST = 512  # bytes of a scan; what follows is noise, or a scanner that is set to another speed
_UNWRITABLE = {"no_suffix", "affix"}  # the site file can not say how to live with it
_OTHERWISE = ("mode", "prefix", "suffix", "aim")  # the options that the test finds out


class Scanners(Protocol):
    """What a trial needs of `edge_agent.devices.kept_alive.Devices`."""

    def tap(self, name: str, take: Tap | None) -> None: ...
    def signal(self, name: str, verdict: Signal) -> None: ...


class NoTrial(Exception):
    """It can not be done. `code` names the words, `params` are in them: no scanner, another looks already, nothing to
    write."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Trials:
    """The trials of all terminals, at most one each. What they find is written into `folder`."""

    def __init__(
        self, settings: Sequence[DeviceSettings], scanners: Scanners, clock: Clock, folder: Path
    ) -> None:
        self._settings = settings
        self._scanners = scanners
        self._clock = clock
        self._folder = folder
        self._running: dict[str, Trial] = {}

    def lines(self, terminal: str) -> AsyncIterator[bytes]:
        """The reports of a new trial, one a line; it ends with them. Raises NoTrial, at once."""
        return self._lines(terminal, self._opened(terminal))

    def _opened(self, terminal: str) -> Trial:
        mine = {each.name: each for each in self._settings if each.terminal == terminal}
        if not mine:
            raise NoTrial("scanner_page.no_scanner")
        if terminal in self._running and self._running[terminal].begun:
            raise NoTrial("scanner_page.busy")
        trial = self._running[terminal] = Trial(mine, self._scanners, self._clock)
        return trial

    async def _lines(self, terminal: str, trial: Trial) -> AsyncIterator[bytes]:
        """Run it until nobody looks any more; then the scanners are at work again."""
        try:
            trial.begin()
            async for report in trial.reports():
                yield msgspec.json.encode(report) + b"\n"
        finally:
            trial.close()
            if self._running.get(terminal) is trial:
                del self._running[terminal]

    def write(self, terminal: str) -> ScannerReport:
        """Write what was found for the site file; the report says where. Raises NoTrial, OSError."""
        trial = self._running.get(terminal)
        if trial is None:
            raise NoTrial("scanner_page.not_running")
        return trial.write(self._folder)


class Trial:
    """One test of the scanners of one terminal."""

    def __init__(self, settings: dict[str, DeviceSettings], scanners: Scanners, clock: Clock) -> None:
        self._settings = settings
        self._scanners = scanners
        self._clock = clock
        self._bursts = Bursts()
        self._told = 0
        self._news = asyncio.Event()
        code = tuple(drawn(gs1_128(TEST_CODE), _ROWS))
        self._report = ScannerReport(
            scanners=tuple(settings), known=TEST_CODE.replace(b"\x1d", b"<FNC1>").decode("ascii"),
            code=code, wanted=WANTED,
        )  # fmt: skip
        self.begun = False

    def begin(self) -> None:
        """From now on what the scanners send is no scan."""
        self.begun = True
        for name in self._settings:
            self._scanners.tap(name, self._taker(name))

    def close(self) -> None:
        """Give the scanners back to the work."""
        for name in self._settings:
            self._scanners.tap(name, None)

    async def reports(self) -> AsyncIterator[ScannerReport]:
        """The test so far: now, after each scan, and as often as the line must be heard."""
        yield self._report
        while True:
            self._news.clear()
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    if len(self._bursts.scans) == self._told:
                        await self._news.wait()
                    while len(done := self._bursts.done(self._clock.monotonic())) == self._told:
                        await self._clock.sleep_until(self._clock.monotonic() + CHARACTER_TIMEOUT)
                    self._heard(done)
            except TimeoutError:
                pass
            yield self._report

    def write(self, folder: Path) -> ScannerReport:
        """Write the table. Raises NoTrial while there is none, with what stands in the way; OSError."""
        report, finding = self._report, self._report.finding
        if report.problem:
            raise NoTrial(f"scanner_page.{report.problem}", known=report.known)
        if finding is None:
            left = WANTED - len(report.readings)
            raise NoTrial("scanner_page.scan_more" if report.readings else "scanner_page.nothing_found", n=str(left))
        if not finding.table:
            raise NoTrial(f"scanner_page.{next(fault for fault in finding.faults if fault in _UNWRITABLE)}")
        path = folder / f"scanner-{re.sub(r'[^A-Za-z0-9_-]', '_', self._report.scanner)}.toml"
        path.write_text(finding.table, encoding="utf-8")
        self._report = msgspec.structs.replace(self._report, written=str(path.resolve()))
        return self._report

    def _taker(self, name: str) -> Tap:
        def take(data: bytes) -> None:
            if name != self._report.scanner:
                self._bursts, self._told = Bursts(), 0
                self._report = msgspec.structs.replace(
                    self._report, scanner=name, readings=(), finding=None, problem="", written=""
                )
            scans = self._bursts.scans
            endless = bool(scans) and len(scans[-1]) > _LONGEST
            self._bursts.add(b"" if endless else data[:_LONGEST], self._clock.monotonic())
            self._news.set()

        return take

    def _heard(self, scans: Sequence[bytes]) -> None:
        """Scans are complete: say what the last of them tell; one in host-ACK mode waits for the answer."""
        self._told = len(scans)
        self._scanners.signal(self._report.scanner, "good")
        last = scans[-WANTED:]
        readings = tuple(ScannerReading(shown(scan), scan.hex(" ").upper()) for scan in last)
        report = msgspec.structs.replace(self._report, readings=readings, finding=None, problem="", written="")
        try:
            found = detect(last, TEST_CODE)
        except NotFound as error:
            problem = "" if error.kind == "nothing" else error.kind
            self._report = msgspec.structs.replace(report, problem=problem)
            return
        finding = self._finding(found) if len(last) == WANTED else None
        self._report = msgspec.structs.replace(report, finding=finding)

    def _finding(self, found: Found) -> ScannerFinding:
        wrong = tuple(faults(found))
        writable = not _UNWRITABLE & set(wrong)
        return ScannerFinding(
            prefix=shown(found.prefix), suffix=shown(found.suffix), aim=found.aim, separator=found.separator,
            instead=shown(found.instead), faults=wrong, table=self._table(found) if writable else "",
        )  # fmt: skip

    def _table(self, found: Found) -> str:
        """What the site file says of the scanner, with what was found in the place of what it said of that."""
        settings = self._settings[self._report.scanner]
        options: Any = settings.options
        defaults = {field.name: field.default for field in msgspec.structs.fields(options)}
        said = {
            name: value for name in options.__struct_fields__
            if name not in _OTHERWISE and (value := getattr(options, name)) != defaults[name]
        }  # fmt: skip
        said |= site_options(found)
        msgspec.convert(said, type(options))  # what is written must be good
        return site_table(settings.driver, said, settings.name, settings.terminal)
