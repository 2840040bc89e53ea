"""Everything there is to draw at one moment. Widgets are functions of a scene and their own size."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from edge_agent.display import display_safe
from edge_agent.views import Verdict, View
from edge_agent.views.exceptions import AnyExceptionPage
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import DeviceReading, MaintenancePage
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Problem, Status
from terminal_ui.glyphs import UNICODE, Glyphs
from terminal_ui.texts import Texts

_NOT_LET_IN = ("agent.wrong_token", "agent.wrong_host", "agent.not_you", "agent.unknown_terminal")


@dataclass(frozen=True)
class Note:
    """Something the terminal itself has to say; it stays until the next input, like a message.

    `word`: the word before it, if not that of the verdict."""

    verdict: Verdict
    code: str
    params: dict[str, str] = field(default_factory=dict)
    word: str = ""

    @property
    def keeps_away(self) -> bool:
        """Whether it says why the agent does not let this terminal in at all."""
        return self.code in _NOT_LET_IN


@dataclass(frozen=True)
class Scene:
    """`now` is the agent's time. `away`: since when nobody answers there, None while attached.

    `echo` is the input that is being looked at, `typed` what the person has typed so far (None: nothing,
    the proposed value stands), `guide` the line of the demo strip, `pace` pieces a minute (newest last),
    `hour` one sign a minute of this hour (see `widgets.machine.HourStrip`). `trend` is what the agent has
    answered for the trend page, `trend_refused` the code of why it did not; `scanner` and `scanner_problem`
    the same for the test of a scanner, `reading` and `reading_problem` for a test read, which is waited for
    since `reading_since`.
    """

    now: datetime
    view: View | None = None
    status: Status | None = None
    away: datetime | None = None
    away_reason: str = ""
    waiting: int = 0
    echo: str | None = None
    note: Note | None = None
    typed: str | None = None
    guide: str = ""
    pace: tuple[float, ...] = ()
    hour: str = ""
    trend: Trend | None = None
    trend_refused: str = ""
    reading: DeviceReading | None = None
    reading_since: datetime | None = None
    reading_problem: Problem | None = None
    scanner: ScannerReport | None = None
    scanner_problem: Problem | None = None

    @property
    def on_page(self) -> bool:
        """Whether a page of its own is shown: it gets all the room that question and answer leave."""
        return self.view is not None and isinstance(self.view.page, MaintenancePage | AnyExceptionPage)

    @property
    def listing(self) -> bool:
        """Whether something is to be chosen by number: on a handheld the list gets the room of older reports."""
        return self.view is not None and bool(self.view.choices)


class Look:
    """What all widgets share: the words, the signs and the time zone of the plant (None: the PC's)."""

    def __init__(self, texts: Texts, glyphs: Glyphs = UNICODE, zone: tzinfo | None = None) -> None:
        self.texts = texts
        self.glyphs = glyphs
        self.zone = zone

    def say(self, code: str, **params: str) -> str:
        """Our own words, in signs the terminal has."""
        return self.plain(self.texts.say(code, params))

    def safe(self, text: str, limit: int = 200) -> str:
        """Text from outside, made safe, in signs the terminal has."""
        return self.plain(display_safe(text, limit))

    def plain(self, text: str) -> str:
        """The text as it is, or with `?` for what an ASCII terminal can not print."""
        if self.glyphs.unicode or text.isascii():
            return text
        folded = text.translate(_FOLD)
        return folded.encode("ascii", "replace").decode("ascii")


_FOLD = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "é": "e", "è": "e",
    "·": "-", "…": "~", "–": "-", "—": "-", "’": "'", "×": "x", "▸": ">", "→": ">",
})  # fmt: skip
