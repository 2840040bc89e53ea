"""The terminals of the agent: one input -> one scenario step -> one transaction -> one view."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from edge_agent import scenarios
from edge_agent.bus import Bus
from edge_agent.clock import Clock
from edge_agent.events import EchoMade, FactsRecorded, ViewMade
from edge_agent.scanning.verdict import is_late, is_repeat
from edge_agent.scenarios.contract import Policies, Said, Situation, Station
from edge_agent.session import ANSWERED_LENGTH, LOG_LENGTH, Answer, Session, answer
from edge_agent.store import Connection, Entry, Store, StoreError, sessions
from edge_agent.store.progress import last_reports, progress
from edge_agent.view_of import view_of
from edge_agent.views import Echo, EquipmentStatus, Input, Message, Verdict, View

MachineOf = Callable[[str], EquipmentStatus | None]


class UnknownTerminal(LookupError):
    """No terminal of that name stands in the site file."""


@dataclass(frozen=True)
class _Moment:
    """What the event loop knows when an input arrives, handed to the writer thread.

    `first` is the intent of a session that begins now, `intent` that of the step after this input.
    """

    now: datetime
    machine: EquipmentStatus | None
    first: str
    intent: str


@dataclass(frozen=True)
class _Heard:
    """A scan, when a label was last read at its terminal: `at` moves on with every repeated reading."""

    input: str
    text: str
    at: float


class Terminals:
    """Answers inputs and keeps every session. All of a step happens in one write of the store."""

    def __init__(
        self, store: Store, clock: Clock, bus: Bus, stations: Mapping[str, Station], policies: Policies,
        machine_of: MachineOf, repeat_window: float = 1.5,
    ) -> None:  # fmt: skip
        self._store = store
        self._clock = clock
        self._bus = bus
        self._stations = stations
        self._policies = policies
        self._machine_of = machine_of
        self._repeat_window = repeat_window
        self._last_scan: dict[str, _Heard] = {}
        self._drawn: dict[str, View] = {}
        self._flows = scenarios.load()

    @property
    def names(self) -> tuple[str, ...]:
        """The terminals of the site file."""
        return tuple(self._stations)

    def station(self, terminal: str) -> Station:
        """Where a terminal stands. Raises UnknownTerminal."""
        try:
            return self._stations[terminal]
        except KeyError:
            raise UnknownTerminal(terminal) from None

    async def handle(self, terminal: str, given: Input, received_at: datetime | None = None) -> View:
        """Take one input; return only after its commit. The same input again: the same view.

        Raises UnknownTerminal, StoreError (nothing of the input was kept).
        """
        station = self.station(terminal)
        moment = self._moment(station)
        late = False
        if given.kind == "scan":
            if self._swallow(terminal, given):
                return await self.view(terminal)
            late = received_at is not None and is_late(received_at, moment.now)
            self._bus.publish(EchoMade(Echo(terminal, given.data)))
        try:
            view, recorded = await self._store.write(
                lambda connection: self._step(connection, station, given, moment, late)
            )
        except StoreError:
            self._last_scan.pop(terminal, None)  # what was not kept may be scanned again at once
            raise
        self._show(view)
        if recorded:
            self._bus.publish(FactsRecorded(recorded))
        return view

    async def view(self, terminal: str) -> View:
        """What the terminal shows now, with the plans, progress and machine of this moment."""
        station = self.station(terminal)
        moment = self._moment(station)

        def look(connection: Connection) -> View:
            session = self._session(connection, station, moment)
            return self._view(connection, station, session, "", moment)

        seen = await self._store.read(look)
        self._drawn.setdefault(terminal, seen)
        return seen

    async def refresh(self, equipment: str | None = None) -> None:
        """Draw anew what looks different now, on all terminals or on those of a machine."""
        for station in self._stations.values():
            if equipment in (None, station.equipment):
                view = await self.view(station.terminal)
                if view != self._drawn.get(station.terminal):
                    self._show(view)

    def tell_not_saved(self, terminal: str, error: StoreError) -> None:
        """A scan could not be kept: say so where it was made; the step stays."""
        drawn = self._drawn.get(terminal)
        if drawn is not None:
            words = Message(
                verdict=Verdict.WRONG,
                code="store.not_saved",
                params={"what": str(error)},
                at=self._clock.now(),
            )
            self._show(msgspec.structs.replace(drawn, message=words))

    def _show(self, view: View) -> None:
        self._drawn[view.terminal] = view
        self._bus.publish(ViewMade(view))

    def _moment(self, station: Station) -> _Moment:
        clock = self._clock
        return _Moment(clock.now(), self._machine_of(station.equipment), clock.new_id(), clock.new_id())

    def _swallow(self, terminal: str, given: Input) -> bool:
        """Whether it is one trigger pull read twice. A scan that is sent again is not: the step knows it."""
        now = self._clock.monotonic()
        last = self._last_scan.get(terminal, _Heard("", "", float("-inf")))
        if last.input == given.id:
            return False
        repeated = is_repeat(last.text, last.at, given.data, now, self._repeat_window)
        self._last_scan[terminal] = _Heard(last.input if repeated else given.id, given.data, now)
        return repeated

    def _step(
        self, connection: Connection, station: Station, given: Input, moment: _Moment, late: bool
    ) -> tuple[View, int]:
        saved = sessions.load(connection, station.terminal)
        if saved is not None and saved.last_input == given.id:
            return msgspec.json.decode(saved.last_view, type=View), 0
        session = self._session(connection, station, moment)
        if given.id in session.answered:
            return self._view(connection, station, session, given.id, moment), 0
        here = self._situation(connection, station, session, moment)
        state = scenarios.decode(session.state)
        if late:
            result = Answer(state, said=Said(Verdict.LATE, "scan.late"))
        else:
            result = answer(self._flows, scenarios.name_of(state), state, session.asked, given, here)
        session, recorded = self._recorded(connection, station, session, given, result, moment)
        view = self._view(connection, station, session, given.id, moment)
        kept = sessions.Session(msgspec.json.encode(session), given.id, msgspec.json.encode(view))
        sessions.save(connection, station.terminal, kept)
        return view, recorded

    def _recorded(
        self, connection: Connection, station: Station, session: Session, given: Input, result: Answer,
        moment: _Moment,
    ) -> tuple[Session, int]:  # fmt: skip
        person = result.person if result.person else session.person
        entries = [
            Entry(str(uuid5(UUID(session.intent), str(n))), body) for n, body in enumerate(result.facts)
        ]
        facts = self._store.record(connection, entries, moment.now, station.terminal, person)
        message = _message(result, facts, moment)
        saved = message if message is not None and message.seq is not None else None
        return Session(
            state=msgspec.Raw(scenarios.encode(result.state)),
            intent=moment.intent if facts else session.intent,
            person=person if result.person is None else result.person,
            asked=result.asked,
            overlay=result.overlay,
            message=message,
            log=(*session.log, saved)[-LOG_LENGTH:] if saved else session.log,
            revision=session.revision + 1,
            answered=(*session.answered, given.id)[-ANSWERED_LENGTH:],
        ), len(facts)

    def _session(self, connection: Connection, station: Station, moment: _Moment) -> Session:
        saved = sessions.load(connection, station.terminal)
        if saved is not None:
            return msgspec.json.decode(saved.state, type=Session)
        locked = self._flows["sign_on"].begin("", Situation(moment.now, self._store.book, station))
        return Session(state=msgspec.Raw(scenarios.encode(locked)), intent=moment.first)

    def _situation(
        self, connection: Connection, station: Station, session: Session, moment: _Moment
    ) -> Situation:
        book = self._store.book
        return Situation(
            now=moment.now, book=book, station=station, person=book.persons.get(session.person),
            machine=moment.machine, policies=self._policies,
            progress=functools.cache(lambda job: progress(connection, job)),
            last_reports=lambda job: last_reports(connection, job, terminal=station.terminal, person=session.person),
        )  # fmt: skip

    def _view(
        self, connection: Connection, station: Station, session: Session, given: str, moment: _Moment
    ) -> View:
        state: Any = scenarios.decode(session.state)
        here = self._situation(connection, station, session, moment)
        return view_of(self._flows, state, session, given, here)


def _message(result: Answer, facts: tuple[Any, ...], moment: _Moment) -> Message | None:
    if result.said is None:
        return None
    said = result.said
    told = Message(verdict=said.verdict, code=said.code, params=said.params, at=moment.now)
    if not facts or said.verdict not in (Verdict.OK, Verdict.OK_PLUS):
        return told
    return msgspec.structs.replace(told, seq=facts[-1].seq, facts=tuple(fact.id for fact in facts))
