"""What a key means at a step: the pure half of the keyboard.

Digits go into the entry, or choose; function keys and one-letter aliases act; Enter sends what stands
in the entry. Letters act only while nothing is typed that could hold a letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_agent.views import Choice, Verdict, View
from terminal_ui.keys import offered, pressed

AT_ONCE = 9  # choices: up to so many one digit chooses
_LONGEST = 40
_NUMBER = "0123456789.,"


@dataclass(frozen=True)
class Send:
    """Hand this in."""

    kind: Literal["action", "entry", "choice"]
    data: str


@dataclass(frozen=True)
class Typing:
    """The entry holds this now; None: nothing was typed, the proposed value stands."""

    text: str | None


@dataclass(frozen=True)
class Local:
    """The terminal does this itself (help, queue, guide_scan, guide_wrong)."""

    name: str


@dataclass(frozen=True)
class Leaf:
    """Leaf through a long list by so many pages."""

    pages: int


@dataclass(frozen=True)
class Tell:
    """Nothing happens; `code` says why."""

    code: str
    params: dict[str, str]


Intent = Send | Typing | Local | Leaf | Tell | None


def meant(view: View, typed: str | None, key: str, char: str | None, guide: bool = False) -> Intent:
    """What pressing `key` means while `view` is shown and `typed` stands in the entry."""
    if key in ("pageup", "up", "pagedown", "down"):
        return Leaf(-1 if key in ("pageup", "up") else 1)
    if key == "escape" and typed is not None:
        return Typing(None)
    if key == "enter":
        return _entered(view, typed)
    if key in ("backspace", "ctrl+h"):
        return _erased(view, typed)
    if view.entry is not None and char is not None and _fits(view.entry.kind, typed or "", char):
        return Typing(((typed or "") + char)[:_LONGEST])
    if view.entry is None and view.choices and char is not None and char in "0123456789":
        return _digit(view.choices, (typed or "") + char)
    letters = view.entry is None or view.entry.kind != "text"
    return _action(view, typed, key, char if letters else None, guide)


def _fits(kind: str, typed: str, char: str) -> bool:
    if kind == "text":
        return len(char) == 1 and char.isprintable()
    if kind == "pin":
        return len(char) == 1 and char.isascii() and char.isdigit()
    return char in _NUMBER and len(char) == 1 and not (char in ".," and any(sign in typed for sign in ".,"))


def _entered(view: View, typed: str | None) -> Intent:
    if view.entry is not None:
        value = view.entry.value if typed is None else typed
        return Send("entry", value) if value else Tell("ui.type_first", {"name": view.entry.name})
    if view.choices and typed:
        return _chosen(view.choices, typed)
    return Tell("ui.enter_nothing", {})


def _erased(view: View, typed: str | None) -> Intent:
    if typed:
        rest = typed[:-1]
        return Typing(rest if rest or view.entry is not None else None)
    return Typing("") if view.entry is not None and view.entry.value else None


def _proposed(view: View) -> bool:
    """Whether F2 sends the proposal that is shown; a scan that waits for a yes goes first."""
    asks = view.message is not None and view.message.verdict is Verdict.CONFIRM
    return view.entry is not None and bool(view.entry.value) and not asks


def _digit(choices: tuple[Choice, ...], typed: str) -> Intent:
    """Up to nine choices a digit chooses at once; more wait for Enter."""
    return Typing(typed[:3]) if max(choice.number for choice in choices) > AT_ONCE else _chosen(choices, typed)


def _chosen(choices: tuple[Choice, ...], typed: str) -> Intent:
    number = int(typed)
    chosen = next((choice for choice in choices if choice.number == number), None)
    if chosen is not None:
        return Send("choice", chosen.id)
    return Tell(
        "ui.no_such_choice", {"n": str(number), "last": str(max(choice.number for choice in choices))}
    )


def _action(view: View, typed: str | None, key: str, char: str | None, guide: bool) -> Intent:
    can = offered(view)
    action = pressed(key, char, can, letters=True, guide=guide)
    if action is None:
        return None
    if action.local and (action.name in can or (not action.on and action.name != "exceptions")):
        return Local(action.name)
    entry = view.entry
    if (
        action.name == "confirm"
        and entry is not None
        and (typed is not None or "confirm" not in view.actions or _proposed(view))
    ):
        return _entered(view, typed)
    if action.name in view.actions:
        return Send("action", action.name)
    return Tell("ui.not_here", {"key": action.shown, "action": action.name})
