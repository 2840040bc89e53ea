"""Who may do what: one matrix of roles and actions, for screens, flows, machines and the API. Pure.

What stands in no row is refused, to everybody: a new flow or kind of fact needs a row before anybody can use
it. Roles come with the persons of the ERP (`Person.roles`); a role that is not one of these gives nothing
but what `[[writes]]` of the site file names it for.

>>> ana = Person(id="p1", name="Ana", badge="1", roles=("operator",))
>>> may(ana, Action.PRODUCE), may(ana, Action.MAINTAIN), may(None, Action.LOOK)
(True, False, False)
>>> who_may(Action.MAINTAIN)
('maintenance',)
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sync.contract import (
    AnyFact,
    Correction,
    CountAssigned,
    DowntimeRecorded,
    JobCompleted,
    JobStarted,
    MaterialMoved,
    MaterialProduced,
    MaterialScrapped,
    MaterialShort,
    Person,
    ScanRefused,
    SignedOff,
    SignedOn,
)
from sync.exceptions import ExceptionDecided
from sync.maintenance import (
    PREFIX,
    MaintenanceCompleted,
    MaintenancePartUsed,
    MaintenanceRequested,
    MaintenanceStarted,
)
from sync.person_facts import PinChanged, PinRefused


class Role(enum.StrEnum):
    """What a person is here for; somebody may have several."""

    OPERATOR = "operator"
    PICKER = "picker"
    MAINTENANCE = "maintenance"
    LEAD = "lead"
    ADMIN = "admin"


class Action(enum.StrEnum):
    """Everything that somebody may be allowed to do."""

    LOOK = "look"  # at lists, machines, their past, the queue
    PRODUCE = "produce"  # start, report, take back and finish production
    DEVIATE = "deviate"  # begin without a matching drawing
    EXPLAIN_STOP = "explain_stop"
    PICK = "pick"
    REQUEST_WORK = "request_work"  # on a machine
    MAINTAIN = "maintain"  # begin the work, use parts, end it
    ACCEPT_WORK = "accept_work"  # take a machine back that others worked on
    OVERRIDE = "override"  # be the second badge of what a rule holds
    SEE_EXCEPTIONS = "see_exceptions"  # what the ERP refused, and what is in doubt
    RESEND = "resend"
    CORRECT = "correct"  # a refused fact, by a new one
    HAND_OVER = "hand_over"  # a refused fact to the office
    ACKNOWLEDGE = "acknowledge"  # what is in doubt and explained
    APPROVE = "approve"  # such a choice of somebody else, where policy asks for four eyes
    SET_SCANNER = "set_scanner"  # write what a test of the scanner found
    READ_DEVICE = "read_device"  # once, to test the line: it makes traffic to a controller
    READ_JOURNAL = "read_journal"  # all of it at once, with who reported what
    BACK_UP = "back_up"  # copy the journal to a file
    SET_PIN = "set_pin"  # let another person choose a new PIN, or lift a lock-out


_EVERY_ROLE = frozenset(Role)
_LEADS = frozenset({Role.LEAD, Role.ADMIN})

# Who signs on may look, with whatever role; the admin keeps the system and books no work.
MATRIX: Mapping[Action, frozenset[Role]] = MappingProxyType({
    Action.LOOK: _EVERY_ROLE,
    Action.PRODUCE: frozenset({Role.OPERATOR, Role.LEAD}),
    Action.DEVIATE: frozenset({Role.OPERATOR, Role.LEAD}),
    Action.EXPLAIN_STOP: frozenset({Role.OPERATOR, Role.MAINTENANCE, Role.LEAD}),
    Action.PICK: frozenset({Role.PICKER, Role.LEAD}),
    Action.REQUEST_WORK: frozenset({Role.OPERATOR, Role.PICKER, Role.MAINTENANCE, Role.LEAD}),
    Action.MAINTAIN: frozenset({Role.MAINTENANCE}),
    Action.ACCEPT_WORK: frozenset({Role.OPERATOR, Role.LEAD}),
    Action.OVERRIDE: frozenset({Role.LEAD}),
    Action.SEE_EXCEPTIONS: _EVERY_ROLE,
    Action.RESEND: _LEADS,
    Action.CORRECT: frozenset({Role.LEAD}),
    Action.HAND_OVER: _LEADS,
    Action.ACKNOWLEDGE: _LEADS,
    Action.APPROVE: _LEADS,
    Action.SET_SCANNER: frozenset({Role.MAINTENANCE, Role.LEAD, Role.ADMIN}),
    Action.READ_DEVICE: frozenset({Role.MAINTENANCE, Role.LEAD, Role.ADMIN}),
    Action.READ_JOURNAL: _LEADS,
    Action.BACK_UP: frozenset({Role.ADMIN}),
    Action.SET_PIN: frozenset({Role.ADMIN}),
})  # fmt: skip

# What opening a flow takes; None: nothing, it is where people sign on.
FLOWS: Mapping[str, Action | None] = MappingProxyType({
    "sign_on": None,
    "choose_job": Action.LOOK,
    "report_production": Action.PRODUCE,
    "pick": Action.PICK,
    "explain_stop": Action.EXPLAIN_STOP,
    "maintain": Action.LOOK,
    "exceptions": Action.SEE_EXCEPTIONS,
})  # fmt: skip

JUDGED = (Correction, ExceptionDecided)  # by what it corrects, and by what was chosen

# What recording a fact at a terminal takes; None: nothing, it says what happened to the terminal itself.
FACTS: Mapping[type, Action | None] = MappingProxyType({
    SignedOn: None,
    SignedOff: None,
    ScanRefused: None,
    PinRefused: None,
    PinChanged: None,
    JobStarted: Action.PRODUCE,
    MaterialProduced: Action.PRODUCE,
    MaterialScrapped: Action.PRODUCE,
    JobCompleted: Action.PRODUCE,
    MaterialMoved: Action.PICK,
    MaterialShort: Action.PICK,
    DowntimeRecorded: Action.EXPLAIN_STOP,
    CountAssigned: Action.PRODUCE,
    MaintenanceRequested: Action.REQUEST_WORK,
    MaintenanceStarted: Action.MAINTAIN,
    MaintenancePartUsed: Action.MAINTAIN,
    MaintenanceCompleted: Action.MAINTAIN,
})  # fmt: skip


class NoRow(LookupError):
    """Nobody said who may do this: it is refused."""


def may(who: Person | None, action: Action) -> bool:
    """Whether a person may do something; nobody, and somebody who left, may do nothing."""
    if who is None or not who.active:
        return False
    return action is Action.LOOK or holds(who, MATRIX.get(action, frozenset()))


def holds(who: Person, roles: Iterable[str]) -> bool:
    """Whether a person has one of these roles."""
    return not set(roles).isdisjoint(who.roles)


def who_may(action: Action) -> tuple[str, ...]:
    """The roles that may, in the order of the roles."""
    return tuple(role.value for role in Role if role in MATRIX.get(action, frozenset()))


def to_open(flow: str) -> Action | None:
    """What opening a flow takes; None: nothing. Raises NoRow."""
    try:
        return FLOWS[flow]
    except KeyError:
        raise NoRow(flow) from None


def to_record(body: AnyFact) -> Action | None:
    """What recording a fact at a terminal takes; None: nothing. Raises NoRow for what is no person's to record."""
    if isinstance(body, Correction):
        return Action.MAINTAIN if body.about.startswith(PREFIX) else Action.PRODUCE
    if isinstance(body, ExceptionDecided):  # of two people, the second was asked whether they may
        return Action.SEE_EXCEPTIONS if body.second else Action(body.choice)
    if isinstance(body, JobStarted) and body.deviation:
        return Action.DEVIATE
    try:
        return FACTS[type(body)]
    except KeyError:
        raise NoRow(type(body).__name__) from None


def missing(who: Person | None, flow: str, facts: Iterable[AnyFact]) -> Action | str | None:
    """The first thing that a person may not do of what a step would do: open a flow, record facts.

    None: all of it is allowed. A str names what has no row, and so nobody may do.
    """
    told = tuple(facts)
    # What a decision takes back and puts in its place belongs to it.
    judged = [each for each in told if isinstance(each, ExceptionDecided)] or told
    try:
        wanted = (to_open(flow), *map(to_record, judged))
    except NoRow as error:
        return str(error)
    return next((each for each in wanted if each is not None and not may(who, each)), None)
