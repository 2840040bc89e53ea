"""The one table of actions: what a person can do beside scanning, and with which key.

`name` is what `View.actions` lists and what an `Input(kind="action")` carries; the command label of an
action (`C:NAME.<check>`) comes with `View.expects`. Actions that the terminal does itself are `local`.
Adding an action is one row here and its words `action.<name>` in `texts/*.toml`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge_agent.views import View


@dataclass(frozen=True)
class Action:
    """One row: `keys` as Textual names them, `alias` one letter that does the same while no text is typed.

    A local action with `on` is one of the pages of that tag only.
    """

    name: str
    keys: tuple[str, ...] = ()
    alias: str = ""
    local: bool = False
    on: str = ""

    @property
    def shown(self) -> str:
        """The key as people call it.

        >>> Action("undo", ("f7",)).shown, Action("report", alias="R").shown
        ('F7', 'R')
        """
        return self.keys[0].upper() if self.keys else self.alias


ACTIONS = (
    Action("help", ("f1",), "H", local=True),
    Action("confirm", ("f2",)),
    Action("back", ("f3", "escape")),
    Action("list", ("f4",), "L"),
    Action("exception", ("f5",), "X"),
    Action("park", ("f6",), "K"),
    Action("undo", ("f7",), "U"),
    Action("queue", ("f9",), "Q", local=True),
    Action("exceptions", (), "V", local=True),
    Action("sign_off", ("f10",)),
    Action("report", (), "R"),
    Action("scrap", (), "S"),
    Action("finish", (), "E"),
    Action("explain", (), "Y"),
    Action("assign", (), "B"),
    Action("split", (), "T"),
    Action("machines", ("f8",), "M"),
    Action("request", (), "N"),
    Action("work", (), "J"),
    Action("downtime", (), "D"),
    Action("link", (), "I"),
    Action("span", (), "Z"),
    Action("earlier", (), "F"),
    Action("resend", (), "A"),
    Action("correct", (), "C"),
    Action("hand_over", (), "O"),
    Action("acknowledge", (), "G"),
    Action("test_read", (), "R", local=True, on="link"),
)

# Only with `--guide`: the demo strip plays the scan of the step, or a wrong one.
GUIDE_ACTIONS = (
    Action("guide_scan", ("f12",), "P", local=True),
    Action("guide_wrong", ("f11",), "W", local=True),
    Action("guide_other", (), "O", local=True),
    Action("guide_lead", (), "I", local=True),
)

ON_PAGE = ("earlier",)  # their key stands on the page, beside what it is about

_BY_NAME = {action.name: action for action in ACTIONS + GUIDE_ACTIONS}


def action(name: str) -> Action:
    """The row of an action; one without a key for a name that the table does not know (its label works)."""
    return _BY_NAME.get(name) or Action(name)


def offered(view: View) -> tuple[str, ...]:
    """The actions of a view, and what the terminal itself can do on its page."""
    tag = view.page.__struct_config__.tag
    return (*(row.name for row in ACTIONS if row.on and row.on == tag), *view.actions)


def pressed(key: str, char: str | None, offered: Iterable[str], letters: bool, guide: bool) -> Action | None:
    """The action that a key means here: an offered one first, else the first with that key, else None.

    `letters`: one-letter aliases count (nothing is typed that could hold a letter).
    """
    letter = char.upper() if letters and char and len(char) == 1 else None
    table = ACTIONS + GUIDE_ACTIONS if guide else ACTIONS
    meant = [row for row in table if key in row.keys or (letter is not None and row.alias == letter)]
    names = set(offered)
    return next((row for row in meant if (row.local and not row.on) or row.name in names), meant[0] if meant else None)
