"""What the terminal knows, told event by event; `current` is the scene to draw. No widget, no I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from edge_agent.views import Typed, Verdict, View, WorkPage
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import DeviceReading, LinkPage
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Problem, Status
from terminal_ui.clockface import Clock
from terminal_ui.guide import Guide
from terminal_ui.scene import Note, Scene
from terminal_ui.texts import Texts
from terminal_ui.widgets.lines import HIDDEN
from terminal_ui.widgets.machine import HourStrip, Pace
from terminal_ui.widgets.tones import TONES

_SETTLES = 1.0  # seconds in which somebody sees that a list has changed by itself


class Feed:
    """The scene of one terminal as it comes about."""

    def __init__(self, clock: Clock, guide: Guide | None = None) -> None:
        self._clock = clock
        self._guide = guide
        self._scene = Scene(clock.now())
        self._agent_time: tuple[datetime, float] = (clock.now(), clock.monotonic())
        self._heard_at: float | None = None  # when the agent was last heard
        self._pace, self._hour = Pace(), HourStrip()
        self._entry_sent = ""
        self._drafts: dict[str, str] = {}  # what was typed and not sent, by `_place`
        self._renumbered_at = -_SETTLES  # when the numbers of a list last came to mean something else by themselves
        self._left: tuple[View, str | None] | None = None  # where somebody stood when the terminal locked itself

    @property
    def view(self) -> View | None:
        """The view that is shown."""
        return self._scene.view

    @property
    def typed(self) -> str | None:
        """What stands in the entry."""
        return self._scene.typed

    @property
    def unsent(self) -> Typed:
        """What stands in the entry for the agent to know of: never a PIN."""
        view, typed = self._scene.view, self._scene.typed
        if view is None or view.entry is None or view.entry.kind == "pin" or not typed:
            return Typed()
        return Typed(typed, f"{view.scenario}.{view.step}")

    @property
    def renumbered(self) -> bool:
        """Whether the list has just changed under the finger of somebody who had read it as it was."""
        return self._clock.monotonic() - self._renumbered_at < _SETTLES

    def now(self) -> datetime:
        """The agent's time: its last word plus what has passed here since."""
        told, at = self._agent_time
        return told + timedelta(seconds=self._clock.monotonic() - at)

    def current(self, waiting: int = 0) -> Scene:
        """The scene at this moment; `waiting` inputs are not answered yet."""
        view = self._scene.view
        hint = self._guide.hint(view).text if self._guide and view else ""
        return replace(
            self._scene,
            now=self.now(),
            waiting=waiting,
            guide=hint,
            pace=self._pace.per_minute,
            hour=self._hour.minutes,
        )

    def saw_view(self, view: View) -> bool:
        """A view came. Whether it is the answer to an input (and not the same view once more)."""
        self._heard_at = self._clock.monotonic()
        before = self._scene.view
        if self._scene.reading_since is None and not isinstance(view.page, LinkPage):
            self.saw_reading(None)
        answered = before is None or view.revision != before.revision
        self._scene = replace(self._scene, echo=None, note=None if answered else self._scene.note)
        if before is not None and _renumbered(before, view):
            self._renumbered_at = self._clock.monotonic()
        answers_entry = bool(self._entry_sent) and view.input == self._entry_sent
        same_person = before is not None and before.who == view.who
        kept = before is not None and same_person and _same_entry(before, view) and not answers_entry
        typed = self._scene.typed if kept else self._typed_before(view, self._taken_up(before, view, answers_entry))
        if before is not None and _locked_itself(before, view):
            self._left = (before, self._scene.typed) if before.entry and before.entry.kind != "pin" else None
        self._scene = replace(self._scene, view=view, typed=typed)
        return answered

    def _taken_up(self, before: View | None, view: View, answered: bool) -> str | None:
        """What was typed at the step before is kept for when the person comes back to it, and not sent meanwhile."""
        if answered or (before is not None and before.who != view.who):
            self._drafts.clear()
        elif before is not None and before.entry is not None and before.entry.kind != "pin" and self._scene.typed:
            self._drafts[_place(before)] = self._scene.typed
        return self._drafts.pop(_place(view), None) if view.entry is not None else None

    def _typed_before(self, view: View, taken_up: str | None) -> str | None:
        """What somebody had typed when the terminal locked itself, which nobody else is shown; else `taken_up`."""
        if self._left is None or view.who is None:
            return taken_up
        (before, typed), self._left = self._left, None
        return typed if before.who == view.who and _same_entry(before, view) else taken_up

    def saw_status(self, status: Status) -> bool:
        """The live companion came. Whether it tells news: live values alone have time until the next second."""
        news = self._scene.status is None or _news(status) != _news(self._scene.status)
        self._heard_at = self._clock.monotonic()
        self._agent_time = (status.now, self._heard_at)
        if status.machine is not None:
            good = status.machine.count_status == "Good"
            self._pace.note(status.machine.count if good else None, status.now)
            self._hour.note(status.machine.state, status.now)
        self._scene = replace(self._scene, status=status)
        return news

    def saw_trend(self, trend: Trend | None, refused: str = "") -> None:
        """The agent told the past of a value, or refused; an old curve stays until there is a new one."""
        self._scene = replace(self._scene, trend=trend or self._scene.trend, trend_refused=refused)

    def reads(self) -> bool:
        """A test read begins; False when one is waited for."""
        if self._scene.reading_since is not None:
            return False
        self._scene = replace(
            self._scene, reading=None, reading_since=self.now(), reading_problem=None, note=None
        )
        return True

    def saw_reading(self, reading: DeviceReading | None, problem: Problem | None = None) -> None:
        """What came of it; with neither what was read before is forgotten."""
        self._scene = replace(self._scene, reading=reading, reading_since=None, reading_problem=problem)

    def saw_scanner(self, report: ScannerReport | None, problem: Problem | None = None) -> None:
        """A scanner under test, or why there is none; with neither the test begins anew."""
        begun = report or (self._scene.scanner if problem else None)
        self._scene = replace(self._scene, scanner=begun, scanner_problem=problem)

    def heard_scan(self, text: str) -> None:
        """A scan is being looked at: echoed at once, confirmed by the view."""
        self._scene = replace(self._scene, echo=text, note=None)

    def lost(self, reason: str) -> None:
        """The agent is away, since it was last heard; what is on the screen stays there, and gets old."""
        silent = 0.0 if self._heard_at is None else self._clock.monotonic() - self._heard_at
        since = self._scene.away or self.now() - timedelta(seconds=silent)
        self._scene = replace(self._scene, away=since, away_reason=reason or self._scene.away_reason)

    def attached(self) -> None:
        """The agent is there again."""
        note = self._scene.note
        note = None if note is not None and note.keeps_away else note  # why it did not take us before
        self._scene = replace(self._scene, away=None, away_reason="", note=note)

    def refused(self, problem: Problem) -> None:
        """The agent did not take the input."""
        self.tell(Note(Verdict.WRONG, problem.code, dict(problem.params)))

    def tell(self, note: Note) -> None:
        """The terminal itself has to say something; it stays until the next input."""
        self._scene = replace(self._scene, note=note, echo=None)

    def type(self, text: str | None) -> None:
        """The entry holds this now."""
        self._scene = replace(self._scene, typed=text, note=None)

    def sent_entry(self, input_id: str) -> None:
        """The entry was handed in: its answer empties it."""
        self._entry_sent = input_id


def rings(view: View) -> int:
    """How often the bell sounds for a view."""
    return TONES[view.message.verdict].rings if view.message else 0


def echo_words(kind: str, data: str, texts: Texts, view: View | None = None) -> str:
    """How an input is echoed: a scan as it was read, an action by its word; where a PIN is asked for nothing:
    somebody may have typed it as fast as a scanner."""
    if kind != "action" and view is not None and view.entry is not None and view.entry.kind == "pin":
        return HIDDEN * 4  # whatever its length
    return texts.action(data, view.scenario if view is not None else "") if kind == "action" else data


def _news(status: Status) -> tuple[object, ...]:
    """What a person waits for: ticks, links, devices, the state of the machine."""
    machines = [(one.state, one.alarm) for one in (status.machine, status.watched) if one is not None]
    links = tuple((link.name, link.state, link.insecure) for link in status.links)
    devices = tuple((device.name, device.state, device.silent_since, device.insecure) for device in status.devices)
    refused = (status.parked_count, status.held, status.handed_over, status.corrected)
    return status.delivered_seq, status.safe_seq, status.unsent, refused, links, devices, machines


def _locked_itself(before: View, after: View) -> bool:
    idle = after.message is not None and after.message.code == "sign_on.locked_idle"
    return before.who is not None and after.who is None and idle


def _renumbered(before: View, view: View) -> bool:
    """Whether a number means something else now, and nobody here did anything."""
    if view.input != before.input or (view.scenario, view.step) != (before.scenario, before.step):
        return False
    now = {choice.number: choice.id for choice in view.choices}
    return any(now.get(choice.number, choice.id) != choice.id for choice in before.choices)


def _same_entry(before: View, after: View) -> bool:
    """Whether what is typed still belongs: a proposal that moves with the machine does not take it away."""
    return (before.scenario, before.step, _asked(before)) == (after.scenario, after.step, _asked(after))


def _place(view: View) -> str:
    """What an entry is about: the step and its question, and for production the job, whatever was made meanwhile."""
    about: object = (view.prompt, view.prompt_params, view.page)
    if isinstance(view.page, WorkPage):
        about = view.page.job
    return repr((view.scenario, view.step, _asked(view), about))


def _asked(view: View) -> tuple[str, str, str] | None:
    return (view.entry.name, view.entry.kind, view.entry.unit) if view.entry is not None else None
