"""F1: what may be scanned now, in words and with the text of its label; and what every key does.

The label of the row under the arrow is shown as a QR code: it can be scanned from the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.content import Content

from edge_agent.views import Expectation, Kind, View
from terminal_ui.keys import ACTIONS, action, offered
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.overlay import Overlay, Sheet
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.lines import EMPTY, beside, fit, line
from terminal_ui.widgets.qr import qr_rows

_QR_STYLE = "#000000 on #ffffff"


@dataclass(frozen=True)
class HelpRow:
    """One thing that can be done: by key, by scan, or both."""

    key: str
    words: str
    label: str = ""


def scan_rows(view: View, look: Look) -> list[HelpRow]:
    """What may be scanned, command labels apart."""
    return [
        HelpRow("", look.say(expectation.code, **expectation.params), expectation.label or "")
        for expectation in view.expects
        if expectation.kind is not Kind.COMMAND
    ]


def key_rows(view: View, look: Look) -> list[HelpRow]:
    """Every key that does something now, with the command label that does the same."""
    labels = {command_name(expectation): expectation.label or "" for expectation in view.expects
              if expectation.kind is Kind.COMMAND}  # fmt: skip
    names = [*offered(view), *(row.name for row in ACTIONS if row.local and not row.on)]
    shown = dict.fromkeys([*names, *labels])
    return [HelpRow(_keys(name), _what(name, look), labels.get(name, "")) for name in shown]


def command_name(expectation: Expectation) -> str:
    """The action of a command label: `C:SIGN_OFF.K` is sign_off."""
    text = (expectation.label or "").partition(":")[2]
    return text.rpartition(".")[0].lower() or text.lower()


def _keys(name: str) -> str:
    row = action(name)
    return " ".join(
        part for part in (*(key.upper() for key in row.keys if key != "escape"), row.alias) if part
    )


def _what(name: str, look: Look) -> str:
    return look.plain(look.texts.say(f"help.{name}")) if f"help.{name}" in look.texts else look.safe(name, 20)


class HelpSheet(Sheet):
    """Scans first, then keys; `at` counts the rows that are not headings."""

    def rows(self, scene: Scene, width: int) -> list[Content]:
        view = scene.view
        if view is None:
            return []
        look = self.look
        scans, keys = scan_rows(view, look), key_rows(view, look)
        told = [self._heading("help_page.scan")]
        told += [self._row(row, number, width) for number, row in enumerate(scans)]
        told += [line("     ", (look.say("help_page.no_scan"), "$fh-quiet"))] if not scans else []
        told += [EMPTY, self._heading("help_page.keys")]
        told += [self._row(row, number, width) for number, row in enumerate(keys, len(scans))]
        return told

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        chosen = self._chosen(scene)
        code = self._code(chosen.label) if chosen and width >= NARROW else []
        if width < NARROW or len(code) + 2 > height:
            return super().lines(scene, width, height)
        left = width - 32
        caption = line((self.look.safe(chosen.label, 28) if chosen else "", "bold"))
        side = [EMPTY, *code, caption] if code else []
        return beside(super().lines(scene, left, height), side, left + 1)[:height]

    def _code(self, label: str) -> list[Content]:
        rows = qr_rows(label) if self.look.glyphs.unicode else ()
        return [line((row, _QR_STYLE)) for row in rows]

    def first(self, height: int) -> int:
        return max(0, self.at + 3 - height // 2)

    def stops(self, scene: Scene) -> int:
        return max(1, len(self._all(scene)))

    def _all(self, scene: Scene) -> list[HelpRow]:
        return [*scan_rows(scene.view, self.look), *key_rows(scene.view, self.look)] if scene.view else []

    def _chosen(self, scene: Scene) -> HelpRow | None:
        rows = self._all(scene)
        return rows[self.at] if self.at < len(rows) else None

    def _heading(self, code: str) -> Content:
        return line("  ", (self.look.say(code), "bold"))

    def _row(self, row: HelpRow, number: int, width: int) -> Content:
        mark = f" {self.look.glyphs.arrow} " if number == self.at else "   "
        label = line((self.look.safe(row.label, 24), "$fh-quiet"))
        words = line((mark, "bold"), (f"{row.key:<6}" if row.key else "", "bold"), row.words)
        room = width - label.cell_length - 2
        return line(fit(words, room), " ", label) if label and room > 24 else fit(words, width)


class HelpScreen(Overlay):
    """What may I scan now."""

    key = "f1"

    def __init__(self, look: Look, scene: Callable[[], Scene]) -> None:
        super().__init__(look, scene, "help_page.title", HelpSheet(look, id="sheet"))
