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

from edge_agent import scenarios
from edge_agent.scanning.expected import Expected
from edge_agent.scanning.identify import Identified, identify, printable
from edge_agent.scanning.labels import looks_like
from edge_agent.scanning.verdict import Judgement, Pending, judge
from edge_agent.scenarios.contract import (
    LEFT,
    Chose,
    Did,
    Entered,
    Given,
    Open,
    Said,
    Scanned,
    Scenario,
    Screen,
    Situation,
)  # fmt: skip
from edge_agent.views import Input, Kind, Message, Overlay, Verdict
from sync.contract import AnyFact, ScanRefused, SignedOff

LOG_LENGTH = 5

_OVERLAYS: dict[str, Overlay] = {"help": "help", "queue": "queue"}
ANSWERED_LENGTH = 32  # inputs; twice what a terminal keeps waiting for an answer

LOCKED = "sign_on"  # the flow in which nobody is signed on
_ACCEPTED = (Verdict.OK, Verdict.OK_PLUS, Verdict.COMMAND)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """All that a terminal remembers; it survives the terminal and the agent.

    `state` is the scenario's state as JSON. `intent` was minted when the step was entered: ids of the
    facts derive from it, so the same intent can not be recorded twice. `asked` is the scan that waits
    for its confirmation, `overlay` the page that a command label has opened over the step.
    """

    state: msgspec.Raw
    intent: str
    person: str = ""
    asked: str = ""
    overlay: Overlay = ""
    message: Message | None = None
    log: tuple[Message, ...] = ()
    revision: int = 0
    answered: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What one input leads to: the next state, the facts to record, the words to say, who is signed on.

    `asked` is the frame that waits to be scanned again, `overlay` the page to open over the step.
    `person` "" signs off, None keeps.
    """

    state: Any
    facts: tuple[AnyFact, ...] = ()
    said: Said | None = None
    person: str | None = None
    asked: str = ""
    overlay: Overlay = ""


def answer(
    flows: Mapping[str, Scenario], name: str, state: Any, asked: str, given: Input, here: Situation
) -> Answer:
    """One input to the flow `name` in `state`; `asked` as in Session. Never raises for any input."""
    turn = Turn(flows, name, state, asked, here)
    if name != LOCKED and (here.person is None or not here.person.active):
        return turn.shut_out()
    match given.kind:
        case "scan":
            return turn.scan(given.data.encode("latin-1", "replace"))
        case "entry":
            return turn.advance(Entered(given.data))
        case "choice":
            return turn.advance(Chose(given.data))
        case "action":
            return turn.do(given.data)


@dataclass(frozen=True)
class Turn:
    """One input at one step."""

    flows: Mapping[str, Scenario]
    name: str
    state: Any
    asked: str
    here: Situation

    @property
    def flow(self) -> Scenario:
        """The flow that is open."""
        return self.flows[self.name]

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """What may be done by key or command label now: the step's own, and what always goes."""
        return allowed_actions(self.name, self.flow.show(self.state, self.here), self.asked)

    def advance(self, given: Given) -> Answer:
        """The step of the flow; and the first step of another flow where it opens one."""
        outcome = self.flow.advance(self.state, given, self.here)
        after = outcome.state if outcome.open is None else self.opened(outcome.open)
        person = outcome.person.id if outcome.person is not None else None
        return Answer(after, outcome.facts, outcome.said, person)

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
        if action in _OVERLAYS:
            return Answer(self.state, asked=self.asked, overlay=_OVERLAYS[action])
        if action == "sign_off" and self.name != LOCKED:
            who = self.here.person.name if self.here.person else ""
            return self._locked(Said(Verdict.OK, "sign_on.goodbye", {"name": who}))
        if action in self.actions:
            return self.advance(Did(action))
        if action == "back":
            return Answer(self.state)  # there is nothing to go back to, and nothing to complain about
        return Answer(self.state, said=Said(Verdict.OTHER_TYPE, "step.not_here"))

    def shut_out(self) -> Answer:
        """The office took the person away who is signed on: nothing is recorded in that name any more."""
        name = self.here.person.name if self.here.person else ""
        return self._locked(Said(Verdict.HELD, "sign_on.no_longer", {"name": name}))

    def _locked(self, said: Said) -> Answer:
        leave = getattr(self.flow, "leave", None)
        locked = self.flows[LOCKED].begin("", self.here)
        if leave is not None:
            left = scenarios.encode(leave(self.state)).decode()
            locked = msgspec.structs.replace(
                locked, left=left, job=self.state.job, machine_job=job_run_by(self.flow, self.state)
            )
        person = self.here.person
        facts = (SignedOff(about=f"person/{person.id}"),) if person and person.active else ()
        return Answer(locked, facts, said, person="")

    def scan(self, raw: bytes) -> Answer:
        """A frame of a scanner: its verdict, and the step of the flow where it is accepted."""
        expected = self.flow.expects(self.state, self.here)
        identified = identify(raw, self.here.book)
        is_command = any(each.kind is Kind.COMMAND for each in identified.candidates)
        judged = judge(
            identified, expected, self.here.book, step=self.state.step, pending=self._pending(),
            actions=self.actions if is_command else (),
        )  # fmt: skip
        if judged.command is not None:
            return self.do(judged.command)
        if judged.accepted and judged.candidate is not None:
            return self._accepted(raw, identified, judged, expected)
        params = dict(judged.params)
        if is_badge(self.name, raw, identified, self.here):
            params = {key: "(a badge)" if text and text in identified.text else text for key, text in params.items()}
        said = Said(judged.verdict, judged.code, params)
        waits = raw.decode("latin-1") if judged.verdict is Verdict.CONFIRM else ""
        return Answer(
            self.state, (self._refusal(raw, identified, judged, expected, said),), said, asked=waits
        )

    def _pending(self) -> Pending | None:
        if not self.asked:
            return None
        return Pending(identify(self.asked.encode("latin-1"), self.here.book).text, self.state.step)

    def _accepted(
        self, raw: bytes, identified: Identified, judged: Judgement, expected: tuple[Expected, ...]
    ) -> Answer:
        assert judged.candidate is not None
        result = self.advance(Scanned(judged.candidate, confirmed=judged.confirmed))
        if result.said is None:
            return replace(result, said=Said(judged.verdict, "scan.ok", {"got": judged.got_text}))
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
        return refusal(self.name, self.state, raw, identified, judged, expected, said, self.here)


def job_run_by(flow: Scenario, state: Any) -> str:
    """The job that parts of the machine belong to while a terminal is at this step; empty: none."""
    runs = getattr(flow, "runs", None)
    return str(runs(state)) if runs is not None else ""


def allowed_actions(name: str, screen: Screen, asked: str) -> tuple[str, ...]:
    """What may be done by key or command label now: the step's own, and what always goes."""
    confirm = ("confirm",) if asked and "confirm" not in screen.actions else ()
    leave = ("sign_off",) if name != LOCKED else ()
    return (*screen.actions, *confirm, *leave, *_OVERLAYS)


def is_badge(name: str, raw: bytes, identified: Identified, here: Situation) -> bool:
    """Whether a scan is a badge, a misread one, or its bare number; where one is asked for, whatever nobody knows."""
    if looks_like(Kind.BADGE, raw) or identified.text in here.book.badges:
        return True
    if any(each.kind is Kind.BADGE for each in identified.candidates):
        return True
    known = any(here.book.knows(each.kind, each.id) for each in identified.candidates)
    return name == LOCKED and not known and identified.text.isalnum()


def refusal(
    name: str, state: Any, raw: bytes, identified: Identified, judged: Judgement,
    expected: tuple[Expected, ...], said: Said, here: Situation,
) -> ScanRefused:  # fmt: skip
    """The evidence of a scan that was not accepted. The number of a badge is not written down, also not
    that of one which was misread."""
    badge = is_badge(name, raw, identified, here)
    return ScanRefused(
        about=f"terminal/{here.station.terminal}", verdict=said.verdict.value, code=said.code,
        raw="(a badge)" if badge else printable(raw), scenario=name, step=state.step,
        expected=judged.expected_text or ", ".join(each.kind.value for each in expected),
        got="(a badge)" if badge else judged.got_text, job=str(getattr(state, "job", "")),
    )  # fmt: skip
