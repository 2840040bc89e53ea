"""Takes the pictures of the README: `make picture`. A real terminal at a real demo plant, drawn by itself.

Each run gives other times and counts; what is shown is the same.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from docs.svg import screen_svg
from edge_agent.client import AgentClient
from edge_agent.demo.plant import Plant
from edge_agent.scanning.labels import label
from edge_agent.views import Kind, View, WorkPage
from terminal_ui.app import Setup, TerminalApp
from terminal_ui.glyphs import UNICODE
from terminal_ui.scene import Look
from terminal_ui.texts import Texts

PICTURES = Path(__file__).parent / "pictures"
_SIZE = (80, 24)
_PATIENCE = 40.0  # seconds


class Hand:
    """Somebody at one terminal of the plant, with a scanner in the other hand."""

    def __init__(self, plant: Plant, terminal: str, scanner: int) -> None:
        self._plant = plant
        self._scanner = scanner
        self._client = AgentClient(plant.address)
        self.app = TerminalApp(self._client, Setup(terminal), Look(Texts("en"), UNICODE))
        self._pilot: Pilot[None] | None = None

    async def work(self, picture: str, shift: Callable[[Hand], Awaitable[None]]) -> None:
        """Open the terminal, do the shift, take the picture."""
        async with self.app.run_test(size=_SIZE) as pilot:
            self._pilot = pilot
            await self.until(lambda view: view.scenario == "sign_on")
            await shift(self)
            await self.until_delivered()
            write(picture, self.app)
        await self._client.close()

    async def scan(self, kind: Kind, id: str, revision: str | None = None) -> None:
        """Pull the trigger, and wait for the answer."""
        await self.scan_text(label(kind, id, revision))

    async def scan_text(self, text: str) -> None:
        """The same, for a code that is no label of our own."""
        before = self.view
        self._plant.scan(self._scanner, text)
        await self.until(lambda view: before is None or view.revision > before.revision)

    async def press(self, *keys: str) -> None:
        """Press keys one by one; the last one is answered."""
        before = self.view
        assert self._pilot is not None
        for key in keys:
            await self._pilot.press(key)
            await self._pilot.pause(0.1)  # slower than a scanner that pretends to be a keyboard
        await self.until(lambda view: before is None or view.revision > before.revision)

    async def until(self, condition: Callable[[View], object]) -> None:
        """Return when the view is so. Raises TimeoutError."""
        assert self._pilot is not None
        async with asyncio.timeout(_PATIENCE):
            while self.view is None or not condition(self.view):
                await self._pilot.pause(0.02)

    async def until_delivered(self) -> None:
        """Return when the ERP has everything, and the terminal shows it."""
        assert self._pilot is not None
        async with asyncio.timeout(_PATIENCE):
            while (health := await self._client.health()).unsent or not health.safe_seq:
                await self._pilot.pause(0.05)
        await self._pilot.pause(0.5)

    @property
    def view(self) -> View | None:
        """What the terminal shows."""
        return self.app.feed.view


async def work_screen(hand: Hand) -> None:
    """A job at the press, reported twice, and then the wrong label."""
    await hand.scan(Kind.BADGE, "1001")
    await hand.scan(Kind.JOB, "J-201")
    await hand.scan(Kind.DRAWING, "DRW-1001", "B")
    for pieces in (12, 9):
        await hand.until(lambda view, made=pieces: counted(view) >= made)  # type: ignore[misc]
        await hand.press(*str(pieces), "enter")
    await hand.press("s")
    await hand.press("2", "enter")
    await hand.press("3")
    await hand.scan(Kind.LOCATION, "PACK-1")


async def pick_screen(hand: Hand) -> None:
    """The second line of an order, at the bin, with a neighbour's item in the hand."""
    await hand.scan(Kind.BADGE, "1002")
    await hand.scan(Kind.JOB, "SO-775")
    for _ in range(4):
        assert hand.view is not None
        await hand.scan_text(next(each.label for each in hand.view.expects if each.label))
    await hand.scan_text("]C10104006381334075")


def counted(view: View) -> int:
    """What the machine made since the last report, as far as the work screen knows."""
    return view.page.count_since_report or 0 if isinstance(view.page, WorkPage) else 0


def write(name: str, app: TerminalApp) -> None:
    """Keep what the terminal shows."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.svg"
    rows = app.screen._compositor.render_strips(app.size)[: _SIZE[1]]
    path.write_text(screen_svg(rows, _SIZE[0]), encoding="utf-8")
    print(path.relative_to(PICTURES.parent.parent))


async def main() -> None:
    """All pictures."""
    with tempfile.TemporaryDirectory(prefix="floorhand-") as folder:
        async with Plant(Path(folder)) as plant:
            await Hand(plant, "T1", 1).work("work", work_screen)
            await Hand(plant, "T2", 2).work("pick", pick_screen)


if __name__ == "__main__":
    asyncio.run(main())
