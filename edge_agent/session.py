"""One input of one terminal: from what a person did to the scenario's answer. Pure.

    raw scan -> identify -> judge against what the step expects -> scenario -> Answer
    key, number, choice ------------------------------------------> scenario -> Answer

A scan that is not accepted never reaches the scenario: it becomes words for the person and a
`ScanRefused` fact, and the step stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from edge_agent.scanning.expected import Expected
from edge_agent.scanning.identify import Identified, identify, printable
from edge_agent.scanning.verdict import Judgement, Pending, judge
from edge_agent.scenarios.contract import (
    Chose,
    Did,
    Entered,
    Given,
    Open,
    Outcome,
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

_ACCEPTED = (Verdict.OK, Verdict.OK_PLUS, Verdict.COMMAND)
_GOES_ON = ("report_production", "pick")  # flows that wait for the next person when somebody leaves


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
    flow = flows[name]
    screen = flow.show(state, here)
    match given.kind:
        case "scan":
            return _scan(flows, name, state, asked, given.data.encode("latin-1", "replace"), here)
        case "entry":
            return _outcome(flows, name, state, flow.advance(state, Entered(given.data), here), here)
        case "choice":
            number = (
                int(given.data)
                if given.data.isascii() and given.data.isdigit() and len(given.data) < 4
                else 0
            )
            return _outcome(flows, name, state, flow.advance(state, Chose(number), here), here)
        case "action" if given.data == "confirm" and asked:
            return _scan(flows, name, state, asked, asked.encode("latin-1", "replace"), here)
        case "action":
            return _action(flows, name, state, asked, given.data, screen, here)


def allowed_actions(name: str, screen: Screen, asked: str) -> tuple[str, ...]:
    """What may be done by key or command label now: the step's own, and what always goes."""
    confirm = ("confirm",) if asked and "confirm" not in screen.actions else ()
    leave = ("sign_off",) if name != "sign_on" else ()
    return (*screen.actions, *confirm, *leave, *_OVERLAYS)


def _action(
    flows: Mapping[str, Scenario],
    name: str,
    state: Any,
    asked: str,
    action: str,
    screen: Screen,
    here: Situation,
) -> Answer:
    if action == "sign_off" and name != "sign_on":
        return _sign_off(flows, name, state, here)
    if action in _OVERLAYS:
        return Answer(state, asked=asked, overlay=_OVERLAYS[action])
    if action == "back" and action not in screen.actions:
        return Answer(state)  # there is nothing to go back to, and nothing to complain about
    if action not in screen.actions:
        return Answer(state, said=Said(Verdict.OTHER_TYPE, "step.not_here"))
    return _outcome(flows, name, state, flows[name].advance(state, Did(action), here), here)


def _sign_off(flows: Mapping[str, Scenario], name: str, state: Any, here: Situation) -> Answer:
    job = str(getattr(state, "job", "")) if name in _GOES_ON else ""
    locked = flows["sign_on"].begin(f"{name}:{job}" if job else "", here)
    person = here.person
    facts = (SignedOff(about=f"person/{person.id}"),) if person else ()
    said = Said(Verdict.OK, "sign_on.goodbye", {"name": person.name if person else ""})
    return Answer(locked, facts, said, person="")


def _scan(
    flows: Mapping[str, Scenario], name: str, state: Any, asked: str, raw: bytes, here: Situation
) -> Answer:
    flow = flows[name]
    expected = flow.expects(state, here)
    screen = flow.show(state, here)
    identified = identify(raw, here.book)
    pending = Pending(identify(asked.encode("latin-1"), here.book).text, state.step) if asked else None
    actions = allowed_actions(name, screen, asked)
    judged = judge(identified, expected, here.book, step=state.step, pending=pending, actions=actions)
    if judged.command == "confirm" and asked:
        return _scan(flows, name, state, asked, asked.encode("latin-1"), here)
    if judged.command is not None:
        return _action(flows, name, state, asked, judged.command, screen, here)
    if judged.accepted and judged.candidate is not None:
        given: Given = Scanned(judged.candidate, confirmed=judged.confirmed)
        outcome = flow.advance(state, given, here)
        result = _outcome(flows, name, state, outcome, here)
        if outcome.said is None:
            said = Said(judged.verdict, "scan.ok", {"got": judged.got_text})
            return Answer(result.state, result.facts, said, result.person)
        if outcome.said.verdict in (*_ACCEPTED, Verdict.CONFIRM):
            return result
        refused = refusal(name, state, raw, identified, judged, expected, outcome.said, here)
        return Answer(result.state, (*result.facts, refused), result.said, result.person)
    said = Said(judged.verdict, judged.code, dict(judged.params))
    refused = refusal(name, state, raw, identified, judged, expected, said, here)
    waits = raw.decode("latin-1") if judged.verdict is Verdict.CONFIRM else ""
    return Answer(state, (refused,), said, asked=waits)


def refusal(
    name: str, state: Any, raw: bytes, identified: Identified, judged: Judgement,
    expected: tuple[Expected, ...], said: Said, here: Situation,
) -> ScanRefused:  # fmt: skip
    """The evidence of a scan that was not accepted. The number of a badge is not written down."""
    badge = any(candidate.kind is Kind.BADGE for candidate in identified.candidates)
    return ScanRefused(
        about=f"terminal/{here.station.terminal}", verdict=said.verdict.value, code=said.code,
        raw="(a badge)" if badge else printable(raw), scenario=name, step=state.step,
        expected=judged.expected_text or ", ".join(each.kind.value for each in expected),
        got="(a badge)" if badge else judged.got_text, job=str(getattr(state, "job", "")),
    )  # fmt: skip


def _outcome(
    flows: Mapping[str, Scenario], name: str, state: Any, outcome: Outcome, here: Situation
) -> Answer:
    after = outcome.state
    if outcome.open is not None:
        after = open_flow(flows, outcome.open, here)
    person = outcome.person.id if outcome.person is not None else None
    return Answer(after, outcome.facts, outcome.said, person)


def open_flow(flows: Mapping[str, Scenario], to: Open, here: Situation) -> Any:
    """The first state of the flow that another one asked for."""
    return flows[to.scenario].begin(to.about, here)
