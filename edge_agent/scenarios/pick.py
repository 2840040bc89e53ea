"""Pick an order, line by line, in the order of the walk or in any other.

go       --location of the line--------------> item
go, item --location of another open line-----> item (that line is next)
item     --item or lot-----------------------> quantity (another lot of the item asks first)
quantity --number----------------------------> into
quantity --destination-----------------------> go, the quantity on the screen recorded, typed or proposed
into     --destination-----------------------> go | choose_job when it was the last line
go, item --exception--> short_reason --reason--> short_sure (nothing was found); --back--> where it was begun
quantity --exception--> short_quantity --number--> short_reason --reason--> into | short_sure (nothing was found)
short_sure --confirm--> go (the whole line is missing); --back--> short_reason
go       --park--> go (the line goes to the end)
anywhere --the line is gone--> go; --back--> one step back; --list--> choose_job; go --back--> choose_job
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from edge_agent.scanning.expected import Expected
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
)  # fmt: skip
from edge_agent.scenarios.pick_page import (
    State,
    at_line,
    current_line,
    expected_scans,
    open_lines,
    order_of,
    pick_screen,
    stopped,
)
from edge_agent.views import Kind, Verdict
from sync.contract import JobOrder, MaterialMoved, MaterialRequirement, MaterialShort

TAKES_TYPED = ("quantity",)
STEPS = ("go", "item", "quantity", "into", "short_quantity", "short_reason", "short_sure")

_BACK = {"item": "go", "quantity": "item", "into": "quantity", "short_quantity": "quantity"}


def begin(about: str, here: Situation) -> State:
    """The first open line of the walk."""
    return State(job=about)


def leave(state: State) -> State:
    """The order stays open; the line begins again."""
    return State(job=state.job, skipped=state.skipped)


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    state = at_line(state, here)
    job, line = order_of(state, here), current_line(state, here)
    if job is None or line is None:
        return _nothing_to_pick(state, here)
    match state.step, given:
        case ("go", Did("back")) | (_, Did("list")):
            return Outcome(state, open=Open("choose_job", "picking"))
        case "go", Did("park"):
            return _skipped(state, here)
        case (("go" | "item"), Did("exception")):
            short = _step(state, "short_reason", amount=Decimal(0))
            return Outcome(msgspec.structs.replace(short, there=state.step == "item"))
        case "quantity", Did("exception"):
            return Outcome(_step(state, "short_quantity", state.lot, state.quantity))
        case _, Did("back"):
            return Outcome(_back(state, line, here))
        case (("go" | "item"), Scanned(what=what)) if what.kind is Kind.LOCATION:
            return _arrived(state, what.id, here)
        case "item", Scanned(what=what) if what.kind is Kind.MATERIAL:
            return Outcome(_in_hand(state, line, what.lot or line.lot, what.quantity, here))
        case "quantity", Entered(text):
            return _counted(state, text, line, here)
        case "quantity", Scanned(what=what, typed=text) if text:
            return _typed_and_moved(state, text, job, line, what.id, here)
        case (("quantity" | "into"), Scanned(what=what)) if what.kind in (Kind.LOCATION, Kind.HANDLING_UNIT):
            return _moved(state, job, line, what.id, here)
        case "short_quantity", Entered(text):
            return _found(state, text, line, here)
        case "short_reason", (Chose() | Scanned()):
            return _short(state, given, here)
        case "short_sure", Did("confirm"):
            return _recorded(state, job, line, (_shortfall(state, job, line, here),), "pick.saved_short", "", here)
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _nothing_to_pick(state: State, here: Situation) -> Outcome:
    """The line in hand is gone: nothing is recorded on another one, the person is told."""
    code = stopped(state, here)
    said = Said(Verdict.HELD, code, {"job": state.job})
    if code == "pick.line_gone":
        return Outcome(State(job=state.job, skipped=state.skipped), said=said)
    return Outcome(state, said=said, open=Open("choose_job", "picking"))


def _in_hand(
    state: State, line: MaterialRequirement, lot: str | None, on_label: Decimal | None, here: Situation
) -> State:
    """The item was scanned; the quantity on its label is proposed where it is not more than needed."""
    left = here.progress(state.job).missing(line)
    return _step(state, "quantity", lot, min(left, on_label) if on_label else left)


def _back(state: State, line: MaterialRequirement, here: Situation) -> State:
    if state.step == "short_sure":
        return msgspec.structs.replace(state, step="short_reason", reason="")
    if state.step == "short_reason":
        if not state.scanned:
            return _step(state, "item" if state.there else "go")
        return _step(state, "short_quantity", state.lot, here.progress(state.job).missing(line))
    before = _BACK[state.step]
    if before == "quantity":
        return _in_hand(state, line, state.lot, None, here)
    return _step(state, before)


def _step(state: State, step: str, lot: str | None = None, amount: Decimal | None = None) -> State:
    scanned = step in ("quantity", "into", "short_quantity") or (state.scanned and step == "short_reason")
    return State(
        job=state.job,
        step=step,
        line=state.line,
        lot=lot,
        quantity=amount,
        scanned=scanned,
        skipped=state.skipped,
    )


def _arrived(state: State, location: str, here: Situation) -> Outcome:
    lines = open_lines(state, here)
    there = [line for line in lines if line.source == location]
    line = next((line for line in there if line.id == state.line), there[0])
    if line.id == state.line:
        return Outcome(_step(state, "item"))
    said = Said(Verdict.OK, "pick.other_line", {"location": location})
    return Outcome(msgspec.structs.replace(_step(state, "item"), line=line.id), said=said)


def _skipped(state: State, here: Situation) -> Outcome:
    if len(open_lines(state, here)) < 2:
        return refuse(state, "pick.last_line", Verdict.HELD)
    kept = tuple(id for id in state.skipped if id != state.line)
    moved = State(job=state.job, skipped=(*kept, state.line))
    return Outcome(moved, said=Said(Verdict.OK, "pick.skipped"))


def _counted(state: State, text: str, line: MaterialRequirement, here: Situation) -> Outcome:
    amount = quantity(text, line.uom)
    left = here.progress(state.job).missing(line)
    if not amount:
        return no_quantity(state, text, line.uom)
    if amount > left:
        return refuse(
            state, "pick.too_many", Verdict.WRONG, quantity=f"{amount:f}", left=f"{left:f}", uom=line.uom
        )
    return Outcome(_step(state, "into", state.lot, amount))


def _typed_and_moved(
    state: State, text: str, job: JobOrder, line: MaterialRequirement, destination: str, here: Situation
) -> Outcome:
    """The destination was scanned with a number typed: that number is what is booked, or nothing is."""
    counted = _counted(state, text, line, here)
    return counted if counted.said is not None else _moved(counted.state, job, line, destination, here)


def _found(state: State, text: str, line: MaterialRequirement, here: Situation) -> Outcome:
    amount = quantity(text, line.uom)
    left = here.progress(state.job).missing(line)
    if amount is None:
        return no_quantity(state, text, line.uom)
    if amount >= left:
        return refuse(
            state, "pick.not_short", Verdict.WRONG, quantity=f"{amount:f}", left=f"{left:f}", uom=line.uom
        )
    return Outcome(_step(state, "short_reason", state.lot or line.lot, amount))


def _short(state: State, given: Chose | Scanned, here: Situation) -> Outcome:
    reason = reason_of("short", given, here)
    if reason is None:
        return refuse(state, "reason.unknown")
    told = msgspec.structs.replace(state, reason=reason.id)
    if state.quantity:
        return Outcome(msgspec.structs.replace(told, step="into", scanned=True))
    return Outcome(msgspec.structs.replace(told, step="short_sure"))  # it can not be taken back


def _moved(
    state: State, job: JobOrder, line: MaterialRequirement, destination: str, here: Situation
) -> Outcome:
    amount, left = state.quantity or Decimal(0), here.progress(job.id).missing(line)
    if amount > left:  # somebody else took of it meanwhile
        said = Said(
            Verdict.HELD, "pick.too_many", {"quantity": f"{amount:f}", "left": f"{left:f}", "uom": line.uom}
        )
        return Outcome(_in_hand(state, line, state.lot, None, here), said=said)
    moved = MaterialMoved(
        about=job.id, requirement=line.id, material=line.material, lot=state.lot or line.lot, quantity=amount,
        uom=line.uom, source=line.source or "", destination=destination,
    )  # fmt: skip
    if not state.reason:
        return _recorded(state, job, line, (moved,), "pick.saved", destination, here)
    facts = (moved, _shortfall(state, job, line, here))
    return _recorded(state, job, line, facts, "pick.saved_short", destination, here)


def _shortfall(state: State, job: JobOrder, line: MaterialRequirement, here: Situation) -> MaterialShort:
    missing = here.progress(job.id).missing(line) - (state.quantity or Decimal(0))
    return MaterialShort(
        about=job.id, requirement=line.id, material=line.material, lot=state.lot or line.lot, quantity=missing,
        uom=line.uom, source=line.source or "", reason=state.reason,
    )  # fmt: skip


def _recorded(
    state: State, job: JobOrder, line: MaterialRequirement, facts: tuple[MaterialMoved | MaterialShort, ...],
    code: str, destination: str, here: Situation,
) -> Outcome:  # fmt: skip
    taken = state.quantity or Decimal(0)
    left = here.progress(job.id).missing(line) - sum(fact.quantity for fact in facts)
    rest = [other for other in open_lines(state, here) if other.id != line.id]
    short = sum((fact.quantity for fact in facts if isinstance(fact, MaterialShort)), Decimal(0))
    params = {
        "quantity": f"{taken:f}" if taken else "", "missing": f"{short:f}", "uom": line.uom,
        "location": line.source or "", "destination": destination,
        "material": line.material, "lines": str(len(rest) + (left > 0)), "job": job.id,
    }  # fmt: skip
    if not rest and left <= 0:
        said = Said(Verdict.OK, f"{code}_order_done", params)
        return Outcome(State(job=job.id), facts, said, Open("choose_job", "picking"))
    after = State(job=job.id, skipped=tuple(id for id in state.skipped if id != line.id))
    if left > 0:
        after = msgspec.structs.replace(after, line=line.id, step="item")
    return Outcome(after, facts, Said(Verdict.OK, code, params))


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """Locations at go, the item at item, the destination at quantity and into, a reason when short."""
    return expected_scans(state, here)


def show(state: State, here: Situation) -> Screen:
    """The pick screen of the line."""
    return pick_screen(state, here)
