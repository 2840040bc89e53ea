"""`floorhand devices browse`, `read` and `test`: find and check the points of a device.

Nothing here writes to a device. The driver connects by itself, beside the agent if that runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edge_agent.display import many

if TYPE_CHECKING:
    import config
    from device_drivers.contract import Found
    from edge_agent.command_line.device_words import Raw
    from edge_agent.devices.look import Look
    from edge_agent.machines.meanings import Meanings

OK, ATTENTION, USAGE = 0, 1, 2

_PATIENCE = 10.0  # seconds that a device has to tell every point once


def add_looks(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    add_device: Callable[[argparse.ArgumentParser], None],
) -> None:
    """The three verbs that look; `add_device` adds the arguments that every verb takes."""
    verb = verbs.add_parser("browse", help="show what the device has: its registers or its nodes")
    add_device(verb)
    verb.add_argument(
        "--path", default="", help="where: a table (Modbus); a node id, or a browse path such as Objects "
        "(OPC UA): what is found is told in the same form; everything when left out"
    )  # fmt: skip
    verb.add_argument(
        "--from", dest="first", type=_count, default=0,
        help="the first address, from 0 as on the wire, or the first entry; 0 when left out",
    )  # fmt: skip
    verb.add_argument("--count", type=_count, default=100, help="how many; 100 when left out")
    verb.add_argument("--json", action="store_true", help="print one JSON document a line")
    verb = verbs.add_parser("read", help="read every point once: value, what was sent for it, status, time")
    add_device(verb)
    verb.add_argument("--json", action="store_true", help="print it as JSON")
    verb = verbs.add_parser(
        "test", help="connect, read every point once and say in words what works and what to check"
    )
    add_device(verb)


def browse(given: argparse.Namespace, device: config.Device, site: config.Settings) -> int:
    """`floorhand devices browse DEVICE`: 1 when the device can not be reached, 2 when it can not be browsed."""
    import device_drivers
    from device_drivers.contract import DeviceError
    from edge_agent.clock import SystemClock
    from edge_agent.command_line.device_words import found_rows
    from edge_agent.devices import names

    look: Any = getattr(device_drivers.load(device.driver), "browse", None)
    if look is None:
        return _say(f"{given.device} speaks {device.driver}, which has nothing to browse.", USAGE)
    try:
        found: tuple[Found, ...] = names.run(
            look(device.options, SystemClock(), given.path, given.first, given.count)
        )
    except DeviceError as error:
        return _say(str(error), ATTENTION)
    if given.json:
        import msgspec

        for one in found:
            print(msgspec.json.encode(one).decode())
    elif found:
        _print_table([("value", "kind", "name", "place"), *found_rows(found)])
        if len(found) >= given.count:
            print(f"There may be more: --from {given.first + given.count}")
    else:
        print("Nothing is there.")
    return OK


def read(given: argparse.Namespace, device: config.Device, site: config.Settings) -> int:
    """`floorhand devices read DEVICE`: 1 when the device, or a point of it, gives no value."""
    from edge_agent.command_line.device_words import point_row, shown

    if not _has_points(device):
        return _pointless(device)
    look, raw = _look(device)
    means = _means(device, site)
    rows = [point_row(point, look, raw, means) for point in device.options.points]
    if given.json:
        import msgspec

        error = {"kind": look.error.kind, "text": str(look.error)} if look.error else None
        told: dict[str, Any] = {"device": device.name, "driver": device.driver, "identity": look.identity}
        told |= {"answered_ms": _milliseconds(look), "warnings": look.warnings, "notice": look.notice}
        print(msgspec.json.encode(told | {"error": error, "points": rows}).decode())
    else:
        heads = ("name", "value", "unit", "word", "status", "source_time", "raw")
        _print_table([heads, *(tuple(shown(row[head]) for head in heads) for row in rows)])
        for reason in dict.fromkeys(filter(None, [*(row["reason"] for row in rows), str(look.error or "")])):
            _say(reason, ATTENTION)
    return OK if all(row["status"] != "Bad" for row in rows) else ATTENTION


def try_out(given: argparse.Namespace, device: config.Device, site: config.Settings) -> int:
    """`floorhand devices test DEVICE`: as `read`, in words; 1 when something is to be checked."""
    from edge_agent.command_line.device_words import misfits, verdicts

    if not _has_points(device):
        return _pointless(device)
    _tell(f"{device.name}: {device.driver} at {getattr(device.options, 'where', 'an unnamed place')}")
    look, raw = _look(device)
    if look.answered is None:
        return _say(str(look.error or f"It did not answer within {_PATIENCE:g} s."), ATTENTION)
    print(f"It answers: the first values came after {_milliseconds(look)} ms.")
    _tell(f"It says it is: {look.identity}." if look.identity else "It does not say what it is.")
    for words in (*look.warnings, *([look.notice] if look.notice else [])):
        _tell(f"Look at this: {words}")
    points = device.options.points
    print()
    for line in verdicts(points, look, raw, _means(device, site)):
        _tell(line)
    print()
    good = sum(look.good(point.name) for point in points)
    print(f"{good} of {many(len(points), 'point has', 'points have')} a value.")
    odd = misfits(device.expect, look)
    for words in odd:
        _tell(words)
    _tell_machines(device, site, look)
    if look.error:
        return _say(str(look.error), ATTENTION)
    return OK if good == len(points) and not odd else ATTENTION


def _tell_machines(device: config.Device, site: config.Settings, look: Look) -> None:
    """What the machines of the device are by these values; a meter is in no state."""
    from edge_agent.command_line.device_words import machine_words
    from edge_agent.site import machine_of

    theirs = [each for each in site.equipment if each.device == device.name and (each.state or each.count)]
    for machine in map(machine_of, theirs):
        for value in look.values.values():
            machine.take(value)
        _tell(machine_words(machine))


def _means(device: config.Device, site: config.Settings) -> Meanings:
    """What its values mean, by its points and its machines."""
    from edge_agent.machines.meanings import Meanings
    from edge_agent.site import machine_of

    mine = [machine_of(each) for each in site.equipment if each.device == device.name]
    return Meanings(device.options.points, mine)


def _look(device: config.Device) -> tuple[Look, Raw]:
    """One look at the points of a device; and, where its driver tells them, the items that hold the raw parts."""
    import device_drivers
    from edge_agent.clock import SystemClock
    from edge_agent.devices import names
    from edge_agent.devices.look import look_at

    module = device_drivers.load(device.driver)
    options, raw = device.options, dict[str, tuple[str, ...]]()
    if with_raw := getattr(module, "with_raw", None):
        options, raw = with_raw(options)
    items = [point.name for point in options.points]
    return names.run(look_at(module, options, SystemClock(), items, _PATIENCE)), raw


def _has_points(device: config.Device) -> bool:
    return bool(getattr(device.options, "points", ()))


def _pointless(device: config.Device) -> int:
    return _say(
        f"{device.name} speaks {device.driver}, which has no points to read. "
        "A scanner is looked at with floorhand scanner-test.",
        USAGE,
    )


def _milliseconds(look: Look) -> int | None:
    return None if look.answered is None else round(look.answered * 1000)


def _print_table(rows: list[tuple[str, ...]]) -> None:
    from edge_agent.command_line.device_words import table

    for line in table([tuple(map(_safe, row)) for row in rows]):
        print(line)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 65536")
    return int(text)


def _safe(text: str) -> str:
    from edge_agent.display import display_safe

    return display_safe(text, limit=300)


def _tell(line: str) -> None:
    """A line on stdout that may hold what a device said."""
    from edge_agent.display import display_safe

    print(display_safe(line, limit=800))


def _say(text: str, code: int) -> int:
    """A sentence on stderr; gives the exit code back."""
    from edge_agent.display import display_safe

    print(display_safe(text, limit=600), file=sys.stderr)
    return code
