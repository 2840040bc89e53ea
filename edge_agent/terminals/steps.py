"""The transaction of one input: where the terminal stood, one step, its facts, where it stands now.

Everything here runs in the thread of the database, on its connection.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import msgspec

from edge_agent import scenarios
from edge_agent.machines.ledger import running
from edge_agent.machines.plant import REMEMBERED
from edge_agent.machines.stops import Stop
from edge_agent.pin_rules import PinLook, PinRecord, after_wrong, look_at
from edge_agent.plant_reader import PlantReader
from edge_agent.roles import holds
from edge_agent.scenarios.contract import PinAsked, PinChange, Policies, Proved, Said, Situation, Station
from edge_agent.store import Connection, Entry, Store, pins, sessions
from edge_agent.store.doubts import carry_out, doubt_of, doubts, open_doubts
from edge_agent.store.ledger import (
    Tally,
    end_job,
    note_job,
    scrap_since_report,
    since_report,
    switches,
    tallies,
)
from edge_agent.store.progress import ProgressOf, last_reports
from edge_agent.store.stops import stops
from edge_agent.terminals.session import (
    ANSWERED_LENGTH,
    LOG_LENGTH,
    Answer,
    Session,
    Turn,
    answer,
    job_run_by,
    pin_asked,
)
from edge_agent.terminals.view_of import view_of
from edge_agent.views import Input, Message, Verdict, View
from edge_agent.views.status import DeviceStatus, EquipmentStatus
from sync.contract import Fact, JobCompleted

_ASKED_FOR = timedelta(days=REMEMBERED)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moment:
    """What the event loop knows when an input arrives: the time, and the day at the plant.

    `first` is the intent of a session that begins now, `intent` that of the step after this input.
    `shown` is the highest revision that the terminal may have seen: the next one is above it. `machines`
    and `devices` are all of them. `boot`: what `monotonic` counts from. `proved` is what came of a PIN in the input,
    and `asked` what it was compared with: it counts while the same is asked for.
    """

    now: datetime
    today: date
    machine: EquipmentStatus | None
    first: str
    intent: str
    shown: int = 0
    machines: tuple[EquipmentStatus, ...] = ()
    devices: tuple[DeviceStatus, ...] = ()
    monotonic: float = 0.0
    boot: str = ""
    proved: Proved | None = None
    asked: PinAsked | None = None


@dataclass(frozen=True)
class Taken:
    """What came of an input. Not `new`: it was answered before, and nothing was changed or recorded."""

    view: View
    facts: tuple[Fact, ...] = ()
    new: bool = True


def signed_on(connection: Connection, terminal: str) -> str:
    """The id of the person who is signed on at a terminal; empty: nobody, or it can not be told."""
    saved = sessions.load(connection, terminal)
    try:
        return msgspec.json.decode(saved.state, type=Session).person if saved else ""
    except (ValueError, RecursionError):  # of msgspec, or bytes that are no UTF-8
        return ""


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
        if moment.asked is not None and not self._still_asked(connection, state, moment.asked):
            person = self._store.book.persons.get(moment.asked.person)
            name = person.name if person is not None else moment.asked.person
            result = Answer(state, said=Said(Verdict.HELD, "pin.changed", {"name": name}))
        else:
            here = self._situation(connection, station, session, moment)
            name = scenarios.name_of(state)
            result = answer(self._flows, name, state, session.asked, given, here, late)
        return self._kept(connection, station, session, given, result, moment)

    def lock(self, connection: Connection, station: Station, moment: Moment) -> Taken | None:
        """Lock a terminal at which nobody did anything for long; inside a transaction. None: nobody is there."""
        session, state = self._standing(sessions.load(connection, station.terminal), station, moment)
        here = self._situation(connection, station, session, moment)
        if here.person is None:
            return None
        turn = Turn(self._flows, scenarios.name_of(state), state, session.asked, here)
        nobody = Input(moment.first, "action", "sign_off")
        return self._kept(connection, station, session, nobody, turn.idle(), moment)

    def pin_asked(self, connection: Connection, station: Station, moment: Moment) -> PinAsked | None:
        """Whose PIN the terminal asks for now, with the hash to compare it with where there is one."""
        _, state = self._standing(sessions.load(connection, station.terminal), station, moment)
        return self._asked(connection, state)

    def _asked(self, connection: Connection, state: Any) -> PinAsked | None:
        asked = pin_asked(self._flows[scenarios.name_of(state)], state)
        if asked is None or asked.new or asked.hash:
            return asked
        return replace(asked, hash=_kept_hash(connection, asked.person))

    def _still_asked(self, connection: Connection, state: Any, asked: PinAsked) -> bool:
        """Whether the step asks for the same PIN, and what is kept of the person's is what it was compared with."""
        kept = _kept_hash(connection, asked.person)
        return self._asked(connection, state) == asked and kept in (asked.hash, asked.instead)

    def _kept(
        self, connection: Connection, station: Station, session: Session, given: Input, result: Answer,
        moment: Moment,
    ) -> Taken:  # fmt: skip
        """Record what came of an input, and where the terminal stands now."""
        self._keep_pin(connection, result.pin, moment)
        session, facts = self._recorded(connection, station, session, given, result, moment)
        view = self._view(connection, station, session, result.state, given.id, moment)
        kept = sessions.Session(msgspec.json.encode(session), given.id, msgspec.json.encode(view))
        sessions.save(connection, station.terminal, kept)
        self._note_job(connection, station, result, facts, moment)
        self._unreadable.pop(station.terminal, None)
        return Taken(view, facts)

    def _keep_pin(self, connection: Connection, change: PinChange | None, moment: Moment) -> None:
        """A wrong try is counted with the fact that says so, or neither is."""
        record = pins.load(connection, change.person) if change is not None else None
        if change is None or record is None:
            return
        match change.kind:
            case "wrong":
                record = after_wrong(record, self._policies.pin, moment.boot, moment.monotonic)
            case "right":
                record = replace(record, wrong=0, boot="", until=0.0)
            case "new":
                record = PinRecord(change.person, change.hash)
        pins.save(connection, record)

    def _pin_look(self, connection: Connection, moment: Moment, id: str) -> PinLook:
        person, rules = self._store.book.persons.get(id), self._policies.pin
        if person is None or not holds(person, rules.roles):
            return PinLook()
        return look_at(pins.load(connection, id), True, rules, moment.boot, moment.monotonic)

    def _note_job(
        self, connection: Connection, station: Station, result: Answer, facts: tuple[Fact, ...], moment: Moment
    ) -> None:
        """Which job the machine runs from now on: parts that it makes belong to it."""
        for fact in facts:
            if isinstance(fact.body, JobCompleted):
                end_job(connection, fact.body.about, moment.now)
        if station.equipment:
            job = job_run_by(self._flows[scenarios.name_of(result.state)], result.state)
            job = "" if result.sets_aside else job
            note_job(connection, station.equipment, station.terminal, job, moment.now, result.opened)

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
        locked = self._flows["sign_on"].begin("", Situation(moment.now, moment.today, self._store.book, station))
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
        carry_out(connection, facts)
        message = _message(result, facts, moment)
        log_of = person or session.log_of  # who comes back finds it again
        log = session.log if log_of == session.log_of else ()
        if message is not None and message.seq is not None:
            log = (*log, message)[-LOG_LENGTH:]
        return Session(
            state=msgspec.Raw(scenarios.encode(result.state)),
            intent=moment.intent if facts else session.intent,
            person=person if result.person is None else result.person,
            asked=result.asked,
            overlay=result.overlay,
            message=message,
            log=log,
            log_of=log_of,
            revision=max(session.revision, moment.shown) + 1,
            answered=(*session.answered, given.id)[-ANSWERED_LENGTH:],
        ), facts

    def _situation(
        self, connection: Connection, station: Station, session: Session, moment: Moment
    ) -> Situation:
        book = self._store.book
        return Situation(
            now=moment.now, today=moment.today, book=book, station=station, person=book.persons.get(session.person),
            machine=moment.machine, policies=self._policies,
            counted=functools.cache(lambda job: self._counted(connection, station, moment, job)),
            scrapped=functools.cache(lambda job: self._scrapped(connection, station, moment, job)),
            stops=functools.cache(lambda: self._stops(connection, station, moment)),
            progress=ProgressOf(connection, lambda job: book.listed_with(job, station.equipment)),
            last_reports=lambda job: last_reports(connection, job, terminal=station.terminal, person=session.person),
            plant=self._reader.plant(connection, moment.machines, moment.devices, moment.now),
            doubts=functools.cache(lambda skip: doubts(connection, skip)),
            doubt=functools.cache(lambda key: doubt_of(connection, key)),
            in_doubt=lambda: open_doubts(connection),
            pin=lambda person: self._pin_look(connection, moment, person), proved=moment.proved,
            intent=session.intent,
        )  # fmt: skip

    def _counted(self, connection: Connection, station: Station, moment: Moment, job: str) -> int | None:
        """Parts of a job that the machine here made and nobody reported; None while it can not be asked.

        Those of the last second are not on the disk yet: they belong to the job that runs now.
        """
        machine = moment.machine
        if machine is None or machine.count is None or machine.count_status != "Good":
            return None
        known = since_report(connection, station.equipment, job)
        if running(switches(connection, station.equipment, moment.now), moment.now) == job:
            on_disk = tallies(connection).get(station.equipment, Tally()).counted
            known += max(0, machine.counted - on_disk)
        return max(0, known)

    def _scrapped(self, connection: Connection, station: Station, moment: Moment, job: str) -> int:
        """How many of these parts are reported as scrap already; 0 where the machine counts good ones alone."""
        machine = moment.machine
        if machine is None or machine.counts != "all":
            return 0
        return scrap_since_report(connection, station.equipment, job)

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


def _kept_hash(connection: Connection, person: str) -> str:
    record = pins.load(connection, person)
    return record.hash if record is not None else ""


def _message(result: Answer, facts: tuple[Fact, ...], moment: Moment) -> Message | None:
    if result.said is None:
        return None
    said = result.said
    told = Message(verdict=said.verdict, code=said.code, params=said.params, at=moment.now, notes=said.notes)
    if not facts or said.verdict not in (Verdict.OK, Verdict.OK_PLUS):
        return told
    return msgspec.structs.replace(told, seq=facts[-1].seq, facts=tuple(fact.id for fact in facts))
