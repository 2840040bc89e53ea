"""What report_production remembers, and what the work screen shows at each of its steps."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent.scanning.labels import label_or_none
from edge_agent.scenarios.contract import Screen, Situation, to_explain
from edge_agent.views import Choice, Entry, Kind, WorkPage
from sync.contract import DispatchStatus, JobOrder, MaterialProduced, MaterialScrapped


class State(msgspec.Struct, frozen=True, tag="report_production"):
    """`mark` is the machine's count at the last report, `mark_before` at the one before it.

    `quantity` and `reason` are what is being reported, `asked` the message code of the question at
    `confirm`.
    """

    job: str
    step: str = "running"
    mark: int | None = None
    mark_before: int | None = None
    quantity: Decimal | None = None
    reason: str = ""
    asked: str = ""


_ACTIONS = {
    "running": ("report", "scrap", "finish", "undo", "list"),
    "confirm": ("confirm", "back"),
    "finish": ("confirm", "back"),
    "undo": ("confirm", "back"),
}


def job_in_work(state: State, here: Situation) -> JobOrder | None:
    """The job, while it may be worked on; None when the office stopped or withdrew it, or it is done."""
    job = here.book.jobs.get(state.job)
    if job is None or job.dispatch_status is not DispatchStatus.RELEASED:
        return None
    return None if here.progress(job.id).completed else job


def why_not(state: State, here: Situation) -> str:
    """Why a job may not be worked on, as a message code."""
    job = here.book.jobs.get(state.job)
    if job is None:
        return "job.gone"
    return "job.done" if here.progress(job.id).completed else "job.stopped"


def work_screen(state: State, here: Situation, counted: int | None) -> Screen:
    """Prompt, figures, choices and entry; `counted` is what the machine made since the last report."""
    job = job_in_work(state, here)
    if job is None:
        return Screen(why_not(state, here), {"job": state.job}, state.job, actions=("list",))
    return Screen(
        prompt=f"report_production.{state.step}" if state.step != "confirm" else f"{state.asked}_ask",
        params=_params(state, job, here),
        title=job.id,
        page=_page(job, here, counted),
        actions=_actions(state, here),
        choices=_choices(state, here),
        entry=_entry(state, job, counted),
    )


def _actions(state: State, here: Situation) -> tuple[str, ...]:
    actions = _ACTIONS.get(state.step, ("back",))
    if state.step != "running":
        return actions
    explain = ("explain",) if here.stops() else ()
    return (*actions, *explain, *(("machines",) if here.plant.machines else ()))


def _page(job: JobOrder, here: Situation, counted: int | None) -> WorkPage:
    progress = here.progress(job.id)
    drawing = next((rev.revision for rev in job.revisions if rev.kind == "drawing"), "")
    return WorkPage(
        job=job.id, operation=job.operation, description=job.description, revision=drawing,
        customer=job.customer, due=job.due, uom=job.uom, good=progress.good, scrap=progress.scrap,
        target=job.quantity, equipment=here.station.equipment, count_since_report=counted,
        stops_to_explain=len(to_explain(here)),
    )  # fmt: skip


def _params(state: State, job: JobOrder, here: Situation) -> dict[str, str]:
    params = {"job": job.id, "uom": job.uom, "quantity": f"{state.quantity:f}" if state.quantity else ""}
    progress = here.progress(job.id)
    params["short"] = f"{max(job.quantity - progress.good, job.quantity * 0):f}"
    params["good"] = f"{progress.good:f}"
    if state.step == "undo" and (reports := here.last_reports(job.id)):
        body = reports[0][1]
        if isinstance(body, MaterialProduced | MaterialScrapped):
            params["quantity"] = f"{body.quantity:f}"
            params["what"] = "good" if isinstance(body, MaterialProduced) else "scrap"
    return params


def _entry(state: State, job: JobOrder, counted: int | None) -> Entry | None:
    match state.step:
        case "running":
            return Entry("good", "number", "", job.uom)
        case "good":
            return Entry("good", "number", str(counted) if counted else "", job.uom)
        case "scrap":
            return Entry("scrap", "number", "", job.uom)
        case _:
            return None


def _choices(state: State, here: Situation) -> tuple[Choice, ...]:
    purpose = {"scrap_reason": "scrap", "finish_reason": "finish"}.get(state.step)
    if purpose is None:
        return ()
    return tuple(
        Choice(reason.number, reason.id, reason.text, label=label_or_none(Kind.REASON, reason.id))
        for reason in here.book.reasons_for(purpose)
    )
