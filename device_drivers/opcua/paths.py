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
    steps = path_of(text)
    if len(steps) < 2:
        raise ValueError(_none(text))
    return steps


def path_of(text: str) -> tuple[Step, ...]:
    """As `browse_path`, and the folder at its beginning alone is a path too.

    >>> path_of("Objects")
    (Step(name='Objects', uri='', index=0),)
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
    if not steps or steps[0] not in map(Step, _ENTRIES) or any(step.index > 65_535 for step in steps):
        raise ValueError(_none(text))
    return tuple(steps)


def step_text(name: str, uri: str, index: int) -> str:
    """A browse name as a path says it: with the URI of its namespace where it can be said, for indexes move.

    >>> step_text("In/Out", "urn:a/b", 2), step_text("State", "urn:odd;one", 3), step_text("2:A", "", 0)
    ('nsu=urn:a/b;In&/Out', '3:State', '&2:A')
    """
    name = re.sub(r"[/&]", r"&\g<0>", name)
    if index:
        return f"nsu={uri};{name}" if uri and ";" not in uri else f"{index}:{name}"
    return f"&{name}" if re.match(r"\d+:|nsu=[^;]+;", name) else name


def _none(text: str) -> str:
    return f"{text!r} is no browse path; one looks like Objects/nsu=urn:maker:machine;Machine"
