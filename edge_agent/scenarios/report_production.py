"""Work on a production job: good pieces, scrap with its reason, a correction, the end of the job.

running --quantity-------------> running        good pieces recorded
running --report--> good --quantity--> running  the same, with the machine's count proposed
running --scrap--> scrap --quantity--> scrap_reason --reason--> running
good, scrap_reason --more than planned, or than the machine counted--> confirm --confirm--> running
running --finish--> finish --confirm--> choose_job
running --finish, pieces missing--> finish_reason --reason--> choose_job
running --undo--> undo --confirm--> running     the last report corrected
running --explain--> explain_stop               when the machine stood; it comes back here
running --machines--> maintain                  the same
anywhere --back--> running; running --list, back--> choose_job
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent.counting import delta
from edge_agent.scanning.expected import PLANNED, Expected
from edge_agent.scenarios.contract import (
    Chose,
    Did,
    Entered,
    Given,
    Open,
    Outcome,
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
from edge_agent.scenarios.work_page import State, job_in_work, why_not, work_screen
from edge_agent.views import Kind, Verdict
from sync.contract import Correction, JobCompleted, JobOrder, MaterialProduced, MaterialScrapped, Reason

STEPS = ("running", "good", "scrap", "scrap_reason", "confirm", "finish", "finish_reason", "undo")

_PURPOSE = {"scrap_reason": "scrap", "finish_reason": "finish"}


def begin(about: str, here: Situation) -> State:
    """The job is open; counting begins at what the machine shows now."""
    return State(job=about, mark=_count(here))


def leave(state: State) -> State:
    """The job stays open, and what the machine counts meanwhile counts on."""
    return _at(state, "running")


def runs(state: State) -> str:
    """The job, at whatever step."""
    return state.job


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    job = job_in_work(state, here)
    if job is None:
        said = Said(Verdict.HELD, why_not(state, here), {"job": state.job})
        return Outcome(state, said=said, open=Open("choose_job", "production"))
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
        case "running", Did("machines"):
            return Outcome(state, open=to_machines(state))
        case "running", Did("undo"):
            return _ask_undo(state, here)
        case "running", Did("list" | "back"):
            return Outcome(state, open=Open("choose_job", "production"))
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
        case "confirm", Did("confirm"):
            return _too_many(state, state, job, here) or _record(state, job, here)
        case "finish", Did("confirm"):
            return _finished(state, None, job, here)
        case "undo", Did("confirm"):
            return _undone(state, here)
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _at(state: State, step: str) -> State:
    return State(job=state.job, step=step, mark=state.mark, mark_before=state.mark_before)


def _count(here: Situation) -> int | None:
    machine = here.machine
    return machine.count if machine is not None and machine.count_status == "Good" else None


def count_since_report(state: State, here: Situation) -> int | None:
    """What the machine counted since the last report; None when that is not known (no link, a reset)."""
    count = _count(here)
    if count is None or state.mark is None or here.machine is None:
        return None
    return delta(state.mark, count, here.machine.count_width)


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
    counted = count_since_report(told, here)
    if Decimal(params["total"]) > job.quantity and here.policies.over_ask:
        return _ask(told, "report_production.over_planned", params)
    amount = told.quantity or Decimal(0)
    if counted is not None and not told.reason and amount > counted + here.policies.count_tolerance:
        return _ask(told, "report_production.over_counted", {**params, "counted": str(counted)})
    return _record(told, job, here)


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
        )
        words = next((reason.text for reason in here.book.reasons if reason.id == told.reason), told.reason)
        said = Said(Verdict.OK, "report_production.saved_scrap", {**params, "reason": words})
        return Outcome(_at(told, "running"), (fact,), said)
    counted = count_since_report(told, here)
    good = MaterialProduced(
        about=job.id,
        material=job.material,
        quantity=amount,
        uom=job.uom,
        equipment=equipment,
        machine_count=counted,
    )
    state = State(job=told.job, mark=_count(here), mark_before=told.mark)
    return Outcome(state, (good,), Said(Verdict.OK, "report_production.saved_good", params))


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
    return Outcome(_at(state, "running"), (done,), said, Open("choose_job", "production"))


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
    fact = Correction(about=state.job, corrects=id, reason="did_not_occur")
    said = Said(Verdict.OK, "report_production.saved_undo", {"quantity": told, "job": state.job})
    after = _at(state, "running")
    if isinstance(body, MaterialProduced) and state.mark_before is not None:
        after = State(job=state.job, mark=state.mark_before)  # the machine's pieces are to be reported again
    return Outcome(after, (fact,), said)


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """Reason labels where a reason is asked for; otherwise command labels only."""
    purpose = _PURPOSE.get(state.step)
    if purpose is None:
        return ()
    rules = {reason.id: PLANNED for reason in here.book.reasons_for(purpose)}
    return (Expected(Kind.REASON, "expect.reason", rules, "reason.unknown"),)


def show(state: State, here: Situation) -> Screen:
    """The work screen of the job."""
    return work_screen(state, here, count_since_report(state, here))
