"""The reference of the keys, from the terminal's own table and its words."""

from __future__ import annotations

from edge_agent.local_api.label_page import COMMANDS
from edge_agent.scanning.labels import label
from edge_agent.views import Kind
from terminal_ui.keys import ACTIONS, GUIDE_ACTIONS, Action
from terminal_ui.texts import Texts

_HEAD = """# Keys

Every action has a key, and most have a label that does the same when it is scanned. `F1` shows at each step which
of them do something now; the key line at the lower edge names them. The letters work while nothing is typed that
could hold a letter.

| key | letter | action | does | label |
|---|---|---|---|---|
{actions}

Without a label: what the terminal does by itself, and what none of today's flows asks for.

Beside these:

| key | does |
|---|---|
| 0 to 9, point, comma | type a quantity, or choose what has that number |
| Enter | sends what stands in the entry, typed or proposed |
| Backspace | takes the last character back |
| Esc | clears what is typed; else one step back; closes a page |
| PageDown, PageUp, arrows | leaf through a long list |
| Ctrl+C, twice within two seconds | ends the terminal program; the agent keeps the step |

A scanner that pretends to be a keyboard needs no key: characters that come faster than 50 ms each, ended by Enter or
Tab, are a scan. Keys that come that fast are never typed, and a key that is held counts once, but arrows and backspace.

Only in the demo:

| key | letter | does |
|---|---|---|
{guide}

This page is written from `terminal_ui/keys.py` by `make schema`.
"""


def keys_page() -> str:
    """The text of the page."""
    texts = Texts("en")
    return _HEAD.format(
        actions="\n".join(_row(each, texts) for each in ACTIONS),
        guide="\n".join(f"| {_keys(each)} | {each.alias} | {_does(each, texts)} |" for each in GUIDE_ACTIONS),
    )


def _row(action: Action, texts: Texts) -> str:
    printed = f"`{label(Kind.COMMAND, action.name.upper())}`" if action.name in COMMANDS else ""
    return f"| {_keys(action)} | {action.alias} | `{action.name}` | {_does(action, texts)} | {printed} |"


def _keys(action: Action) -> str:
    return ", ".join("Esc" if key == "escape" else key.upper() for key in action.keys)


def _does(action: Action, texts: Texts) -> str:
    return texts.say(f"help.{action.name}")
