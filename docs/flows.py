"""The reference of the operator flows: drawn by walking them, so that no picture can differ from the code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from docs.walk import Move, walk
from edge_agent import scenarios
from terminal_ui.keys import action
from terminal_ui.texts import load

_HEAD = """# Operator flows

What a terminal asks, and what leads where. A line of a picture is something a person does; what stands after the
slash is what is recorded by it. Left out, because it is the same everywhere:

* A scan that does not fit never changes the step. It is answered in words and recorded as `ScanRefused`. One that is
  allowed but not planned asks to be scanned again, or for `F2`.
* `F10` signs off at every step. A job or an order that was open is open again after the next badge.
* `F1` shows what may be scanned, `F9` what waits to be sent. Both leave the step as it is.
* `V` opens the exceptions, and `F3` there goes back to the step that was left.

This page is written by `make schema`: `docs/walk.py` walks the flows over the plans of the demo.
"""

_EVERYWHERE = ("key sign_off", "key help", "key queue", "key exceptions")


def flows_page() -> str:
    """The text of the page."""
    moves = [move for move in walk() if move.given not in _EVERYWHERE]
    return "\n".join([_HEAD, *(_flow(name, moves) for name in scenarios.load())])


def _flow(name: str, moves: Sequence[Move]) -> str:
    mine = [move for move in moves if _flow_of(move.step) == name]
    first = (scenarios.load()[name].__doc__ or "").partition("\n")[0]
    return "\n".join([
        f"## {name}", "", first, "", "```mermaid", *_picture(name, mine, moves), "```", "",
        "| step | asks | scan | type | keys |", "|---|---|---|---|---|",
        *(_row(step, mine) for step in scenarios.load()[name].STEPS), "",
    ])  # fmt: skip


def _picture(name: str, mine: Sequence[Move], moves: Sequence[Move]) -> Iterator[str]:
    yield "stateDiagram-v2"
    other = dict.fromkeys(move.to for move in mine if _flow_of(move.to) != name)
    yield from (f'    state "{each.replace(".", ": ")}" as {_node(each, name)}' for each in other)
    begins = dict.fromkeys(move.to for move in moves if _flow_of(move.to) == name != _flow_of(move.step))
    yield from (
        f"    [*] --> {_node(step, name)}" for step in begins or [f"{name}.{scenarios.load()[name].STEPS[0]}"]
    )
    arrows: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for move in mine:
        if move.step != move.to or move.records or move.given == "key park":
            arrows[move.step, move.to, ", ".join(move.records)][_words(move.given)] = None
    for (step, to, records), given in arrows.items():
        told = ", ".join(given) + (f" / {records}" if records else "")
        yield f"    {_node(step, name)} --> {_node(to, name)}: {told}"


def _row(step: str, mine: Iterable[Move]) -> str:
    here = [move for move in mine if move.step.endswith(f".{step}")]
    english = load("en")
    asks = dict.fromkeys(english.get(move.prompt, move.prompt) for move in here)
    done = [dict.fromkeys(_words(move.given) for move in here if move.given.startswith(kind))
            for kind in ("scan", "type", "key")]  # fmt: skip
    scans, types, keys = (
        ", ".join(word.removeprefix("scan ").removeprefix("type ") for word in each) for each in done
    )
    chosen = "a number of the list" if any(move.given == "choose" for move in here) else ""
    typed = " or ".join(part for part in (types, chosen) if part)
    return f"| {step} | {'<br>'.join(asks)} | {scans} | {typed} | {keys} |"


def _words(given: str) -> str:
    """What was done, as people say it.

    >>> _words("scan handling_unit"), _words("key back"), _words("choose")
    ('scan bin or tote', 'F3', 'choose')
    """
    what, _, name = given.partition(" ")
    if what == "scan":
        return f"scan {load('en').get(f'word.{name}', name)}"
    return action(name).shown if what == "key" else given


def _flow_of(at: str) -> str:
    return at.partition(".")[0]


def _node(at: str, name: str) -> str:
    """A step as the picture of flow `name` calls it: its own by their names, others with their flow's."""
    flow, _, step = at.partition(".")
    return step if flow == name else f"{flow}__{step}"
