"""The site file as JSON Schema, for editors that complete and check while somebody types."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from config.checking import OptionTypes
from config.settings import Connector, Device, Scanner, Settings

_WHOSE = ((Scanner, "driver"), (Device, "driver"), (Connector, "connector"))


def json_schema(options: OptionTypes) -> dict[str, Any]:
    """The schema of a site file (2020-12), with the options of all that `options` names."""
    kinds = {
        (whose, name): _known(options, whose, name)
        for whose in ("driver", "connector")
        for name in options.names(whose)
    }
    (root, *refs), definitions = msgspec.json.schema_components(
        [Settings, *kinds.values()], schema_hook=_path, ref_template="#/$defs/{name}"
    )
    reference = dict(zip(kinds, refs, strict=True))
    for owner, whose in _WHOSE:
        mine = {name: ref for (kind, name), ref in reference.items() if kind == whose}
        definitions[owner.__name__] |= _with_options(definitions[owner.__name__], mine)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Floorhand site file",
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_file(options: OptionTypes) -> str:
    """The text of `config/schema.json`."""
    return msgspec.json.format(msgspec.json.encode(json_schema(options)), indent=2).decode() + "\n"


def _known(options: OptionTypes, whose: str, name: str) -> type:
    kind = options.find(whose, name)
    if kind is None:
        raise LookupError(f"there is no {whose} {name}")
    return kind


def _with_options(schema: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    properties = schema["properties"]
    rules = [
        {
            "if": {"properties": {"driver": {"const": name}}, "required": ["driver"]},
            "then": {"properties": {"options": reference}},
        }
        for name, reference in options.items()
    ]
    driver = properties["driver"] | {"examples": list(options)}
    return {"properties": properties | {"driver": driver}, "allOf": rules}


def _path(kind: type) -> dict[str, Any]:
    if kind is Path:
        return {"type": "string", "minLength": 1}
    raise NotImplementedError(kind)
