"""What every screen has in the same place: top line, prompt, rules, keys, status and the demo strip."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content

from edge_agent.views import Entry, WorkPage
from edge_agent.views.status import DeviceStatus, LinkStatus
from terminal_ui.clockface import age_words, hour_minute
from terminal_ui.keys import ON_PAGE, action, offered
from terminal_ui.scene import Scene
from terminal_ui.widgets.block import LEAST_HEIGHT, LEAST_WIDTH, NARROW, Block
from terminal_ui.widgets.lines import EMPTY, HIDDEN, Part, fit, line, spread, wrapped


class TopLine(Block):
    """Where am I, who am I, what time is it."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        dot = f" {self.look.glyphs.dot} "
        time = hour_minute(scene.now, self.look.zone)
        view = scene.view
        if view is None:
            return [spread(line(" Floorhand"), line((time, "bold"), " "), width)]
        name, title = self.look.safe(view.terminal_name, 40), self.look.safe(view.title, 60)
        where = [part for part in (name, title) if part]
        if len(where) == 2 and (name in title or width < NARROW):
            where = [title]
        who = self.look.safe(view.who.name, 24) if view.who else self.look.say("ui.nobody")
        gap = dot if width < NARROW else "     "
        place = line(" ", (dot.join(where), "bold"))
        rest = line(gap, (time, "bold"), " ")
        room = width - place.cell_length - rest.cell_length - len(who) - 2
        leave = self._leave(scene, room) if width < NARROW else EMPTY
        return [spread(place, line(who, leave, rest), width)]

    def _leave(self, scene: Scene, room: int) -> Content:
        """How to sign off, on a handheld: its last line has no room for that key."""
        if scene.view is None or "sign_off" not in scene.view.actions:
            return EMPTY
        key = line(" ", (action("sign_off").shown, "bold"))
        words = line(key, (f" {self.look.say('ui.sign_off_short')}", "$fh-quiet"))
        return words if words.cell_length <= room else key


class Rule(Block):
    """A thin line between two parts."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        return [line((self.look.glyphs.rule * width, "$fh-rule"))]


class AboutRule(Rule):
    """The line under the prompt; on a handheld it holds what a job is about, for which no other row is free."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        page, look = scene.view.page if scene.view else None, self.look
        if width >= NARROW or not isinstance(page, WorkPage):
            return super().lines(scene, width, height)
        revision = f"{look.say('work.revision')} {look.safe(page.revision, 8)}" if page.revision else ""
        parts = [part for part in (revision, look.safe(page.description, 40)) if part]
        if not parts:
            return super().lines(scene, width, height)
        words = line((f" {f' {look.glyphs.dot} '.join(parts)}", "bold"))
        rest = width - words.cell_length - 1
        return [line(words, " ", (look.glyphs.rule * rest, "$fh-rule")) if rest > 0 else fit(words, width)]


class Banner(Block):
    """The line under the top; when a link to the ERP or a device can be listened to or spoofed it says so, always."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        look = self.look
        status = scene.status
        links = [link.name for link in status.links if link.insecure] if status else []
        insecure = links + [device.name for device in status.devices if device.insecure] if status else []
        if not insecure:
            return [line((look.glyphs.rule * width, "$fh-rule"))]
        names = insecure[0] if len(insecure) == 1 else f"{insecure[0]} +{len(insecure) - 1}"
        told = f" {look.glyphs.wrong} {look.say('banner.insecure', names=names)}"
        if line(told).cell_length > width:
            told = f" {look.glyphs.wrong} {look.say('banner.insecure_short', names=names)}"
        return [line((fit(line(told), width).plain, "bold $fh-wrong on $fh-wrong-bg"))]


class TooSmall(Block):
    """Stands alone in a window that is too small for anything else."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        size = self.app.size
        words = self.look.say(
            "too_small.words", width=str(size.width), height=str(size.height),
            least_width=str(LEAST_WIDTH), least_height=str(LEAST_HEIGHT),
        )  # fmt: skip
        return wrapped(line((words, "bold")), width, max(1, height))


class Prompt(Block):
    """The one question, the largest thing on the screen; below it what is being typed."""

    _on_page = False

    @property
    def grows(self) -> bool:  # type: ignore[override]
        """Above a page it takes no more than it needs."""
        return self._on_page

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        margin = "  " if width >= NARROW else " "
        room = width - 2 * len(margin)
        entry = self._entry(scene, room)
        self._on_page = scene.on_page
        if scene.on_page:
            words = wrapped(line((self._words(scene), "bold")), room, 3)
            return [line(margin, row) for row in [*words, *entry]]
        words = wrapped(line((self._words(scene), "bold")), room, max(1, height - len(entry)))
        free = height - len(words) - len(entry)
        above = [EMPTY] * (free // 2 if not entry else min(free, 0))
        between = [EMPTY] * (free - len(above) if entry else 0)
        return [line(margin, row) for row in [*above, *words, *between, *entry]]

    def _words(self, scene: Scene) -> str:
        if scene.view is None:
            return self.look.say("ui.connecting")
        return self.look.say(scene.view.prompt, **scene.view.prompt_params)

    def _entry(self, scene: Scene, width: int) -> list[Content]:
        view = scene.view
        if view is None:
            return []
        if view.entry is not None:
            return [self._field(view.entry, scene.typed, width)]
        if scene.typed is not None and view.choices:
            return [self._field(Entry("choice", "number"), scene.typed, width)]
        return []

    def _field(self, entry: Entry, typed: str | None, width: int) -> Content:
        look = self.look
        value = look.safe(entry.value if typed is None else typed, 40)
        if entry.kind == "pin":
            value = HIDDEN * len(value)
        empty = "ui.entry_empty_text" if entry.kind == "text" else "ui.entry_empty"
        hint = look.say(empty if not value else "ui.entry_proposed" if typed is None else "ui.entry_typed")
        style = "bold $fh-entry on $fh-entry-bg"
        field = (f" {value}{look.glyphs.caret} " if typed is not None or not value else f" {value} ", style)
        name = look.safe(look.texts.word("entry", entry.name), 24)
        left = line(name, f" {look.glyphs.arrow} ", field, f" {look.safe(entry.unit, 8)}")
        room = width - left.cell_length - 2
        return line(left, "  ", (hint, "")) if room >= len(hint) else left


class KeyLine(Block):
    """The keys that do something at this step."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        if width < NARROW:
            return [line(" ", *handheld_keys(self, width - 2, own_actions(scene), scene))]
        always = line(*key_parts(self, width // 2, ("help", "queue"), scene), " ")
        own = key_parts(self, width - always.cell_length - 3, own_actions(scene), scene)
        return [spread(line(" ", *own), always, width)]


class GuideStrip(Block):
    """The demo strip: what to do next, for somebody who sees this for the first time."""

    grows = True

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        if not scene.guide:
            return []
        style = "$fh-guide on $fh-guide-bg"
        words = self.look.safe(scene.guide, 240)
        rows = wrapped(line(f"{self.look.say('ui.guide')} {self.look.glyphs.arrow} {words}"), width - 2, 2)
        return [line((fit(line(" ", row), width).plain, style)) for row in rows]


class StatusBar(Block):
    """ERP, plan age, unsent, machine link, scanner; on a handheld also the two most needed keys."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        return [self._narrow(scene, width) if width < NARROW else self._as_many(self._parts(scene), width)]

    def _narrow(self, scene: Scene, width: int) -> Content:
        """The keys give way first, then what can be said in fewer words; what is wrong stays longest."""
        parts = self._handheld_parts(scene)
        told = self._row(parts)
        names = [action(name).shown for name in ("help", "queue")]
        for keys in (self._keys(scene, parts, width), line((" ".join(names), "bold"), " ")):
            if told.cell_length + keys.cell_length + 1 <= width:
                return spread(told, keys, width)
        for names_too in (True, False):
            parts = self._handheld_parts(scene, short=True, names=names_too) if scene.status else parts
            for gap in (" ", ""):
                told = told if told.cell_length <= width else self._row(parts, gap)
        return told if told.cell_length <= width else self._as_many(parts, width)

    def _row(self, parts: list[Part], gap: str = " ") -> Content:
        dot = (f"{gap}{self.look.glyphs.dot}{gap}", "$fh-quiet")
        return line(" ", *[piece for part in parts for piece in (dot, part)][1:])

    def _as_many(self, parts: list[Part], width: int) -> Content:
        """As many of the parts as fit, from the first one on."""
        fitting = [n for n in range(1, len(parts) + 1) if self._row(parts[:n]).cell_length < width]
        return fit(self._row(parts[: max(fitting, default=1)]), width)

    def _keys(self, scene: Scene, parts: list[Part], width: int) -> Content:
        """On a handheld the keys that the line above has no room for; they leave room for what is wrong."""
        above = scene.on_page or not scene.guide
        names = ("help", "queue") if above else ("help", *own_actions(scene))
        room = width - 4 - sum(line(part).cell_length + 3 for part in parts[:1])
        return line(*handheld_keys(self, max(width // 2, room) if len(parts) < 2 else width // 2, names, scene), " ")

    def _unattached(self, scene: Scene) -> list[Part]:
        """What stands there alone while the agent is away, or has not told its status yet."""
        if scene.away is not None:
            return [(self.look.say("status.away", age=age_words(scene.away, scene.now)), "bold $fh-alert")]
        return [] if scene.status is not None else [(self.look.say("status.waiting"), "$fh-quiet")]

    def _parts(self, scene: Scene) -> list[Part]:
        """The parts by weight: what does not fit is left out from the end."""
        look, status, alone = self.look, scene.status, self._unattached(scene)
        if status is None or alone:
            return alone
        told: list[Part] = [self._erp(scene, status.links)]
        if status.doubts:
            told.append((look.say("status.doubts", n=str(status.doubts)), "bold $fh-alert"))
        if status.unsent:
            age = age_words(status.oldest_unsent, scene.now)
            told.append(look.say("status.unsent", n=str(status.unsent), age=age))
        lost = [device for device in status.devices if device.state == "lost"]
        if len(lost) > 1:
            told.append((look.say("status.devices_lost", n=str(len(lost))), "bold $fh-alert"))
        else:
            told += [self._lost(device, scene) for device in lost]
        silent = silent_devices(scene)
        told += [self._silent(device, scene) for device in silent]
        return told + self._calm(scene, lost + silent)

    def _handheld_parts(self, scene: Scene, short: bool = False, names: bool = True) -> list[Part]:
        """The same on a handheld. `short`: one age alone, that of the unsent; without `names`: how many devices."""
        look, status, alone = self.look, scene.status, self._unattached(scene)
        if status is None or alone:
            return alone
        down = any(link.state not in ("up", "never") for link in status.links)
        told: list[Part] = [self._erp(scene, status.links, aged=not (short and status.unsent))]
        if status.unsent:
            age = age_words(status.oldest_unsent, scene.now)
            told.append(look.say("status.unsent" if down else "status.unsent_short", n=str(status.unsent), age=age))
        lost = [device for device in status.devices if device.state == "lost"]
        if lost and (len(lost) > 1 or not names):
            code = "status.lost_short" if short else "status.devices_lost"
            told.append((look.say(code, n=str(len(lost))), "bold $fh-alert"))
        else:
            told += [self._lost(device, scene, aged=not short) for device in lost]
        silent = silent_devices(scene)
        if silent and not names:
            told.append((look.say("status.silent_short", n=str(len(silent))), "bold $fh-alert"))
        else:
            told += [self._silent(device, scene, aged=not short) for device in silent]
        if status.doubts:
            code = "status.doubts_short" if short else "status.doubts"
            told.append((look.say(code, n=str(status.doubts)), "bold $fh-alert"))
        return told

    def _erp(self, scene: Scene, links: tuple[LinkStatus, ...], aged: bool = True) -> Part:
        worst = next((link for link in links if link.state != "up"), links[0] if links else None)
        if worst is None:
            return (self.look.say("status.erp_none"), "$fh-quiet")
        age = age_words(worst.since, scene.now) if aged else ""
        words = self.look.say(f"status.erp_{worst.state}", age=age).strip()
        return (words, {"up": "", "never": "$fh-warn"}.get(worst.state, "bold $fh-alert"))

    def _lost(self, device: DeviceStatus, scene: Scene, aged: bool = True) -> Part:
        age = age_words(lost_since(device), scene.now) if aged else ""
        name = self.look.texts.say("status.scanner") if is_scanner(device) else device.name
        return (self.look.say("status.device_lost", name=name, age=age).strip(), "bold $fh-alert")

    def _silent(self, device: DeviceStatus, scene: Scene, aged: bool = True) -> Part:
        age = age_words(device.silent_since, scene.now) if aged else ""
        return (self.look.say("status.device_silent", name=device.name, age=age).strip(), "bold $fh-alert")

    def _calm(self, scene: Scene, told_of: list[DeviceStatus]) -> list[Part]:
        status = scene.status
        told: list[Part] = []
        if status is None:
            return told
        if status.plans_at is not None:
            told.append(
                (self.look.say("status.plan", time=hour_minute(status.plans_at, self.look.zone)), "$fh-quiet")
            )
        machines = [device for device in status.devices if not is_scanner(device)]
        if machines and not any(device in told_of for device in machines):
            told.append((self.look.say("status.machine_ok"), "$fh-quiet"))
        if any(is_scanner(device) and device not in told_of for device in status.devices):
            told.append((self.look.say("status.scanner_ok"), "$fh-quiet"))
        return told


def silent_devices(scene: Scene) -> list[DeviceStatus]:
    """The devices that seem to be there and give nothing good."""
    devices = scene.status.devices if scene.status else ()
    return [device for device in devices if device.silent_since and device.state != "lost"]


def is_scanner(device: DeviceStatus) -> bool:
    """Whether a device is a scanner, by its driver's name."""
    return "scanner" in device.driver


def lost_since(device: DeviceStatus) -> datetime:
    """Since when nothing good comes from a lost device. A scanner that nobody used is not lost since its last scan."""
    return device.since if is_scanner(device) else device.last_good or device.since


def own_actions(scene: Scene) -> tuple[str, ...]:
    """The actions of the step itself, without those that every step has and those that the page tells itself."""
    can = offered(scene.view) if scene.view else ()
    return tuple(name for name in can if name not in ON_PAGE and (action(name).on or not action(name).local))


def handheld_keys(block: Block, width: int, names: tuple[str, ...], scene: Scene) -> list[Part]:
    """The same in short words; signing off stands in the top line. Closer together when they do not fit."""
    names = tuple(name for name in names if name != "sign_off")
    told = key_parts(block, width, names, scene, short=True)
    shown = sum(bool(action(name).shown) for name in names)
    return told if len(told) >= 3 * shown - 1 else key_parts(block, width, names, scene, short=True, gap=1)


def key_parts(
    block: Block, width: int, names: tuple[str, ...], scene: Scene, short: bool = False, gap: int = 2
) -> list[Part]:
    """`F1 help  F5 problem ...`: the keys of these actions, as many as fit."""
    scenario = scene.view.scenario if scene.view else ""
    parts: list[Part] = []
    used = 0
    for name in names:
        row = action(name)
        if not row.shown:
            continue
        word = block.look.safe(block.look.texts.action(name, scenario, short), 16)
        size = len(row.shown) + 1 + len(word) + (gap if parts else 0)
        if used + size > width:
            break
        parts += [" " * gap] if parts else []
        parts += [(row.shown, "bold"), (f" {word}", "$fh-quiet")]
        used += size
    return parts
