"""The scanner page: a code to scan, the bytes that came of it, how the scanner is set, its part of the site file."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from edge_agent.views.scanner_report import ScannerFinding, ScannerReport
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.overlay import Overlay, Sheet
from terminal_ui.widgets.lines import EMPTY, line, wrapped

_CODE_STYLE = "#ffffff on #000000"  # light is drawn: a reader needs it lighter than the bars, in every theme


class ScannerSheet(Sheet):
    """What to do, what came, what it means."""

    def rows(self, scene: Scene, width: int) -> list[Content]:
        look = self.look
        if scene.scanner_problem is not None:
            told = look.say(scene.scanner_problem.code, **scene.scanner_problem.params)
            rows = wrapped(line((f"{look.glyphs.wrong} {told}", "bold $fh-alert")), width - 4, 4)
            return [line("  ", row) for row in rows] + (self._report(scene.scanner, width) if scene.scanner else [])
        if scene.scanner is None:
            return [line("  ", (look.say("scanner_page.waiting"), "$fh-quiet"))]
        demo = self.look.say("scanner_page.demo") if scene.guide else ""
        hint = [line("  ", row) for row in wrapped(line((demo, "bold")), width - 4, 2)] if demo else []
        return [*hint, *self._report(scene.scanner, width)]

    def _report(self, report: ScannerReport, width: int) -> list[Content]:
        rows: list[Content] = []
        if report.problem:  # before the code and the bytes, which may have no room
            words = self.look.say(f"scanner_page.{report.problem}", known=report.known)
            told = wrapped(line((f"{self.look.glyphs.wrong} {words}", "bold $fh-alert")), width - 4, 4)
            rows += [*[line("  ", row) for row in told], EMPTY]
        rows += [] if report.finding else self._asked(report, width)
        rows += self._readings(report, width)
        if report.finding:
            rows += [EMPTY, *finding_rows(report.finding, self.look, width), *self._table(report, width)]
        return rows

    def _asked(self, report: ScannerReport, width: int) -> list[Content]:
        """What to scan; the code itself where it fits."""
        fits = all(len(row) <= width - 2 for row in report.code) and self.look.glyphs.unicode
        code = "scanner_page.scan_code" if fits else "scanner_page.scan_label"
        words = self.look.say(code, n=str(report.wanted), known=report.known)
        rows = [line("  ", row) for row in wrapped(line((words, "bold")), width - 4, 4)]
        drawn = [line(" ", (self.look.safe(row), _CODE_STYLE)) for row in report.code] if fits else []
        return [*rows, *drawn]

    def _readings(self, report: ScannerReport, width: int) -> list[Content]:
        if not report.readings:
            return [EMPTY, line("  ", (self.look.say("scanner_page.listening"), "$fh-quiet"))]
        rows = [EMPTY, line("  ", (self.look.say("scanner_page.came", name=report.scanner), "bold"))]
        told = list(enumerate(report.readings, 1))
        for number, reading in told[-1:] if report.finding else told:  # a finding is of scans that are alike
            shown = wrapped(line(self.look.safe(reading.shown, 120)), width - 7, 2)
            rows += [line(f"  {number if not index else ' '}  ", row) for index, row in enumerate(shown)]
            numbers = wrapped(line((self.look.safe(reading.hex, 160), "$fh-quiet")), width - 7, 3)
            rows += [line("     ", row) for row in numbers]
        return rows

    def _table(self, report: ScannerReport, width: int) -> list[Content]:
        look = self.look
        if report.finding is None or not report.finding.table:
            return []
        if report.written:
            words = look.say("scanner_page.written", path=report.written)
            told = wrapped(line((f"{look.glyphs.ok} {words}", "bold $fh-good")), width - 4, 4)
        else:
            told = wrapped(line((look.say("scanner_page.write"), "bold")), width - 4, 3)
        table = [line("     ", (look.safe(row, 200), "")) for row in report.finding.table.splitlines()]
        return [EMPTY, *[line("  ", row) for row in told], *table]


def finding_rows(finding: ScannerFinding, look: Look, width: int) -> list[Content]:
    """How the scanner is set, and what is to be changed in it."""
    none = look.say("scanner_page.none")
    facts = (
        ("prefix", look.safe(finding.prefix, 40) or none),
        ("suffix", look.safe(finding.suffix, 40) or none),
        ("aim", look.safe(finding.aim, 8) or look.say("scanner_page.off")),
        ("fnc1", look.say(f"scanner_page.fnc1_is_{finding.separator}", instead=finding.instead)),
    )
    told = "   ".join(f"{look.say(f'scanner_page.{name}')} {value}" for name, value in facts)
    rows = [line("  ", row) for row in wrapped(line(told), width - 4, 3)]
    if not finding.faults:
        return [*rows, line("  ", (f"{look.glyphs.ok} {look.say('scanner_page.well')}", "bold $fh-good"))]
    for fault in finding.faults:
        words = look.say(f"scanner_page.{fault}", instead=finding.instead)
        lines = wrapped(line((f"{look.glyphs.wrong} {words}", "bold $fh-warn")), width - 4, 4)
        rows += [line("  ", row) for row in lines]
    return rows


class ScannerScreen(Overlay):
    """The scanners of this terminal under test: nothing that they send is a scan while this is open."""

    does = {"f2": "scanner_write"}

    def __init__(self, look: Look, scene: Callable[[], Scene]) -> None:
        super().__init__(look, scene, "scanner_page.title", ScannerSheet(look, id="sheet"))
