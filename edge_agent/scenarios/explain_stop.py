"""Say why the machine stood: the reason of a stop, several split at times, or taken back.

choose --stop, by number--------> reason --reason, by number or label--> choose   recorded
reason, second --split--> split_at --minutes after it began--> reason, then second --reason--> choose
choose --undo--> undo --confirm--> choose       the last explanation taken back
choose --back--> (the work that was left for this); anywhere else --back--> choose
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from edge_agent.machines.stops import Stop
from edge_agent.scanning.expected import PLANNED, Expected
from edge_agent.scanning.labels import label_or_none
from edge_agent.scenarios.contract import (
    LEFT,
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
    quantity,
    reason_of,
    refuse,
    to_explain,
)  # fmt: skip
from edge_agent.views import Choice, Entry, Kind, ListPage, Verdict
from sync.contract import DowntimeSplit, Reason

STEPS = ("choose", "reason", "split_at", "second", "undo")

_SHOWN = 99
_ACTIONS = {
    "choose": ("undo", "back"), "reason": ("split", "back"), "second": ("split", "back"), "undo": ("confirm", "back"),
}  # fmt: skip


class State(msgspec.Struct, frozen=True, tag="explain_stop"):
    """`left` is the work that is gone on with afterwards, as the kernel keeps it; `job` the one it is on.

    `stop` is the one that is being explained, `cuts` where another reason begins, in order, and `reasons`
    those chosen so far, one for each piece from the first on.
    """

    step: str = "choose"
    job: str = ""
    left: str = ""
    stop: str = ""
    cuts: tuple[datetime, ...] = ()
    reasons: tuple[str, ...] = ()


def begin(about: str, here: Situation) -> State:
    """`about` is the state of the work that is left for this."""
    try:
        job = msgspec.json.decode(about).get("job", "")
    except (msgspec.DecodeError, AttributeError):
        return State()
    return State(left=about, job=str(job))


def leave(state: State) -> State:
    """Nothing is half explained; the work stays open."""
    return _list(state)


def advance(state: State, given: Given, here: Situation) -> Outcome:
    """One input, one step."""
    match state.step, given:
        case "choose", Chose(id):
            if _stop(id, here) is None:
                return refuse(state, "explain_stop.gone")
            return Outcome(msgspec.structs.replace(_list(state), step="reason", stop=id))
        case "choose", Did("undo"):
            if _last_explained(here) is None:
                return refuse(state, "explain_stop.nothing_to_undo")
            return Outcome(msgspec.structs.replace(_list(state), step="undo"))
        case "choose", Did("back"):
            return Outcome(state, open=Open(LEFT, state.left) if state.left else Open("choose_job"))
        case _, Did("back"):
            return Outcome(_list(state))
        case ("reason" | "second"), Did("split") if _at_last_piece(state):
            return Outcome(msgspec.structs.replace(state, step="split_at"))
        case "split_at", Entered(text):
            return _cut(state, text, here)
        case (("reason" | "second"), (Chose() | Scanned())):
            reason = reason_of("stop", given, here)
            return refuse(state, "reason.unknown") if reason is None else _chosen(state, reason, here)
        case "undo", Did("confirm"):
            return _undone(state, here)
        case _:
            return refuse(state, "step.not_here", Verdict.OTHER_TYPE)


def _at_last_piece(state: State) -> bool:
    """Whether the reason that is asked for is that of the end of the stop."""
    return len(state.reasons) == len(state.cuts)


def _list(state: State) -> State:
    return State(job=state.job, left=state.left)


def _stop(id: str, here: Situation) -> Stop | None:
    """The stop, while it is to be explained; others may have done so."""
    return next((stop for stop in to_explain(here) if stop.id == id), None)


def _last_explained(here: Situation) -> Stop | None:
    told = [stop for stop in here.stops() if stop.reason]
    return max(told, key=lambda stop: stop.said) if told else None


def _cut(state: State, text: str, here: Situation) -> Outcome:
    stop, minutes = _stop(state.stop, here), quantity(text)
    if stop is None:
        return refuse(_list(state), "explain_stop.gone", Verdict.HELD)
    length = (stop.ended or here.now) - stop.began
    least = state.cuts[-1] - stop.began if state.cuts else timedelta(0)
    if not minutes or not least < timedelta(minutes=float(minutes)) < length:
        most = f"{length.total_seconds() / 60:.1f}"
        above = f"{least.total_seconds() / 60:g}"
        return refuse(state, "explain_stop.not_inside", text=text, least=above, minutes=most)
    cuts = (*state.cuts, stop.began + timedelta(minutes=float(minutes)))
    return Outcome(msgspec.structs.replace(state, step="second" if state.reasons else "reason", cuts=cuts))


def _chosen(state: State, reason: Reason, here: Situation) -> Outcome:
    stop = _stop(state.stop, here)
    if stop is None:
        return refuse(_list(state), "explain_stop.gone", Verdict.HELD)
    reasons = (*state.reasons, reason.id)
    if len(reasons) <= len(state.cuts):
        return Outcome(msgspec.structs.replace(state, step="second", reasons=reasons))
    splits = tuple(DowntimeSplit(cut, id) for cut, id in zip(state.cuts, reasons[1:], strict=True))
    told = replace(stop, reason=reasons[0], splits=splits, late=stop.ended is not None)
    said = Said(
        Verdict.OK, "explain_stop.saved", {"reason": reason.text, "minutes": _minutes(stop, here.now)}
    )
    return Outcome(_list(state), (told.fact(here.station.equipment),), said)


def _undone(state: State, here: Situation) -> Outcome:
    stop = _last_explained(here)
    if stop is None:
        return refuse(_list(state), "explain_stop.nothing_to_undo", Verdict.HELD)
    open_again = replace(stop, reason="", splits=(), late=False)
    said = Said(Verdict.OK, "explain_stop.saved_undo", {"minutes": _minutes(stop, here.now)})
    return Outcome(_list(state), (open_again.fact(here.station.equipment),), said)


def expects(state: State, here: Situation) -> tuple[Expected, ...]:
    """Reason labels where a reason is asked for; otherwise command labels only."""
    if state.step not in ("reason", "second"):
        return ()
    rules = {reason.id: PLANNED for reason in here.book.reasons_for("stop")}
    return (Expected(Kind.REASON, "expect.reason", rules, "reason.unknown"),)


def show(state: State, here: Situation) -> Screen:
    """The stops to explain, newest first, or the reasons for one."""
    if state.step == "choose":
        return _stops_screen(here)
    stop = _stop(state.stop, here) if state.step != "undo" else _last_explained(here)
    params = {"minutes": _minutes(stop, here.now), "state": stop.state, "alarm": stop.alarm} if stop else {}
    if stop is not None and state.step == "undo":
        params["reason"] = next(
            (each.text for each in here.book.reasons if each.id == stop.reason), stop.reason
        )
    choices: tuple[Choice, ...] = ()
    if state.step in ("reason", "second"):
        code, proposed = _proposed(stop, here) if stop is not None and not state.cuts else ("", "")
        choices = tuple(sorted(_reasons(here), key=lambda choice: choice.id != proposed))
        if choices and choices[0].id == proposed:
            params |= {code: choices[0].title, "number": str(choices[0].number)}
    prompt = "reason_first" if state.step == "reason" and state.cuts else state.step
    last = state.step not in ("reason", "second") or _at_last_piece(state)
    actions = _ACTIONS.get(state.step, ("back",)) if last else ("back",)
    entry = Entry("minutes", "number", "", "min") if state.step == "split_at" else None
    return Screen(f"explain_stop.{prompt}", params, actions=actions, choices=choices, entry=entry)


def _stops_screen(here: Situation) -> Screen:
    choices = tuple(
        Choice(
            number, stop.id, stop.state,
            {
                "since": stop.began.isoformat(), "minutes": _minutes(stop, here.now), "state": stop.state,
                "alarm": stop.alarm,
            },
        )
        for number, stop in enumerate(to_explain(here)[:_SHOWN], 1)
    )  # fmt: skip
    page = ListPage(columns=("since", "minutes", "state", "alarm"))
    prompt = "explain_stop.choose" if choices else "explain_stop.nothing"
    return Screen(prompt, page=page, actions=_ACTIONS["choose"], choices=choices)


def _reasons(here: Situation) -> tuple[Choice, ...]:
    return tuple(
        Choice(reason.number, reason.id, reason.text, label=label_or_none(Kind.REASON, reason.id))
        for reason in here.book.reasons_for("stop")
    )


def _proposed(stop: Stop, here: Situation) -> tuple[str, str]:
    """How a reason is proposed, and which; empty: none. The more that is known of the stop, the better: `usual` is
    what was given last to a stop of this machine with the same alarm, `likely` what the site file has for its state.
    """
    known = (each.reason for each in here.stops() if each.reason and each.alarm == stop.alarm != "")
    if usual := next(known, ""):
        return "usual", usual
    return "likely", here.station.stop_reasons.get(stop.state, "")


def _minutes(stop: Stop | None, now: datetime) -> str:
    """How long it lasted, or lasts, in whole minutes; at least 1."""
    if stop is None:
        return ""
    return str(max(1, round(((stop.ended or now) - stop.began).total_seconds() / 60)))
