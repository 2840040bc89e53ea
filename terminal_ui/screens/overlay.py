"""A screen that lies on top of the step for a moment: a list to read, closed by Esc or by the next scan."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from terminal_ui.scene import Look, Scene
from terminal_ui.widgets.block import Block
from terminal_ui.widgets.frame import Banner, Rule, StatusBar, TooSmall, TopLine
from terminal_ui.widgets.leaf import more_row
from terminal_ui.widgets.lines import fit, line

CLOSING_KEYS = frozenset({"escape", "f3", "enter", "backspace"})


class Sheet(Block):
    """A list that can be scrolled. Subclasses give all its rows; `at` is the row the person stands on."""

    at = 0

    def rows(self, scene: Scene, width: int) -> list[Content]:
        """All rows, whatever the height."""
        raise NotImplementedError

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        rows = self.rows(scene, width)
        if len(rows) <= height:
            return rows
        first = min(self.first(height), len(rows) - height)
        shown = rows[first : first + height]
        if rest := len(rows) - first - height:
            shown[-1] = more_row(rest + 1, self.look)
        return shown

    def first(self, height: int) -> int:
        """The row that stands on top."""
        return self.at

    def move(self, steps: int) -> None:
        """Go up or down."""
        if self._scene is None:
            return
        self.at = min(max(0, self.at + steps), self.stops(self._scene) - 1)
        self.draw(self._scene)

    def stops(self, scene: Scene) -> int:
        """How many places there are to stand on."""
        return max(1, len(self.rows(scene, self.content_size.width)) - self.content_size.height + 1)


class Title(Block):
    """What this overlay is, and how to leave it."""

    def __init__(self, look: Look, code: str) -> None:
        super().__init__(look, id="title")
        self._code = code

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        words = line("  ", (self.look.say(self._code), "bold"))
        close = line((self.look.say("ui.close"), ""), "  ")
        room = width - words.cell_length - close.cell_length
        return [line(words, " " * room, close) if room > 0 else fit(words, width)]


class Overlay(Screen[None], inherit_bindings=False):
    """Top line, title, the sheet, status."""

    key = ""  # the function key that opens it also closes it
    does: Mapping[str, str] = {}  # what other keys let the terminal do

    def __init__(self, look: Look, scene: Callable[[], Scene], title: str, sheet: Sheet) -> None:
        """`scene` is that of the moment at which it can be drawn first."""
        super().__init__()
        self._look = look
        self._scene = scene
        self._title = title
        self.sheet = sheet

    def compose(self) -> ComposeResult:
        yield TopLine(self._look, id="top")
        yield Banner(self._look, id="banner")
        yield Title(self._look, self._title)
        yield Rule(self._look)
        yield self.sheet
        yield Rule(self._look)
        yield StatusBar(self._look, id="status")
        yield TooSmall(self._look, id="too-small")

    def on_mount(self) -> None:
        self.draw(self._scene())

    def draw(self, scene: Scene) -> None:
        """Show this scene."""
        for block in self.query(Block):
            block.draw(scene)

    def pressed(self, key: str) -> bool:
        """Whether the key closes the overlay; arrows move in it."""
        steps = {"up": -1, "down": 1, "pageup": -8, "pagedown": 8}.get(key, 0)
        if steps:
            self.sheet.move(steps)
        return key in CLOSING_KEYS or key == self.key
