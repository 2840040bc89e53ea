"""Draws any step of any scenario: prompt, what it is about, verdict, log, keys and status."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from edge_agent.views import Field, ListPage, PickPage, StepPage, View, WorkPage
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.dispatch import choice_lines
from terminal_ui.screens.pick import pick_lines
from terminal_ui.screens.queue import thing_lines
from terminal_ui.screens.work import work_lines
from terminal_ui.widgets.block import NARROW, WIDE, Block
from terminal_ui.widgets.frame import GuideStrip, KeyLine, Prompt, Rule, StatusBar, TopLine
from terminal_ui.widgets.lines import EMPTY, beside, fit, line
from terminal_ui.widgets.machine import machine_tile
from terminal_ui.widgets.numbers import big
from terminal_ui.widgets.outcome import Outcome


class Middle(Block):
    """What the step is about: a work page, a pick page, a list, or a few lines."""

    first = 0  # the first row of a long list that is shown
    _listing: tuple[str, str] = ("", "")

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        rows = self._step(scene, width, height)
        more = thing_lines(scene, self.look, width) if width >= WIDE else []
        fits = more and len(rows) + len(more) < height
        return [*rows, *[EMPTY] * (height - len(rows) - len(more)), *more] if fits else rows

    def _step(self, scene: Scene, width: int, height: int) -> list[Content]:
        view = scene.view
        if view is None:
            return []
        page, look = view.page, self.look
        if (listing := (view.scenario, view.step)) != self._listing:
            self.first, self._listing = 0, listing
        if view.choices:
            keys = page.columns if isinstance(page, ListPage) else ()
            rows = choice_lines(
                view.choices, keys, scene, look, width, height - (width >= NARROW), self.first
            )
            return [EMPTY, *rows] if width >= NARROW else rows
        match page:
            case WorkPage():
                return work_lines(page, scene, look, width, height)
            case PickPage():
                return pick_lines(page, scene, look, width, height)
            case StepPage(fields=fields):
                return self._fields(view, fields, scene, width, height)
            case _:
                return []

    def _fields(
        self, view: View, fields: tuple[Field, ...], scene: Scene, width: int, height: int
    ) -> list[Content]:
        """The fields; on a locked terminal also the station and its machine, to be seen from afar."""
        look = self.look
        names = [look.plain(look.texts.say(field.code)) for field in fields]
        name_width = min(max([len(name) for name in names], default=0), width // 2)
        wide = width >= NARROW
        margin = "  " if wide else " "
        rows = [
            line(
                margin,
                (fit(line(name), name_width).plain, "$fh-quiet"),
                "  ",
                (look.safe(field.value), "bold"),
            )
            for name, field in zip(names, fields, strict=True)
        ]
        room = width // 2 if wide else width - 2
        sign = big(look.safe(view.terminal_name, 20), room, look.glyphs.unicode) if view.who is None else []
        here = view.who is None and scene.status is not None and scene.status.machine is not None
        tile = machine_tile(scene, None, look, width // 2 - 4) if here else []
        station = [line((row, "bold")) for row in sign]
        below = beside(station, tile, width // 2) if station and wide else station or (tile if wide else [])
        rows = [line(margin, row) for row in below] + ([EMPTY] if below and wide else []) + rows
        return ([EMPTY] if wide else []) + rows[:height]

    def turn(self, view: View | None, pages: int) -> None:
        """Leaf through a long list."""
        step = max(1, self.content_size.height - 3)
        last = max(0, len(view.choices) - step) if view else 0
        self.first = min(max(0, self.first + pages * step), last)


class StepScreen(Screen[None], inherit_bindings=False):
    """The one screen of the terminal; help and the queue lie on top of it for a moment."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._blocks: list[Block] = []

    def on_mount(self) -> None:
        self._blocks = list(self.query(Block))

    def compose(self) -> ComposeResult:
        look = self._look
        yield TopLine(look, id="top")
        yield Rule(look)
        yield Prompt(look, id="prompt")
        yield Rule(look)
        yield Middle(look, id="middle")
        yield Rule(look, id="middle-rule")
        yield Outcome(look, id="outcome")
        yield GuideStrip(look, id="guide")
        yield Rule(look, id="last-rule")
        yield KeyLine(look, id="keys")
        yield StatusBar(look, id="status")

    def leaf(self, view: View | None, pages: int) -> None:
        """Leaf through a long list."""
        self.query_one(Middle).turn(view, pages)

    def draw(self, scene: Scene) -> None:
        """Show this scene; only what changed is painted."""
        self.set_class(scene.away is not None, "-away")
        self.set_class(bool(scene.guide), "-guided")
        for block in self._blocks:
            block.draw(scene)
