"""The terminal: keys and events in, one scene out. It owns nothing that must not be lost.

F10 locks (signs off). The program ends on Ctrl+C pressed twice within two seconds, on SIGTERM, and
when its line is gone (SIGHUP); no other key ends it, and nothing in a scan does.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import events
from textual.app import App
from textual.worker import Worker, WorkerState

from edge_agent.views import Input, Kind, Verdict, View
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import DeviceReading, LinkPage, TrendPage
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Problem, Status
from terminal_ui.asking import Asking
from terminal_ui.attachment import Attachment, Client, InputKind
from terminal_ui.clockface import Clock, PcClock
from terminal_ui.feed import Feed, echo_words, rings
from terminal_ui.guide import Guide, label_to_test, play
from terminal_ui.inputs import Intent, Leaf, Local, Send, Tell, Typing, meant
from terminal_ui.palettes import PALETTES
from terminal_ui.scanner_watch import ScannerWatch
from terminal_ui.scene import Look, Note, Scene
from terminal_ui.screens.help import HelpScreen
from terminal_ui.screens.overlay import Overlay
from terminal_ui.screens.queue import QueueScreen
from terminal_ui.screens.scanner import ScannerScreen
from terminal_ui.screens.step import StepScreen
from terminal_ui.wedge import MOST, KeyPress, Swallowed, Told, Wedge, WedgeRefused, WedgeScan
from terminal_ui.widgets.block import LEAST_HEIGHT, LEAST_WIDTH

QUIT_WITHIN = 2.0  # seconds between the two Ctrl+C
_INPUT = 0  # where keys come from
_ENDING = (signal.SIGTERM, signal.SIGHUP)
_BELL_GAP = 0.15  # seconds
_LAPSE_MARGIN = 0.002  # seconds


@dataclass(frozen=True)
class Setup:
    """How this terminal was started."""

    terminal: str
    theme: str = "dark"
    bell: bool = False
    guide: Guide | None = None
    scan_pipe: Path | None = None
    wedge_gap: float = 0.05
    wedge_prefix: str = ""


class TerminalApp(App[None], inherit_bindings=False):
    """One terminal of one agent."""

    CSS_PATH = "terminal.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (LEAST_WIDTH, "-narrow"), (60, "-normal"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LEAST_HEIGHT, "-short"), (30, "-tall")]

    def __init__(self, client: Client, setup: Setup, look: Look, clock: Clock | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self._setup = setup
        for palette in PALETTES.values():
            self.register_theme(palette.theme())
        self.theme = f"floorhand-{self._setup.theme}"
        self._look = look
        self._clock = clock or PcClock()
        self.wedge = Wedge(setup.wedge_gap, prefix=setup.wedge_prefix)
        self.attachment = Attachment(client, setup.terminal, self, self._clock)
        self.feed = Feed(self._clock, setup.guide)
        self._asking = Asking(client, setup.terminal, self._clock, self.feed.now, self)
        self._scanners = ScannerWatch(client, setup.terminal, self.show_scanner)
        self._testing: Worker[None] | None = None
        self._step = StepScreen(look)
        self._quit_asked = float("-inf")
        self._line = False

    # ------------------------------------------------------------ life

    async def on_mount(self) -> None:
        await self.push_screen(self._step)
        self._stay_attached()
        self._line = os.isatty(_INPUT)
        self.set_interval(1.0, self._each_second)
        for number in _ENDING:
            asyncio.get_running_loop().add_signal_handler(number, self.exit)

    def on_unmount(self) -> None:
        for number in _ENDING:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _stay_attached(self) -> None:
        self.run_worker(self.attachment.run(), name="attachment", exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.name == "attachment":
            self.show_away(str(event.worker.error))
            self.set_timer(2.0, self._stay_attached)

    def _each_second(self) -> None:
        """A line that was cut without a SIGHUP leaves a reader that finds its end for ever: leave then."""
        if self._line and line_is_cut(_INPUT):
            self.exit()
        self._ask()
        self.draw()

    def _ask(self) -> None:
        """Ask for what the page needs, in its own time."""
        points = self._step.trend_points
        if (page := self._asking.due(self.feed.view, points)) is not None:
            self.run_worker(self._asking.ask(page, points), name="trend", exit_on_error=False)

    def draw(self) -> None:
        """Paint the scene of this moment; blocks whose content is the same stay as they are.

        What a person did or waits for is drawn at once, live values once a second.
        """
        self.attachment.typing(self.feed.unsent)
        screen = self.screen
        if isinstance(screen, StepScreen | Overlay) and screen.is_mounted:
            screen.draw(self._scene())

    def _scene(self) -> Scene:
        return self.feed.current(self.attachment.waiting)

    # ------------------------------------------------------------ what the attachment learns

    def show_view(self, view: View) -> None:
        """A view: on top of everything, because it answers what the person just did."""
        echoed = self.feed.current().echo is not None
        if self.feed.saw_view(view):
            self._close_overlays()
            self._ring(rings(view))
            if isinstance(view.page, TrendPage):
                self._ask()
            if view.overlay:
                self._open(view.overlay)
            self.draw()
        elif echoed:
            self.draw()

    def show_status(self, status: Status) -> None:
        if self.feed.saw_status(status):
            self.draw()

    def show_trend(self, trend: Trend | None, refused: str = "") -> None:
        """The past of the value of a trend page."""
        self.feed.saw_trend(trend, refused)
        self.draw()

    def show_reading(self, reading: DeviceReading | None, problem: Problem | None = None) -> None:
        """What came of a test read."""
        self.feed.saw_reading(reading, problem)
        self.draw()

    def show_scanner(self, report: ScannerReport | None, problem: Problem | None) -> None:
        """What the test of a scanner told."""
        self.feed.saw_scanner(report, problem)
        self.draw()

    def show_echo(self, text: str) -> None:
        self.feed.heard_scan(echo_words("scan", text, self._look.texts, self.feed.view))
        self._close_overlays()
        self.draw()

    def show_away(self, reason: str) -> None:
        self.feed.lost(reason)
        self.draw()

    def show_attached(self) -> None:
        self.feed.attached()
        self.draw()

    def show_refused(self, problem: Problem) -> None:
        self.feed.refused(problem)
        self._ring(2)
        self.draw()

    def show_dropped(self, given: Sequence[Input]) -> None:
        first, more = given[0], str(len(given) - 1) if len(given) > 1 else ""
        self._tell_not_taken(first.kind, first.data, more)
        self._ring(2)
        self.draw()

    def _ring(self, times: int) -> None:
        if self._setup.bell:
            for number in range(times):
                self.set_timer(number * _BELL_GAP + 0.001, self.bell)

    # ------------------------------------------------------------ what the person does

    async def on_event(self, event: events.Event) -> None:
        """Keys are taken here, before any screen sees them: no binding of the library can act on one."""
        if isinstance(event, events.Key):
            if self.feed.view is not None and self.feed.view.who is not None:
                self.attachment.key_pressed()
            self._key(event)
        elif isinstance(event, events.Paste):
            self._paste(event.text)
        else:
            await super().on_event(event)

    def _key(self, event: events.Key) -> None:
        self._handle(self.wedge.press(KeyPress(event.key, event.character), event.time))
        if self.wedge.holding:
            wait = self.wedge.gap + _LAPSE_MARGIN
            over = event.time + wait
            # Behind the keys that have arrived meanwhile: a busy moment must not break a scan in two.
            self.set_timer(wait, lambda: self.call_later(self._lapse, over))

    def _paste(self, text: str) -> None:
        """A terminal that brackets pastes sends a fast scan as one: one line is a scan, more is nothing."""
        text = text.rstrip("\r\n\t")
        if text and not set(text) & {"\r", "\n"}:
            self._handle([WedgeScan(text)])

    def _lapse(self, now: float) -> None:
        self._handle(self.wedge.lapse(now))

    def _handle(self, told: list[Told]) -> None:
        for item in told:
            match item:
                case WedgeScan(text):
                    self._give("scan", frame(text))
                case WedgeRefused(text, why):
                    self._forget_number()
                    self._give(why, frame(text))
                case Swallowed():
                    self.feed.tell(Note(Verdict.LATE, "ui.too_fast"))
                case KeyPress("ctrl+c"):
                    self._quit()
                case KeyPress():
                    self._press(item)
        if told:
            self.draw()

    def _forget_number(self) -> None:
        """A number of which some digits came too fast is typed anew, so that no part of it can be sent."""
        entry = self.feed.view.entry if self.feed.view else None
        if entry is None or entry.kind != "text":
            self.feed.type(None)

    def _press(self, press: KeyPress) -> None:
        if isinstance(self.screen, Overlay):
            match self.screen.does.get(press.key):
                case "scanner":
                    self._open("scanner")
                case "exceptions":
                    self._give("action", "exceptions")
                case "scanner_write":
                    self.run_worker(self._scanners.write(), name="scanner file", exit_on_error=False)
                case _ if press.key in ("f11", "f12") and isinstance(self.screen, ScannerScreen):
                    self._play("guide_scan" if press.key == "f12" else "guide_wrong")
                case _ if self.screen.pressed(press.key):
                    self._close_overlays()
            return
        view = self.feed.view
        if view is not None:
            guided = self._setup.guide is not None
            self._do(meant(view, self.feed.typed, press.key, press.char, guided))

    def _do(self, intent: Intent) -> None:
        match intent:
            case Send("choice", _) if self.feed.renumbered:
                self._do(Tell("ui.list_changed", {}))
            case Send(kind, data):
                self._give(kind, data)
            case Typing(text):
                self.feed.type(text)
            case Leaf(pages):
                self._step.leaf(self.feed.view, pages)
            case Local(("help" | "queue") as name):
                self._open(name)
            case Local("exceptions"):
                self._give("action", "exceptions")
            case Local("test_read"):
                self._read_device()
            case Local(name):
                self._play(name)
            case Tell(code, params):
                self.feed.tell(Note(Verdict.LATE, code, params))

    def _read_device(self) -> None:
        page = self.feed.view.page if self.feed.view else None
        if isinstance(page, LinkPage) and self.feed.reads():
            self.run_worker(self._asking.read(page), name="test read", exit_on_error=False)

    def _give(self, kind: InputKind, data: str) -> None:
        given = self.attachment.give(kind, data, self.feed.unsent.text if kind == "scan" else None)
        self._close_overlays()
        if given is None:
            self._tell_not_taken(kind, data)
            return
        if kind == "entry":
            self.feed.sent_entry(given.id)
        self.feed.heard_scan(self._look.safe(echo_words(kind, data, self._look.texts, self.feed.view), 40))

    def _tell_not_taken(self, kind: str, data: str, more: str = "") -> None:
        lost = self._look.safe(echo_words(kind, data, self._look.texts, self.feed.view), 40)
        self.feed.tell(Note(Verdict.WRONG, "ui.not_taken", {"lost": lost, "more": more}, "not_saved"))

    def _play(self, name: str) -> None:
        guide, pipe, view = self._setup.guide, self._setup.scan_pipe, self.feed.view
        if guide is None or view is None:
            return
        hint = guide.hint(view)
        text = {"guide_scan": hint.scan, "guide_wrong": hint.wrong, "guide_lead": hint.lead}.get(name, hint.other)
        if isinstance(self.screen, ScannerScreen):
            text = label_to_test(self._scene().scanner, well=name == "guide_scan")
        if not text:
            scans = any(each.kind is not Kind.COMMAND for each in view.expects)
            self.feed.tell(Note(Verdict.LATE, "ui.guide_no_label" if scans else "ui.guide_no_scan"))
        elif pipe is None:  # no scanner of its own: as one that types like a keyboard
            self._give("scan", text.encode("latin-1", "replace").decode("unicode_escape"))
        elif not play(pipe, text):
            self.feed.tell(Note(Verdict.LATE, "ui.guide_no_scanner"))

    def _open(self, name: str) -> None:
        if name == "scanner":
            self.feed.saw_scanner(None)
            self._testing = self.run_worker(self._scanners.watch(), name="scanner", exit_on_error=False)
        kind = {"help": HelpScreen, "queue": QueueScreen, "scanner": ScannerScreen}[name]
        self.push_screen(kind(self._look, self._scene))

    def _close_overlays(self) -> None:
        if self._testing is not None:
            self._testing.cancel()
            self._testing = None
        while isinstance(self.screen, Overlay):
            self.pop_screen()

    def _quit(self) -> None:
        now = self._clock.monotonic()
        if now - self._quit_asked <= QUIT_WITHIN:
            self.exit()
        self._quit_asked = now
        self.feed.tell(Note(Verdict.LATE, "ui.quit_again"))


def frame(text: str) -> str:
    """What the keyboard sent as an input holds it: one character a byte, and no more than fit."""
    return text.encode("utf-8", "replace")[:MOST].decode("latin-1")


def line_is_cut(descriptor: int) -> bool:
    """Whether the other end of a terminal line is gone."""
    poll = select.poll()
    poll.register(descriptor, select.POLLHUP)
    return any(seen & (select.POLLHUP | select.POLLERR) for _, seen in poll.poll(0))
