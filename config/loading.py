"""The site file in, typed settings out, or every problem told at once."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from config.checking import Checker, OptionTypes, convert
from config.expanding import expand
from config.problems import ConfigError, Problem
from config.settings import Connector, Device, Scanner, Settings
from config.wording import did_you_mean, toml

# sun_path holds 104 bytes on the BSDs and 108 on Linux, with a NUL at the end.
_SOCKET_LIMIT = 103

_T = TypeVar("_T", Scanner, Device, Connector)


def load(path: Path, options: OptionTypes) -> Settings:
    """Read a site file. Paths in it become absolute, relative ones from its folder.

    Raises ConfigError with every problem there is.
    """
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(str(path), "", "is not text in UTF-8")]) from error
    except OSError as error:
        what = f"can not be read: {error.strerror}"
        raise ConfigError([Problem(str(path), "", what, "the path of a site file")]) from error
    return parse(text, file=str(path), folder=path.resolve().parent, options=options)


def parse(text: str, *, file: str, folder: Path, options: OptionTypes) -> Settings:
    """As `load`, from text. `file` is its name in problems, `folder` where relative paths start."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(file, str(error))]) from error
    checker = Checker(file, options)
    table = expand(table, folder, options, checker)
    checker.check(table, Settings)
    checker.check_references()
    checker.check_secrets(folder)
    _check_items(table, checker)
    _check_socket(table, folder, checker)
    if checker.problems:
        raise ConfigError(checker.problems)
    settings: Settings = convert(table, Settings)
    settings = msgspec.structs.replace(
        settings,
        scanners=tuple(_with_options(one, "driver", options) for one in settings.scanners),
        devices=tuple(_with_options(one, "driver", options) for one in settings.devices),
        connectors=tuple(_with_options(one, "connector", options) for one in settings.connectors),
    )
    if problems := _unwritable(settings, file):
        raise ConfigError(problems)
    absolute: Settings = _absolute(settings, folder)
    return absolute


def _with_options(one: _T, whose: str, options: OptionTypes) -> _T:
    return msgspec.structs.replace(one, options=convert(one.options, options.find(whose, one.driver)))


def _absolute(value: Any, folder: Path) -> Any:
    """`value` with every path in it made absolute."""
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, tuple | list):
        return type(value)(_absolute(part, folder) for part in value)
    if isinstance(value, msgspec.Struct):
        parts = {name: _absolute(getattr(value, name), folder) for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **parts)
    return value


def _check_items(table: dict[str, Any], checker: Checker) -> None:
    """Every item that an equipment names must be one of the `points` of its device, where it has such."""
    points = {one.get("name"): _points(one) for one in _entries(table, "devices")}
    for index, equipment in enumerate(_entries(table, "equipment")):
        known = points.get(equipment.get("device"))
        named = [(f".{key}", equipment.get(key)) for key in ("state", "count", "alarm")]
        for key in ("state_within", "show"):
            items = equipment.get(key)
            named += [(f".{key}[{n}]", item) for n, item in enumerate(items if isinstance(items, list) else ())]
        for key, item in named:
            if known and isinstance(item, str) and item and item not in known:
                what = f"{equipment['device']} has no item {toml(item)}{did_you_mean(item, known)}"
                checker.say(f"equipment[{index}]{key}", what, ", ".join(known))


def _unwritable(settings: Settings, file: str) -> list[Problem]:
    """What stands twice in the list of writes, or can only be read."""
    options = {device.name: device.options for device in settings.devices}
    problems, seen = [], set()
    for index, each in enumerate(settings.writes):
        ask = getattr(options[each.device], "unwritable", None)
        why = ask(each.item) if ask else f"can not be written: the driver of {each.device} only reads"
        if (each.device, each.item) in seen:
            why = "stands in the list already"
        seen.add((each.device, each.item))
        if why:
            problems.append(Problem(file, f"writes[{index}].item", f"{toml(each.item)} {why}"))
    return problems


def _points(device: dict[str, Any]) -> tuple[str, ...]:
    """The names of the points of a device; empty when they can not be told."""
    options = device.get("options")
    names = [point.get("name") for point in _entries(options, "points")] if isinstance(options, dict) else []
    return tuple(name for name in names if isinstance(name, str)) if None not in names else ()


def _entries(table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The tables of an array of tables, an empty one where something else stands."""
    found = table.get(key)
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []


def _check_socket(table: dict[str, Any], folder: Path, checker: Checker) -> None:
    site = table.get("site")
    said = site.get("socket", "data/agent.sock") if isinstance(site, dict) else None
    if isinstance(said, str) and len(os.fsencode(folder / said)) > _SOCKET_LIMIT:
        what = f"{folder / said} is too long for a socket"
        checker.say("site.socket", what, f"at most {_SOCKET_LIMIT} bytes, such as /run/floorhand/agent.sock")


def _syntax(file: str, message: str) -> Problem:
    place = re.search(r" \(at (line \d+, column \d+)\)", message)
    what = message.replace(place.group(0), "") if place else message
    return Problem(file, place.group(1) if place else "", f"not TOML: {what[:1].lower()}{what[1:]}")
