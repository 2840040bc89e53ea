"""Every mistake in a table at once: msgspec stops at the first, so the types are walked leaf by leaf."""

from __future__ import annotations

import enum
import functools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo

from config import addresses
from config.problems import Problem
from config.secrets import SecretError, read_secret
from config.wording import allowed, did_you_mean, extra, members, similar, toml, unwrap


@dataclass(frozen=True)
class OptionTypes:
    """Whose options a site file may hold. Look-ups return the Options type, or None for an unknown name."""

    drivers: Callable[[str], type | None]
    driver_names: Callable[[], tuple[str, ...]]
    connectors: Callable[[str], type | None]
    connector_names: Callable[[], tuple[str, ...]]

    def find(self, whose: str, name: str) -> type | None:
        """The Options of a driver or connector; `whose` is "driver" or "connector"."""
        return self.drivers(name) if whose == "driver" else self.connectors(name)

    def names(self, whose: str) -> tuple[str, ...]:
        """The names that are proposed, in order."""
        return self.driver_names() if whose == "driver" else self.connector_names()


class Checker:
    """Walks a table along a type and collects `problems`; when there are none, `convert` succeeds."""

    def __init__(self, file: str, options: OptionTypes) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._options = options
        self._names: dict[str, dict[str, str]] = {}  # kind -> name -> key where it was first defined
        self._unnamed: set[str] = set()  # kinds with a definition whose name could not be read
        self._references: list[tuple[str, str, str]] = []  # key, kind, name
        self._secrets: list[tuple[str, str]] = []  # key, path as written

    def check(self, value: Any, wanted: Any, key: str = "") -> None:
        """Collect what is wrong with `value` where `wanted` is expected."""
        base, metas = unwrap(wanted)
        self._note_names(value, metas, key)
        before = len(self.problems)
        shape = _shape(base, value)
        if isinstance(shape, type) and issubclass(shape, Struct) and isinstance(value, dict):
            self._check_struct(value, shape, key)
        elif get_origin(shape) is dict and isinstance(value, dict):
            for name, part in value.items():
                self.check(part, get_args(shape)[1], join(key, name))
        elif get_origin(shape) in (list, tuple, set, frozenset) and isinstance(value, list):
            for index, part in enumerate(value):
                self.check(part, get_args(shape)[0], f"{key}[{index}]")
        if len(self.problems) == before:
            self._check_whole(value, wanted, key)

    def check_references(self) -> None:
        """Collect references to things that are nowhere defined; to be called after `check`."""
        for key, kind, name in self._references:
            known = self._names.get(kind, {})
            if name and name not in known and kind not in self._unnamed:
                what = f"there is no {kind} {toml(name)}{did_you_mean(name, known)}"
                self.say(key, what, ", ".join(known) if known else f"nothing, for no {kind} is defined")

    def check_secrets(self, folder: Path) -> None:
        """Collect secret files that are missing or that others may read; to be called after `check`.

        `folder` is where relative paths start.
        """
        for key, path in self._secrets:
            try:
                read_secret(folder / path)
            except SecretError as error:
                self.say(key, str(error))

    def say(self, key: str, what: str, allowed: str = "") -> None:
        """Add a problem."""
        self.problems.append(Problem(self._file, key, what, allowed))

    def _check_struct(self, table: dict[str, Any], kind: type[Struct], key: str) -> None:
        fields = _fields(kind)
        known = {*fields, kind.__struct_config__.tag_field} if kind.__struct_config__.tag else {*fields}
        meant = set()
        for name in [name for name in table if name not in known]:
            free = [field for field in fields if field not in table]
            meant.add(similar(name, free))
            self.say(join(key, name), f"unknown key{did_you_mean(name, free)}", ", ".join(fields))
        for name, field in fields.items():
            whose = extra(unwrap(field.type)[1], "options")
            if whose:
                self._check_options(table, whose, key)
            elif name in table:
                self.check(table[name], field.type, join(key, name))
            elif field.required and name not in meant:
                self.say(join(key, name), "is missing", allowed(field.type))
            if name not in table and (defined := extra(unwrap(field.type)[1], "defines")):
                self._unnamed.add(defined)

    def _check_options(self, table: dict[str, Any], whose: str, key: str) -> None:
        name = table.get("driver")
        if not isinstance(name, str):
            return  # told where `driver` itself is checked
        kind = self._options.find(whose, name)
        if kind is None:
            names = self._options.names(whose)
            what = f"there is no {whose} {toml(name)}{did_you_mean(name, names)}"
            self.say(join(key, "driver"), what, ", ".join(names))
        else:
            self.check(table.get("options", {}), kind, join(key, "options"))

    def _check_whole(self, value: Any, wanted: Any, key: str) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            self.say(key, f"{value} is no number to work with", allowed(wanted))
            return
        try:
            convert(value, wanted)
        except msgspec.ValidationError as error:
            base, _ = unwrap(wanted)
            if isinstance(value, dict) and isinstance(base, type) and issubclass(base, Struct):
                self.say(key, str(error))  # the sentence of its __post_init__
            else:
                self.say(key, f"{toml(value)} can not stand here{_meant(value, base)}", allowed(wanted))
        else:
            self._check_address(value, wanted, key)

    def _check_address(self, value: Any, wanted: Any, key: str) -> None:
        kind = extra(unwrap(wanted)[1], "address")
        if kind and value and (said := addresses.problem(kind, value)):
            self.say(key, f"{toml(value)} can not stand here: {said}", addresses.ALLOWED[kind])

    def _note_names(self, value: Any, metas: Any, key: str) -> None:
        if (kind := extra(metas, "defines")) is not None:
            if not isinstance(value, str):
                self._unnamed.add(kind)
                return
            space = extra(metas, "among") or kind
            taken = self._names.setdefault(f"names of {space}", {})
            if value in taken:
                self.say(key, f"{toml(value)} is already the name of {taken[value]}", "a name of its own")
            taken.setdefault(value, key)
            self._names.setdefault(kind, {}).setdefault(value, key)
        if (what := extra(metas, "alone")) is not None and isinstance(value, str):
            others = self._names.setdefault(f"alone {what}", {})
            if value in others:
                self.say(key, f"{toml(value)} is already {others[value]}", f"a {what} of its own")
            others.setdefault(value, key)
        if extra(metas, "secret") and isinstance(value, str) and value:
            self._secrets.append((key, value))
        if (kind := extra(metas, "refers_to")) is not None and isinstance(value, str):
            self._references.append((key, kind, value))


def convert(value: Any, wanted: Any) -> Any:
    """`value` as msgspec converts it, with paths; raises msgspec.ValidationError."""
    return msgspec.convert(value, wanted, dec_hook=_path, str_keys=True)


def join(key: str, name: str) -> str:
    """The key of `name` within `key`, quoted where TOML wants it.

    >>> join("a[0]", "b"), join("", "b c")
    ('a[0].b', '"b c"')
    """
    bare = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml(name)
    return f"{key}.{bare}" if key else bare


def _path(wanted: type, value: Any) -> Any:
    if wanted is Path and isinstance(value, str) and value and "\0" not in value:
        return Path(value)
    raise ValueError("a path is text")


def _shape(base: Any, value: Any) -> Any:
    """The member of a union that `value` is meant to be; `base` itself when it is no union."""
    parts = members(base)
    if len(parts) == 1:
        return unwrap(parts[0])[0]
    if isinstance(value, Mapping):
        tables = [part for part in parts if isinstance(part, type) and issubclass(part, Struct)]
        tagged = [table for table in tables if _tag(table) in value.items()]
        fitting = tagged if len(tables) > 1 else tables
        return fitting[0] if len(fitting) == 1 else base
    lists = [part for part in parts if get_origin(part) in (list, tuple, set, frozenset)]
    return lists[0] if isinstance(value, list) and len(lists) == 1 else base


def _tag(kind: type[Struct]) -> tuple[str | None, object]:
    return kind.__struct_config__.tag_field, kind.__struct_config__.tag


def _meant(value: Any, base: Any) -> str:
    choices: tuple[Any, ...] = ()
    if get_origin(base) is Literal:
        choices = get_args(base)
    elif isinstance(base, type) and issubclass(base, enum.Enum):
        choices = tuple(member.value for member in base)
    return did_you_mean(value, [c for c in choices if isinstance(c, str)]) if isinstance(value, str) else ""


@functools.cache
def _fields(kind: type[Struct]) -> dict[str, FieldInfo]:
    """By the key that people write; a site may have thousands of points of one kind."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}
