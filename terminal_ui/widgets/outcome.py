"""What came of the last input, and what came of those before it."""

from __future__ import annotations

from textual.content import Content

from edge_agent.views import Message, Verdict
from edge_agent.views.status import Status
from terminal_ui.clockface import hour_minute
from terminal_ui.scene import Note, Scene
from terminal_ui.widgets.block import NARROW, Block
from terminal_ui.widgets.lines import EMPTY, fit, line, wrapped
from terminal_ui.widgets.tones import TONES

CORRECTED_NAMED = 50  # in a status


class Outcome(Block):
    """The verdict of the last input, a band with a sign and a word that stays until the next input; below
    it the last reports, newest last: one tick is safe on this PC, two the ERP has it, `!` it refused. What waits behind
    a refused one, was handed over, or was refused and corrected has a sign and words of its own.

    While the agent is away the band says so instead: nothing that is done now can be saved.
    """

    _on_page = False

    @property
    def grows(self) -> bool:  # type: ignore[override]
        """Below a page, and a list on a handheld, it is the verdict alone, and nothing when there is none."""
        return self._on_page

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        self._on_page = scene.on_page or (width < NARROW and scene.listing)
        if self._on_page:
            return [row for row in self._verdict(scene, width) if row]
        verdict = self._verdict(scene, width)[: height - self._hidden(scene)]
        return [*verdict, *self._log(scene, width, height - len(verdict))]

    def _verdict(self, scene: Scene, width: int) -> list[Content]:
        look = self.look
        if scene.away is not None:
            waiting = " " + look.say("ui.away_kept", n=str(scene.waiting)) if scene.waiting else ""
            why = scene.note if scene.note is not None and scene.note.keeps_away else None
            words = look.say(why.code, **why.params) if why is not None else look.say("ui.away")
            return self._band(Verdict.WRONG, "verdict.away", words + waiting, width)
        if scene.echo is not None:
            words = look.say("ui.echo", what=scene.echo)
            return [fit(line(f" {look.glyphs.echo} {words}"), width)]
        told = scene.note or (scene.view.message if scene.view else None)
        if told is None:
            return [EMPTY]
        # The word of the promise: it stands only where facts were recorded, and their commit has returned.
        saved = isinstance(told, Message) and told.seq is not None
        word = "verdict.saved" if saved else f"verdict.{told.verdict}"
        word = f"verdict.{told.word}" if isinstance(told, Note) and told.word else word
        notes = told.notes if isinstance(told, Message) else ()
        words = " ".join(look.say(code, **told.params) for code in (told.code, *notes))
        return self._band(told.verdict, word, words, width)

    def _band(self, verdict: Verdict, word: str, text: str, width: int) -> list[Content]:
        tone = TONES[verdict]
        chip = f" {tone.glyph(self.look.glyphs)} {self.look.say(word).upper()} "
        if width < NARROW:
            rows = [line(" ", row) for row in wrapped(line(f"{chip.lstrip()} {text}"), width - 2, 4)]
        else:
            inner = wrapped(line(text), width - len(chip) - 2, 4)
            rows = [line(" " * len(chip) if number else chip, " ", row) for number, row in enumerate(inner)]
        return [line((fit(row, width).plain, f"bold {tone.band()}".strip())) for row in rows]

    def _log(self, scene: Scene, width: int, height: int) -> list[Content]:
        view = scene.view
        if view is None or height <= 0:
            return []
        shown = view.log
        last = shown[-1] if shown and view.message is not None and shown[-1].seq == view.message.seq else None
        told = last is not None and not self._hidden(scene) and standing(last, scene.status) != "refused"
        if width < NARROW and told:
            shown = shown[:-1]
        return [self._row(message, scene.status, width) for message in _seen(shown, scene.status, height)]

    @staticmethod
    def _hidden(scene: Scene) -> bool:
        """Whether the band says something else than what was just recorded: its line is to be seen below."""
        told = scene.view.message if scene.view else None
        return told is not None and told.seq is not None and bool(scene.note or scene.echo is not None or scene.away)

    def _row(self, message: Message, status: Status | None, width: int) -> Content:
        glyphs = self.look.glyphs
        words = self.look.say(message.code, **message.params)
        stands = standing(message, status)
        if stands in ("refused", "handed_over", "waits", "corrected"):
            words = f"{self.look.say(f'ui.{stands}')}: {words}"
        match stands:
            case "refused":
                sign, style = glyphs.wrong, "bold $fh-alert"
            case "handed_over":
                sign, style = glyphs.arrow, "$fh-warn"
            case "waits":
                sign, style = glyphs.waits, "$fh-warn"
            case "corrected":
                sign, style = glyphs.settled, "$fh-quiet"
            case "delivered":
                sign, style = glyphs.two_ticks, "$fh-good"
            case "safe":
                sign, style = glyphs.one_tick, "$fh-good"
            case _:
                sign, style = glyphs.dot, "$fh-quiet"
        time = "" if width < NARROW else f"{hour_minute(message.at, self.look.zone)}  "
        return fit(line(" ", (f"{sign:<3}", style), (time, "$fh-quiet"), words), width)


def _seen(shown: tuple[Message, ...], status: Status | None, height: int) -> tuple[Message, ...]:
    """Which of the last reports have room: the last one that was refused always, for it is what somebody must see."""
    last = shown[-height:]
    refused = [message for message in shown if standing(message, status) == "refused"]
    if not refused or any(message in last for message in refused):
        return last
    return refused[-1], *last[1:]


def standing(message: Message, status: Status | None) -> str:
    """How far a report got: none (nothing was recorded), safe, delivered, refused, handed_over (refused, and with
    somebody else), waits (behind a refused one) or corrected (refused, and settled)."""
    if message.seq is None:
        return "none"
    if status is None:
        return "safe"
    if message.seq in status.parked:
        if message.seq in status.held:
            return "waits"
        return "handed_over" if message.seq in status.handed_over else "refused"
    if message.seq in status.corrected:
        return "corrected"
    # Older than all the corrected ones that are named: it may be one itself, so it gets no second tick.
    if len(status.corrected) >= CORRECTED_NAMED and message.seq < min(status.corrected):
        return "safe"
    return "delivered" if message.seq <= status.delivered_seq else "safe"
