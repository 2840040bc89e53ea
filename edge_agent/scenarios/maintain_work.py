"""The steps of maintain that record something: a request for work, and the work itself."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent.machines.upkeep import Request
from edge_agent.roles import Action, may
from edge_agent.scanning.expected import PLANNED, Candidate, Expected, Rule, Standing
from edge_agent.scenarios.contract import (
    Chose,
    Did,
    Given,
    Outcome,
    Proved,
    Said,
    Scanned,
    Screen,
    Situation,
    reason_of,
    refuse,
)  # fmt: skip
from edge_agent.scenarios.maintain_page import (
    State,
    at_machine,
    is_mechanic,
    name_of,
    open_stop,
    reason_choices,
    request_choices,
    words_of,
)
from edge_agent.scenarios.pin_step import no_pin, pin_screen, right, tried, why_no_pin
from edge_agent.views import Choice, Field, Kind, ListPage, StepPage, Verdict
from sync.contract import Correction, Person
from sync.maintenance import (
    MaintenanceCompleted,
    MaintenancePartUsed,
    MaintenanceRequested,
    MaintenanceStarted,
    about,
)

ASKING = ("symptom", "priority", "stopped")
WORKING = ("requests", "suspected", "work", "undo", "actual", "test", "accept", "accept_pin")

_PURPOSE = {"symptom": "symptom", "suspected": "failure", "actual": "failure"}
_BACK = {
    "symptom": "machine", "priority": "symptom", "stopped": "priority", "requests": "machine",
    "suspected": "requests", "work": "machine", "undo": "work", "actual": "work", "test": "actual", "accept": "test",
    "accept_pin": "accept",
}  # fmt: skip
_PRIORITIES = ("1", "2", "3")


def ask(state: State, given: Given, here: Situation) -> Outcome:
    """One input while a request is made: symptom, priority, whether the machine stands."""
    match state.step, given:
        case _, Did("back"):
            return Outcome(msgspec.structs.replace(state, step=_BACK[state.step]))
        case "symptom", (Chose() | Scanned()):
            reason = reason_of("symptom", given, here)
            if reason is None:
                return refuse(state, "reason.unknown")
            return Outcome(msgspec.structs.replace(state, step="priority", symptom=reason.id))
        case "priority", Chose(id) if id in _PRIORITIES:
            return Outcome(msgspec.structs.replace(state, step="stopped", priority=int(id)))
        case "stopped", Chose("yes" | "no" as answer):
            return _requested(state, answer == "yes", here)
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _requested(state: State, stopped: bool, here: Situation) -> Outcome:
    stop = open_stop(state.equipment, here) if stopped else None
    fact = MaintenanceRequested(
        about=about(here.intent), request=here.intent, equipment=state.equipment, symptom=state.symptom,
        priority=state.priority, stopped=stopped, stop=stop.id if stop is not None else "",
    )  # fmt: skip
    params = {"symptom": words_of(state.symptom, here), "machine": _machine_name(state, here)}
    return Outcome(at_machine(state), (fact,), Said(Verdict.OK, "maintain.saved_request", params))


def work(state: State, given: Given, here: Situation) -> Outcome:
    """One input while somebody works on a machine."""
    if not is_mechanic(here):
        return refuse(at_machine(state), "maintain.read_only", Verdict.HELD)
    if state.step == "requests":
        return _choosing(state, given, here)
    request = request_in_work(state, here)
    if request is None:
        return refuse(at_machine(state), "maintain.gone", Verdict.HELD)
    return _working(state, request, given, here)


def request_in_work(state: State, here: Situation) -> Request | None:
    """The request that is worked on; None when others have completed it."""
    return next((each for each in here.plant.requests(state.equipment) if each.id == state.request), None)


def _choosing(state: State, given: Given, here: Situation) -> Outcome:
    match given:
        case Did("back"):
            return Outcome(at_machine(state))
        case Chose(id):
            chosen = msgspec.structs.replace(state, request=id)
            request = request_in_work(chosen, here)
            if request is None:
                return refuse(state, "maintain.gone", Verdict.WRONG)
            begun = bool(request.suspected)
            return Outcome(msgspec.structs.replace(chosen, step="work" if begun else "suspected"))
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _working(state: State, request: Request, given: Given, here: Situation) -> Outcome:
    match state.step, given:
        case _, Did("back"):
            return Outcome(msgspec.structs.replace(state, step=_BACK[state.step], released_by=""))
        case (("suspected" | "actual"), (Chose() | Scanned())):
            return _failure(state, given, here)
        case "work", Scanned(what=what) if what.kind is Kind.MATERIAL:
            return _part(state, what, here)
        case "work", Did("undo"):
            if not request.parts:
                return refuse(state, "maintain.nothing_to_undo")
            return Outcome(msgspec.structs.replace(state, step="undo"))
        case "undo", Did("confirm"):
            return _undone(state, request)
        case "work", Did("finish"):
            return Outcome(msgspec.structs.replace(state, step="actual"))
        case "test", Did("confirm"):
            return Outcome(msgspec.structs.replace(state, step="accept"))
        case "accept", Scanned(what=what) if what.kind is Kind.BADGE:
            return _accepting(state, here.book.badges[what.id], here)
        case "accept_pin", _:
            return _proved(state, given, here)
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _failure(state: State, given: Chose | Scanned, here: Situation) -> Outcome:
    reason = reason_of("failure", given, here)
    if reason is None:
        return refuse(state, "reason.unknown")
    if state.step == "actual":
        return Outcome(msgspec.structs.replace(state, step="test", failure=reason.id))
    fact = MaintenanceStarted(
        about=about(state.request), request=state.request, equipment=state.equipment, suspected=reason.id
    )
    said = Said(Verdict.OK, "maintain.saved_started", {"failure": reason.text})
    return Outcome(msgspec.structs.replace(state, step="work"), (fact,), said)


def _part(state: State, part: Candidate, here: Situation) -> Outcome:
    material = here.book.materials[part.id]
    if material.lot_tracked and part.lot is None:
        return refuse(state, "maintain.lot_missing", Verdict.AMBIGUOUS, material=material.id)
    fact = MaintenancePartUsed(
        about=about(state.request), request=state.request, material=material.id, lot=part.lot,
        quantity=Decimal(1), uom=material.uom,
    )  # fmt: skip
    params = {"material": material.id, "description": material.description, "lot": part.lot or ""}
    return Outcome(state, (fact,), Said(Verdict.OK, "maintain.saved_part", params))


def _undone(state: State, request: Request) -> Outcome:
    back = msgspec.structs.replace(state, step="work")
    if not request.parts:
        return refuse(back, "maintain.nothing_to_undo", Verdict.HELD)
    last = request.parts[-1]
    fact = Correction(about=about(request.id), corrects=last.fact, reason="did_not_occur")
    return Outcome(back, (fact,), Said(Verdict.OK, "maintain.saved_undo", {"material": last.body.material}))


def _accepting(state: State, operator: Person, here: Situation) -> Outcome:
    """A badge alone is enough where its roles need no PIN."""
    if (said := why_no_pin(operator.id, here)) is not None:
        return Outcome(state, said=said)
    look = here.pin(operator.id)
    if look.start:
        return refuse(state, "pin.start_first", Verdict.HELD, name=operator.name)
    if look.needed:
        return Outcome(msgspec.structs.replace(state, step="accept_pin", released_by=operator.id))
    return _accepted(state, operator, here)


def _proved(state: State, given: Given, here: Situation) -> Outcome:
    """The PIN of whoever takes the machine back; they may have left or lost the right since the badge."""
    if not isinstance(given, Proved) or given.person != state.released_by:
        return no_pin(state)
    back = msgspec.structs.replace(state, step="accept", released_by="")
    operator = here.book.persons.get(given.person)
    if operator is None or operator.badge in _badges(state, here):
        return refuse(back, "maintain.no_operator", Verdict.HELD, name=operator.name if operator else given.person)
    refused = tried(state, back, operator.id, given.right, here)
    return refused if refused is not None else right(_accepted(state, operator, here), operator.id)


def _accepted(state: State, operator: Person, here: Situation) -> Outcome:
    fact = MaintenanceCompleted(
        about=about(state.request), request=state.request, equipment=state.equipment, failure=state.failure,
        tested=True, accepted_by=operator.id,
    )  # fmt: skip
    params = {"machine": _machine_name(state, here), "name": operator.name}
    return Outcome(at_machine(state), (fact,), Said(Verdict.OK, "maintain.saved_completed", params))


def expected(state: State, here: Situation) -> tuple[Expected, ...]:
    """Labels of reasons, parts, or the badge of an operator who did not do the work."""
    if (purpose := _PURPOSE.get(state.step)) is not None:
        rules = {reason.id: PLANNED for reason in here.book.reasons_for(purpose)}
        return (Expected(Kind.REASON, "expect.reason", rules, "reason.unknown"),)
    if state.step == "work":
        return (Expected(Kind.MATERIAL, "expect.part", any=True),)
    if state.step == "accept":
        return (Expected(Kind.BADGE, "expect.operator", _badges(state, here), any=True),)
    return ()


def _badges(state: State, here: Situation) -> dict[str, Rule]:
    """Who may not take the machine back: nobody who worked on it, nobody but operators. The numbers of those who
    may are not named."""
    request = request_in_work(state, here)
    worked = {*(request.workers if request else ()), here.person.id if here.person else ""}
    rules = {}
    for person in here.book.persons.values():
        code = ""
        if not person.active:
            code = "sign_on.not_active"
        elif person.id in worked:
            code = "maintain.same_person"
        elif not may(person, Action.ACCEPT_WORK):
            code = "maintain.no_operator"
        if code:
            rules[person.badge] = Rule(Standing.HELD, code, {"name": person.name})
    return rules


def work_screen(state: State, here: Situation) -> Screen:
    """The question of the step, and what it is about."""
    name = _machine_name(state, here)
    request = request_in_work(state, here)
    params = {"machine": name}
    if request is not None:
        params["symptom"] = words_of(request.symptom, here)
        params["material"] = request.parts[-1].body.material if request.parts else ""
    match state.step:
        case "symptom" | "suspected" | "actual":
            choices = reason_choices(_PURPOSE[state.step], here)
            prompt = f"maintain.{state.step}" if choices else "maintain.no_reasons"
            return Screen(prompt, params, name, actions=("back",), choices=choices)
        case "priority":
            numbers = tuple(Choice(int(id), id, id, code=f"maintain.priority_{id}") for id in _PRIORITIES)
            return Screen("maintain.priority", params, name, actions=("back",), choices=numbers)
        case "stopped":
            answers = (Choice(1, "yes", "yes", code="maintain.yes"), Choice(2, "no", "no", code="maintain.no"))
            return Screen("maintain.stopped", params, name, actions=("back",), choices=answers)
        case "requests":
            choices = request_choices(here.plant.requests(state.equipment), here)
            columns = ListPage(columns=("symptom", "priority", "since", "by"))
            return Screen("maintain.requests", params, name, columns, ("back",), choices)
    if request is None:
        return Screen("maintain.gone", params, name, actions=("back",))
    if state.step == "accept_pin":
        page = StepPage(fields=_fields(state, request, here))
        return pin_screen("maintain.accept_pin", state.released_by, name, page, here)
    actions = {"work": ("finish", "undo", "back"), "undo": ("confirm", "back"), "test": ("confirm", "back")}
    page = StepPage(fields=_fields(state, request, here))
    return Screen(f"maintain.{state.step}", params, name, page, actions.get(state.step, ("back",)))


def _fields(state: State, request: Request, here: Situation) -> tuple[Field, ...]:
    parts = [f"{each.body.material} {each.body.lot or ''}".strip() for each in request.parts]
    told = (
        ("field.symptom", words_of(request.symptom, here)),
        ("field.asked_by", name_of(request.person, here)),
        ("field.suspected", words_of(request.suspected, here)),
        ("field.failure", words_of(state.failure, here)),
        ("field.parts", ", ".join(parts)),
    )
    return tuple(Field(code, value) for code, value in told if value)


def _machine_name(state: State, here: Situation) -> str:
    machine = here.plant.machine(state.equipment)
    return machine.name if machine is not None else state.equipment
