"""Browse paths as the site file writes them: the way to a node by the names that a browser shows."""

from __future__ import annotations

import re

import msgspec

_ENTRIES = ("Objects", "Types", "Views")  # what every server has below its root (part 5, 8.2)
_STEP = re.compile(r"(?:nsu=(?P<uri>[^;]+);|(?P<index>\d+):)?(?P<name>(?:&.|[^/&])+)(?:/(?!$)|$)", re.DOTALL)


class Step(msgspec.Struct, frozen=True):
    """One browse name of a path: its namespace by URI or by index, never by both."""

    name: str
    uri: str = ""
    index: int = 0


def browse_path(text: str) -> tuple[Step, ...]:
    """Take a browse path apart; its first step is below the root. Raises ValueError in words.

    Each step is `<name>`, `<index>:<name>` or `nsu=<URI>;<name>` (part 6, 5.1.12); `&` before a
    character of a name takes its meaning away (part 4, A.2): `&/` is a slash.

    >>> [(step.name, step.uri or step.index) for step in browse_path("Objects/2:Press/nsu=urn:a/b;Count")]
    [('Objects', 0), ('Press', 2), ('Count', 'urn:a/b')]
    """
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if not found:
            steps = []
            break
        name = re.sub(r"&(.)", r"\1", found["name"], flags=re.DOTALL)
        steps.append(Step(name, uri=found["uri"] or "", index=int(found["index"] or 0)))
        at = found.end()
    if len(steps) < 2 or steps[0] not in map(Step, _ENTRIES) or any(step.index > 65_535 for step in steps):
        raise ValueError(f"{text!r} is no browse path; one looks like Objects/nsu=urn:maker:machine;Machine")
    return tuple(steps)
