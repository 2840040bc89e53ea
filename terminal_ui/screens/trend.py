"""The trend page: one value over time. A band from the least to the most, the last value in it, and gaps as gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from textual.content import Content

from edge_agent.display import number_words
from edge_agent.views.histories import Trend
from edge_agent.views.maintenance import TrendPage
from edge_agent.views.status import ItemValue
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.machine import holds, quality_part, value_words
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.lines import EMPTY, Part, fit, joined, line, right, spread, wrapped
from terminal_ui.widgets.plot import Canvas, row_of, scale

_LABEL = 9  # cells of a value on the axis
_MARK = 9  # cells from one time to the next at least
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)  # minutes between two times
_LEAST = 3  # rows of a plot


class _Axis(NamedTuple):
    """The values of the plot, in the unit of the item."""

    low: float
    high: float
    step: float

    def words(self, value: float) -> str:
        """A value as the axis says it: with as many places as its step needs.

        >>> _Axis(19.0, 22.0, 0.5).words(20.0)
        '20.0'
        """
        if abs(self.high) >= 1e7 or abs(self.low) >= 1e7 or self.step < 1e-4:
            return f"{value:.3g}"
        places = next((places for places in range(5) if abs(self.step * 10**places % 1) < 1e-6), 4)
        return f"{value:.{places}f}"


def points(width: int) -> int:
    """How many buckets a plot of this width can show."""
    return max(16, 2 * (width - _LABEL - 4))


def trend_page(page: TrendPage, scene: Scene, look: Look, width: int, height: int) -> list[Content]:
    """The plot, or in words why there is none."""
    margin = "  " if width >= NARROW else " "
    room = width - 2 * len(margin)
    trend = scene.trend if scene.trend and (scene.trend.device, scene.trend.item) == (page.device, page.item) else None
    if trend is None:
        code = scene.trend_refused or "trend_page.loading"
        style = "$fh-warn" if scene.trend_refused else "$fh-quiet"
        return [line(margin, _name(page, look)), EMPTY, line(margin, (look.say(code), style))]
    rows = [line(margin, row) for row in _head(page, trend, scene, look, room)]
    if not any(value is not None for value in trend.last):
        return [*rows, EMPTY, *[line(margin, row) for row in _nothing(page, trend, look, room)]]
    plot = _plot(trend, look, room, height - len(rows) - 3)
    return [*rows, *[line(margin, row) for row in plot], line(margin, _legend(look, width))][:height]


def _name(page: TrendPage, look: Look) -> Content:
    unit = f"  [{look.safe(page.unit, 12)}]" if page.unit else ""
    return line((look.safe(page.item, 40), "bold"), (unit, "$fh-quiet"))


def _head(page: TrendPage, trend: Trend, scene: Scene, look: Look, room: int) -> list[Content]:
    """What is plotted, its range, and its value now."""
    numbers = [value for value in trend.last if value is not None]
    lows = [value for value in trend.low if value is not None]
    highs = [value for value in trend.high if value is not None]
    if not numbers:
        return [_name(page, look)]
    told = look.say("trend_page.range", low=number_words(min(lows)), high=number_words(max(highs)))
    span = look.say("trend_page.minutes", n=str(page.minutes))
    now = _now(page, trend, scene, look)
    if room < NARROW - 4:
        return [fit(_name(page, look), room), fit(now, room), fit(line((told, "$fh-quiet")), room)]
    return [spread(_name(page, look), line((f"{told}   {span}", "$fh-quiet")), room), fit(now, room)]


def _now(page: TrendPage, trend: Trend, scene: Scene, look: Look) -> Content:
    """The value now with its age; when it is not good the last good one, with the word of its status.

    Of an item that is not shown live the last bucket with a number.
    """
    live = scene.status.watched if scene.status else None
    item = next((each for each in live.values if each.name == page.item), None) if live and live.id == page.equipment \
        else None  # fmt: skip
    held = item is not None and holds(page.device, scene)
    if item is None:
        at = max(number for number, value in enumerate(trend.last) if value is not None)
        until = min(trend.times[at] + trend.step, trend.until)
        status = trend.status[at] if at == len(trend.last) - 1 else trend.status[-1] or "Bad"
        item = ItemValue(
            name=page.item, value=trend.last[at], unit=page.unit, status=status or "Bad", source_time=moment(until)
        )
    if item.value is None:
        return line((look.say("trend_page.unknown"), "bold"), "  ", quality_part(item, scene, look))
    code = "trend_page.last" if item.status == "Bad" else "trend_page.now"
    words = look.say(code, value=value_words(item, look))
    return line((words, "bold"), "  ", quality_part(item, scene, look, held))


def _nothing(page: TrendPage, trend: Trend, look: Look, room: int) -> list[Content]:
    code = "trend_page.all_bad" if any(status == "Bad" for status in trend.status) else "trend_page.nothing"
    return wrapped(line((look.say(code, n=str(page.minutes)), "$fh-warn")), room, 3)


def _plot(trend: Trend, look: Look, width: int, height: int) -> list[Content]:
    height = max(_LEAST, height)
    cells = max(8, width - _LABEL - 1)
    lows = [value for value in trend.low if value is not None]
    highs = [value for value in trend.high if value is not None]
    axis = _Axis(*scale(min(lows), max(highs), min(height, 6)))
    band = Canvas(cells, height, look.glyphs.unicode)
    lasts = Canvas(cells, height, look.glyphs.unicode)
    _draw(trend, axis, band, lasts)
    labels = _labels(axis, height)
    rows = [
        line(right(line((labels.get(number, ""), "$fh-quiet")), _LABEL - 1), " ", *_styled(both, last))
        for number, (both, last) in enumerate(zip(band.lines(), lasts.lines(), strict=True))
    ]
    rows.append(line(" " * _LABEL, *_quality(trend, cells, look)))
    rows.append(line(" " * _LABEL, (_times(trend, cells, look), "$fh-quiet")))
    return rows


def columns_of(trend: Trend, columns: int) -> Iterator[tuple[int, range]]:
    """Each bucket with the columns of the plot that it covers; none beyond the edge."""
    whole = max(1, trend.until - trend.since)
    for number, began in enumerate(trend.times):
        first = (began - trend.since) * columns // whole
        behind = (began + trend.step - trend.since) * columns // whole
        yield number, range(max(0, first), min(columns, max(first + 1, behind)))


def _draw(trend: Trend, axis: _Axis, band: Canvas, lasts: Canvas) -> None:
    """The band into one canvas, with the last values; those alone into the other. Nothing where no number is."""
    before: int | None = None
    for number, columns in columns_of(trend, band.columns):
        low, high, last = trend.low[number], trend.high[number], trend.last[number]
        if low is None or high is None or last is None:
            before = None
            continue
        row = row_of(last, axis.low, axis.high, band.rows)
        for column in columns:
            band.column(column, row_of(low, axis.low, axis.high, band.rows),
                        row_of(high, axis.low, axis.high, band.rows))  # fmt: skip
            band.dot(column, row)
            lasts.dot(column, row)
        if before is not None and columns:
            band.column(columns[0], before, row)
        before = row


def _styled(both: str, last: str) -> list[Part]:
    """Cells with a last value stand out; those of the band alone are quiet."""
    return joined((sign, "bold" if mark != " " else "$fh-quiet") for sign, mark in zip(both, last, strict=True))


def _labels(axis: _Axis, height: int) -> dict[int, str]:
    labels: dict[int, str] = {}
    count = round((axis.high - axis.low) / axis.step)
    for number in range(count + 1):
        value = axis.low + number * axis.step
        labels[row_of(value, axis.low, axis.high, height)] = axis.words(value)
    return labels


def _quality(trend: Trend, cells: int, look: Look) -> list[Part]:
    """The axis of time says how good the values above it are; the worst of a cell counts."""
    worse = ("Good", "Uncertain", "", "Bad")
    told: list[str | None] = [None] * cells
    for number, columns in columns_of(trend, cells):
        for column in columns:
            have = told[column]
            told[column] = trend.status[number] if have is None else max(have, trend.status[number], key=worse.index)
    drawn = {
        "Good": (look.glyphs.rule, "$fh-rule"), "Uncertain": ("~", "bold $fh-warn"),
        "": ("?", "bold $fh-warn"), "Bad": ("!", "bold $fh-alert"), None: (" ", ""),
    }  # fmt: skip
    return [drawn[status] for status in told]


def _times(trend: Trend, cells: int, look: Look) -> str:
    """Round local times under the plot, each beginning at its own cell."""
    began, ended = moment(trend.since), moment(trend.until)
    minutes = max(1.0, (ended - began).total_seconds() / 60)
    step = next((step for step in _STEPS if cells * step / minutes >= _MARK), _STEPS[-1])
    local = began.astimezone(look.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = (local - midnight).total_seconds() / 60
    at = began + timedelta(minutes=-(-passed // step) * step - passed)
    told = ""
    while at <= ended:
        cell = int((at - began).total_seconds() / 60 * cells / minutes)
        words = at.astimezone(look.zone).strftime("%H:%M")
        if cell + len(words) <= cells and cell >= len(told) + bool(told):
            told = told.ljust(cell) + words
        at += timedelta(minutes=step)
    return told


def moment(micros: int) -> datetime:
    """The time of a sample."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def _legend(look: Look, width: int) -> Content:
    """What the signs mean; on a handheld those that warn come first and alone."""
    band = (" " * _LABEL, (look.say("trend_page.legend"), "$fh-quiet"), "  ") if width >= NARROW else ()
    return line(
        *band,
        ("~", "bold $fh-warn"), (f" {look.plain(look.texts.word('quality', 'Uncertain'))}", "$fh-quiet"), "  ",
        ("!", "bold $fh-alert"), (f" {look.plain(look.texts.word('quality', 'Bad'))}", "$fh-quiet"), "  ",
        ("?", "bold $fh-warn"), (f" {look.say('strip.no_data')}", "$fh-quiet"),
    )  # fmt: skip
