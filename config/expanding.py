"""A site file with its machine maps put in: afterwards it reads as if every point had been written out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from config.checking import Checker, OptionTypes
from config.machine_maps import (
    MachineMap,
    Meaning,
    as_table,
    filled,
    find_map,
    load_map,
    map_names,
    point_names,
)
from config.problems import ConfigError
from config.wording import did_you_mean, toml

_MEANINGS = tuple(one.name for one in msgspec.structs.fields(Meaning))
_BY_ENTRY = ("states", "modes", "alarms", "units")  # tables that site and map fill together


def expand(table: dict[str, Any], folder: Path, options: OptionTypes, checker: Checker) -> dict[str, Any]:
    """The site file with what its maps say; `checker` is told what is wrong with them.

    What a device or a machine says itself counts more than its map: a point of the same name changes
    only the keys that it has, one of another name is added. Own points keep their place in the list, so
    that a problem with one is told at its own key; those of the map follow.
    """
    maps: dict[str, MachineMap] = {}
    gone: dict[str, set[str]] = {}
    devices: list[Any] = []
    for key, device in _entries(table, "devices"):
        found = _map_of(device, key, folder, options, checker)
        if found is None:
            devices.append(device)
            continue
        left_out = _left_out(device, key, found, checker)
        devices.append(_device(device, key, found, left_out, checker))
        if isinstance(name := device.get("name"), str):
            maps[name], gone[name] = found, left_out
    if not maps:
        return table
    machines = list(_machines(table, maps, gone, checker))
    return table | {"devices": devices} | ({"equipment": machines} if machines else {})


def _entries(table: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    found = table.get(name)
    for index, one in enumerate(found if isinstance(found, list) else ()):
        yield f"{name}[{index}]", one


def _map_of(device: Any, key: str, folder: Path, options: OptionTypes, checker: Checker) -> MachineMap | None:
    """The map that a device names; None when it names none, or none that can be used."""
    name = device.get("map") if isinstance(device, dict) else None
    if not isinstance(name, str) or not name:
        return None  # what is no text is told by the type
    path = find_map(name, folder)
    if path is None:
        known = map_names(folder)
        what = f"there is no machine map {toml(name)}{did_you_mean(name, known)}"
        checker.say(f"{key}.map", what, ", ".join(known))
        return None
    try:
        return load_map(path, options)
    except ConfigError as error:
        checker.problems += error.problems
        return None


def _device(
    device: dict[str, Any], key: str, found: MachineMap, left_out: set[str], checker: Checker
) -> dict[str, Any]:
    """A device with the driver, the options and the points of its map."""
    said = device.get("driver", found.driver)
    if said != found.driver:
        what = f"the map {toml(device['map'])} is for the driver {found.driver}, not for {toml(said)}"
        checker.say(f"{key}.driver", what, f"{found.driver}, or leave it out")
        return device
    own = device.get("options", {})
    values = _values(device, key, found, checker)
    if values is None or not isinstance(own, dict):
        return device | {"driver": found.driver}
    theirs = filled(found.options, values)
    points = list(_points(own.get("points", []), theirs.get("points", []), left_out))
    expect: Any = {item: values for item, values in found.expect.items() if item not in left_out}
    said = device.get("expect", {})
    expect = expect | said if isinstance(said, dict) else said  # what is no table is told by the type
    return device | {"driver": found.driver, "options": theirs | own | {"points": points}, "expect": expect}


def _values(
    device: dict[str, Any], key: str, found: MachineMap, checker: Checker
) -> dict[str, str | int] | None:
    """The parameters of a device; None when one is missing or can not be used."""
    given = device.get("parameters", {})
    if not isinstance(given, dict):
        return None  # told by the type
    before = len(checker.problems)
    for name in given.keys() - found.parameters.keys():
        what = f"the map has no such parameter{did_you_mean(name, found.parameters)}"
        checker.say(f"{key}.parameters.{name}", what, ", ".join(found.parameters) or "none")
    values: dict[str, str | int] = {}
    for name, parameter in found.parameters.items():
        value = given.get(name)
        if value is None and parameter.follows(parameter.default) and len(checker.problems) > before:
            continue  # what it follows is told already
        if value is None:
            value = filled(parameter.default, values)
        if value is None:
            what = f"is missing: {parameter.what}"
            checker.say(f"{key}.parameters.{name}", what, f"for example {toml(parameter.example)}")
        elif not parameter.fits(value):
            checker.say(
                f"{key}.parameters.{name}", f"{toml(value)} can not stand here", f"a {parameter.kind}"
            )
        else:
            values[name] = value
    return values if len(checker.problems) == before else None


def _left_out(device: dict[str, Any], key: str, found: MachineMap, checker: Checker) -> set[str]:
    said = device.get("leave_out", [])
    names = [name for name in said if isinstance(name, str)] if isinstance(said, list) else []
    for index, name in enumerate(names):
        if name not in found.points:
            what = f"the map has no point {toml(name)}{did_you_mean(name, found.points)}"
            checker.say(f"{key}.leave_out[{index}]", what, ", ".join(found.points))
    return set(names)


def _points(own: Any, theirs: list[dict[str, Any]], left_out: set[str]) -> Iterator[Any]:
    """Own points first, each over the map's one of its name; then the rest of the map."""
    by_name = {point["name"]: point for point in theirs}
    for point in own if isinstance(own, list) else ():
        name = point.get("name") if isinstance(point, dict) else None
        yield by_name[name] | point if isinstance(name, str) and name in by_name else point
    taken = {*point_names({"points": own}), *left_out}
    yield from (point for name, point in by_name.items() if name not in taken)


def _machines(
    table: dict[str, Any], maps: dict[str, MachineMap], gone: dict[str, set[str]], checker: Checker
) -> Iterator[Any]:
    """Every equipment; one whose device has a map takes from it what it does not say itself."""
    spoken_for: dict[str, str] = {}
    for key, machine in _entries(table, "equipment"):
        device = machine.get("device") if isinstance(machine, dict) else None
        if not isinstance(device, str) or device not in maps:
            yield machine
            continue
        if not any(name in machine for name in _MEANINGS):
            if device in spoken_for:
                what = f"the map of {device} already speaks for {spoken_for[device]}"
                checker.say(f"{key}.device", what, "a device of its own, or say `state` and `count` here")
            spoken_for.setdefault(device, key)
        yield _machine(machine, key, as_table(maps[device].equipment, gone[device]), checker)


def _machine(machine: dict[str, Any], key: str, theirs: dict[str, Any], checker: Checker) -> dict[str, Any]:
    """A machine with what its map says; the words of an item go with that item only."""
    if _differs(machine, theirs, "state"):
        if "states" not in machine and theirs.get("states"):
            what = f"the map's states are those of its own item {toml(theirs['state'])}, not of this one"
            checker.say(f"{key}.state", what, "say `states` as well, or leave `state` out")
        theirs = _without(theirs, "states", "state_within")
    for item, words in (("mode", "modes"), ("alarm", "alarms"), ("count", "count_width"), ("count", "count_modulus"),
        ("count", "counts"), ("count", "scrap_count"),
    ):  # fmt: skip
        if _differs(machine, theirs, item):
            theirs = _without(theirs, words)
    if "count_width" in machine or "count_modulus" in machine:  # two ways to say one thing
        theirs = _without(theirs, "count_width", "count_modulus")
    if "show" in machine and isinstance(shown := machine["show"], list):
        units = {item: unit for item, unit in theirs.get("units", {}).items() if item in shown}
        theirs = _without(theirs, "units") | ({"units": units} if units else {})
    both = {
        name: theirs[name] | machine[name]
        for name in _BY_ENTRY
        if name in theirs and isinstance(machine.get(name), dict)
    }
    return theirs | machine | both


def _differs(machine: dict[str, Any], theirs: dict[str, Any], item: str) -> bool:
    return item in machine and machine[item] != theirs.get(item)


def _without(table: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}
