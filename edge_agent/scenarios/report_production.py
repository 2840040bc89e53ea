"""Work on a production job: good pieces, scrap with its reason, a correction, the end of the job.

running --quantity-------------> running        good pieces recorded
running --report--> good --quantity--> running  the same, with the machine's count proposed
running --scrap--> scrap --quantity--> scrap_reason --reason--> running
good, scrap_reason --more than planned, or than the machine counted--> confirm --confirm--> running
confirm, where a second badge is wanted --badge of a lead--> (confirm_pin --PIN-->) running, both recorded
running --finish--> finish --confirm--> choose_job
running --finish, pieces missing--> finish_reason --reason--> choose_job
running --undo--> undo --confirm--> running     the last report corrected
running --explain--> explain_stop               when the machine stood; it comes back here
running --assign--> unattributed --take or leave--> running   parts counted while no job was open; recorded
running --machines--> maintain                  the same
anywhere --back--> running; running --list, back--> choose_job, the machine goes on
running --park--> choose_job                    the machine has no job from then on
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent.scanning.expected import PLANNED, Expected
from edge_agent.scenarios import second_badge
from edge_agent.scenarios.contract import (
    Chose,
    Did,
    Entered,
    Given,
    Open,
    Outcome,
    PinAsked,
    Proved,
    Said,
    Scanned,
    Screen,
    Situation,
    no_quantity,
    quantity,
    reason_of,
    refuse,
    to_machines,
)  # fmt: skip
from edge_agent.scenarios.work_page import (
    OVER_PLANNED,
    State,
    by_badge,
    good_counted,
    job_in_work,
    unattributed,
    why_not,
    work_screen,
)
from edge_agent.views import Kind, Verdict
from sync.contract import (
    Correction,
    CountAssigned,
    JobCompleted,
    JobOrder,
    MaterialProduced,
    MaterialScrapped,
    Reason,
)

STEPS = ("running", "good", "scrap", "scrap_reason", "confirm", "confirm_pin", "finish", "finish_reason", "undo",
         "unattributed")  # fmt: skip

_PURPOSE = {"scrap_reason": "scrap", "finish_reason": "finish"}


def begin(about: str, here: Situation) -> State:
    """The job is open; what the machine makes from now on belongs to it."""
    return State(job=about)


def leave(state: State) -> State:
    """The job stays open, and what the machine counts meanwhile counts on."""
    return _at(state, "running")


def pin(state: State) -> PinAsked | None:
    """That of whoever releases more than planned."""
    return PinAsked(state.released_by) if state.step == "confirm_pin" else None


def runs(state: State) -> str:
    """The job, at whatever step."""
    return state.job


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    job = job_in_work(state, here)
    if job is None:
        said = Said(Verdict.HELD, why_not(state, here), {"job": state.job})
        return Outcome(state, said=said, open=Open("choose_job", "production"), sets_aside=True)
    match state.step, given:
        case (("running" | "good"), Entered(text)):
            return _good(state, text, job, here)
        case "running", Did("report"):
            return Outcome(_at(state, "good"))
        case "running", Did("scrap"):
            return Outcome(_at(state, "scrap"))
        case "running", Did("finish"):
            return Outcome(_at(state, _finish_step(job, here)))
        case "running", Did("explain"):
            return Outcome(state, open=Open("explain_stop", msgspec.json.encode(state).decode()))
        case "running", Did("assign") if unattributed(here) is not None:
            return Outcome(_at(state, "unattributed"))
        case "unattributed", Chose("take" | "leave" as answer):
            return _assigned(state, answer == "take", here)
        case "running", Did("machines"):
            return Outcome(state, open=to_machines(state))
        case "running", Did("undo"):
            return _ask_undo(state, here)
        case "running", Did("list" | "back"):
            return Outcome(state, open=Open("choose_job", "production"))
        case "running", Did("park"):
            said = Said(Verdict.OK, "report_production.set_aside", {"job": state.job})
            return Outcome(state, said=said, open=Open("choose_job", "production"), sets_aside=True)
        case "confirm_pin", Did("back"):
            return Outcome(msgspec.structs.replace(state, step="confirm", released_by=""))
        case _, Did("back"):
            return Outcome(_at(state, "running"))
        case ("finish" | "finish_reason") as step, _ if step != _finish_step(job, here):
            now = _at(state, _finish_step(job, here))  # somebody else reported or took back meanwhile
            good = f"{here.progress(job.id).good:f}"
            return Outcome(now, said=Said(Verdict.HELD, "report_production.changed", {"good": good, "uom": job.uom}))
        case "scrap", Entered(text):
            return _scrap(state, text, job)
        case ("scrap_reason" | "finish_reason") as step, (Chose() | Scanned()):
            reason = reason_of(_PURPOSE[step], given, here)
            if reason is None:
                return refuse(state, "reason.unknown")
            return (
                _scrap_reason(state, reason, job, here)
                if step == "scrap_reason"
                else _finished(state, reason, job, here)
            )
        case (("confirm" | "confirm_pin"), (Scanned() | Proved())) if by_badge(state, here):
            return second_badge.answered(state, "confirm", given, here, lambda lead: _released(state, job, here, lead))
        case "confirm", Did("confirm") if not by_badge(state, here):
            return _too_many(state, state, job, here) or _record(state, job, here)
        case "finish", Did("confirm"):
            return _finished(state, None, job, here)
        case "undo", Did("confirm"):
            return _undone(state, here)
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _at(state: State, step: str) -> State:
    return State(job=state.job, step=step)


def _good(state: State, text: str, job: JobOrder, here: Situation) -> Outcome:
    amount = quantity(text, job.uom)
    if not amount:
        return no_quantity(state, text, job.uom)
    told = msgspec.structs.replace(_at(state, "confirm"), quantity=amount)
    return _checked(told, state, job, here)


def _scrap(state: State, text: str, job: JobOrder) -> Outcome:
    amount = quantity(text, job.uom)
    if not amount:
        return no_quantity(state, text, job.uom)
    return Outcome(msgspec.structs.replace(state, step="scrap_reason", quantity=amount))


def _scrap_reason(state: State, reason: Reason, job: JobOrder, here: Situation) -> Outcome:
    told = msgspec.structs.replace(state, step="confirm", reason=reason.id)
    return _checked(told, state, job, here)


def _checked(told: State, before: State, job: JobOrder, here: Situation) -> Outcome:
    """Record the report at once, ask when it is more than planned or counted, refuse when the ERP would."""
    if (held := _too_many(told, before, job, here)) is not None:
        return held
    params = _figures(told, job, here)
    left = good_counted(job.id, here)
    if Decimal(params["total"]) > job.quantity and here.policies.over_ask:
        return _ask(told, OVER_PLANNED, params)
    amount = told.quantity or Decimal(0)
    if left is not None and not told.reason and amount > left + here.policies.count_tolerance:
        return _ask(told, "report_production.over_counted", params | _counted(job.id, here))
    return _record(told, job, here)


def _released(state: State, job: JobOrder, here: Situation, lead: str) -> Outcome:
    released = msgspec.structs.replace(state, step="confirm", released_by=lead)
    return _too_many(released, released, job, here) or _record(released, job, here)


def _figures(told: State, job: JobOrder, here: Situation) -> dict[str, str]:
    amount, progress = told.quantity or Decimal(0), here.progress(job.id)
    total = progress.good + progress.scrap + amount
    return {"quantity": f"{amount:f}", "total": f"{total:f}", "target": f"{job.quantity:f}", "uom": job.uom}


def _too_many(told: State, before: State, job: JobOrder, here: Situation) -> Outcome | None:
    """Held when it is more than the ERP takes, with what others reported meanwhile; None when it fits."""
    params = _figures(told, job, here)
    limit = job.quantity * (1 + job.over_percent / 100)
    if Decimal(params["total"]) <= limit:
        return None
    said = Said(Verdict.HELD, "report_production.too_many", {**params, "limit": f"{limit.normalize():f}"})
    back_to = {"scrap_reason": "scrap", "confirm": "scrap" if told.reason else "good"}
    return Outcome(_at(before, back_to.get(before.step, before.step)), said=said)


def _ask(told: State, code: str, params: dict[str, str]) -> Outcome:
    return Outcome(msgspec.structs.replace(told, asked=code), said=Said(Verdict.CONFIRM, code, params))


def _record(told: State, job: JobOrder, here: Situation) -> Outcome:
    amount = told.quantity or Decimal(0)
    params = {"quantity": f"{amount:f}", "uom": job.uom, "job": job.id}
    equipment = here.station.equipment
    if told.reason:
        fact = MaterialScrapped(
            about=job.id,
            material=job.material,
            quantity=amount,
            uom=job.uom,
            equipment=equipment,
            reason=told.reason,
            released_by=told.released_by,
        )
        words = next((reason.text for reason in here.book.reasons if reason.id == told.reason), told.reason)
        said = Said(Verdict.OK, "report_production.saved_scrap", {**params, "reason": words})
        return Outcome(_at(told, "running"), (fact,), said)
    counted = here.counted(job.id)
    good = MaterialProduced(
        about=job.id,
        material=job.material,
        quantity=amount,
        uom=job.uom,
        equipment=equipment,
        machine_count=counted,
        released_by=told.released_by,
    )
    params |= _both_figures(amount, job.id, here)
    return Outcome(_at(told, "running"), (good,), Said(Verdict.OK, "report_production.saved_good", params))


def _both_figures(amount: Decimal, job: str, here: Situation) -> dict[str, str]:
    """What the machine counted, where what is good of that is another number than what was reported."""
    left = good_counted(job, here)
    if left is None or amount == left:
        return {}
    apart, tolerance = abs(amount - left), here.policies.count_tolerance
    within = {"tolerance": str(tolerance)} if apart <= tolerance else {"apart": f"{apart:f}"}
    return _counted(job, here) | within


def _counted(job: str, here: Situation) -> dict[str, str]:
    """The count in words, and how many of it were reported as scrap."""
    counted, left = here.counted(job) or 0, good_counted(job, here) or 0
    return {"counted": str(counted)} | ({"scrapped": str(counted - left)} if counted > left else {})


def _finish_step(job: JobOrder, here: Situation) -> str:
    """A job that is short ends with a reason."""
    return "finish_reason" if here.progress(job.id).good < job.quantity else "finish"


def _finished(state: State, reason: Reason | None, job: JobOrder, here: Situation) -> Outcome:
    progress = here.progress(job.id)
    done = JobCompleted(
        about=job.id, good=progress.good, scrap=progress.scrap, reason=reason.id if reason else ""
    )
    said = Said(
        Verdict.OK,
        "report_production.saved_finished",
        {"job": job.id, "good": f"{progress.good:f}", "uom": job.uom},
    )
    return Outcome(_at(state, "running"), (done,), said, Open("choose_job", "production"), sets_aside=True)


def _ask_undo(state: State, here: Situation) -> Outcome:
    if not here.last_reports(state.job):
        return refuse(state, "report_production.nothing_to_undo", job=state.job)
    return Outcome(_at(state, "undo"))


def _undone(state: State, here: Situation) -> Outcome:
    reports = here.last_reports(state.job)
    if not reports:
        return refuse(_at(state, "running"), "report_production.nothing_to_undo", job=state.job)
    id, body = reports[0]
    told = f"{body.quantity:f}" if isinstance(body, MaterialProduced | MaterialScrapped) else ""
    what = "scrap" if isinstance(body, MaterialScrapped) else "good"
    fact = Correction(about=state.job, corrects=id, reason="did_not_occur")
    said = Said(Verdict.OK, "report_production.saved_undo", {"quantity": told, "what": what, "job": state.job})
    return Outcome(_at(state, "running"), (fact,), said)


def _assigned(state: State, take: bool, here: Situation) -> Outcome:
    """The parts count for the job, where the next report finds them; or stay without one."""
    loose, back = unattributed(here), _at(state, "running")
    if loose is None:
        return refuse(back, "report_production.assigned_already", Verdict.HELD)
    equipment = here.station.equipment
    fact = CountAssigned(
        about=f"equipment/{equipment}", equipment=equipment, parts=loose.parts, since=loose.since,
        job=state.job if take else "", doubtful=loose.doubtful,
    )  # fmt: skip
    code = "report_production.saved_taken" if take else "report_production.saved_left"
    return Outcome(back, (fact,), Said(Verdict.OK, code, {"parts": str(loose.parts), "job": state.job}))


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """Reason labels where a reason is asked for, a badge where more than planned is released; else commands only."""
    if state.step == "confirm" and by_badge(state, here):
        return (second_badge.badges(here),)
    purpose = _PURPOSE.get(state.step)
    if purpose is None:
        return ()
    rules = {reason.id: PLANNED for reason in here.book.reasons_for(purpose)}
    return (Expected(Kind.REASON, "expect.reason", rules, "reason.unknown"),)


def show(state: State, here: Situation) -> Screen:
    """The work screen of the job."""
    return work_screen(state, here, here.counted(state.job))
