"""What came of the last input, and what came of those before it."""

from __future__ import annotations

from textual.content import Content

from edge_agent.views import Message, Status, Verdict
from terminal_ui.clockface import hour_minute
from terminal_ui.scene import Scene
from terminal_ui.widgets.block import NARROW, Block
from terminal_ui.widgets.lines import EMPTY, fit, line, wrapped
from terminal_ui.widgets.tones import TONES


class VerdictBand(Block):
    """The verdict of the last input: a band with a sign and a word. It stays until the next input.

    While the agent is away it says so instead: nothing that is done now can be saved.
    """

    grows = True

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        look = self.look
        if scene.away is not None:
            waiting = " " + look.say("ui.away_kept", n=str(scene.waiting)) if scene.waiting else ""
            return self._band(Verdict.WRONG, "verdict.away", look.say("ui.away") + waiting, width)
        if scene.echo is not None:
            words = look.say("ui.echo", what=scene.echo)
            return [fit(line(" ", (f"{look.glyphs.echo} {words}", "")), width)]
        if scene.note is not None:
            note = scene.note
            return self._band(
                note.verdict, f"verdict.{note.verdict}", look.say(note.code, **note.params), width
            )
        message = scene.view.message if scene.view else None
        if message is None:
            return [EMPTY]
        words = look.say(message.code, **message.params)
        return self._band(message.verdict, f"verdict.{message.verdict}", words, width)

    def _band(self, verdict: Verdict, word: str, text: str, width: int) -> list[Content]:
        tone = TONES[verdict]
        chip = f" {tone.glyph(self.look.glyphs)} {self.look.say(word).upper()} "
        style = tone.band()
        if width < NARROW:
            rows = [line(" ", row) for row in wrapped(line(f"{chip.lstrip()} {text}"), width - 2, 4)]
        else:
            inner = wrapped(line(text), width - len(chip) - 2, 4)
            rows = [line(" " * len(chip) if number else chip, " ", row) for number, row in enumerate(inner)]
        band = [(fit(row, width).plain, f"bold {style}".strip()) for row in rows]
        return [line(row) for row in band]


class Log(Block):
    """The last reports, newest last: one tick is safe on this PC, two the ERP has it, `!` it refused."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        view = scene.view
        if view is None:
            return []
        shown = view.log
        if width < NARROW and shown and view.message is not None and shown[-1].seq == view.message.seq:
            shown = shown[:-1]
        last = shown[-height:] if height > 0 else ()
        return [self._row(message, scene.status, width) for message in last]

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
