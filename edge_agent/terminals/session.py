"""One input of one terminal: from what a person did to the scenario's answer. Pure.

    raw scan -> identify -> judge against what the step expects -> scenario -> Answer
    key, number, choice ------------------------------------------> scenario -> Answer

A scan that is not accepted never reaches the scenario: it becomes words for the person and a
`ScanRefused` fact, and the step stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec

from edge_agent import roles, scenarios
from edge_agent.scanning.expected import Expected
from edge_agent.scanning.identify import Identified, broken, identify, printable
from edge_agent.scanning.labels import looks_like
from edge_agent.scanning.verdict import Judgement, Pending, expected_text, judge
from edge_agent.scenarios.contract import (
    LEFT,
    Chose,
    Did,
    Entered,
    Given,
    Open,
    PinAsked,
    PinChange,
    Said,
    Scanned,
    Scenario,
    Screen,
    Situation,
)  # fmt: skip
from edge_agent.views import Choice, Input, Kind, Message, Overlay, Verdict
from sync.contract import AnyFact, Person, ScanRefused, SignedOff

LOG_LENGTH = 5

_OVERLAYS: dict[str, Overlay] = {"help": "help", "queue": "queue"}
ANSWERED_LENGTH = 32  # inputs; twice what a terminal keeps waiting for an answer

LOCKED = "sign_on"  # the flow in which nobody is signed on
EXCEPTIONS = "exceptions"  # the flow, and the action that opens it
_ACCEPTED = (Verdict.OK, Verdict.OK_PLUS, Verdict.COMMAND)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """All that a terminal remembers; it survives the terminal and the agent.

    `state` is the scenario's state as JSON. `intent` was minted when the step was entered: ids of the
    facts derive from it, so the same intent can not be recorded twice. `asked` is the scan that waits
    for its confirmation, `overlay` the page that a command label has opened over the step. `log` is what `log_of`
    reported last: nobody else is shown it.
    """

    state: msgspec.Raw
    intent: str
    person: str = ""
    asked: str = ""
    overlay: Overlay = ""
    message: Message | None = None
    log: tuple[Message, ...] = ()
    log_of: str = ""
    revision: int = 0
    answered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What one input leads to: the next state, the facts to record, the words to say, who is signed on.

    `asked` is the frame that waits to be scanned again, `overlay` the page to open over the step.
    `person` "" signs off, None keeps. `pin` is what to keep of a PIN. `opened`: a job was opened now, which was not
    open before; `sets_aside`: the machine does not go on with its job.
    """

    state: Any
    facts: tuple[AnyFact, ...] = ()
    said: Said | None = None
    person: str | None = None
    asked: str = ""
    overlay: Overlay = ""
    pin: PinChange | None = None
    opened: bool = False
    sets_aside: bool = False


def answer(
    flows: Mapping[str, Scenario], name: str, state: Any, asked: str, given: Input, here: Situation,
    late: bool = False,
) -> Answer:  # fmt: skip
    """One input to the flow `name` in `state`; `asked` as in Session. Never raises for any input.

    `late`: it is a scan that is too old to act on. Whoever made it may be at another step by now, or gone.
    """
    turn = Turn(flows, name, state, asked, here, given.typed or "")
    if name != LOCKED and (here.person is None or not here.person.active):
        return turn.shut_out()
    match given.kind:
        case "scan" if late:
            return turn.late(given.data.encode("latin-1", "replace"))
        case "scan":
            return turn.scan(given.data.encode("latin-1", "replace"))
        case "unended" | "unprefixed":
            return turn.scan(given.data.encode("latin-1", "replace"), f"scan.{given.kind}")
        case "entry":
            return turn.advance(here.proved or Entered(given.data))
        case "choice":
            return turn.advance(Chose(given.data))
        case "action":
            return turn.do(given.data)


def _job_of(state: Any) -> str:
    """The job that a step is about; empty: none."""
    return str(getattr(state, "job", ""))


@dataclass(frozen=True)
class Turn:
    """One input at one step. `typed`: what stood in the entry, unsent, when it was made."""

    flows: Mapping[str, Scenario]
    name: str
    state: Any
    asked: str
    here: Situation
    typed: str = ""

    @property
    def flow(self) -> Scenario:
        """The flow that is open."""
        return self.flows[self.name]

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """What may be done by key or command label now: the step's own, and what always goes."""
        return allowed_actions(self.name, self.screen, self.asked)

    @cached_property
    def screen(self) -> Screen:
        """What the step looks like at this input."""
        return self.flow.show(self.state, self.here)

    def advance(self, given: Given) -> Answer:
        """The step of the flow; and the first step of another flow where it opens one."""
        outcome = self.flow.advance(self.state, given, self.here)
        after = outcome.state if outcome.open is None else self.opened(outcome.open)
        who = outcome.person or self.here.person
        if outcome.person is not None and roles.missing(who, scenarios.name_of(after), ()) is not None:
            after = self._beside(after, outcome.person)
        if (lacks := roles.missing(who, scenarios.name_of(after), outcome.facts)) is not None:
            if outcome.open is not None and outcome.open.scenario == LEFT and not outcome.facts:
                # They pressed a key that the step offers; nothing is wrong, the work behind the page is for others.
                led = Said(Verdict.OTHER_TYPE, "step.not_yours", {"job": _job_of(after)})
                return Answer(self.state, said=led, pin=outcome.pin)
            return Answer(self.state, said=may_not(lacks, who.name if who else ""), pin=outcome.pin)
        person = outcome.person.id if outcome.person is not None else None
        opened = outcome.open is not None and outcome.open.scenario != LEFT
        return Answer(
            after, outcome.facts, outcome.said, person, pin=outcome.pin, opened=opened, sets_aside=outcome.sets_aside
        )

    def _beside(self, work: Any, person: Person) -> Any:
        """Where somebody begins who may not go on with the open work; it stays as it is, for whoever may."""
        left = scenarios.encode(work).decode()
        if roles.may(person, roles.Action.MAINTAIN):
            return self.flows["maintain"].begin(left, self.here)
        return msgspec.structs.replace(self.flows["choose_job"].begin("", self.here), left=left)

    def opened(self, to: Open) -> Any:
        """The first state of another flow, or what was left open in it."""
        if to.scenario != LEFT:
            return self.flows[to.scenario].begin(to.about, self.here)
        try:
            return scenarios.decode(to.about.encode())
        except msgspec.MsgspecError:  # left by another version of the program
            return self.flows["choose_job"].begin("", self.here)

    def do(self, action: str) -> Answer:
        """An action, by key or command label."""
        if action == "confirm" and self.asked:
            return self.scan(self.asked.encode("latin-1"))
        if action == EXCEPTIONS and action in self.actions:
            return self._to_exceptions()
        if action in _OVERLAYS:
            return Answer(self.state, asked=self.asked, overlay=_OVERLAYS[action])
        if action == "sign_off" and self.name != LOCKED:
            who = self.here.person.name if self.here.person else ""
            return self._locked(Said(Verdict.OK, "sign_on.goodbye", {"name": who}))
        if (chosen := numbered(self.screen).get(action)) is not None:
            return self.advance(Chose(chosen.id))
        if action == "confirm" and self._sends_proposal():
            assert self.screen.entry is not None
            return self.advance(Entered(self._unsent or self.screen.entry.value))
        if action in self.actions:
            return self.advance(Did(action))
        if action == "back":
            return Answer(self.state)  # there is nothing to go back to, and nothing to complain about
        return Answer(self.state, said=Said(Verdict.OTHER_TYPE, "step.not_here"))

    def _sends_proposal(self) -> bool:
        entry = self.screen.entry
        return entry is not None and bool(entry.value) and "confirm" not in self.screen.actions

    @property
    def _unsent(self) -> str:
        """What a person has typed and not sent, where it can be said: never a PIN."""
        entry = self.screen.entry
        return self.typed if entry is not None and entry.kind != "pin" else ""

    def _to_exceptions(self) -> Answer:
        """What is in doubt is looked at from every step, which is gone on with afterwards."""
        to = Open(EXCEPTIONS, scenarios.encode(self.state).decode())
        person = self.here.person
        if (lacks := roles.missing(person, EXCEPTIONS, ())) is not None:
            return Answer(self.state, said=may_not(lacks, person.name if person else ""))
        return Answer(self.opened(to))

    def shut_out(self) -> Answer:
        """The office took the person away who is signed on: nothing is recorded in that name any more."""
        name = self.here.person.name if self.here.person else ""
        return self._locked(Said(Verdict.HELD, "sign_on.no_longer", {"name": name}))

    def idle(self) -> Answer:
        """Nobody did anything for long: locked, and whoever stood here goes on at the same step."""
        name = self.here.person.name if self.here.person else ""
        return self._locked(Said(Verdict.LATE, "sign_on.locked_idle", {"name": name}), held=True)

    def _locked(self, said: Said, held: bool = False) -> Answer:
        person, work = self.here.person, self._work()
        locked = self.flows[LOCKED].begin("", self.here)
        if (left := self._left(work)) and work is not None:
            locked = msgspec.structs.replace(locked, left=left, job=work.job)
        if person is not None:
            locked = msgspec.structs.replace(locked, own=self._left(self.state), own_by=person.id)
        if held and person is not None:
            here = scenarios.encode(self.state).decode()
            locked = msgspec.structs.replace(
                locked, held=here, held_by=person.id, job=str(getattr(self.state, "job", ""))
            )
        facts = (SignedOff(about=f"person/{person.id}", idle=held),) if person and person.active else ()
        return Answer(locked, facts, said, person="")

    def _work(self) -> Any | None:
        """The work that is open here, below the pages that were opened over it; None: there is none."""
        work = self.state
        while hasattr(work, "left"):
            if not work.left:
                return None
            work = self.opened(Open(LEFT, work.left))
        return work

    def _left(self, state: Any | None) -> str:
        """What stays of a flow when somebody leaves, as the kernel keeps it; empty: nothing."""
        leave = getattr(self.flows[scenarios.name_of(state)], "leave", None) if state is not None else None
        return scenarios.encode(leave(state)).decode() if leave is not None else ""

    def scan(self, raw: bytes, broken_by: str = "") -> Answer:
        """A frame of a scanner: its verdict, and the step of the flow where it is accepted.

        `broken_by`: the code of why it did not come whole, and is refused whatever it says.
        """
        expected = self.flow.expects(self.state, self.here)
        book = self.here.book
        identified = broken(raw, book, broken_by) if broken_by else identify(raw, book)
        is_command = any(each.kind is Kind.COMMAND for each in identified.candidates)
        judged = judge(
            identified, expected, book, step=self.state.step, pending=self._pending(),
            actions=(*self.actions, *numbered(self.screen)) if is_command else (), today=self.here.today,
        )  # fmt: skip
        if judged.command is not None:
            return self.do(judged.command)
        if judged.accepted and judged.candidate is not None:
            return self._accepted(raw, identified, judged, expected)
        params = dict(judged.params)
        if self._is_secret(raw, identified):
            params = {key: "(a badge)" if text and text in identified.text else text for key, text in params.items()}
        badge_wanted = self.name == LOCKED and judged.code == "scan.unknown"
        said = Said(judged.verdict, "scan.unknown_badge" if badge_wanted else judged.code, params, judged.notes)
        waits = raw.decode("latin-1") if judged.verdict is Verdict.CONFIRM else ""
        return Answer(
            self.state, (self._refusal(raw, identified, judged, expected, said),), said, asked=waits
        )

    def late(self, raw: bytes) -> Answer:
        """A scan that is too old to act on: nothing else is judged, and no question is left that it could answer."""
        expected = self.flow.expects(self.state, self.here)
        identified = identify(raw, self.here.book)
        said = Said(Verdict.LATE, "scan.late")
        judged = Judgement(said.verdict, said.code, expected_text=expected_text(expected), got_text=identified.text)
        return Answer(self.state, (self._refusal(raw, identified, judged, expected, said),), said)

    def _pending(self) -> Pending | None:
        if not self.asked:
            return None
        return Pending(identify(self.asked.encode("latin-1"), self.here.book).text, self.state.step)

    def _accepted(
        self, raw: bytes, identified: Identified, judged: Judgement, expected: tuple[Expected, ...]
    ) -> Answer:
        assert judged.candidate is not None
        got = judged.params.get("got", judged.got_text)  # the thing itself: what kind it is was asked for
        if self._unsent and self.state.step not in getattr(self.flow, "TAKES_TYPED", ()):
            said = Said(Verdict.HELD, "scan.typed_first", {"typed": self._unsent, "got": got})
            return Answer(self.state, (self._refusal(raw, identified, judged, expected, said),), said)
        result = self.advance(Scanned(judged.candidate, judged.confirmed, self._unsent))
        if result.said is None:
            return replace(result, said=Said(judged.verdict, "scan.ok", {"got": got}, judged.notes))
        result = replace(result, said=replace(result.said, notes=judged.notes))
        assert result.said is not None
        if result.said.verdict in (*_ACCEPTED, Verdict.CONFIRM):
            return result
        refused = self._refusal(raw, identified, judged, expected, result.said)
        return replace(result, facts=(*result.facts, refused))

    def _refusal(
        self,
        raw: bytes,
        identified: Identified,
        judged: Judgement,
        expected: tuple[Expected, ...],
        said: Said,
    ) -> ScanRefused:
        secret = self._is_secret(raw, identified)
        return refusal(self.name, self.state, raw, identified, judged, expected, said, self.here, secret)

    def _is_secret(self, raw: bytes, identified: Identified) -> bool:
        """Whether a scan is a badge, or may be: where one is asked for, or a PIN, which a hand can type as fast as
        a scanner, whatever nobody knows."""
        asked = self.name == LOCKED or pin_asked(self.flow, self.state) is not None
        return is_badge(raw, identified, self.here, asked)


def may_not(lacks: roles.Action | str, name: str) -> Said:
    """Words for what the person who is signed on may not do: who may, and what to do now."""
    allowed = roles.who_may(lacks) if isinstance(lacks, roles.Action) else ()
    if not allowed:
        return Said(Verdict.HELD, "roles.nobody", {"right": str(lacks)})
    return Said(Verdict.HELD, "roles.may_not", {"name": name, "right": lacks, "who_may": ",".join(allowed)})


def pin_asked(flow: Scenario, state: Any) -> PinAsked | None:
    """Whose PIN the step asks for; None: none."""
    asks = getattr(flow, "pin", None)
    found: PinAsked | None = asks(state) if asks is not None else None
    return found


def job_run_by(flow: Scenario, state: Any) -> str | None:
    """The job that the machine makes parts of while a terminal is at this step; None: the one that it has."""
    runs = getattr(flow, "runs", None)
    return str(runs(state)) if runs is not None else None


def allowed_actions(name: str, screen: Screen, asked: str) -> tuple[str, ...]:
    """What may be done by key or command label now: the step's own, and what always goes.

    `confirm` answers the scan that was asked about, else it sends what is proposed.
    """
    yes = bool(asked) or (screen.entry is not None and bool(screen.entry.value))
    confirm = ("confirm",) if yes and "confirm" not in screen.actions else ()
    leave = ("sign_off",) if name != LOCKED else ()
    look = () if name in (LOCKED, EXCEPTIONS) else (EXCEPTIONS,)
    return (*screen.actions, *confirm, *leave, *look, *_OVERLAYS)


def numbered(screen: Screen) -> dict[str, Choice]:
    """The choices that no label of the plant names, by the command that chooses their number: `choose-2`."""
    return {f"choose-{each.number}": each for each in screen.choices if each.label is None}


def is_badge(raw: bytes, identified: Identified, here: Situation, asked: bool) -> bool:
    """Whether a scan is a badge, a misread one, or its bare number; where it is `asked` for, whatever nobody knows."""
    if looks_like(Kind.BADGE, raw) or identified.text in here.book.badges:
        return True
    if any(each.kind is Kind.BADGE for each in identified.candidates):
        return True
    known = any(here.book.knows(each.kind, each.id) for each in identified.candidates)
    return asked and not known and identified.text.isalnum()


def refusal(
    name: str, state: Any, raw: bytes, identified: Identified, judged: Judgement,
    expected: tuple[Expected, ...], said: Said, here: Situation, secret: bool,
) -> ScanRefused:  # fmt: skip
    """The evidence of a scan that was not accepted. What is `secret` is not written down: the number of a badge,
    also of one which was misread, or a PIN."""
    return ScanRefused(
        about=f"terminal/{here.station.terminal}", verdict=said.verdict.value, code=said.code,
        raw="(a badge)" if secret else printable(raw), scenario=name, step=state.step,
        expected=judged.expected_text or ", ".join(each.kind.value for each in expected),
        got="(a badge)" if secret else judged.got_text, job=str(getattr(state, "job", "")),
    )  # fmt: skip
