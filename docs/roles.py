"""The page of roles, from the matrix by which the agent judges."""

from __future__ import annotations

from edge_agent.roles import FLOWS, MATRIX, Action, Role
from terminal_ui.texts import Texts

_HEAD = """# Roles

Generated from `edge_agent/roles.py` by `make schema`.

A person has the roles that the ERP sends with them (`roles` of a `Person`). What is not in this table is refused, to
everybody. Who signs on may look around, with whatever role; somebody whose roles are none of these may do nothing else.
A refusal says which roles may. Values of machines are changed by the roles that `[[writes]]` of the site file names for
each item: these may be names of the plant's own.

Whoever runs as the agent's own user may read the journal, read a device once, take a backup, let somebody choose a new
PIN and write the options of a scanner as well, whoever is signed on: the terminal of the demo does. A terminal with
[a user of its own](../how-to/install-as-a-service.md) has to have somebody signed on with the role.

"""


def roles_page() -> str:
    """`docs/reference/roles.md`."""
    texts = Texts()
    head = f"| | {' | '.join(Role)} |\n|---|{'---|' * len(Role)}\n"
    rows = "".join(_row(texts.word("right", action), action) for action in Action)
    flows = "".join(
        f"* `{flow}`: {texts.word('right', action) if action else 'everybody'}\n"
        for flow, action in sorted(FLOWS.items())
    )
    return f"{_HEAD}{head}{rows}\n## What each flow takes\n\n{flows}"


def _row(words: str, action: Action) -> str:
    marks = ("yes" if role in MATRIX[action] else "" for role in Role)
    return f"| {words} | {' | '.join(marks)} |\n"
