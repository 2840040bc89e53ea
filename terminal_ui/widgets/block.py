"""A part of the screen that is a function of the scene and repaints only when its content changed."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from terminal_ui.scene import Look, Scene
from terminal_ui.widgets.lines import EMPTY, fit, stack

LEAST_WIDTH, LEAST_HEIGHT = 40, 16  # cells and lines: below, nothing is drawn but that
NARROW = 60  # cells: below, the handheld layout
WIDE = 110  # cells: from here on there is room for detail


class Block(Widget, can_focus=False):
    """Subclasses say what their lines are; nothing else of theirs is called.

    Blocks with `grows` take the height of their lines, the others keep the height the layout gave them
    and get it as `height`.
    """

    DEFAULT_CSS = """
    Block { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    grows = False

    def __init__(self, look: Look, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.look = look
        self._scene: Scene | None = None
        self._content: Content = EMPTY
        self._rows = 0

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        """The lines of the block in `width` cells, at most `height` of them."""
        raise NotImplementedError

    def fitted(self, scene: Scene, width: int, height: int) -> list[Content]:
        """The lines, none wider than `width`, in signs that the terminal has."""
        lines = self.lines(scene, width, height)
        return [self._printable(line if line.cell_length <= width else fit(line, width)) for line in lines]

    def draw(self, scene: Scene) -> None:
        """Show this scene from now on."""
        self._scene = scene
        width = self.content_size.width or self.app.size.width
        lines = self.fitted(scene, width, self.content_size.height or self.app.size.height)
        content = stack(lines)
        if content.is_same(self._content):
            return
        resized = self.grows and len(lines) != self._rows
        self._content, self._rows = content, len(lines)
        self.refresh(layout=resized)

    def _printable(self, content: Content) -> Content:
        """Cutting puts an ellipsis; a terminal without Unicode gets a tilde for it."""
        if self.look.glyphs.unicode:
            return content
        return Content(content.plain.replace("…", self.look.glyphs.more), list(content.spans))

    def on_resize(self, event: events.Resize) -> None:
        if self._scene is not None:
            self.draw(self._scene)

    def render(self) -> Content:
        return self._content

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._rows
