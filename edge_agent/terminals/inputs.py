"""The terminals of the agent: one input -> one scenario step -> one transaction -> one view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.events import EchoMade, FactsRecorded, VerdictGiven, ViewMade
from edge_agent.pins import Pins
from edge_agent.scanning.verdict import is_late, is_repeat
from edge_agent.scenarios.contract import Policies, Station
from edge_agent.store import Store
from edge_agent.terminals.steps import Moment, Steps
from edge_agent.views import Echo, Input, Message, Typed, Verdict, View
from edge_agent.views.exceptions import AnyExceptionPage
from edge_agent.views.maintenance import DowntimePage, LinePage, LinkPage, MachinePage, TrendPage
from edge_agent.views.status import DeviceStatus, EquipmentStatus
from sync.contract import ScanRefused, SignedOff, SignedOn

MachineOf = Callable[[str], EquipmentStatus | None]
PlantNow = Callable[[], tuple[tuple[EquipmentStatus, ...], tuple[DeviceStatus, ...]]]

# Values of a machine come by the dozen; a page of its past need not follow each.
_PACE = 1.0  # seconds

_OF_ONE = (MachinePage, TrendPage, LinkPage, DowntimePage)
_OF_MACHINES = (LinePage, *_OF_ONE)

_TOO_SOON = "scan.too_soon"
_SCANNED = ("scan", "unended", "unprefixed")

# Facts about people and terminals: no job looks different after them.
_OF_NO_JOB = (SignedOn, SignedOff, ScanRefused)


class UnknownTerminal(LookupError):
    """No terminal of that name stands in the site file."""


@dataclass(frozen=True)
class _Heard:
    """A scan, and when its label was first and last read at its terminal in one burst."""

    input: str
    text: str
    first: float
    last: float


@dataclass(frozen=True)
class _NotSaved:
    """What is said of an input that was not kept, above every view until one is; it rings as an answer does."""

    message: Message
    after: int  # the highest revision that was shown before

    def over(self, view: View) -> View:
        """The view with these words, as an answer of its own."""
        revision = max(view.revision, self.after) + 1
        return msgspec.structs.replace(view, message=self.message, revision=revision)


class Terminals:
    """Answers inputs and keeps every session. All of a step happens in one write of the store."""

    def __init__(
        self, store: Store, clock: Clock, bus: Bus, stations: Mapping[str, Station], policies: Policies,
        machine_of: MachineOf, repeat_window: float = 1.5, plant_now: PlantNow = lambda: ((), ()),
        pins: Pins | None = None,
    ) -> None:  # fmt: skip
        """`plant_now` tells all machines and devices. `pins`: None where nobody has one."""
        self._store = store
        self._clock = clock
        self._bus = bus
        self._stations = stations
        self._machine_of = machine_of
        self._repeat_window = repeat_window
        self._plant_now = plant_now
        self._redrawn: dict[str, float] = {}  # when a page of machines was last looked at for what changed
        self._steps = Steps(store, policies)
        self._pins = pins
        self._lock_after = policies.lock_after
        self._touched = dict.fromkeys(stations, clock.monotonic()) if policies.lock_after else {}
        self._last_scan: dict[str, _Heard] = {}
        self._typed: dict[str, Typed] = {}  # in the entry of a terminal, and not sent
        self._drawn: dict[str, View] = {}
        self._not_saved: dict[str, _NotSaved] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The terminals of the site file."""
        return tuple(self._stations)

    def drawn(self, equipment: str | None = None) -> tuple[str, ...]:
        """The terminals that somebody has looked at: all of them, or those that a machine changes."""
        return tuple(
            terminal for terminal, view in self._drawn.items()
            if equipment in (None, self._stations[terminal].equipment) or self._shows(view, equipment or "")
        )  # fmt: skip

    def on_machines(self) -> tuple[str, ...]:
        """The terminals that show pages of machines, which grow old by themselves."""
        return tuple(terminal for terminal, view in self._drawn.items() if isinstance(view.page, _OF_MACHINES))

    def on_exceptions(self) -> tuple[str, ...]:
        """The terminals that show what is in doubt, which the answers of the ERP change."""
        return tuple(terminal for terminal, view in self._drawn.items() if isinstance(view.page, AnyExceptionPage))

    def watched(self, terminal: str) -> str:
        """The machine that the page of a terminal is about; empty: none."""
        view = self._drawn.get(terminal)
        return view.page.equipment if view is not None and isinstance(view.page, _OF_ONE) else ""

    def _shows(self, view: View, equipment: str) -> bool:
        """Whether a page of machines is to be drawn anew: its state is another one, or a second has gone by."""
        match view.page:
            case LinePage(machines=rows):
                row = next((row for row in rows if row.id == equipment), None)
            case MachinePage(equipment=shown) if shown == equipment:
                row = None
            case _:
                return False
        now, machine = self._clock.monotonic(), self._machine_of(equipment)
        turned = row is not None and machine is not None and (row.state, row.alarm) != (machine.state, machine.alarm)
        if not turned and now - self._redrawn.get(view.terminal, float("-inf")) < _PACE:
            return False
        self._redrawn[view.terminal] = now
        return True

    def station(self, terminal: str) -> Station:
        """Where a terminal stands. Raises UnknownTerminal."""
        try:
            return self._stations[terminal]
        except KeyError:
            raise UnknownTerminal(terminal) from None

    async def handle(self, terminal: str, given: Input, made_at: datetime | None = None) -> View:
        """Take one input; return only after its commit. The same input again: the same view.

        `made_at` is when a scan may have been made at the earliest; None: what its `waited` says.

        Raises UnknownTerminal, StoreError (nothing of the input was kept).
        """
        station = self.station(terminal)
        moment = await self._proved(station, given)
        if self._lock_after:
            self._touched[terminal] = moment.monotonic
        late = False
        if given.kind in _SCANNED:
            if given.kind == "scan" and self._swallow(terminal, given):
                self._judged(terminal, given, Verdict.DUPLICATE)
                return self._seen_again(terminal, given) or await self.view(terminal)
            late = is_late(made_at or moment.now - timedelta(seconds=given.waited), moment.now)
            self._bus.publish(EchoMade(Echo(terminal, given.data)))
            if given.typed is None:
                given = msgspec.structs.replace(given, typed=self._unsent(terminal))
        try:
            taken = await self._store.write(
                lambda connection: self._steps.take(connection, station, given, moment, late)
            )
        except Exception:
            self._last_scan.pop(terminal, None)  # what was not kept may be scanned again at once
            self._judged(terminal, given, Verdict.WRONG)
            self._bus.publish(FactsRecorded(0))  # a commit that failed may stand all the same
            raise
        if late:
            self._last_scan.pop(terminal, None)  # its person was told to scan again
        self._judged(terminal, given, taken.view.message.verdict if taken.view.message else Verdict.OK)
        if taken.new:
            self._not_saved.pop(terminal, None)
            if given.kind == "entry" or _at(taken.view) != self._typed.get(terminal, Typed()).at:
                self._typed.pop(terminal, None)
            self._show(taken.view)
        if taken.facts:
            jobs = frozenset(fact.body.about for fact in taken.facts if not isinstance(fact.body, _OF_NO_JOB))
            self._bus.publish(FactsRecorded(len(taken.facts), jobs, terminal))
        return taken.view

    async def _proved(self, station: Station, given: Input) -> Moment:
        """The moment of an input; where it is a PIN, after it was compared: in a thread, and before the step."""
        if given.kind == "entry" and self._pins is not None:
            moment = self._moment(station)
            asked = await self._store.read(lambda conn: self._steps.pin_asked(conn, station, moment))
            if asked is not None:
                proved = await self._pins.prove(asked, given.data)
                return replace(self._moment(station), proved=proved, asked=asked)
        return self._moment(station)

    def _unsent(self, terminal: str) -> str:
        """What is typed at the step that the terminal shows, as far as it told."""
        typed, view = self._typed.get(terminal), self._drawn.get(terminal)
        return typed.text if typed is not None and view is not None and typed.at == _at(view) else ""

    def keys_pressed(self, terminal: str, typed: Typed | None = None) -> None:
        """Somebody types there, and has sent nothing yet: it does not lock itself meanwhile. `typed`: what stands
        in its entry now, which the next scan is judged with. Raises UnknownTerminal."""
        self.station(terminal)
        if typed is not None:
            self._typed[terminal] = typed
        if self._lock_after:
            self._touched[terminal] = self._clock.monotonic()

    async def lock_idle(self) -> None:
        """Lock each terminal at which nobody did anything for long; until cancelled. Raises StoreError."""
        while self._lock_after:
            now = self._clock.monotonic()
            for terminal, at in list(self._touched.items()):
                if now >= at + self._lock_after:
                    await self._lock(self._stations[terminal])
                    if self._touched[terminal] == at:
                        del self._touched[terminal]
            soonest = min(self._touched.values(), default=now) + self._lock_after
            await self._clock.sleep_until(soonest)

    async def _lock(self, station: Station) -> None:
        moment = self._moment(station)
        taken = await self._store.write(lambda connection: self._steps.lock(connection, station, moment))
        if taken is not None:
            self._show(taken.view)
            self._bus.publish(FactsRecorded(len(taken.facts)))

    async def view(self, terminal: str) -> View:
        """What the terminal shows now, with the plans, progress and machine of this moment."""
        seen = await self._seen(self.station(terminal))
        self._drawn.setdefault(terminal, seen)
        return seen

    async def refresh(self, terminal: str) -> None:
        """Draw the terminal anew if it looks different now. Raises UnknownTerminal, StoreError."""
        view = await self._seen(self.station(terminal))
        drawn = self._drawn.get(terminal)
        if drawn is None or view != msgspec.structs.replace(drawn, input=""):
            self._show(view)

    def tell_not_saved(self, terminal: str, code: str, **params: str) -> None:
        """A scan could not be kept: say so where it was made, until an input is; the step stays."""
        drawn = self._drawn.get(terminal)
        words = Message(verdict=Verdict.WRONG, code=code, params=params, at=self._clock.now())
        told = self._not_saved[terminal] = _NotSaved(words, self._shown(terminal))
        if drawn is not None:
            self._show(told.over(drawn))

    def tell_not_drawn(self, terminal: str) -> bool:
        """A view could not be made: say so beside the old one, until it can; False when that stands there."""
        drawn = self._drawn.get(terminal)
        if drawn is None or terminal in self._not_saved:
            return False
        if drawn.message is not None and drawn.message.code == "agent.not_drawn":
            return False
        words = Message(verdict=Verdict.LATE, code="agent.not_drawn", at=self._clock.now())
        self._show(msgspec.structs.replace(drawn, message=words))
        return True

    def _judged(self, terminal: str, given: Input, verdict: Verdict) -> None:
        """Tell what came of a scan to whoever can beep; a step without words is well done."""
        if given.kind in _SCANNED:
            self._bus.publish(VerdictGiven(terminal, given.id, verdict))

    async def _seen(self, station: Station) -> View:
        moment = self._moment(station)
        view = await self._store.read(lambda connection: self._steps.look(connection, station, moment))
        told = self._not_saved.get(station.terminal)
        return view if told is None else told.over(view)

    def _show(self, view: View) -> None:
        self._drawn[view.terminal] = view
        self._bus.publish(ViewMade(view))

    def _shown(self, terminal: str) -> int:
        """The highest revision that the terminal may have seen."""
        told, drawn = self._not_saved.get(terminal), self._drawn.get(terminal)
        return max(told.after + 1 if told else 0, drawn.revision if drawn else 0)

    def _moment(self, station: Station) -> Moment:
        clock = self._clock
        return Moment(
            clock.now(), clock.today(), self._machine_of(station.equipment), clock.new_id(), clock.new_id(),
            self._shown(station.terminal), *self._plant_now(), clock.monotonic(), clock.boot(),
        )  # fmt: skip

    def _swallow(self, terminal: str, given: Input) -> bool:
        """Whether it is one trigger pull read twice. A scan that is sent again is not: the step knows it."""
        now = self._clock.monotonic()
        last = self._last_scan.get(terminal, _Heard("", "", float("-inf"), float("-inf")))
        if last.input == given.id:
            return False
        repeated = is_repeat(last.text, last.first, last.last, given.data, now, self._repeat_window)
        self._last_scan[terminal] = replace(last, last=now) if repeated else _Heard(given.id, given.data, now, now)
        return repeated

    def _seen_again(self, terminal: str, given: Input) -> View | None:
        """Beside a question that waits for a second scan: this one came too soon to be it. None: nothing waits."""
        drawn = self._drawn.get(terminal)
        asked = drawn.message if drawn is not None and "confirm" in drawn.actions else None
        if drawn is None or asked is None or asked.verdict is not Verdict.CONFIRM:
            return None
        self._bus.publish(EchoMade(Echo(terminal, given.data)))
        view = drawn
        if _TOO_SOON not in asked.notes:
            words = msgspec.structs.replace(asked, notes=(*asked.notes, _TOO_SOON))
            view = msgspec.structs.replace(drawn, message=words)
        self._show(view)
        return view


def _at(view: View) -> str:
    return f"{view.scenario}.{view.step}"
