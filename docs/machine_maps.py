"""The reference of the machine maps, from the maps themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from config.machine_maps import MachineMap, find_map, load_map, map_names
from config.wording import toml
from edge_agent.site import option_types

_HEAD = """\
# Machine maps

What the registers or nodes of a machine model mean, as files in
[config/machine_maps](../../config/machine_maps). A device names its map, and the machine that names the device needs
to say nothing more: [connect a machine with a map](../how-to/connect-with-a-map.md). [A new machine
model](../how-to/new-machine-model.md) says how to write one.

| map | driver | what |
|---|---|---|
{rows}

Of browse paths the page leaves out the namespaces. It is written from the maps by `make schema`.
"""


def machine_maps_page() -> str:
    """The text of the page."""
    maps = {name: load_map(path, option_types()) for name in map_names() if (path := find_map(name))}
    rows = "\n".join(f"| [`{name}`](#{name}) | {one.driver} | {one.title} |" for name, one in maps.items())
    parts = [_HEAD.format(rows=rows)]
    parts += ["\n".join(_section(name, one)) for name, one in maps.items()]
    return "\n".join(parts)


def _section(name: str, one: MachineMap) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{one.title}.\n"
    yield from _table(
        ("", ""),
        [("maker", one.maker), ("for", one.model), ("read from", one.document), ("verified", one.verified)],
    )
    yield from ("```toml", *_device(name, one), "```", "")
    if one.parameters:
        rows = [
            (f"`{key}`", each.what, "required" if each.default is None else f"`{toml(each.default)}`")
            for key, each in one.parameters.items()
        ]
        yield from _table(("parameter", "what", "left out"), rows)
    yield from _table(("point", "where", "is"), [_row(point, one) for point in one.options["points"]])
    if states := one.equipment.states:
        yield from _table(
            ("the machine says", "PackML"),
            [(f"`{raw}`", f"`{state.value}`") for raw, state in states.items()],
        )


def _device(name: str, one: MachineMap) -> Iterator[str]:
    """What a site file has to say."""
    yield "[[devices]]"
    yield f'name = "machine-1"\nmap = "{name}"'
    said = {key: each.example for key, each in one.parameters.items() if each.default is None}
    if said:
        yield f"parameters = {_inline(said)}"
    yield f"options = {_inline(one.example)}"


def _inline(table: dict[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {toml(value)}" for key, value in table.items()) + " }"


def _row(point: dict[str, Any], one: MachineMap) -> tuple[str, str, str]:
    where = ", ".join(f"{key} {_short(value)}" for key, value in point.items() if key != "name")
    meaning = one.equipment
    named = (meaning.state, *meaning.state_within)
    roles = [
        *(["state"] if point["name"] in named else []),
        *(key for key in ("count", "scrap_count", "mode", "alarm") if getattr(meaning, key) == point["name"]),
        *(["shown"] if point["name"] in meaning.show else []),
    ]
    unit = meaning.units.get(point["name"], "")
    return f"`{point['name']}`", f"`{where}`", ", ".join(roles) + (f" ({unit})" if unit else "")


def _short(value: Any) -> str:
    """A browse path without its namespaces, which are those of the standard."""
    return re.sub(r"nsu=[^;]*;", "", value) if isinstance(value, str) else str(value)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""
