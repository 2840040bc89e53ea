"""The signs that stand beside every colour, for terminals with Unicode and for those without."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Glyphs:
    """One set of signs. `spark` rises from nothing to full; `strip` and `bar` fill one cell."""

    unicode: bool
    ok: str
    wrong: str
    ask: str
    held: str
    echo: str
    one_tick: str
    two_ticks: str
    settled: str
    waits: str
    running: str
    idle: str
    stopped: str
    arrow: str
    caret: str
    rule: str
    dot: str
    spark: str
    strip_run: str
    strip_idle: str
    strip_stop_in: str
    strip_none: str
    bar_full: str
    bar_rest: str
    more: str


UNICODE = Glyphs(
    unicode=True,
    ok="✓",
    wrong="!",
    ask="?",
    held="■",
    echo="…",
    one_tick="✓",
    two_ticks="✓✓",
    settled="×",
    waits="…",
    running="▶",
    idle="▷",
    stopped="■",
    arrow="▸",
    caret="▏",
    rule="─",
    dot="·",
    spark="▁▂▃▄▅▆▇█",
    strip_run="█",
    strip_idle="░",
    strip_stop_in="▄",
    strip_none="·",
    bar_full="█",
    bar_rest="░",
    more="…",
)

ASCII = Glyphs(
    unicode=False,
    ok="+",
    wrong="!",
    ask="?",
    held="#",
    echo="...",
    one_tick="+",
    two_ticks="++",
    settled="x",
    waits="..",
    running=">",
    idle="-",
    stopped="#",
    arrow=">",
    caret="_",
    rule="-",
    dot="-",
    spark="_.:-=+*#",
    strip_run="#",
    strip_idle="-",
    strip_stop_in="+",
    strip_none=".",
    bar_full="#",
    bar_rest=".",
    more="~",
)
