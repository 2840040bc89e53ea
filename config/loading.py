"""The site file in, typed settings out, or every problem told at once."""

from __future__ import annotations

import os
import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from config.checking import Checker, OptionTypes, convert
from config.counters import entries, options_for, with_widths
from config.expanding import expand
from config.files import is_regular, open_now
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
        with open(path, "rb", opener=open_now) as file:
            if not is_regular(file.fileno()):
                raise ConfigError([Problem(str(path), "", "is not a file", "the path of a site file")])
            text = file.read().decode("utf-8-sig")  # editors of Windows begin a file with a mark
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(str(path), "", "is not text in UTF-8")]) from error
    except OSError as error:
        what = f"can not be read: {error.strerror}"
        raise ConfigError([Problem(str(path), "", what, "the path of a site file")]) from error
    return parse(text, file=str(path), folder=path.resolve().parent, options=options)


def parse(text: str, *, file: str, folder: Path, options: OptionTypes) -> Settings:
    """As `load`, from text. `file` is its name in problems, `folder` where relative paths start."""
    try:
        return _parsed(text, file, folder, options)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax(file, str(error))]) from error
    except RecursionError as error:
        what = "has lists or tables within each other by the hundred"
        raise ConfigError([Problem(file, "", what, "a few, as the reference shows them")]) from error


def _parsed(text: str, file: str, folder: Path, options: OptionTypes) -> Settings:
    table = tomllib.loads(text)
    checker = Checker(file, options)
    table = with_widths(expand(table, folder, options, checker), options, checker)
    checker.check(table, Settings)
    checker.check_references()
    checker.check_secrets(folder)
    _check_items(table, checker)
    _check_writes(table, options, checker)
    _check_telemetry(table, checker)
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
    """Every item that `expect` or an equipment names must be one of the `points` of its device, where it has such."""
    points = {one.get("name"): _points(one) for one in entries(table, "devices")}
    for index, device in enumerate(entries(table, "devices")):
        expect, there = device.get("expect"), points[device.get("name")]
        for item in sorted((expect if isinstance(expect, dict) and there else {}).keys() - set(there)):
            what = f"{device.get('name')} has no item {toml(item)}{did_you_mean(item, there)}"
            checker.say(f"devices[{index}].expect.{item}", what, ", ".join(there))
    for index, equipment in enumerate(entries(table, "equipment")):
        known = points.get(equipment.get("device"))
        named = [(f".{key}", equipment.get(key)) for key in ("state", "count", "scrap_count", "alarm")]
        for key in ("state_within", "show"):
            items = equipment.get(key)
            named += [(f".{key}[{n}]", item) for n, item in enumerate(items if isinstance(items, list) else ())]
        for key, item in named:
            if known and isinstance(item, str) and item and item not in known:
                what = f"{equipment['device']} has no item {toml(item)}{did_you_mean(item, known)}"
                checker.say(f"equipment[{index}]{key}", what, ", ".join(known))


def _check_telemetry(table: dict[str, Any], checker: Checker) -> None:
    """What is said of values must be about some: of a device that is there, and of a point where it has such."""
    points = {name: _points(one) for one in entries(table, "devices") if isinstance(name := one.get("name"), str)}
    telemetry = table.get("telemetry")
    for index, each in enumerate(entries(telemetry, "items") if isinstance(telemetry, dict) else ()):
        match = each.get("match")
        if not isinstance(match, str) or not match:
            continue  # told already
        key, device = f"telemetry.items[{index}].match", match.partition("/")[0]
        meant = [name for name in points if "*" in device or fnmatchcase(name, device)]  # * goes over a / as well
        if not meant:
            known = ", ".join(points) or "nothing, for no device is defined"
            checker.say(key, f"there is no device {toml(device)}{did_you_mean(device, points)}", known)
        elif all(points[name] for name in meant) and not any(_matched(match, name, points[name]) for name in meant):
            items = {f"{name}/{item}": None for name in meant for item in points[name]}
            checker.say(key, f"no item is {toml(match)}{did_you_mean(match, items)}", ", ".join(items))


def _matched(match: str, device: str, items: tuple[str, ...]) -> bool:
    return any(fnmatchcase(f"{device}/{item}", match) for item in items)


def _check_writes(table: dict[str, Any], options: OptionTypes, checker: Checker) -> None:
    """What stands twice in the list of writes, or can only be read: also while the rest of the file is wrong."""
    devices, seen = {one.get("name"): one for one in entries(table, "devices")}, set()
    for index, each in enumerate(entries(table, "writes")):
        device, item = devices.get(each.get("device")), each.get("item")
        if device is None or not isinstance(item, str):
            continue  # told already
        place = (each["device"], item)
        why = "stands in the list already" if place in seen else _unwritable(device, item, options)
        seen.add(place)
        if why:
            checker.say(f"writes[{index}].item", f"{toml(item)} {why}")


def _unwritable(device: dict[str, Any], item: str, options: OptionTypes) -> str:
    """Why an item of a device can not be written; empty when it can, or when nobody can tell yet."""
    name = device.get("driver")
    kind = options.find("driver", name) if isinstance(name, str) else None
    if kind is not None and isinstance(device.get("options"), dict) and not hasattr(kind, "unwritable"):
        return f"can not be written: the driver of {device['name']} only reads"
    said = options_for(device, item, options)
    return "" if said is None else str(said.unwritable(item))


def _points(device: dict[str, Any]) -> tuple[str, ...]:
    """The names of the points of a device; empty when they can not be told."""
    options = device.get("options")
    names = [point.get("name") for point in entries(options, "points")] if isinstance(options, dict) else []
    return tuple(name for name in names if isinstance(name, str)) if None not in names else ()


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
