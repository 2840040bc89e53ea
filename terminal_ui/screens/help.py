"""F1: what may be scanned now, in words and with the text of its label; and what every key does at this step.

The label of the row under the arrow is shown as a QR code: it can be scanned from the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textual.content import Content

from edge_agent.views import Choice, Expectation, Kind, View
from terminal_ui.inputs import AT_ONCE
from terminal_ui.keys import action, offered
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.overlay import Overlay, Sheet
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.lines import EMPTY, beside, fit, line
from terminal_ui.widgets.qr import qr_rows

_QR_STYLE = "#000000 on #ffffff"
_INDENT = 5  # cells
_KEY_WIDTH = 6
_WORDS_WIDTH = 22  # that words need beside a label
_LABEL_LIMIT = 48  # characters
_CHOOSE = "choose-"  # before the number, in the command that chooses it


@dataclass(frozen=True)
class HelpRow:
    """One thing that can be done: by key, by scan, or both."""

    key: str
    words: str
    label: str = ""


def scan_rows(view: View, look: Look) -> list[HelpRow]:
    """What may be scanned, command labels apart."""
    chosen = {choice.label: choice_words(choice, look) for choice in view.choices if choice.label and choice.title}
    return [
        HelpRow(
            "",
            chosen.get(expectation.label or "") or look.say(expectation.code, **expectation.params),
            expectation.label or "",
        )
        for expectation in view.expects
        if expectation.kind is not Kind.COMMAND
    ]


def key_rows(view: View, look: Look) -> list[HelpRow]:
    """Every key that does something now, with the command label that does the same."""
    labels = {command_name(expectation): expectation.label or "" for expectation in view.expects
              if expectation.kind is Kind.COMMAND}  # fmt: skip
    shown = dict.fromkeys([*offered(view), *(name for name in labels if not name.startswith(_CHOOSE))])
    rows = (HelpRow(_keys(name), _what(name, look, view.scenario), labels.get(name, "")) for name in shown)
    return [*_typed_rows(view, look, labels), *_choice_rows(view, look, labels), *rows]


def _choice_rows(view: View, look: Look, labels: Mapping[str, str]) -> list[HelpRow]:
    """The choices that only the label of their number chooses; others are among what may be scanned."""
    names = {choice.number: f"{_CHOOSE}{choice.number}" for choice in view.choices}
    return [
        HelpRow(f"{choice.number}", choice_words(choice, look), labels[names[choice.number]])
        for choice in view.choices
        if names[choice.number] in labels
    ]


def choice_words(choice: Choice, look: Look) -> str:
    """A choice as its list says it, in one text."""
    if choice.code:
        return look.say(choice.code, **choice.detail)
    return look.safe(choice.title, _LABEL_LIMIT)


def _typed_rows(view: View, look: Look, labels: Mapping[str, str]) -> list[HelpRow]:
    """The numbers that choose, and what can be typed; a proposal is also sent by a label."""
    numbers = [choice.number for choice in view.choices]
    if view.entry is not None:
        proposed = bool(view.entry.value)
        label = labels.get("confirm", "") if proposed else ""
        return [HelpRow("Enter", look.say("help.type_proposed" if proposed else "help.type"), label)]
    if not numbers:
        return []
    keys = f"{min(numbers)}-{max(numbers)}" if len(numbers) > 1 else f"{numbers[0]}"
    return [HelpRow(keys, look.say("help.choose" if max(numbers) <= AT_ONCE else "help.choose_enter"))]


def command_name(expectation: Expectation) -> str:
    """The action of a command label: `C:SIGN_OFF.K` is sign_off."""
    text = (expectation.label or "").partition(":")[2]
    return text.rpartition(".")[0].lower() or text.lower()


def _keys(name: str) -> str:
    row = action(name)
    return " ".join(
        part for part in (*(key.upper() for key in row.keys if key != "escape"), row.alias) if part
    )


def _what(name: str, look: Look, scenario: str) -> str:
    code = next((code for code in (f"{scenario}_help.{name}", f"help.{name}") if code in look.texts), "")
    return look.say(code) if code else look.safe(name, 20)


class HelpSheet(Sheet):
    """Scans first, then keys; `at` counts what can be done, each in as many rows as its words need."""

    _begins: list[int]  # the first row of each

    def rows(self, scene: Scene, width: int) -> list[Content]:
        view = scene.view
        if view is None:
            return []
        look = self.look
        scans, keys = scan_rows(view, look), key_rows(view, look)
        told = [self._heading("help_page.scan")]
        self._begins = []
        self._add(told, scans, width)
        none = line((look.say("help_page.no_scan"), "$fh-quiet")).wrap(max(1, width - _INDENT)) if not scans else []
        told += [line(" " * _INDENT, row) for row in none]
        told += [EMPTY, self._heading("help_page.keys")]
        self._add(told, keys, width)
        return told

    def _add(self, told: list[Content], rows: list[HelpRow], width: int) -> None:
        for row in rows:
            self._begins.append(len(told))
            told += self._row(row, len(self._begins) - 1, width)

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
        at = self._begins[self.at] if self.at < len(self._begins) else 0
        return max(0, at + 2 - height // 2)

    def stops(self, scene: Scene) -> int:
        return max(1, len(self._all(scene)))

    def _all(self, scene: Scene) -> list[HelpRow]:
        return [*scan_rows(scene.view, self.look), *key_rows(scene.view, self.look)] if scene.view else []

    def _chosen(self, scene: Scene) -> HelpRow | None:
        rows = self._all(scene)
        return rows[self.at] if self.at < len(rows) else None

    def _heading(self, code: str) -> Content:
        return line("  ", (self.look.say(code), "bold"))

    def _row(self, row: HelpRow, number: int, width: int) -> list[Content]:
        """Key, words and label; the words go on below their beginning, and so does a label without room."""
        mark = f" {self.look.glyphs.arrow} " if number == self.at else "   "
        key = f"{row.key:<{_KEY_WIDTH}}" if row.key else ""
        indent = " " * (len(mark) + len(key))
        label = line((self.look.safe(row.label, _LABEL_LIMIT), "$fh-quiet"))
        beside = label.cell_length + 1 if label and width - label.cell_length - len(indent) > _WORDS_WIDTH else 0
        words = line(row.words).wrap(max(1, width - len(indent) - beside))
        told = [line((mark, "bold"), (key, "bold"), words[0]), *(line(indent, more) for more in words[1:])]
        if beside:
            told[0] = line(fit(told[0], width - beside), " ", label)
        elif label:
            told.append(line(indent, label))
        return [fit(each, width) for each in told]


class HelpScreen(Overlay):
    """What may I scan now."""

    key = "f1"

    def __init__(self, look: Look, scene: Callable[[], Scene]) -> None:
        super().__init__(look, scene, "help_page.title", HelpSheet(look, id="sheet"))
