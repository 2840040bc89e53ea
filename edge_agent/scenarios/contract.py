"""What a scenario is: one operator flow, pure, one file.

A scenario module `edge_agent/scenarios/<name>.py` has

* `State`: a frozen msgspec Struct, `tag="<name>"`, with a `step: str`; all that the flow remembers;
* `STEPS`: the names of its steps;
* `begin(about, here) -> State`: the flow opened on a job, or on nothing;
* `advance(state, given, here) -> Outcome`: one input, one step. A refusal is an Outcome with the
  state unchanged, never an exception;
* `expects(state, here) -> tuple[Expected, ...]`: what may be scanned now;
* `show(state, here) -> Screen`: what the step looks like;
* `leave(state) -> State`, what stays of the flow when somebody signs off. The same person goes on there;
  the next one too, but not on a page that was opened over work (`state.left`): they go on with that work.
  A flow without it is not gone on with;
* `runs(state) -> str`: the job that the machine here makes parts of. A flow without it leaves the machine the
  job that it has;
* `pin(state) -> PinAsked | None`: whose PIN the step asks for. What is typed there comes as `Proved`. A
  flow without it asks for none.

No I/O, no clock, no randomness: time comes in as `here.now`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any, Literal, Protocol

import msgspec

from edge_agent.doubts import Doubt
from edge_agent.machines.plant import Plant
from edge_agent.machines.stops import Stop
from edge_agent.pin_rules import PinLook, PinRules
from edge_agent.planbook import PlanBook, Progress
from edge_agent.scanning.expected import Candidate, Expected
from edge_agent.views import Choice, Entry, Page, StepPage, Verdict
from edge_agent.views.status import EquipmentStatus
from sync.contract import AnyFact, Person, Reason


@dataclass(frozen=True)
class Scanned:
    """A scan that fits what the step expects. `confirmed`: it was unplanned and the person said yes.

    `typed` stood in the entry, unsent: only a step that is among the flow's `TAKES_TYPED` is given a scan with it.
    """

    what: Candidate
    confirmed: bool = False
    typed: str = ""


@dataclass(frozen=True)
class Entered:
    """A number or text that was typed and sent."""

    text: str


@dataclass(frozen=True)
class Chose:
    """The id of a choice that the screen offered."""

    id: str


@dataclass(frozen=True)
class Did:
    """An action by key or command label: confirm, back, report, scrap, finish, short, undo, sign_off ..."""

    action: str


@dataclass(frozen=True)
class Proved:
    """A PIN that was typed for a person, compared or hashed before the step; the PIN goes no further.

    `right`: it is the one that was asked for. At a step that asks for a new one `hash` is what to keep of it,
    and `problem` the message code of why it can be none. `against` is the kept hash that it was compared with.
    """

    person: str
    right: bool = False
    hash: str = ""
    problem: str = ""
    against: str = ""


@dataclass(frozen=True)
class PinAsked:
    """Whose PIN a step asks for. `new`: one to choose; `hash`: the one to be typed once more; else the kept one.

    `instead` is the kept hash that the new one takes the place of: of the start code that was typed.
    """

    person: str
    new: bool = False
    hash: str = ""
    instead: str = ""


Given = Scanned | Entered | Chose | Did | Proved


@dataclass(frozen=True)
class Station:
    """Where the terminal stands, from the site file. `stop_reasons`: the reason to propose for a stop, by its state."""

    terminal: str
    name: str
    equipment: str = ""
    zone: str = ""
    home: str = "production"  # what comes first after a badge: production | picking | maintenance
    stop_reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policies:
    """The plant's rules that the flows obey."""

    drawing_scan: bool = True
    count_tolerance: int = 2
    over_ask: bool = True
    four_eyes: frozenset[str] = frozenset({"correct"})  # decisions on exceptions that take two people
    second_badge: tuple[str, ...] = ()
    pin: PinRules = field(default_factory=PinRules)
    lock_after: float = 0.0  # seconds without an input; 0.0: never


@dataclass(frozen=True)
class Situation:
    """Everything an input may be judged by, frozen at that moment. `today` is the day of the plant, which is not
    always that of `now`, in UTC."""

    now: datetime
    today: date
    book: PlanBook
    station: Station
    person: Person | None = None
    machine: EquipmentStatus | None = None
    policies: Policies = field(default_factory=Policies)
    progress: Callable[[str], Progress] = lambda job: Progress()
    counted: Callable[[str], int | None] = lambda job: None  # by the machine here since the last report
    scrapped: Callable[[str], int] = lambda job: 0  # of these, what was reported as scrap since
    stops: Callable[[], tuple[Stop, ...]] = lambda: ()  # of the machine here, newest first
    last_reports: Callable[[str], tuple[tuple[str, AnyFact], ...]] = lambda job: ()
    plant: Plant = field(default_factory=Plant)
    doubts: Callable[[int], tuple[Doubt, ...]] = lambda skip: ()  # a page of them, from number `skip` on
    doubt: Callable[[str], Doubt | None] = lambda key: None
    in_doubt: Callable[[], int] = lambda: 0  # how many there are
    pin: Callable[[str], PinLook] = lambda person: PinLook()
    proved: Proved | None = None  # what came of the PIN in hand
    intent: str = ""  # minted when the step was entered: what a fact of it begins may have it as its id


@dataclass(frozen=True)
class Said:
    """A message code with its parameters; the kernel adds time and ticks, and `notes`: codes of what else is to be
    said of a scan, with the same parameters."""

    verdict: Verdict
    code: str
    params: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


LEFT = "(left)"  # the flow that somebody left open; `about` is its state as the kernel kept it


@dataclass(frozen=True)
class Open:
    """Go on in another scenario."""

    scenario: str
    about: str = ""


@dataclass(frozen=True)
class PinChange:
    """What came of a PIN: a wrong try, a right one, or a new PIN with this hash."""

    person: str
    kind: Literal["wrong", "right", "new"]
    hash: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of one input: the next state (or another scenario), facts to record, words to say.

    `person` is who is signed on from now; None keeps whoever is. `pin` is what to keep of a PIN. `sets_aside`: the
    machine here does not go on with the job that was open.
    """

    state: Any
    facts: tuple[AnyFact, ...] = ()
    said: Said | None = None
    open: Open | None = None
    person: Person | None = None
    pin: PinChange | None = None
    sets_aside: bool = False


@dataclass(frozen=True)
class News:
    """What became known without an input here; `at` is the moment of what it answers, `after` the code that was said
    then. What was said of another input since stays to be seen."""

    said: Said
    at: datetime
    after: str


@dataclass(frozen=True)
class Screen:
    """What a step looks like; the kernel adds who, where and the last message. See `News`."""

    prompt: str
    params: dict[str, str] = field(default_factory=dict)
    title: str = ""
    page: Page = field(default_factory=StepPage)
    actions: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    entry: Entry | None = None
    news: News | None = None


class Scenario(Protocol):
    """The shape of a scenario module."""

    State: type[msgspec.Struct]
    STEPS: tuple[str, ...]

    def begin(self, about: str, here: Situation) -> Any: ...
    def advance(self, state: Any, given: Given, here: Situation) -> Outcome: ...
    def expects(self, state: Any, here: Situation) -> tuple[Expected, ...]: ...
    def show(self, state: Any, here: Situation) -> Screen: ...


def refuse(state: Any, code: str, verdict: Verdict = Verdict.WRONG, **params: object) -> Outcome:
    """The same step again, with words."""
    return Outcome(state, said=Said(verdict, code, {key: str(value) for key, value in params.items()}))


def home(here: Situation) -> Open:
    """Where somebody begins at this station."""
    return Open("maintain" if here.station.home == "maintenance" else "choose_job")


def to_machines(state: msgspec.Struct) -> Open:
    """Look at the machines, and come back to this work."""
    return Open("maintain", msgspec.json.encode(state).decode())


def to_explain(here: Situation) -> tuple[Stop, ...]:
    """The stops of the machine here that nobody has explained yet, newest first."""
    return tuple(stop for stop in here.stops() if not stop.reason)


def reason_of(purpose: str, given: Chose | Scanned, here: Situation) -> Reason | None:
    """The reason that was chosen by digit or label; None when there is none of that id for the purpose."""
    id = given.what.id if isinstance(given, Scanned) else given.id
    return next((reason for reason in here.book.reasons_for(purpose) if reason.id == id), None)


# Units that are counted, as plants and UN/ECE Recommendation 20 write them: there is no half of one.
COUNTED = frozenset({"pc", "pcs", "pce", "ea", "each", "unit", "units", "c62", "h87", "st", "stk"})


def no_quantity(state: Any, text: str, uom: str) -> Outcome:
    """The same step again: what was typed is no quantity of the unit."""
    code = "quantity.not_a_number" if quantity(text) is None else "quantity.not_possible"
    return refuse(state, code, text=text, uom=uom)


def quantity(text: str, uom: str = "") -> Decimal | None:
    """A quantity as people type it: decimal point or comma, not negative, at most 6 decimals; None otherwise.

    Of a unit that is counted only whole numbers are.

    >>> quantity("12,5"), quantity("-1"), quantity("1e9"), quantity("")
    (Decimal('12.5'), None, None, None)
    >>> quantity("1,5", "kg"), quantity("1,5", "pc")
    (Decimal('1.5'), None)
    """
    cleaned = text.strip().replace(",", ".")
    whole, _, part = cleaned.partition(".")
    if not (whole + part).isascii() or not (whole + part).isdigit() or len(whole) > 9 or len(part) > 6:
        return None
    amount = Decimal(cleaned if whole else "0" + cleaned)
    return None if amount % 1 and uom.lower() in COUNTED else amount


Modules = dict[str, ModuleType]
