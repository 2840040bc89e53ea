"""The link page: one device in words an electrician understands, and a reading of its points to try it."""

from __future__ import annotations

from textual.content import Content

from edge_agent.display import number_words
from edge_agent.views.maintenance import LinkPage, PointReading
from edge_agent.views.status import DeviceStatus
from terminal_ui.clockface import age_words, hour_minute
from terminal_ui.scene import Look, Scene
from terminal_ui.widgets.block import NARROW
from terminal_ui.widgets.leaf import Leaf, leafed
from terminal_ui.widgets.lines import EMPTY, Part, columns, fit, line, right, spread, wrapped

_STATES = {"online": "", "starting": "bold $fh-warn", "lost": "bold $fh-alert"}
_VALUE = 14  # cells of a value with its unit, and with the word for it where that fits
_SLOW = 1.0  # seconds of a round trip: a person notices, a poll group falls behind


def link_page(page: LinkPage, scene: Scene, look: Look, width: int, height: int, first: int) -> Leaf:
    """The device from row `first` on."""
    wide = width >= NARROW
    margin = "  " if wide else " "
    room = width - 2 * len(margin)
    device = next((one for one in scene.status.devices if one.name == page.device), None) if scene.status else None
    rows = _about(page, device, scene, look, room)
    if device is not None:
        rows += _said(device, look, room)
    rows += _read(page, scene, look, room)
    return leafed([[line(margin, row)] for row in rows], first, height, look)


def _about(page: LinkPage, device: DeviceStatus | None, scene: Scene, look: Look, room: int) -> list[Content]:
    facts: list[tuple[str, Part]] = [
        ("endpoint", (look.safe(page.endpoint, 80), "bold")),
        ("driver", (look.safe(page.driver, 40), "")),
    ]
    if device is None:
        facts.append(("state", (look.say("link_page.unknown"), "$fh-warn")))
    else:
        facts += _facts(device, scene, look)
    names = [look.say(f"link_page.{name}") for name, _ in facts]
    size = min(max(len(name) for name in names), max(14, room // 4))
    told: list[Content] = []
    for name, (_, part) in zip(names, facts, strict=True):
        words = wrapped(line(part), room - size - 2, 2)
        told.append(line((fit(line(name), size).plain, "$fh-quiet"), "  ", words[0]))
        told += [line(" " * (size + 2), row) for row in words[1:]]
    return told


def _facts(device: DeviceStatus, scene: Scene, look: Look) -> list[tuple[str, Part]]:
    silent = device.silent_since if device.state != "lost" else None
    style = _STATES["lost" if silent else device.state]
    sign = look.glyphs.ok if not style else look.glyphs.wrong
    began = silent or device.since
    since = look.say("machine_page.since", time=hour_minute(began, look.zone), age=age_words(began, scene.now))
    word = look.plain(look.texts.word("state", "silent" if silent else device.state))
    facts: list[tuple[str, Part]] = [("state", (f"{sign} {word}  {since}", style))]
    if device.identity:
        facts.append(("identity", (look.safe(device.identity, 80), "")))
    age = age_words(device.last_good, scene.now)
    good = look.say("link_page.ago", age=age) if age else look.say("link_page.never")
    facts.append(("last_good", (good, style if silent else "" if device.state == "online" and age else "$fh-warn")))
    if device.round_trip is not None:
        slow = device.round_trip >= _SLOW
        words = f"{device.round_trip * 1000:.0f} ms" if not slow else f"! {device.round_trip:.1f} s"
        facts.append(("round_trip", (words, "$fh-warn" if slow else "")))
    if device.tries:
        facts.append(("tries", (str(device.tries), "$fh-warn" if device.state == "lost" else "")))
    return facts


def _said(device: DeviceStatus, look: Look, room: int) -> list[Content]:
    """What is wrong, what is odd, and what a person should do, each in its own lines."""
    told: list[tuple[str, str]] = []
    lead = _lead(device.kind, look) if device.reason else ""
    if device.insecure:
        told.append((look.say("link_page.insecure", name=device.name), "bold $fh-alert"))
    style = "bold $fh-alert" if device.state == "lost" else "$fh-warn"
    if device.reason:
        told.append((lead or look.safe(device.reason, 300), style))
    if device.notice:
        told.append((look.safe(device.notice, 300), "$fh-warn"))
    told += [(look.safe(warning, 300), "$fh-warn") for warning in device.warnings]
    rows: list[Content] = []
    for words, style in told:
        rows += [EMPTY] * (room >= NARROW)
        for number, row in enumerate(wrapped(line((words, style)), room - 2, 4)):
            rows.append(line((f"{look.glyphs.wrong} " if not number else "  ", style), row))
        if words == lead:
            rows += _detail(device.reason, look, room)
    return rows


def _lead(kind: str, look: Look) -> str:
    """What sort of loss it is, in the language of the terminal; empty where there is no word for it."""
    words = look.texts.word("device_kind", kind)
    return look.plain(words) if words != kind else ""


def _detail(said: str, look: Look, room: int) -> list[Content]:
    """What the driver says of it: a technical text in English."""
    return [line("  ", row) for row in wrapped(line((look.safe(said, 300), "")), room - 2, 4)]


def _read(page: LinkPage, scene: Scene, look: Look, room: int) -> list[Content]:
    """What a test read is at, or what it brought: each point raw, decoded, and how far it can be trusted."""
    if scene.reading_since is not None:
        told = look.say("link_page.reading", age=age_words(scene.reading_since, scene.now))
        return [EMPTY, line((f"{look.glyphs.echo} {told}", "bold"))]
    if scene.reading_problem is not None:
        given = dict(scene.reading_problem.params)
        lead = _lead(given.pop("kind", ""), look)
        told = look.say(scene.reading_problem.code, **given)
        rows = wrapped(line((f"{look.glyphs.wrong} {lead or told}", "bold $fh-alert")), room, 4)
        return [EMPTY, *rows, *(_detail(given.get("what", ""), look, room) if lead else ())]
    reading = scene.reading
    if reading is None or reading.device != page.device:
        return []
    good = sum(point.status == "Good" for point in reading.points)
    head = look.say(
        "link_page.read", time=hour_minute(reading.at, look.zone), good=str(good), all=str(len(reading.points))
    )
    return [EMPTY, *wrapped(line((head, "bold")), room, 2), *[
        row for point in reading.points for row in _point(point, look, room)
    ]]  # fmt: skip


def _point(point: PointReading, look: Look, room: int) -> list[Content]:
    value = "-" if point.value is None else number_words(point.value, 6)
    value = f"{look.safe(value, 30)} {look.safe(point.unit, 8)}".rstrip()
    word = look.safe(point.word, 60)
    beside = word if len(f"{value} {word}") <= _VALUE else ""
    means: Part = (f" {beside}".rstrip(), "")
    style = {"Good": "", "Uncertain": "bold $fh-warn"}.get(point.status, "bold $fh-alert")
    sign = {"Good": look.glyphs.ok, "Uncertain": "?"}.get(point.status, look.glyphs.wrong)
    took = f"{point.round_trip * 1000:.0f} ms" if point.round_trip is not None else ""
    state = line((f"{sign} {look.plain(look.texts.word('quality', point.status))}", style))
    raw = line((look.safe(point.raw, 60) or "-", "$fh-quiet"))
    if room >= NARROW:
        cells = [(line(look.safe(point.item, 40)), 18), (raw, 20), (line((value, "bold"), means), _VALUE)]
        rows = [line("  ", columns([*cells, (state, 11), (right(line((took, "$fh-quiet")), 7), 7)]))]
    else:
        rows = [
            spread(line(look.safe(point.item, 40), "  ", (value, "bold"), means), state, room),
            spread(line("  ", raw), line((took, "$fh-quiet")), room),
        ]
    if word != beside:
        rows += [line("    ", row) for row in wrapped(line(word), room - 4, 2)]
    if point.reason:
        told = wrapped(line((look.safe(point.reason, 200), "$fh-quiet")), room - 4, 3)
        rows += [line("    ", row) for row in told]
    return rows
