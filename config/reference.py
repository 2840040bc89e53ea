"""The reference of the site file, written from the types themselves."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from config.checking import OptionTypes
from config.settings import Settings
from config.wording import allowed, description, extra, members, toml, unwrap

_INTRODUCTION = """\
# The site file

One TOML file says what stands at a site: `floorhand check site.toml` tells every mistake in it at once, with
its key and what may stand there. Unknown keys are mistakes. Relative paths start at the folder of the file.
Editors that know JSON Schema complete it from [config/schema.json](../../config/schema.json); a whole,
commented example is [config/site.example.toml](../../config/site.example.toml).

This page is written from the types by `make schema`.
"""


def reference(options: OptionTypes) -> str:
    """The text of `docs/reference/configuration.md`."""
    parts = [_INTRODUCTION]
    for field in msgspec.structs.fields(Settings):
        (kind, repeated) = _entry(field.type)
        heading = f"[[{field.name}]]" if repeated else f"[{field.name}]"
        parts += _section(kind, f"`{heading}`", 2)
    for whose, title in (("driver", "Options of the drivers"), ("connector", "Options of the connectors")):
        parts.append(f"## {title}\n")
        for name in options.names(whose):
            if (found := options.find(whose, name)) is not None:
                parts += _section(found, f'`driver = "{name}"`', 3)
    return "\n".join(parts)


def _section(kind: type[Struct], title: str, level: int) -> Iterator[str]:
    """A table of one struct and, below it, of the structs that it holds."""
    yield f"{'#' * level} {title}\n"
    yield _contract(kind) + "\n"
    fields = msgspec.structs.fields(kind)
    rows = [
        (f"`{field.encode_name}`", description(unwrap(field.type)[1]), _allowed(field.type), _default(field))
        for field in fields
    ]
    yield from _table(("key", "what", "allowed", "left out"), rows)
    for field in fields:
        several = get_origin(unwrap(field.type)[0]) in (tuple, list, dict)
        for nested in _structs(field.type):
            title = f"`{field.encode_name}`" + (", each entry" if several else "")
            yield from _section(nested, title, level + 1)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table without the columns in which nothing stands."""
    used = [index for index in range(len(head)) if any(row[index] for row in rows)]
    yield "| " + " | ".join(head[index] for index in used) + " |"
    yield "|" + "---|" * len(used)
    for row in rows:
        yield "| " + " | ".join(row[index].replace("|", "\\|").replace("\n", " ") for index in used) + " |"
    yield ""


def _contract(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _allowed(wanted: Any) -> str:
    """`allowed` for a cell of a table, where there is room for more."""
    base, metas = unwrap(wanted)
    if whose := extra(metas, "options"):
        return f"[options of the {whose}s](#options-of-the-{whose}s)"
    if get_origin(base) is dict and _is_enum(get_args(base)[1]):
        return "a table; each value: one of " + ", ".join(f"`{x.value}`" for x in get_args(base)[1])
    return allowed(wanted)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default is NODEFAULT else field.default
    if value in (None, "", (), [], {}):
        return "none"
    if isinstance(value, Struct):
        return "as below"
    if isinstance(value, bool | int | float | str):
        return f"`{toml(value)}`"
    return f'`"{value}"`'


def _entry(wanted: Any) -> tuple[type[Struct], bool]:
    base, _ = unwrap(wanted)
    return (get_args(base)[0], True) if get_origin(base) is tuple else (base, False)


def _structs(wanted: Any) -> Iterator[type[Struct]]:
    base, _ = unwrap(wanted)
    for part in members(base):
        kind = unwrap(part)[0]
        if get_origin(kind) in (tuple, list):
            yield from _structs(get_args(kind)[0])
        elif get_origin(kind) is dict:
            yield from _structs(get_args(kind)[1])
        elif isinstance(kind, type) and issubclass(kind, Struct):
            yield kind
