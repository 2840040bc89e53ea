"""How wide the counters of the machines are: what a driver knows of its items, against what the site file says."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from config.checking import Checker, OptionTypes, convert

_WIDTH = 32  # bits, where neither the site file nor the driver says it
_COUNTS = 8  # bits; the least that is called a counter


def with_widths(table: dict[str, Any], options: OptionTypes, checker: Checker) -> dict[str, Any]:
    """The site file with where every counter starts again: `count_width`, or `count_modulus`.

    `checker` is told of those that can not be.

    A narrower counter than its register is right: a controller may count in 16 bits and show 32. A wider
    one is not: its parts would be lost each time the register starts again.
    """
    machines = table.get("equipment")
    if not isinstance(machines, list):
        return table
    devices = {str(one.get("name")): one for one in entries(table, "devices")}
    return table | {
        "equipment": [
            _with_width(one, f"equipment[{index}]", devices, options, checker) if isinstance(one, dict) else one
            for index, one in enumerate(machines)
        ]
    }


def options_for(device: dict[str, Any], item: str, options: OptionTypes) -> Any:
    """The Options of a device, whole or with this item alone: another point may be wrong, and is told elsewhere.

    None when nobody can tell yet.
    """
    name, said = device.get("driver"), device.get("options")
    kind = options.find("driver", name) if isinstance(name, str) else None
    if kind is None or not isinstance(said, dict):
        return None
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    right = {key: value for key, value in said.items() if key in known}
    alone = [point for point in entries(said, "points") if point.get("name") == item]
    for tried in (right, right | {"points": alone}):
        with suppress(msgspec.ValidationError):
            return convert(tried, kind)
    return None


def entries(table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The tables of an array of tables, an empty one where something else stands."""
    found = table.get(key)
    return [one if isinstance(one, dict) else {} for one in found] if isinstance(found, list) else []


def _with_width(
    machine: dict[str, Any], key: str, devices: dict[str, dict[str, Any]], options: OptionTypes, checker: Checker
) -> dict[str, Any]:
    device, item = devices.get(str(machine.get("device"))), machine.get("count")
    if device is None or not isinstance(item, str) or not item:
        return machine
    try:
        numbers = _numbers(device, item, options)
        _check_scrap(machine, device, numbers, options, f"{key}.scrap_count", checker)
    except ValueError as error:
        checker.say(f"{key}.count", f"{item} can not count: {error}")
        return machine
    if machine.get("count_modulus") is not None:
        _check_modulus(machine["count_modulus"], numbers, f"{key}.count_modulus", item, checker)
    elif (width := machine.get("count_width")) is not None:
        _check_width(width, numbers, f"{key}.count_width", item, checker)
    elif numbers is None:
        return machine | {"count_width": _WIDTH}
    else:
        bits = _bits(numbers)
        return machine | ({"count_modulus": numbers} if bits is None else {"count_width": bits})
    return machine


def _check_scrap(
    machine: dict[str, Any], device: dict[str, Any], numbers: int | None, options: OptionTypes, key: str,
    checker: Checker,
) -> None:  # fmt: skip
    scrap = machine.get("scrap_count")
    if not isinstance(scrap, str) or not scrap:
        return
    try:
        theirs = _numbers(device, scrap, options)
    except ValueError as error:
        checker.say(key, f"{scrap} can not count: {error}")
        return
    if None not in (numbers, theirs) and theirs != numbers:
        checker.say(key, f"{scrap} starts again at 0 elsewhere than {machine['count']} does", "two items of one type")


def _check_width(width: Any, numbers: int | None, key: str, item: str, checker: Checker) -> None:
    if numbers is None or not isinstance(width, int):
        return
    bits = _bits(numbers)
    if bits is None:
        what = f"{item} starts again at 0 after {numbers - 1}, not after a power of two"
        checker.say(key, what, "`count_modulus` for one that starts again earlier, or leave it out")
    elif width > bits:
        what = f"{width} is too wide: {item} starts again at 0 after {bits} bits"
        checker.say(key, what, f"{bits}, or leave it out")


def _check_modulus(modulus: Any, numbers: int | None, key: str, item: str, checker: Checker) -> None:
    if numbers is not None and isinstance(modulus, int) and modulus > numbers:
        what = f"{modulus} is too much: {item} starts again at 0 after {numbers - 1}"
        checker.say(key, what, f"{numbers} at most, or leave it out")


def _bits(numbers: int) -> int | None:
    """
    >>> _bits(65536), _bits(10000)
    (16, None)
    """
    bits = numbers.bit_length() - 1
    return bits if numbers == 1 << bits else None


def _numbers(device: dict[str, Any], item: str, options: OptionTypes) -> int | None:
    """How many numbers the item has; None: nobody knows. Raises ValueError: it can be no counter."""
    said = options_for(device, item, options)
    numbers: int | None = said.counter_modulus(item) if hasattr(said, "counter_modulus") else None
    if numbers is not None and numbers < 1 << _COUNTS:
        raise ValueError(f"it starts again at 0 after {_bits(numbers)} bits, and {_COUNTS} are the least")
    return numbers
