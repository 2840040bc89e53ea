"""What pick remembers, what may be scanned at each of its steps, and what the pick screen shows."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from edge_agent.planbook import lot_number
from edge_agent.scanning.expected import PLANNED, Expected, Rule, Standing
from edge_agent.scanning.labels import label_or_none
from edge_agent.scenarios.contract import Screen, Situation
from edge_agent.views import Choice, Entry, Kind, PickPage
from sync.contract import DispatchStatus, JobOrder, MaterialLot, MaterialRequirement

Phase = Literal["go", "item", "quantity", "into", "short", "done"]


class State(msgspec.Struct, frozen=True, tag="pick"):
    """`line` is the requirement in hand ("" : the first open one of the walk), `lot` what was scanned.

    `quantity` is what the screen says is taken, `reason` why the rest is missing, `scanned` whether the
    item in hand was, `there` whether nothing was found by somebody who stood at the bin already, `skipped` the
    lines put to the end.
    """

    job: str
    step: str = "go"
    line: str = ""
    lot: str | None = None
    quantity: Decimal | None = None
    reason: str = ""
    scanned: bool = False
    there: bool = False
    skipped: tuple[str, ...] = ()


def order_of(state: State, here: Situation) -> JobOrder | None:
    """The order, while the office wants it picked; None when it was cancelled, held, withdrawn or closed early.

    An ERP completes an order by itself when all its lines are in: that one is simply done.
    """
    job = here.book.jobs.get(state.job)
    if job is None or job.dispatch_status is DispatchStatus.RELEASED:
        return job
    done = job.dispatch_status is DispatchStatus.COMPLETED and not open_lines(state, here)
    return job if done else None


def open_lines(state: State, here: Situation) -> list[MaterialRequirement]:
    """What is still to be picked in the zone of the station, by the walk; skipped lines last."""
    job = here.book.jobs.get(state.job)
    if job is None:
        return []
    progress = here.progress(job.id)
    places, zone = here.book.locations, here.station.zone
    lines = [line for line in job.requirements if progress.missing(line) and in_zone(line, zone, here)]

    def walk(line: MaterialRequirement) -> tuple[int, int, str]:
        place = places.get(line.source or "")
        late = state.skipped.index(line.id) + 1 if line.id in state.skipped else 0
        return late, place.walk if place else 0, line.id

    return sorted(lines, key=walk)


def in_zone(line: MaterialRequirement, zone: str, here: Situation) -> bool:
    """Whether a line is picked in the zone; an empty zone is all of them, an unknown place is in each."""
    place = here.book.locations.get(line.source or "")
    return not zone or place is None or place.zone == zone


def at_line(state: State, here: Situation) -> State:
    """The state with its line named: at `go` the first of the walk, unless one was chosen that is open.

    A line that no place is named for begins with its item.
    """
    lines = open_lines(state, here)
    if state.step != "go" or not lines:
        return state
    line = next((line for line in lines if line.id == state.line), lines[0])
    return msgspec.structs.replace(state, line=line.id, step="go" if line.source else "item")


def current_line(state: State, here: Situation) -> MaterialRequirement | None:
    """The line in hand; None when it is not open any more: done by somebody else, or withdrawn."""
    return next((line for line in open_lines(state, here) if line.id == state.line), None)


def expected_scans(state: State, here: Situation) -> tuple[Expected, ...]:
    """What may be scanned at this step."""
    state = at_line(state, here)
    line = current_line(state, here)
    if line is None or order_of(state, here) is None:
        return ()
    match state.step:
        case "go":
            return (_locations(state, line, here),)
        case "item":
            return _item(line, here), _locations(state, line, here, there=True)
        case "quantity" | "into":
            return _destinations(line, here)
        case "short_reason":
            rules = {reason.id: PLANNED for reason in here.book.reasons_for("short")}
            return (Expected(Kind.REASON, "expect.reason", rules, "reason.unknown"),)
        case _:
            return ()


def _locations(state: State, line: MaterialRequirement, here: Situation, there: bool = False) -> Expected:
    lines = open_lines(state, here)
    first = [line.source or "", *(other.source or "" for other in lines)]
    rules = {place: _place_rule(place, here) for place in first if place}
    if there:
        rules[line.source or ""] = Rule(Standing.DONE, "pick.already_here", {"location": line.source or ""})
    unit = here.book.locations.get(line.source or "")
    params = {"expected": line.source or "", "hint": unit.description if unit else ""}
    return Expected(Kind.LOCATION, "expect.location", rules, "pick.wrong_location", params)


def _place_rule(place: str, here: Situation) -> Rule:
    unit = here.book.locations.get(place)
    if unit is not None and unit.hold:
        return Rule(Standing.HELD, "pick.location_held", {"location": place, "why": unit.hold})
    return PLANNED


def _item(line: MaterialRequirement, here: Situation) -> Expected:
    material = here.book.materials.get(line.material)
    params = {"expected": line.material, "material": line.material}
    if material is None or not (material.lot_tracked or line.lot):
        return Expected(Kind.MATERIAL, "expect.material", {line.material: PLANNED, f"{line.material}/*": PLANNED},
                        "pick.wrong_item", params)  # fmt: skip
    planned = line.lot or _first_to_expire(line, here)
    rules: dict[str, Rule] = {}
    if planned:
        rules[f"{line.material}/{planned}"] = _lot_rule(line, planned, planned, here)
    for same_number in here.book.lots.values():
        for lot in same_number:
            if lot.material == line.material and lot_number(lot) != planned:
                rules[f"{line.material}/{lot_number(lot)}"] = _lot_rule(line, lot_number(lot), planned, here)
    asks = {"material": line.material, "planned": planned or "?"}
    rules[f"{line.material}/*"] = Rule(Standing.HELD, "pick.lot_not_known", asks)
    rules[line.material] = Rule(Standing.INCOMPLETE, "pick.scan_the_lot", asks)
    params["expected"] = f"{line.material}, lot {planned}" if planned else line.material
    return Expected(Kind.MATERIAL, "expect.lot", rules, "pick.wrong_item", params)


def _lot_rule(line: MaterialRequirement, number: str, planned: str | None, here: Situation) -> Rule:
    lot = here.book.lot_of(line.material, number)
    params = {"lot": number, "planned": planned or "?", "material": line.material}
    if lot is not None and lot.hold:
        return Rule(Standing.HELD, "pick.lot_held", {**params, "why": lot.hold})
    if lot is not None and lot.expires is not None and lot.expires < here.today:
        return Rule(Standing.HELD, "pick.lot_expired", {**params, "expires": lot.expires.isoformat()})
    return PLANNED if number == planned else Rule(Standing.ASK, "pick.other_lot", params)


def _first_to_expire(line: MaterialRequirement, here: Situation) -> str | None:
    """First expired, first out among the lots that stand in the bin and may be used."""
    numbers = [row.lot for row in here.book.stock.get(line.source or "", ()) if row.material == line.material]
    lots = [lot for number in numbers if number and (lot := here.book.lot_of(line.material, number))]
    fit = [lot for lot in lots if not lot.hold and (lot.expires is None or lot.expires >= here.today)]

    def first_out(lot: MaterialLot) -> tuple[str, str]:
        return (lot.expires.isoformat() if lot.expires else "9999", lot.id)

    return lot_number(min(fit, key=first_out)) if fit else None


def _destinations(line: MaterialRequirement, here: Situation) -> tuple[Expected, ...]:
    """The planned destination; any place or unit that is known when the order names none."""
    place, wrong = line.destination, "pick.wrong_destination"
    if place is None:
        kinds = (Kind.HANDLING_UNIT, Kind.LOCATION)
        return tuple(Expected(kind, "expect.destination", wrong=wrong, any=True) for kind in kinds)
    kind = Kind.LOCATION if place in here.book.locations else Kind.HANDLING_UNIT
    return (Expected(kind, "expect.destination", {place: PLANNED}, wrong, {"expected": place}),)


def stopped(state: State, here: Situation) -> str:
    """Why there is no line to work on, as a message code."""
    if order_of(state, here) is None:
        return "pick.stopped"
    return "pick.line_gone" if open_lines(state, here) else "pick.order_done"


def pick_screen(state: State, here: Situation) -> Screen:
    """The one question of the step, and the line it is about."""
    state = at_line(state, here)
    job, line = order_of(state, here), current_line(state, here)
    if job is None or line is None:
        return Screen(stopped(state, here), {"job": state.job}, state.job, actions=("list",))
    page = _page(state, job, line, here)
    params = {
        "location": page.location, "hint": page.location_hint, "material": page.material, "lot": page.lot,
        "quantity": f"{page.quantity:f}", "uom": page.uom, "destination": page.destination,
    }  # fmt: skip
    actions: dict[str, tuple[str, ...]] = {
        "go": ("exception", "park", "list"),
        "item": ("exception", "back", "list"),
        "quantity": ("exception", "back", "list"),
        "short_sure": ("confirm", "back", "list"),
    }
    prompt = f"pick.{state.step}"
    if state.step in ("short_reason", "short_sure") and not state.quantity:
        params |= {"missing": f"{here.progress(job.id).missing(line):f}", "reason": _reason(state, here)}
        prompt = "pick.short_reason_all" if state.step == "short_reason" else prompt
    reasons = here.book.reasons_for("short") if state.step == "short_reason" else ()
    return Screen(
        prompt, params, job.id, page, actions.get(state.step, ("back", "list")),
        tuple(Choice(each.number, each.id, each.text, label=label_or_none(Kind.REASON, each.id)) for each in reasons),
        _entry(state, page),
    )  # fmt: skip


def _reason(state: State, here: Situation) -> str:
    return next((each.text for each in here.book.reasons_for("short") if each.id == state.reason), "")


def _entry(state: State, page: PickPage) -> Entry | None:
    match state.step:
        case "quantity":
            return Entry("quantity", "number", f"{page.quantity:f}", page.uom)
        case "short_quantity":
            return Entry("found", "number", "", page.uom)
        case _:
            return None


def _page(state: State, job: JobOrder, line: MaterialRequirement, here: Situation) -> PickPage:
    lines = open_lines(state, here)
    mine = sum(in_zone(each, here.station.zone, here) for each in job.requirements)
    material = here.book.materials.get(line.material)
    place = here.book.locations.get(line.source or "")
    tracked = (
        line.lot or (material is not None and material.lot_tracked and _first_to_expire(line, here)) or ""
    )
    lot = state.lot or tracked
    known = here.book.lot_of(line.material, lot) if lot else None
    phases: dict[str, Phase] = {"item": "item", "quantity": "quantity", "into": "into", "go": "go"}
    return PickPage(
        job=job.id, customer=job.customer, phase=phases.get(state.step, "short"),
        line=mine - len(lines) + 1, lines=mine, lines_left=len(lines),
        location=line.source or "", location_hint=place.description if place else "",
        material=line.material, description=material.description if material else "",
        lot=lot, expires=known.expires.isoformat() if known and known.expires else "",
        quantity=state.quantity if state.quantity is not None else here.progress(job.id).missing(line),
        uom=line.uom, destination=line.destination or "",
        next_locations=tuple(other.source or "" for other in lines if other.id != line.id)[:3],
    )  # fmt: skip
