"""The operator flows. A module here that has `advance` is a scenario; there is no list to edit.

The name of a scenario is the tag of its `State`, which is also its file name.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Union, cast

import msgspec

from edge_agent.scenarios.contract import Scenario


@functools.cache
def load() -> Mapping[str, Scenario]:
    """Every scenario by name."""
    found = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        if hasattr(module, "advance"):
            found[info.name] = cast("Scenario", module)
    return MappingProxyType(found)


def name_of(state: msgspec.Struct) -> str:
    """The scenario that a state belongs to."""
    return str(state.__struct_config__.tag)


def encode(state: msgspec.Struct) -> bytes:
    """A state as JSON, its scenario in the tag."""
    return msgspec.json.encode(state)


def decode(data: bytes) -> Any:
    """The state of whichever scenario. Raises msgspec.DecodeError when no scenario knows it."""
    return _decoder().decode(data)


@functools.cache
def _decoder() -> msgspec.json.Decoder[Any]:
    states = tuple(scenario.State for scenario in load().values())
    return msgspec.json.Decoder(Union[states])  # noqa: UP007 - the members are known at run time only
