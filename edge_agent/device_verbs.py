"""`floorhand devices browse`, `read` and `test`: find and check the points of a device.

Nothing here writes to a device. The driver connects by itself, beside the agent if that runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import config
    from device_drivers.contract import Found
    from edge_agent.device_look import Look

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


def browse(given: argparse.Namespace, device: config.Device) -> int:
    """`floorhand devices browse DEVICE`: 1 when the device can not be reached, 2 when it can not be browsed."""
    import asyncio

    import device_drivers
    from device_drivers.contract import DeviceError
    from edge_agent.clock import SystemClock

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


def read(given: argparse.Namespace, device: config.Device) -> int:
    """`floorhand devices read DEVICE`: 1 when the device, or a point of it, gives no value."""
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


def try_out(given: argparse.Namespace, device: config.Device) -> int:
    """`floorhand devices test DEVICE`: as `read`, in words."""
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
        case float():
            return str(round(value, 6))
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
