"""Draws any step of any scenario: prompt, what it is about, verdict, log, keys and status."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from edge_agent.views import Field, ListPage, PickPage, StepPage, View, WorkPage
from edge_agent.views.exceptions import ExceptionPage, ExceptionsPage
from edge_agent.views.maintenance import DowntimePage, LinePage, LinkPage, MachinePage, TrendPage
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.dispatch import choice_lines
from terminal_ui.screens.downtime import downtime_page
from terminal_ui.screens.exceptions import exception_page, exceptions_page
from terminal_ui.screens.line import line_page
from terminal_ui.screens.link import link_page
from terminal_ui.screens.machine import machine_page
from terminal_ui.screens.pick import pick_lines
from terminal_ui.screens.queue import thing_lines
from terminal_ui.screens.trend import points, trend_page
from terminal_ui.screens.work import work_lines
from terminal_ui.widgets.block import NARROW, WIDE, Block
from terminal_ui.widgets.frame import (
    AboutRule,
    Banner,
    GuideStrip,
    KeyLine,
    Prompt,
    Rule,
    StatusBar,
    TooSmall,
    TopLine,
)
from terminal_ui.widgets.leaf import Leaf
from terminal_ui.widgets.lines import EMPTY, beside, fit, line
from terminal_ui.widgets.machine import machine_tile
from terminal_ui.widgets.numbers import big
from terminal_ui.widgets.outcome import Outcome


class Middle(Block):
    """What the step is about: a work page, a pick page, a list, or a few lines."""

    first = 0  # the first row of a long list that is shown
    _listing: tuple[str, str] = ("", "")
    _leaf = Leaf([], 0, 0)  # what of a page of many entries is shown
    _leafed: tuple[int, ...] = ()  # where the pages before this one began

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
            self.first, self._leafed, self._listing = 0, (), listing
        if scene.on_page:
            return self._page(view, scene, width, height)
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

    def _page(self, view: View, scene: Scene, width: int, height: int) -> list[Content]:
        """A page of maintenance, or of what is in doubt."""
        page, look, first = view.page, self.look, self.first
        match page:
            case LinePage():
                self._leaf = line_page(page, view.choices, scene, look, width, height, first)
            case MachinePage():
                self._leaf = machine_page(page, view.choices, scene, look, width, height, first)
            case LinkPage():
                self._leaf = link_page(page, scene, look, width, height, first)
            case DowntimePage():
                self._leaf = downtime_page(page, scene, look, width, height, first)
            case ExceptionsPage():
                self._leaf = exceptions_page(page, scene, look, width, height, first)
            case ExceptionPage():
                self._leaf = exception_page(page, scene, look, width, height, first)
            case TrendPage():
                self._leaf = Leaf(trend_page(page, scene, look, width, height), 0, 0)
        return self._leaf.rows

    @property
    def points(self) -> int:
        """How many buckets of a trend can be shown here."""
        return points(self.content_size.width or self.app.size.width)

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
        if self._scene is not None and self._scene.on_page:
            self._turn_page(pages)
            return
        step = max(1, self.content_size.height - 3)
        last = max(0, len(view.choices) - step) if view else 0
        self.first = min(max(0, self.first + pages * step), last)

    def _turn_page(self, pages: int) -> None:
        """A page back begins where it began before: its entries are not all of one height."""
        follows = self.first + self._leaf.shown
        if pages > 0 and follows < self._leaf.total:
            self._leafed, self.first = (*self._leafed, self.first), follows
        elif pages < 0 and self._leafed:
            *before, self.first = self._leafed
            self._leafed = tuple(before)


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
        yield Banner(look, id="banner")
        yield Prompt(look, id="prompt")
        yield AboutRule(look)
        yield Middle(look, id="middle")
        yield Rule(look, id="middle-rule")
        yield Outcome(look, id="outcome")
        yield GuideStrip(look, id="guide")
        yield Rule(look, id="last-rule")
        yield KeyLine(look, id="keys")
        yield StatusBar(look, id="status")
        yield TooSmall(look, id="too-small")

    def leaf(self, view: View | None, pages: int) -> None:
        """Leaf through a long list."""
        self.query_one(Middle).turn(view, pages)

    @property
    def trend_points(self) -> int:
        """How many buckets of a trend can be shown; none before the screen stands."""
        found = self.query(Middle)
        return found.first().points if found else 0

    def draw(self, scene: Scene) -> None:
        """Show this scene; only what changed is painted."""
        self.set_class(scene.away is not None, "-away")
        self.set_class(bool(scene.guide), "-guided")
        self.set_class(scene.on_page, "-page")
        self.set_class(scene.listing, "-listing")
        for block in self._blocks:
            block.draw(scene)
