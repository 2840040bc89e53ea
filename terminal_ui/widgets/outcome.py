"""What came of the last input, and what came of those before it."""

from __future__ import annotations

from textual.content import Content

from edge_agent.views import Message, Status, Verdict
from terminal_ui.clockface import hour_minute
from terminal_ui.scene import Scene
from terminal_ui.widgets.block import NARROW, Block
from terminal_ui.widgets.lines import EMPTY, fit, line, wrapped
from terminal_ui.widgets.tones import TONES


class Outcome(Block):
    """The verdict of the last input, a band with a sign and a word that stays until the next input; below
    it the last reports, newest last: one tick is safe on this PC, two the ERP has it, `!` it refused.

    While the agent is away the band says so instead: nothing that is done now can be saved.
    """

    _on_page = False

    @property
    def grows(self) -> bool:  # type: ignore[override]
        """Below a page it is the verdict alone, and nothing when there is none."""
        return self._on_page

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        self._on_page = scene.on_page
        if scene.on_page:
            return [row for row in self._verdict(scene, width) if row]
        verdict = self._verdict(scene, width)[:height]
        return [*verdict, *self._log(scene, width, height - len(verdict))]

    def _verdict(self, scene: Scene, width: int) -> list[Content]:
        look = self.look
        if scene.away is not None:
            waiting = " " + look.say("ui.away_kept", n=str(scene.waiting)) if scene.waiting else ""
            return self._band(Verdict.WRONG, "verdict.away", look.say("ui.away") + waiting, width)
        if scene.echo is not None:
            words = look.say("ui.echo", what=scene.echo)
            return [fit(line(f" {look.glyphs.echo} {words}"), width)]
        told = scene.note or (scene.view.message if scene.view else None)
        if told is None:
            return [EMPTY]
        return self._band(told.verdict, f"verdict.{told.verdict}", look.say(told.code, **told.params), width)

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
        if width < NARROW and shown and view.message is not None and shown[-1].seq == view.message.seq:
            shown = shown[:-1]
        return [self._row(message, scene.status, width) for message in shown[-height:]]

    def _row(self, message: Message, status: Status | None, width: int) -> Content:
        glyphs = self.look.glyphs
        words = self.look.say(message.code, **message.params)
        match standing(message, status):
            case "refused":
                sign, style = glyphs.wrong, "bold $fh-alert"
                words = f"{self.look.say('ui.refused')}: {words}"
            case "delivered":
                sign, style = glyphs.two_ticks, "$fh-good"
            case "safe":
                sign, style = glyphs.one_tick, "$fh-good"
            case _:
                sign, style = glyphs.dot, "$fh-quiet"
        time = "" if width < NARROW else f"{hour_minute(message.at, self.look.zone)}  "
        return fit(line(" ", (f"{sign:<3}", style), (time, "$fh-quiet"), words), width)


def standing(message: Message, status: Status | None) -> str:
    """How far a report got: none (nothing was recorded), safe, delivered or refused."""
    if message.seq is None:
        return "none"
    if status is None:
        return "safe"
    if message.seq in status.parked:
        return "refused"
    return "delivered" if message.seq <= status.delivered_seq else "safe"
