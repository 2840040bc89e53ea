"""What the terminal knows, told event by event; `current` is the scene to draw. No widget, no I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from edge_agent.views import Problem, Status, Verdict, View
from terminal_ui.clockface import Clock
from terminal_ui.guide import Guide
from terminal_ui.scene import Note, Scene
from terminal_ui.texts import Texts
from terminal_ui.widgets.machine import HourStrip, Pace
from terminal_ui.widgets.tones import TONES


class Feed:
    """The scene of one terminal as it comes about."""

    def __init__(self, clock: Clock, guide: Guide | None = None) -> None:
        self._clock = clock
        self._guide = guide
        self._scene = Scene(clock.now())
        self._agent_time: tuple[datetime, float] = (clock.now(), clock.monotonic())
        self._pace, self._hour = Pace(), HourStrip()
        self._entry_sent = ""

    @property
    def view(self) -> View | None:
        """The view that is shown."""
        return self._scene.view

    @property
    def typed(self) -> str | None:
        """What stands in the entry."""
        return self._scene.typed

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
        before = self._scene.view
        answered = before is None or view.revision != before.revision
        self._scene = replace(self._scene, echo=None, note=None if answered else self._scene.note)
        answers_entry = bool(self._entry_sent) and view.input == self._entry_sent
        kept = before is not None and _same_entry(before, view) and not answers_entry
        self._scene = replace(self._scene, view=view, typed=self._scene.typed if kept else None)
        return answered

    def saw_status(self, status: Status) -> bool:
        """The live companion came. Whether it tells news: live values alone have time until the next second."""
        news = self._scene.status is None or _news(status) != _news(self._scene.status)
        self._agent_time = (status.now, self._clock.monotonic())
        if status.machine is not None:
            good = status.machine.count_status == "Good"
            self._pace.note(status.machine.count if good else None, status.now)
            self._hour.note(status.machine.state, status.now)
        self._scene = replace(self._scene, status=status)
        return news

    def heard_scan(self, text: str) -> None:
        """A scan is being looked at: echoed at once, confirmed by the view."""
        self._scene = replace(self._scene, echo=text, note=None)

    def lost(self, reason: str) -> None:
        """The agent is away; what is on the screen stays there, and gets old."""
        since = self._scene.away or self.now()
        self._scene = replace(self._scene, away=since, away_reason=reason or self._scene.away_reason)

    def attached(self) -> None:
        """The agent is there again."""
        self._scene = replace(self._scene, away=None, away_reason="")

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


def echo_words(kind: str, data: str, texts: Texts) -> str:
    """How an input is echoed: a scan as it was read, an action by its word."""
    return texts.word("action", data) if kind == "action" else data


def _news(status: Status) -> tuple[object, ...]:
    """What a person waits for: ticks, links, devices, the state of the machine."""
    machine = (status.machine.state, status.machine.alarm) if status.machine else None
    links = tuple((link.name, link.state) for link in status.links)
    devices = tuple((device.name, device.state, device.silent_since) for device in status.devices)
    return status.delivered_seq, status.safe_seq, status.unsent, status.parked_count, links, devices, machine


def _same_entry(before: View, after: View) -> bool:
    """Whether what is typed still belongs: a proposal that moves with the machine does not take it away."""
    return (before.scenario, before.step, _asked(before)) == (after.scenario, after.step, _asked(after))


def _asked(view: View) -> tuple[str, str, str] | None:
    return (view.entry.name, view.entry.kind, view.entry.unit) if view.entry is not None else None
