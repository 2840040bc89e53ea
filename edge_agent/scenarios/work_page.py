"""What report_production remembers, and what the work screen shows at each of its steps."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

import msgspec

from edge_agent.scanning.labels import label_or_none
from edge_agent.scenarios import second_badge
from edge_agent.scenarios.contract import Screen, Situation, to_explain
from edge_agent.scenarios.pin_step import pin_screen
from edge_agent.views import Choice, Entry, Kind, MaterialLine, WorkPage
from edge_agent.views.maintenance import Unattributed
from sync.contract import (
    DispatchStatus,
    JobOrder,
    MaterialProduced,
    MaterialRequirement,
    MaterialScrapped,
    MaterialUse,
)

OVER_PLANNED = "report_production.over_planned"


class State(msgspec.Struct, frozen=True, tag="report_production"):
    """`quantity` and `reason` are what is being reported, `asked` the message code of the question at
    `confirm`, `released_by` who releases it by a second badge.
    """

    job: str
    step: str = "running"
    quantity: Decimal | None = None
    reason: str = ""
    asked: str = ""
    released_by: str = ""


def by_badge(state: State, here: Situation) -> bool:
    """Whether the question at `confirm` is answered by the badge of a lead, not by a key."""
    return state.asked == OVER_PLANNED and second_badge.needed("over_quantity", here)


_ACTIONS = {
    "running": ("report", "scrap", "finish", "undo", "park", "list"),
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
    progress = here.progress(job.id)
    if not progress.completed:
        return "job.stopped"
    return "job.done" if progress.finished_here else "job.closed"


def work_screen(state: State, here: Situation, counted: int | None) -> Screen:
    """Prompt, figures, choices and entry; `counted` is what the machine made since the last report."""
    job = job_in_work(state, here)
    if job is None:
        return Screen(why_not(state, here), {"job": state.job}, state.job, actions=("list",))
    if state.step == "confirm_pin":
        page = _page(job, here, counted)
        return pin_screen("report_production.confirm_pin", state.released_by, job.id, page, here)
    return Screen(
        prompt=_prompt(state, here),
        params=_params(state, job, here),
        title=job.id,
        page=_page(job, here, counted),
        actions=_actions(state, here),
        choices=_choices(state, here),
        entry=_entry(state, job, here),
    )


def _prompt(state: State, here: Situation) -> str:
    if state.step == "unattributed" and (loose := unattributed(here)) is not None and loose.doubtful:
        return "report_production.doubtful"
    if state.step != "confirm":
        return f"report_production.{state.step}"
    return f"{state.asked}_badge" if by_badge(state, here) else f"{state.asked}_ask"


def _actions(state: State, here: Situation) -> tuple[str, ...]:
    if state.step == "confirm" and by_badge(state, here):
        return ("back",)
    actions = _ACTIONS.get(state.step, ("back",))
    if state.step != "running":
        return actions
    explain = ("explain",) if here.stops() else ()
    assign = ("assign",) if unattributed(here) is not None else ()
    return (*actions, *explain, *assign, *(("machines",) if here.plant.machines else ()))


def _page(job: JobOrder, here: Situation, counted: int | None) -> WorkPage:
    progress = here.progress(job.id)
    drawing = next((rev.revision for rev in job.revisions if rev.kind == "drawing"), "")
    return WorkPage(
        job=job.id, operation=job.operation, description=job.description, revision=drawing,
        customer=job.customer, due=job.due, uom=job.uom, good=progress.good, scrap=progress.scrap,
        target=job.quantity, equipment=here.station.equipment, count_since_report=counted,
        stops_to_explain=len(to_explain(here)),
        stood=here.plant.stood(here.station.equipment, here.now) if here.station.equipment else None,
        unattributed=unattributed(here), materials=tuple(_materials(job, here)),
    )  # fmt: skip


def _materials(job: JobOrder, here: Situation) -> Iterator[MaterialLine]:
    for line in job.requirements:
        if line.use is MaterialUse.CONSUMED:
            lot = here.book.lot_of(line.material, line.lot) if line.lot else None
            yield MaterialLine(
                material=line.material, lot=line.lot or "", uom=line.uom, left=_left(line, job, here),
                expires=lot.expires.isoformat() if lot and lot.expires else "",
            )  # fmt: skip


def _left(line: MaterialRequirement, job: JobOrder, here: Situation) -> Decimal:
    """What is planned and not used: by what the ERP has booked on the line, else by the pieces that were reported.

    Rounded up to the places that the plan has, for who fetches less stands still.
    """
    progress = here.progress(job.id)
    if line.done or not job.quantity:
        return max(line.quantity - line.done, Decimal(0))
    pieces = max(job.quantity - progress.good - progress.scrap, Decimal(0))
    exponent = line.quantity.as_tuple().exponent
    places = Decimal(1).scaleb(min(exponent, 0) if isinstance(exponent, int) else 0)
    return (line.quantity * pieces / job.quantity).quantize(places, ROUND_CEILING)


def good_counted(job: str, here: Situation) -> int | None:
    """What is left to report as good of what the machine counted: where it counts all, less the scrap of that."""
    counted = here.counted(job)
    return None if counted is None else max(0, counted - here.scrapped(job))


def unattributed(here: Situation) -> Unattributed | None:
    """What the machine here counted while no job was open, until somebody said what becomes of it."""
    return here.plant.unattributed(here.station.equipment) if here.station.equipment else None


def _params(state: State, job: JobOrder, here: Situation) -> dict[str, str]:
    params = {"job": job.id, "uom": job.uom, "quantity": f"{state.quantity:f}" if state.quantity else ""}
    progress = here.progress(job.id)
    params["short"] = f"{max(job.quantity - progress.good, job.quantity * 0):f}"
    params["good"] = f"{progress.good:f}"
    if left := good_counted(job.id, here):
        params["counted"] = str(left)
    if (loose := unattributed(here)) is not None:
        params["parts"] = str(loose.parts)
    if state.step == "undo" and (reports := here.last_reports(job.id)):
        body = reports[0][1]
        if isinstance(body, MaterialProduced | MaterialScrapped):
            params["quantity"] = f"{body.quantity:f}"
            params["what"] = "good" if isinstance(body, MaterialProduced) else "scrap"
    return params


def _entry(state: State, job: JobOrder, here: Situation) -> Entry | None:
    match state.step:
        case "running":
            return Entry("good", "number", "", job.uom)
        case "good":
            return Entry("good", "number", str(good_counted(job.id, here) or ""), job.uom)
        case "scrap":
            return Entry("scrap", "number", "", job.uom)
        case _:
            return None


def _choices(state: State, here: Situation) -> tuple[Choice, ...]:
    if state.step == "unattributed":
        return (
            Choice(1, "take", "take", {"job": state.job}, code="report_production.take"),
            Choice(2, "leave", "leave", code="report_production.leave"),
        )
    purpose = {"scrap_reason": "scrap", "finish_reason": "finish"}.get(state.step)
    if purpose is None:
        return ()
    return tuple(
        Choice(reason.number, reason.id, reason.text, label=label_or_none(Kind.REASON, reason.id))
        for reason in here.book.reasons_for(purpose)
    )
