"""The terminals of the agent: one input -> one scenario step -> one transaction -> one view."""

from __future__ import annotations

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
from edge_agent.session import LOG_LENGTH, Answer, Session, answer
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
        self._last_scan: dict[str, tuple[str, float]] = {}
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
            if self._swallow(terminal, given.data):
                return await self.view(terminal)
            late = received_at is not None and is_late(received_at, moment.now)
            self._bus.publish(EchoMade(Echo(terminal, given.data)))
        view, recorded = await self._store.write(
            lambda connection: self._step(connection, station, given, moment, late)
        )
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

        return await self._store.read(look)

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

    def _swallow(self, terminal: str, text: str) -> bool:
        now = self._clock.monotonic()
        last_text, last_at = self._last_scan.get(terminal, ("", float("-inf")))
        self._last_scan[terminal] = (text, now)
        return is_repeat(last_text, last_at, text, now, self._repeat_window)

    def _step(
        self, connection: Connection, station: Station, given: Input, moment: _Moment, late: bool
    ) -> tuple[View, int]:
        saved = sessions.load(connection, station.terminal)
        if saved is not None and saved.last_input == given.id:
            return msgspec.json.decode(saved.last_view, type=View), 0
        session = self._session(connection, station, moment)
        here = self._situation(connection, station, session, moment)
        state = scenarios.decode(session.state)
        if late:
            result = Answer(state, said=Said(Verdict.LATE, "scan.late"))
        else:
            result = answer(self._flows, scenarios.name_of(state), state, session.asked, given, here)
        session, recorded = self._recorded(connection, station, session, result, moment)
        view = self._view(connection, station, session, given.id, moment)
        kept = sessions.Session(msgspec.json.encode(session), given.id, msgspec.json.encode(view))
        sessions.save(connection, station.terminal, kept)
        return view, recorded

    def _recorded(
        self, connection: Connection, station: Station, session: Session, result: Answer, moment: _Moment
    ) -> tuple[Session, int]:
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
            message=message,
            log=(*session.log, saved)[-LOG_LENGTH:] if saved else session.log,
            revision=session.revision + 1,
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
            progress=lambda job: progress(connection, job),
            last_reports=lambda job: last_reports(connection, job, terminal=station.terminal),
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
