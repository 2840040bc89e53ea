"""F9: the links, the devices, and what has not reached the ERP, in words an electrician understands."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content

from edge_agent.views.status import DeviceStatus, Status
from terminal_ui.clockface import age_words, hour_minute
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.overlay import Overlay, Sheet
from terminal_ui.widgets.frame import is_scanner, lost_since
from terminal_ui.widgets.lines import EMPTY, columns, line, wrapped

_STYLES = {"up": "", "online": "", "never": "$fh-warn", "starting": "$fh-warn"}


class QueueSheet(Sheet):
    """Unsent reports, refused reports, links, devices."""

    def rows(self, scene: Scene, width: int) -> list[Content]:
        look, status = self.look, scene.status
        if status is None:
            return [line("  ", (look.say("status.waiting"), "$fh-quiet"))]
        if scene.away is not None:  # no tick stands for what nobody answers for
            told = look.say("queue_page.stale", time=hour_minute(status.now, look.zone))
            return wrapped(line("  ", (f"{look.glyphs.wrong} {told}", "bold $fh-alert")), width, 3)
        return [
            _heading("queue_page.reports", look), *_reports(status, scene, look, width), EMPTY,
            *thing_lines(scene, look, width), *_keys(status, look, width),
        ]  # fmt: skip


def thing_lines(scene: Scene, look: Look, width: int) -> list[Content]:
    """The links and the devices: name, state, since when, and why not."""
    status = scene.status
    if status is None:
        return []
    rows = [_heading("queue_page.links", look)] if status.links else []
    for link in status.links:
        rows += _thing(link.name, "", link.state, age_words(link.since, scene.now), link.reason, look, width)
        if link.insecure:
            told = f"{look.glyphs.wrong} {look.say('queue_page.erp_insecure', name=link.name)}"
            rows += [line("     ", row) for row in wrapped(line((told, "bold $fh-alert")), width - 6, 5)]
    rows += [EMPTY] if rows else []
    rows.append(_heading("queue_page.devices", look))
    for device in status.devices:
        rows += _device(device, scene, look, width)
    return rows


def _keys(status: Status, look: Look, width: int) -> list[Content]:
    """The keys to what is in doubt and, where there is one, to the test of a scanner."""
    keys = {"V": look.say("queue_page.exceptions", n=str(status.doubts))}
    if any(is_scanner(device) for device in status.devices):
        keys["T"] = look.say("queue_page.scanner_test")
    rows = [EMPTY]
    for key, words in keys.items():
        first, *more = wrapped(line(words), width - 7, 3)
        rows += [line("   ", (key, "bold"), "  ", first), *(line("      ", row) for row in more)]
    return rows


def _heading(code: str, look: Look) -> Content:
    return line("  ", (look.say(code), "bold"))


def _reports(status: Status, scene: Scene, look: Look, width: int) -> list[Content]:
    told: list[tuple[str, str]] = []
    if not status.links:
        told.append((look.say("queue_page.no_erp"), "$fh-warn"))
    elif status.unsent:
        age = age_words(status.oldest_unsent, scene.now)
        told.append((look.say("queue_page.unsent", n=str(status.unsent), age=age), ""))
    else:
        sent = "queue_page.all_else_sent" if status.parked_count else "queue_page.all_sent"
        told.append((f"{look.glyphs.ok} {look.say(sent)}", ""))
    if status.parked_count:
        seqs = ", ".join(map(str, status.parked[-6:]))
        words = look.say("queue_page.parked", n=str(status.parked_count), seqs=seqs)
        told.append((f"{look.glyphs.wrong} {words}", "bold $fh-alert"))
    if status.plans_at is not None:
        time, age = hour_minute(status.plans_at, look.zone), age_words(status.plans_at, scene.now)
        told.append((look.say("queue_page.plans", time=time, age=age), "$fh-quiet"))
    else:
        told.append((look.say("queue_page.no_plans"), "$fh-quiet"))
    return [line("   ", row) for words in told for row in wrapped(line(words), width - 4, 3)]


def _device(device: DeviceStatus, scene: Scene, look: Look, width: int) -> list[Content]:
    since = device.since if device.state == "online" else lost_since(device)
    reason = device.reason
    if device.state == "lost" and device.tries:
        reason = f"{reason} ({look.say('queue_page.tries', n=str(device.tries))})"
    state: str = device.state
    if device.silent_since and state != "lost":
        state, since = "silent", device.silent_since
        reason = look.texts.say("queue_page.silent")
    about = device.identity or device.driver
    rows = _thing(device.name, about, state, age_words(since, scene.now), reason, look, width)
    odd = [(look.say("link_page.insecure", name=device.name), "bold $fh-alert")] if device.insecure else []
    odd += [(look.safe(told, 200), "$fh-warn") for told in (device.notice, *device.warnings) if told]
    for words, style in odd:
        told = wrapped(line((f"{look.glyphs.wrong} {words}", style)), width - 6, 5)
        rows += [line("     ", row) for row in told]
    return rows


def _thing(name: str, about: str, state: str, age: str, reason: str, look: Look, width: int) -> list[Content]:
    style = _STYLES.get(state, "bold $fh-alert")
    sign = look.glyphs.ok if not style else look.glyphs.wrong
    word = line((f"{sign} {look.plain(look.texts.word('state', state))}", style))
    cells = [(line(look.safe(name, 24)), min(18, width // 3)), (word, 12), (line((age, "$fh-quiet")), 7)]
    rest = width - 3 - sum(size for _, size in cells) - len(cells) - 1
    if rest > 8:
        cells.append((line((look.safe(about, 60), "$fh-quiet")), rest))
    rows = [line("   ", columns(cells))]
    if reason and style:
        rows += [
            line("     ", row) for row in wrapped(line((look.safe(reason, 200), "$fh-quiet")), width - 6, 3)
        ]
    return rows


class QueueScreen(Overlay):
    """Links and queue."""

    key = "f9"
    does = {"t": "scanner", "T": "scanner", "v": "exceptions", "V": "exceptions"}

    def __init__(self, look: Look, scene: Callable[[], Scene]) -> None:
        super().__init__(look, scene, "queue_page.title", QueueSheet(look, id="sheet"))
