"""What is in doubt: the list, and one of them with what happened, what the ERP says, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from edge_agent.views.exceptions import ExceptionPage, ExceptionRow, ExceptionsPage
from terminal_ui.clockface import age_words, hour_minute
from terminal_ui.scene import Look, Scene
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.leaf import Leaf, leafed
from terminal_ui.widgets.lines import EMPTY, Part, fit, line, spread, wrapped

_MOST = 3  # lines of one text in the list
_LONG = 400  # characters of words from outside


def exceptions_page(page: ExceptionsPage, scene: Scene, look: Look, width: int, height: int, first: int) -> Leaf:
    """The exceptions from number `first` on."""
    entries = [_entry(number, row, scene, look, width) for number, row in enumerate(page.rows, 1)]
    return leafed(entries, first, height, look)


def _entry(number: int, row: ExceptionRow, scene: Scene, look: Look, width: int) -> list[Content]:
    """What happened, since when; below it why it is in doubt, and whom it holds up."""
    indent = " " * 5
    style = "$fh-quiet" if _waits_for_others(row) else "bold"
    age = line((age_words(row.since, scene.now), "$fh-quiet"), " ")
    head = wrapped(line((_happened(row, look), style)), width - len(indent) - age.cell_length - 1, 2)
    told = [spread(line((f"{number:>3}  ", style), head[0]), age, width)]
    told += [line(indent, more) for more in head[1:]]
    sign, words, tone = _why(row, look)
    rows = wrapped(line((f"{sign} {words}", tone)), width - len(indent) - 1, _MOST)
    told += [line(indent, each) for each in rows]
    return [*told, EMPTY] if width >= NARROW else told


def exception_page(page: ExceptionPage, scene: Scene, look: Look, width: int, height: int, first: int) -> Leaf:
    """One exception from row `first` on."""
    margin = "  " if width >= NARROW else " "
    room = width - 2 * len(margin)
    row = page.row
    told = [*wrapped(line((_happened(row, look), "bold")), room, 3)]
    facts = list(_facts(row, scene, look))
    size = min(max([len(name) for name, _ in facts], default=0), max(9, room // 4))
    for name, part in facts:
        words = wrapped(line(part), room - size - 2, 4)
        told.append(line((fit(line(name), size).plain, "$fh-quiet"), "  ", words[0]))
        told += [line(" " * (size + 2), each) for each in words[1:]]
    if page.choices and width >= NARROW and scene.view is not None and scene.view.step == "one":
        told += [EMPTY, *wrapped(line((look.say(f"exceptions_page.{_advice(page)}"), "$fh-quiet")), room, 2)]
    return leafed([[line(margin, each)] for each in told], first, height, look)


def _advice(page: ExceptionPage) -> str:
    """What to do before one chooses, of what this person may choose."""
    if page.row.kind == "refused":
        return "ask_office" if "resend" in page.choices else "ask_lead"
    return "ask_gone" if page.row.kind == "gone" else "ask_look"


def _facts(row: ExceptionRow, scene: Scene, look: Look) -> Iterator[tuple[str, Part]]:
    """Name and value of each line, in the order in which they are asked for."""

    def say(code: str, **params: str) -> str:
        return look.say(f"exceptions_page.{code}", **params)

    if row.connector:
        yield say("connector"), (say("connector_gone", connector=look.safe(row.connector, 40)), "bold $fh-warn")
    if row.code:
        yield say("means"), (f"{look.glyphs.wrong} {_translated(row, look)}", "bold $fh-alert")
    if not row.code and not row.reason:
        yield say("why"), (f"{look.glyphs.wrong} {_reason(row, look)}", "bold $fh-alert")
    if row.reason:
        yield say("words" if row.code else "why"), (look.safe(row.reason, _LONG), "")
    if row.held:
        seqs = ", ".join(map(str, row.held))
        yield say("holds"), (say("holds_more", n=str(len(row.held)), seqs=seqs), "bold $fh-warn")
    if row.waits_for:
        yield say("holds"), (say("waits_for", seq=str(row.waits_for)), "")
    if row.happened is not None:
        where = f" {look.glyphs.dot} ".join(filter(None, (look.safe(row.person, 30), look.safe(row.terminal, 20))))
        yield say("who"), (f"{where}  {hour_minute(row.happened, look.zone)}  {say('number')} {row.seq}", "")
    age = age_words(row.since, scene.now)
    yield say("since"), (say("tries", age=age, n=str(row.attempts)) if row.attempts else age, "")
    if row.choice:
        action = look.plain(look.texts.word("action", row.choice))
        age = age_words(row.decided_at, scene.now)
        by = say("by", who=row.decided_by or "?", second=row.second, note=row.note, age=age)
        yield say("decided"), (f"{action}: {by}", "$fh-warn" if row.choice == "hand_over" else "")


def _happened(row: ExceptionRow, look: Look) -> str:
    params = dict(row.params)
    if params.get("choice"):
        params["choice"] = look.texts.word("action", params["choice"])
    return look.say(f"happened.{row.what}", **params)


def _why(row: ExceptionRow, look: Look) -> tuple[str, str, str]:
    """Sign, words and style of why it is in doubt, or of who has it now."""
    dot = f" {look.glyphs.dot} "
    if row.settled:
        return look.glyphs.one_tick, look.say("exceptions_page.settled"), "$fh-quiet"
    if row.choice == "hand_over":
        return look.glyphs.held, look.say("exceptions_page.handed_over", note=row.note), "$fh-warn"
    words = [_reason(row, look)]
    if row.waits_for:
        words.append(look.say("exceptions_page.waits_for", seq=str(row.waits_for)))
    elif row.held:
        words.append(look.say("exceptions_page.holds_short", n=str(len(row.held))))
    return look.glyphs.wrong, dot.join(filter(None, words)), "bold $fh-alert"


def _reason(row: ExceptionRow, look: Look) -> str:
    """Why it is in doubt: what the ERP answered, what the agent found, or what is to be looked at."""
    if row.code:
        return _translated(row, look)
    return look.safe(row.reason, 200) if row.reason else look.say(f"exceptions_page.why_{row.kind}")


def _translated(row: ExceptionRow, look: Look) -> str:
    """Our words for what the ERP answered; its own where we have none."""
    code = f"erp_says.{row.code}"
    return look.say(code) if code in look.texts else look.safe(row.reason or row.code, 200)


def _waits_for_others(row: ExceptionRow) -> bool:
    return row.settled or row.choice == "hand_over"
