"""Look at the machines, ask for work on them, do it and hand them back.

line --machine, by number or label--> machine --back--> line
machine --value, by number--> trend; machine --link, downtime--> the page of it; line --downtime--> downtime
machine --request--> symptom --reason--> priority --1 to 3--> stopped --yes or no--> machine   recorded
machine --work--> requests --request--> suspected --failure--> work      recorded; begun before: work at once
work --part, by label--> work                                            recorded; undo takes the last one back
work --finish--> actual --failure--> test --confirm--> accept
accept --badge of an operator--> (accept_pin --PIN-->) machine   recorded
line --back--> (the work that was left for this); anywhere else --back--> the step before
"""

from __future__ import annotations

import msgspec

from edge_agent.scanning.expected import PLANNED, Expected, Rule, Standing
from edge_agent.scenarios.contract import (
    LEFT,
    Chose,
    Did,
    Given,
    Open,
    Outcome,
    PinAsked,
    Scanned,
    Screen,
    Situation,
    refuse,
)  # fmt: skip
from edge_agent.scenarios.maintain_page import (
    MINUTES,
    State,
    at_line,
    at_machine,
    earlier_red,
    is_mechanic,
    listed,
    look_screen,
    of_other_line,
)
from edge_agent.scenarios.maintain_work import ASKING, WORKING, ask, expected, work, work_screen
from edge_agent.views import Kind, Verdict
from edge_agent.views.status import EquipmentStatus

LOOKING = ("line", "machine", "trend", "link", "downtime")
STEPS = (*LOOKING, *ASKING, *WORKING)


def begin(about: str, here: Situation) -> State:
    """`about` is the state of the work that is left for this; empty for none."""
    try:
        job = msgspec.json.decode(about).get("job", "")
    except (msgspec.DecodeError, AttributeError):
        return State()
    return State(left=about, job=str(job))


def leave(state: State) -> State:
    """Nothing is half asked for, and work that was begun is in the journal: another may go on with it."""
    return at_machine(state) if state.equipment else at_line(state)


def pin(state: State) -> PinAsked | None:
    """That of the operator who takes the machine back."""
    return PinAsked(state.released_by) if state.step == "accept_pin" else None


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    if state.step in ASKING:
        return ask(state, given, here)
    if state.step in WORKING:
        return work(state, given, here)
    if isinstance(given, Scanned):
        return _opened(state, given.what.id, here)
    if state.step == "line":
        return _at_line(state, given, here)
    machine = here.plant.machine(state.equipment)
    if machine is None:  # the site file has another one now, or the downtime of the whole line is shown
        return Outcome(at_line(state))
    return _at_machine(state, machine, given, here)


def _opened(state: State, id: str, here: Situation) -> Outcome:
    if here.plant.machine(id) is None:
        return refuse(state, "maintain.unknown_machine", Verdict.UNKNOWN, got=id)
    return Outcome(at_machine(state, id))


def _at_line(state: State, given: Given, here: Situation) -> Outcome:
    match given:
        case Chose(id):
            if id not in [each.id for each in listed(here)]:
                return refuse(state, "maintain.unknown_machine", got=id)
            return Outcome(at_machine(state, id))
        case Did("downtime"):
            return Outcome(msgspec.structs.replace(at_line(state), step="downtime"))
        case Did("back" | "list"):
            return Outcome(state, open=Open(LEFT, state.left) if state.left else Open("choose_job"))
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _at_machine(state: State, machine: EquipmentStatus, given: Given, here: Situation) -> Outcome:
    """At a machine, its trend, its link or its downtime."""
    match state.step, given:
        case "machine", Did("back"):
            return Outcome(at_line(state))
        case _, Did("back"):
            return Outcome(at_machine(state))
        case (("machine" | "trend"), Chose(item)):
            if item not in [each.name for each in machine.values]:
                return refuse(state, "maintain.unknown_value", got=item)
            return Outcome(msgspec.structs.replace(state, step="trend", item=item))
        case "trend", Did("span"):
            longer = next((minutes for minutes in MINUTES if minutes > state.minutes), MINUTES[0])
            return Outcome(msgspec.structs.replace(state, minutes=longer))
        case "machine", Did("earlier"):
            return Outcome(earlier_red(state, here))
        case "machine", Did("link" | "downtime" as page):
            return Outcome(msgspec.structs.replace(state, step=page))
        case "machine", Did("request"):
            return Outcome(msgspec.structs.replace(state, step="symptom"))
        case "machine", Did("work") if is_mechanic(here):
            return Outcome(msgspec.structs.replace(state, step="requests"))
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """While one looks: the label of a machine, one of another line asks first. Else what the work needs."""
    if state.step not in LOOKING:
        return expected(state, here)
    rules = {each.id: _rule(each, here) for each in here.plant.machines}
    return (Expected(Kind.WORKSTATION, "expect.machine", rules, "maintain.unknown_machine"),)


def _rule(machine: EquipmentStatus, here: Situation) -> Rule:
    if of_other_line(machine.id, here):
        return Rule(Standing.ASK, "maintain.other_line", {"machine": machine.name})
    return PLANNED


def show(state: State, here: Situation) -> Screen:
    """The page of the step."""
    return look_screen(state, here) if state.step in LOOKING else work_screen(state, here)
