"""The transaction of one input: where the terminal stood, one step, its facts, where it stands now.

Everything here runs in the thread of the database, on its connection.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec

from edge_agent import scenarios
from edge_agent.plant import REMEMBERED
from edge_agent.plant_reader import PlantReader
from edge_agent.scenarios.contract import Policies, Said, Situation, Station
from edge_agent.session import ANSWERED_LENGTH, LOG_LENGTH, Answer, Session, answer, job_run_by
from edge_agent.stops import Stop
from edge_agent.store import Connection, Entry, Store, sessions
from edge_agent.store.ledger import note_job
from edge_agent.store.progress import ProgressOf, last_reports
from edge_agent.store.stops import stops
from edge_agent.view_of import view_of
from edge_agent.views import DeviceStatus, EquipmentStatus, Input, Message, Verdict, View
from sync.contract import Fact

_ASKED_FOR = timedelta(days=REMEMBERED)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moment:
    """What the event loop knows when an input arrives.

    `first` is the intent of a session that begins now, `intent` that of the step after this input.
    `shown` is the highest revision that the terminal may have seen: the next one is above it. `machines`
    and `devices` are all of them.
    """

    now: datetime
    machine: EquipmentStatus | None
    first: str
    intent: str
    shown: int = 0
    machines: tuple[EquipmentStatus, ...] = ()
    devices: tuple[DeviceStatus, ...] = ()


@dataclass(frozen=True)
class Taken:
    """What came of an input. Not `new`: it was answered before, and nothing was changed or recorded."""

    view: View
    facts: tuple[Fact, ...] = ()
    new: bool = True


class Steps:
    """Takes inputs, and looks at where a terminal stands."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self._store = store
        self._policies = policies
        self._flows = scenarios.load()
        self._reader = PlantReader()
        self._unreadable: dict[str, datetime] = {}  # terminal -> when its session was found so

    def take(
        self, connection: Connection, station: Station, given: Input, moment: Moment, late: bool
    ) -> Taken:
        """One input; inside a transaction. One that was taken before is answered as it was then."""
        saved = sessions.load(connection, station.terminal)
        session, state = self._standing(saved, station, moment)
        if saved is not None and saved.last_input == given.id:
            try:
                return Taken(msgspec.json.decode(saved.last_view, type=View), new=False)
            except ValueError:  # drawn by another version of the program: its facts are there
                return Taken(self._view(connection, station, session, state, given.id, moment), new=False)
        if given.id in session.answered:
            return Taken(self._view(connection, station, session, state, given.id, moment), new=False)
        if late:
            result = Answer(state, said=Said(Verdict.LATE, "scan.late"))
        else:
            here = self._situation(connection, station, session, moment)
            result = answer(self._flows, scenarios.name_of(state), state, session.asked, given, here)
        session, facts = self._recorded(connection, station, session, given, result, moment)
        view = self._view(connection, station, session, result.state, given.id, moment)
        kept = sessions.Session(msgspec.json.encode(session), given.id, msgspec.json.encode(view))
        sessions.save(connection, station.terminal, kept)
        self._note_job(connection, station, result.state, moment)
        self._unreadable.pop(station.terminal, None)
        return Taken(view, facts)

    def _note_job(self, connection: Connection, station: Station, state: Any, moment: Moment) -> None:
        """Which job the machine runs from now on: parts that it makes belong to it."""
        if station.equipment:
            job = job_run_by(self._flows[scenarios.name_of(state)], state)
            note_job(connection, station.equipment, station.terminal, job, moment.now)

    def look(self, connection: Connection, station: Station, moment: Moment) -> View:
        """What the terminal shows now, with the plans, progress and machine of this moment."""
        saved = sessions.load(connection, station.terminal)
        session, state = self._standing(saved, station, moment)
        return self._view(connection, station, session, state, "", moment)

    def _standing(
        self, saved: sessions.Session | None, station: Station, moment: Moment
    ) -> tuple[Session, Any]:
        """The session and the state in it; a new one where there is none that this program can read."""
        message = None
        if saved is not None:
            try:
                session = msgspec.json.decode(saved.state, type=Session)
                return session, self._state(session)
            except (ValueError, RecursionError) as error:  # of msgspec, or bytes that are no UTF-8
                message = self._reset(station.terminal, error, moment)
        locked = self._flows["sign_on"].begin("", Situation(moment.now, self._store.book, station))
        state = msgspec.Raw(scenarios.encode(locked))
        return Session(state=state, intent=moment.first, message=message), locked

    def _state(self, session: Session) -> Any:
        state = scenarios.decode(session.state)
        if state.step not in self._flows[scenarios.name_of(state)].STEPS:
            raise msgspec.ValidationError(f"There is no step {state.step!r} any more.")
        return state

    def _reset(self, terminal: str, error: Exception, moment: Moment) -> Message:
        """Words for a session that can not be read; it is replaced by the next input, its facts stay."""
        if terminal not in self._unreadable:
            self._unreadable[terminal] = moment.now
            _log.error("session.unreadable", extra={"terminal": terminal, "what": str(error)})
        return Message(verdict=Verdict.HELD, code="session.reset", at=self._unreadable[terminal])

    def _recorded(
        self, connection: Connection, station: Station, session: Session, given: Input, result: Answer,
        moment: Moment,
    ) -> tuple[Session, tuple[Fact, ...]]:  # fmt: skip
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
            revision=max(session.revision, moment.shown) + 1,
            answered=(*session.answered, given.id)[-ANSWERED_LENGTH:],
        ), facts

    def _situation(
        self, connection: Connection, station: Station, session: Session, moment: Moment
    ) -> Situation:
        book = self._store.book
        return Situation(
            now=moment.now, book=book, station=station, person=book.persons.get(session.person),
            machine=moment.machine, policies=self._policies,
            stops=functools.cache(lambda: self._stops(connection, station, moment)),
            progress=ProgressOf(connection, lambda job: book.listed_with(job, station.equipment)),
            last_reports=lambda job: last_reports(connection, job, terminal=station.terminal, person=session.person),
            plant=self._reader.plant(connection, moment.machines, moment.devices, moment.now),
            intent=session.intent,
        )  # fmt: skip

    def _stops(self, connection: Connection, station: Station, moment: Moment) -> tuple[Stop, ...]:
        if not station.equipment:
            return ()
        return stops(connection, station.equipment, moment.now - _ASKED_FOR)

    def _view(
        self, connection: Connection, station: Station, session: Session, state: Any, given: str,
        moment: Moment,
    ) -> View:  # fmt: skip
        here = self._situation(connection, station, session, moment)
        return view_of(self._flows, state, session, given, here)


def _message(result: Answer, facts: tuple[Fact, ...], moment: Moment) -> Message | None:
    if result.said is None:
        return None
    said = result.said
    told = Message(verdict=said.verdict, code=said.code, params=said.params, at=moment.now)
    if not facts or said.verdict not in (Verdict.OK, Verdict.OK_PLUS):
        return told
    return msgspec.structs.replace(told, seq=facts[-1].seq, facts=tuple(fact.id for fact in facts))
