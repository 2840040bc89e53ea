"""How a verdict looks: a sign, a word and a pair of colours; never the colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.views import Verdict
from terminal_ui.glyphs import Glyphs


@dataclass(frozen=True)
class Tone:
    """`style` names a pair of the palette, `sign` an attribute of `Glyphs`; the bell sounds `rings` times."""

    style: str
    sign: str
    rings: int

    def band(self) -> str:
        """The style of a full line in this tone."""
        return "" if self.style == "base" else f"$fh-{self.style} on $fh-{self.style}-bg"

    def glyph(self, glyphs: Glyphs) -> str:
        """The sign in the set of this terminal."""
        return str(getattr(glyphs, self.sign))


_OK = Tone("ok", "ok", 1)
_ASK = Tone("ask", "ask", 2)
_WRONG = Tone("wrong", "wrong", 2)

TONES = {
    Verdict.OK: _OK,
    Verdict.OK_PLUS: _OK,
    Verdict.CONFIRM: _ASK,
    Verdict.WRONG: _WRONG,
    Verdict.OTHER_TYPE: _ASK,
    Verdict.AMBIGUOUS: _ASK,
    Verdict.HELD: Tone("held", "held", 3),
    Verdict.UNKNOWN: _WRONG,
    Verdict.DUPLICATE: _ASK,
    Verdict.COMMAND: Tone("base", "arrow", 0),
    Verdict.LATE: Tone("ask", "echo", 0),
}
