"""`floorhand devices ...`: what a person does with one device of the site file, from the command line.

Nothing here writes to a device. The driver connects by itself, beside the agent if that runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import config
    from device_drivers.contract import Found
    from edge_agent.device_look import Look

OK, ATTENTION, USAGE = 0, 1, 2

_PATIENCE = 10.0  # seconds that a device has to tell every point once


def add_devices(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its verbs; each verb names a function of this module."""
    devices_parser = commands.add_parser("devices", help="work on a device of the site file")
    verbs = devices_parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_looks(verbs)


def devices(given: argparse.Namespace) -> int:
    """Run the verb; the exit code."""
    verb: Callable[[argparse.Namespace], int] = {"browse": browse, "read": read, "test": try_out}[given.verb]
    return verb(given)


def _add_looks(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("browse", help="show what the device has: its registers or its nodes")
    add_device(verb)
    verb.add_argument(
        "--path", default="", help="where: a table (Modbus), a node id (OPC UA); all when left out"
    )
    verb.add_argument(
        "--from", dest="first", type=_count, default=0, help="the first address or entry; 0 when left out"
    )
    verb.add_argument("--count", type=_count, default=100, help="how many; 100 when left out")
    verb.add_argument("--json", action="store_true", help="print one JSON document a line")
    verb = verbs.add_parser("read", help="read every point once: value, what was sent for it, status, time")
    add_device(verb)
    verb.add_argument("--json", action="store_true", help="print it as JSON")
    verb = verbs.add_parser("test", help="connect, read every point once and say in words what works")
    add_device(verb)


def add_device(verb: argparse.ArgumentParser) -> None:
    """The arguments that every verb takes: which device, of which site file."""
    verb.add_argument("device", metavar="DEVICE", help="the name of one of [[devices]]")
    verb.add_argument(
        "--site", type=Path, default=Path("site.toml"), help="the site file; site.toml when left out"
    )


def browse(given: argparse.Namespace) -> int:
    """`floorhand devices browse DEVICE`: 1 when the device can not be reached, 2 when it can not be browsed."""
    import asyncio

    import device_drivers
    from device_drivers.contract import DeviceError
    from edge_agent.clock import SystemClock

    device = find_device(given)
    if device is None:
        return USAGE
    look: Any = getattr(device_drivers.load(device.driver), "browse", None)
    if look is None:
        return _say(f"{given.device} speaks {device.driver}, which has nothing to browse.", USAGE)
    try:
        found: tuple[Found, ...] = asyncio.run(
            look(device.options, SystemClock(), given.path, given.first, given.count)
        )
    except DeviceError as error:
        return _say(str(error), ATTENTION)
    if given.json:
        import msgspec

        for one in found:
            print(msgspec.json.encode(one).decode())
    elif found:
        _print_table(("value", "kind", "name", "place"), [_browsed(one) for one in found])
    else:
        print("Nothing is there.")
    return OK


def read(given: argparse.Namespace) -> int:
    """`floorhand devices read DEVICE`: 1 when the device, or a point of it, gives no value."""
    device = find_device(given)
    if device is None:
        return USAGE
    look, raw = _look(device)
    rows = [_point(point, look, raw.get(point.name, ())) for point in device.options.points]
    if given.json:
        import msgspec

        error = {"kind": look.error.kind, "text": str(look.error)} if look.error else None
        told: dict[str, Any] = {"device": device.name, "driver": device.driver, "identity": look.identity}
        told |= {"answered_ms": _milliseconds(look), "error": error, "points": rows}
        print(msgspec.json.encode(told).decode())
    else:
        heads = ("name", "value", "unit", "status", "source_time", "raw")
        _print_table(heads, [tuple(_shown(row[head]) for head in heads) for row in rows])
        if look.error:
            _say(str(look.error), ATTENTION)
    return OK if all(row["status"] not in ("Bad", None) for row in rows) else ATTENTION


def try_out(given: argparse.Namespace) -> int:
    """`floorhand devices test DEVICE`: as `read`, in words."""
    device = find_device(given)
    if device is None:
        return USAGE
    look, _ = _look(device)
    if look.answered is None:
        return _say(str(look.error or f"{device.name} did not answer within {_PATIENCE:g} s."), ATTENTION)
    print(f"{device.name}: connected and answered in {_milliseconds(look)} ms.")
    print(f"It says it is: {_safe(look.identity)}." if look.identity else "It does not say what it is.")
    bad = [point.name for point in device.options.points if not look.good(point.name)]
    for point in device.options.points:
        print(f"  {_verdict(point.name, look)}")
    total = len(device.options.points)
    print(f"{total - len(bad)} of {total} points are good.")
    if look.error:
        return _say(str(look.error), ATTENTION)
    return ATTENTION if bad else OK


def find_device(given: argparse.Namespace) -> config.Device | None:
    """The device by its name; None after saying on stderr what is wrong."""
    import config
    from edge_agent.device_look import agent_runs
    from edge_agent.site import load_site

    try:
        settings = load_site(given.site)
    except config.ConfigError as error:
        for problem in error.problems:
            _say(str(problem), USAGE)
        return None
    found = next((one for one in settings.devices if one.name == given.device), None)
    if found is None:
        known = ", ".join(one.name for one in settings.devices) or "none"
        _say(f"There is no device {given.device} in {given.site}; there are: {known}.", USAGE)
    elif agent_runs(settings.site.socket):
        _say("The agent runs and has its own connection; a device that takes only one refuses this look.", OK)
    return found


def _look(device: config.Device) -> tuple[Look, dict[str, tuple[str, ...]]]:
    """One look at the points of a device; and, where its driver tells them, the items that hold the raw parts."""
    import asyncio

    import device_drivers
    from edge_agent.clock import SystemClock
    from edge_agent.device_look import look_at

    module = device_drivers.load(device.driver)
    options, raw = device.options, dict[str, tuple[str, ...]]()
    if with_raw := getattr(module, "with_raw", None):
        options, raw = with_raw(options)
    items = [point.name for point in options.points]
    return asyncio.run(look_at(module, options, SystemClock(), items, _PATIENCE)), raw


def _point(point: Any, look: Look, raw: tuple[str, ...]) -> dict[str, Any]:
    """A point as it is told; `status` None: it gave no value in time. `raw` are the numbers that were sent."""
    value = look.values.get(point.name)
    sent = [look.values[part].value for part in raw if part in look.values]
    return {
        "name": point.name,
        "value": value.value if value else None,
        "unit": getattr(point, "unit", ""),
        "status": str(value.status) if value else None,
        "source_time": f"{value.source_time:%Y-%m-%dT%H:%M:%S.%f}Z" if value else None,
        "raw": None if not sent or None in sent else sent,
    }


def _verdict(name: str, look: Look) -> str:
    value = look.values.get(name)
    if value is None:
        return f"none       {_safe(name)}: no value came in time"
    if not look.good(name):
        return f"bad        {_safe(name)}: the device has no value there; check its place in the site file"
    return f"{str(value.status).lower():<10} {_safe(name)} = {_safe(_shown(value.value))}"


def _browsed(one: Found) -> tuple[str, ...]:
    value = "" if one.status is None else _shown(one.value)
    return (value, one.kind + (" >" if one.inside else ""), one.name, one.place)


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case list():
            return " ".join(
                f"{int(part):04X}" if not isinstance(part, bool) else str(int(part)) for part in value
            )
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _milliseconds(look: Look) -> int | None:
    return None if look.answered is None else round(look.answered * 1000)


def _print_table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    cells = [heads, *(tuple(map(_safe, row)) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 65536")
    return int(text)


def _safe(text: str) -> str:
    from edge_agent.display import display_safe

    return display_safe(text, limit=120)


def _say(text: str, code: int) -> int:
    """A sentence on stderr; gives the exit code back."""
    from edge_agent.display import display_safe

    print(display_safe(text, limit=600), file=sys.stderr)
    return code
