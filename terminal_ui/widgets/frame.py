"""What every screen has in the same place: top line, prompt, rules, keys, status and the demo strip."""

from __future__ import annotations

from textual.content import Content

from edge_agent.views import DeviceStatus, Entry, LinkStatus
from terminal_ui.clockface import age_words, hour_minute
from terminal_ui.keys import action, offered
from terminal_ui.scene import Scene
from terminal_ui.widgets.block import LEAST_HEIGHT, LEAST_WIDTH, NARROW, Block
from terminal_ui.widgets.lines import EMPTY, Part, fit, line, spread, wrapped


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


class Banner(Block):
    """The line under the top; when a device can be listened to or spoofed it says so, on every screen."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        look = self.look
        insecure = [device.name for device in scene.status.devices if device.insecure] if scene.status else []
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
        hint = look.say(
            "ui.entry_empty" if not value else "ui.entry_proposed" if typed is None else "ui.entry_typed"
        )
        style = "bold $fh-entry on $fh-entry-bg"
        field = (f" {value}{look.glyphs.caret} " if typed is not None or not value else f" {value} ", style)
        name = look.safe(look.texts.word("entry", entry.name), 24)
        left = line(name, f" {look.glyphs.arrow} ", field, f" {look.safe(entry.unit, 8)}")
        room = width - left.cell_length - 2
        return line(left, "  ", (hint, "")) if room >= len(hint) else left


class KeyLine(Block):
    """The keys that do something at this step."""

    def lines(self, scene: Scene, width: int, height: int) -> list[Content]:
        always = line(*key_parts(self, width // 2, ("help", "queue")), " ")
        own = key_parts(self, width - always.cell_length - 3, own_actions(scene))
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
        wide = width >= NARROW
        keys = EMPTY if wide else line(*key_parts(self, width // 2, ("help", *own_actions(scene))), " ")
        told = line(" ")
        for part in self._parts(scene, wide):
            longer = line(
                told, *([(f" {self.look.glyphs.dot} ", "$fh-quiet")] if len(told) > 1 else []), part
            )
            if longer.cell_length + keys.cell_length + 1 > width and len(told) > 1:
                break
            told = longer
        return [spread(told, keys, width) if keys else fit(told, width)]

    def _parts(self, scene: Scene, wide: bool) -> list[Part]:
        """The parts by weight: what does not fit is left out from the end."""
        look, status = self.look, scene.status
        if scene.away is not None:
            return [(look.say("status.away", age=age_words(scene.away, scene.now)), "bold $fh-alert")]
        if status is None:
            return [(look.say("status.waiting"), "$fh-quiet")]
        told: list[Part] = [self._erp(scene, status.links)]
        if status.unsent:
            age = age_words(status.oldest_unsent, scene.now)
            told.append(
                look.say("status.unsent" if wide else "status.unsent_short", n=str(status.unsent), age=age)
            )
        if status.parked_count:
            told.append((look.say("status.parked", n=str(status.parked_count)), "bold $fh-alert"))
        lost = [device for device in status.devices if device.state == "lost"]
        if len(lost) > 1:
            told.append((look.say("status.devices_lost", n=str(len(lost))), "bold $fh-alert"))
        else:
            told += [self._lost(device, scene) for device in lost]
        silent = [device for device in status.devices if device.silent_since and device not in lost]
        told += [self._silent(device, scene) for device in silent]
        return told + self._calm(scene, lost + silent) if wide else told

    def _erp(self, scene: Scene, links: tuple[LinkStatus, ...]) -> Part:
        worst = next((link for link in links if link.state != "up"), links[0] if links else None)
        if worst is None:
            return (self.look.say("status.erp_none"), "$fh-quiet")
        words = self.look.say(f"status.erp_{worst.state}", age=age_words(worst.since, scene.now)).strip()
        return (words, {"up": "", "never": "$fh-warn"}.get(worst.state, "bold $fh-alert"))

    def _lost(self, device: DeviceStatus, scene: Scene) -> Part:
        age = age_words(device.last_good or device.since, scene.now)
        name = self.look.texts.say("status.scanner") if is_scanner(device) else device.name
        return (self.look.say("status.device_lost", name=name, age=age), "bold $fh-alert")

    def _silent(self, device: DeviceStatus, scene: Scene) -> Part:
        age = age_words(device.silent_since, scene.now)
        return (self.look.say("status.device_silent", name=device.name, age=age), "bold $fh-alert")

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


def is_scanner(device: DeviceStatus) -> bool:
    """Whether a device is a scanner, by its driver's name."""
    return "scanner" in device.driver


def own_actions(scene: Scene) -> tuple[str, ...]:
    """The actions of the step itself, without those that every step has."""
    can = offered(scene.view) if scene.view else ()
    return tuple(name for name in can if action(name).on or not action(name).local)


def key_parts(block: Block, width: int, names: tuple[str, ...]) -> list[Part]:
    """`F1 help  F5 problem ...`: the actions of the step, or those of `names`; as many as fit."""
    parts: list[Part] = []
    used = 0
    for name in names:
        row = action(name)
        if not row.shown:
            continue
        word = block.look.safe(block.look.texts.word("action", name), 16)
        size = len(row.shown) + 1 + len(word) + (2 if parts else 0)
        if used + size > width:
            break
        parts += ["  "] if parts else []
        parts += [(row.shown, "bold"), (f" {word}", "$fh-quiet")]
        used += size
    return parts
