"""Choose what to work on from the dispatch list, and check the revision before the first part.

pick_one     --job, by label or number------------> scan_drawing (a production job that has a drawing)
                                               \\--> report_production | pick
pick_one     --machines---------------------------> maintain, and back here
scan_drawing --drawing, all revisions agree-------> report_production
scan_drawing --drawing, they do not---------------> scan_drawing (held: says which revision who works to)
scan_drawing --exception--------------------------> deviate --confirm--> report_production, recorded
deviate, where a second badge is wanted --badge of a lead--> (deviate_pin --PIN-->) report_production, both recorded
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal

import msgspec

from edge_agent.scanning.expected import PLANNED, Expected, Rule, Standing
from edge_agent.scanning.labels import label_or_none
from edge_agent.scenarios import second_badge
from edge_agent.scenarios.contract import (
    Chose,
    Did,
    Given,
    Open,
    Outcome,
    PinAsked,
    Proved,
    Said,
    Scanned,
    Screen,
    Situation,
    refuse,
    to_machines,
)  # fmt: skip
from edge_agent.scenarios.pick_page import in_zone
from edge_agent.scenarios.pin_step import pin_screen
from edge_agent.views import Choice, Field, Kind, ListPage, StepPage, Verdict
from sync.contract import DispatchStatus, JobOrder, JobStarted, Revision, WorkType

STEPS = ("pick_one", "scan_drawing", "deviate", "deviate_pin")

_RULE = "wrong_revision"
_SHOWN = 99  # jobs of a list: numbers of two digits, and more than anybody reads; the rest has labels

_FLOWS = {WorkType.PRODUCTION: "report_production", WorkType.INVENTORY: "pick"}


class State(msgspec.Struct, frozen=True, tag="choose_job"):
    """`listing` is which list is shown; `job` and `in_hand` belong to the revision check, `released_by` is who
    has to type a PIN for it. `left` is work that is open here and that the person may not go on with."""

    step: str = "pick_one"
    listing: Literal["production", "picking"] = "production"
    job: str = ""
    in_hand: tuple[Revision, ...] = ()
    released_by: str = ""
    left: str = ""


def pin(state: State) -> PinAsked | None:
    """That of whoever releases the deviation."""
    return PinAsked(state.released_by) if state.step == "deviate_pin" else None


def begin(about: str, here: Situation) -> State:
    """The list that belongs to this station; `about` (production or picking) asks for another."""
    return State(listing="picking" if (about or here.station.home) == "picking" else "production")


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    match state.step, given:
        case "pick_one", Scanned(what=what) if what.kind is Kind.JOB:
            return _chosen(state, here.book.jobs[what.id], here)
        case "pick_one", Chose(id):
            job = here.book.jobs.get(id)
            if job is None or job not in _planned(state, here):
                return refuse(state, "choose_job.not_listed", Verdict.WRONG, job=id)
            return _chosen(state, job, here)
        case "pick_one", Did("list"):
            other: Literal["production", "picking"] = (
                "picking" if state.listing == "production" else "production"
            )
            return Outcome(State(listing=other, left=state.left))
        case "pick_one", Did("machines"):
            return Outcome(state, open=to_machines(state))
        case (("scan_drawing" | "deviate"), Scanned(what=what)) if what.kind is Kind.DRAWING:
            return _drawing(state, what.id, what.revision or "", here)
        case "scan_drawing", Did("exception"):
            return Outcome(msgspec.structs.replace(state, step="deviate"))
        case "deviate", Did("back"):
            return Outcome(msgspec.structs.replace(state, step="scan_drawing"))
        case "deviate_pin", Did("back"):
            return Outcome(msgspec.structs.replace(state, step="deviate", released_by=""))
        case (("deviate" | "deviate_pin"), (Scanned() | Proved())) if second_badge.needed(_RULE, here):
            return second_badge.answered(state, "deviate", given, here, lambda lead: _deviating(state, here, lead))
        case "deviate", Did("confirm") if not second_badge.needed(_RULE, here):
            return _deviating(state, here)
        case "scan_drawing", Did("back"):
            return Outcome(State(listing=state.listing, left=state.left))
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _chosen(state: State, job: JobOrder, here: Situation) -> Outcome:
    if job.dispatch_status is not DispatchStatus.RELEASED:
        return refuse(
            state, "choose_job.not_released", Verdict.HELD, job=job.id, status=job.dispatch_status.value
        )
    if job.work_type not in _FLOWS:
        return refuse(state, "choose_job.no_flow", Verdict.HELD, job=job.id, work=job.work_type.value)
    if job.work_type is WorkType.PRODUCTION and (not job.material or not job.quantity):
        return refuse(state, "choose_job.incomplete", Verdict.HELD, job=job.id)
    if here.progress(job.id).completed:
        return refuse(state, "choose_job.already_done", Verdict.HELD, job=job.id)
    has_drawing = any(revision.kind == "drawing" for revision in job.revisions)
    first_part = not here.progress(job.id).started
    if job.work_type is WorkType.PRODUCTION and has_drawing and first_part and here.policies.drawing_scan:
        return Outcome(State("scan_drawing", state.listing, job.id, left=state.left))
    return _start(state, job, (), "", here)


def _drawing(state: State, document: str, revision: str, here: Situation) -> Outcome:
    job = here.book.jobs.get(state.job)
    if job is None:
        return _start(state, job, (), "", here)
    in_hand = Revision("drawing in hand", document, revision)
    others = [other for other in job.revisions if other.document == document]
    if all(other.revision == revision for other in others):
        return _start(state, job, (in_hand,), "", here)
    told = ", ".join(f"{other.kind} {other.revision}" for other in others)
    held = msgspec.structs.replace(state, step="scan_drawing", in_hand=(in_hand,))
    said = Said(
        Verdict.HELD, "choose_job.revision_held", {"job": job.id, "in_hand": revision or "?", "others": told}
    )
    return Outcome(held, said=said)


def _deviating(state: State, here: Situation, released_by: str = "") -> Outcome:
    why = "revisions_disagree" if state.in_hand else "drawing_not_scanned"
    return _start(state, here.book.jobs.get(state.job), state.in_hand, why, here, released_by)


def _start(
    state: State, job: JobOrder | None, in_hand: tuple[Revision, ...], deviation: str, here: Situation,
    released_by: str = "",
) -> Outcome:  # fmt: skip
    if job is None:
        return refuse(State(listing=state.listing, left=state.left), "job.gone", Verdict.HELD, job=state.job)
    flow = _FLOWS[job.work_type]
    if here.progress(job.id).started:
        return Outcome(
            state, said=Said(Verdict.OK, "choose_job.opened", {"job": job.id}), open=Open(flow, job.id)
        )
    started = JobStarted(
        about=job.id, equipment=here.station.equipment, revisions=in_hand, deviation=deviation,
        released_by=released_by,
    )  # fmt: skip
    checked = "choose_job.started_checked" if in_hand else "choose_job.started"
    code = "choose_job.started_deviating" if deviation else checked
    return Outcome(state, (started,), Said(Verdict.OK, code, {"job": job.id}), Open(flow, job.id))


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """Any job label; jobs of other stations ask first. At the revision check: a drawing of the job."""
    if state.step != "pick_one":
        job = here.book.jobs.get(state.job)
        documents = {rev.document for rev in job.revisions if rev.kind == "drawing"} if job else set()
        rules = dict.fromkeys(sorted(documents), PLANNED)
        params = {"job": state.job, "expected": ", ".join(rules)}
        drawing = Expected(Kind.DRAWING, "expect.drawing", rules, "choose_job.wrong_drawing", params)
        if state.step == "deviate_pin":
            return ()
        released = state.step == "deviate" and second_badge.needed(_RULE, here)
        return (drawing, second_badge.badges(here)) if released else (drawing,)
    rules = {job.id: _rule(job, here) for job in here.book.open_jobs}
    return (Expected(Kind.JOB, "expect.job", rules, any=True),)


def _rule(job: JobOrder, here: Situation) -> Rule:
    station = here.station.equipment
    if job.dispatch_status is DispatchStatus.RELEASED and job.equipment not in ("", station) and station:
        return Rule(Standing.ASK, "choose_job.other_station", {"job": job.id, "equipment": job.equipment})
    return PLANNED


def _planned(state: State, here: Situation) -> list[JobOrder]:
    """What the office has planned for this list, in its order."""
    if state.listing == "production":
        return list(here.book.dispatch(WorkType.PRODUCTION, here.station.equipment))
    zone = here.station.zone
    orders = here.book.dispatch(WorkType.INVENTORY)
    return [job for job in orders if not zone or any(in_zone(line, zone, here) for line in job.requirements)]


def _listed(jobs: Iterable[JobOrder], here: Situation) -> Iterator[JobOrder]:
    """Those that nobody has called done, one by one: a list shows a page, whatever is planned."""
    return (job for job in jobs if not _is_done(job, here))


def _is_done(job: JobOrder, here: Situation) -> bool:
    progress = here.progress(job.id)
    lines = [line for line in job.requirements if in_zone(line, here.station.zone, here)]
    picked = job.work_type is WorkType.INVENTORY and lines and not any(map(progress.missing, lines))
    return progress.completed or bool(picked)


def show(state: State, here: Situation) -> Screen:
    """The dispatch list, or the revision check. `more`: how many jobs the list leaves out."""
    if state.step != "pick_one":
        job = here.book.jobs.get(state.job)
        told = (
            tuple(Field(f"revision.{rev.kind}", f"{rev.document} {rev.revision}") for rev in job.revisions)
            if job
            else ()
        )
        if state.step == "deviate_pin":
            return pin_screen("choose_job.deviate_pin", state.released_by, state.job, StepPage(fields=told), here)
        badge = state.step == "deviate" and second_badge.needed(_RULE, here)
        actions = {"scan_drawing": ("exception", "back")}.get(state.step, ("back",) if badge else ("confirm", "back"))
        prompt = "choose_job.deviate_badge" if badge else f"choose_job.{state.step}"
        return Screen(prompt, {"job": state.job}, state.job, StepPage(fields=told), actions)
    planned = _planned(state, here)
    listed = list(islice(_listed(planned, here), _SHOWN))
    choices = tuple(_choice(number, job, here) for number, job in enumerate(listed, 1))
    more = len(planned) - planned.index(listed[-1]) - 1 if len(listed) == _SHOWN else 0
    params = {"list": state.listing} | ({"more": str(more)} if more else {})
    columns = ("job", "what", "left", "due", "for")
    actions = ("list", "machines") if here.plant.machines else ("list",)
    prompt = "choose_job.pick_one" if choices else "choose_job.nothing"
    return Screen(prompt, params, page=ListPage(columns=columns), actions=actions, choices=choices)


def _choice(number: int, job: JobOrder, here: Situation) -> Choice:
    progress = here.progress(job.id)
    if job.work_type is WorkType.PRODUCTION:
        left = f"{max(job.quantity - progress.good, 0):f} {job.uom}"
    else:
        mine = [line for line in job.requirements if in_zone(line, here.station.zone, here)]
        left = f"{sum(1 for line in mine if progress.missing(line))}/{len(mine)}"
    detail = {
        "job": f"{job.id} {job.operation}".strip(),
        "what": job.description,
        "left": left,
        "due": job.due.isoformat() if job.due else "",
        "for": job.customer,
    }
    if progress.started:
        detail["begun"] = "yes"  # a mark of the list, not a column
    blocked = "" if job.dispatch_status is DispatchStatus.RELEASED else job.dispatch_status.value
    return Choice(number, job.id, job.id, detail, label_or_none(Kind.JOB, job.id), blocked)
