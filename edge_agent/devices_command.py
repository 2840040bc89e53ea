"""`floorhand devices ...`: what a person does with one device of the site file, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import config

OK, ATTENTION, USAGE = 0, 1, 2


def add_devices(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its verbs; each verb names a function of this module."""
    devices_parser = commands.add_parser("devices", help="work on a device of the site file")
    verbs = devices_parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_trust(verbs)


def devices(given: argparse.Namespace) -> int:
    """Run the verb; the exit code."""
    verb: Callable[[argparse.Namespace], int] = {"trust": trust}[given.verb]
    return verb(given)


def _add_trust(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("trust", help="trust the OPC UA server whose certificate was refused last")
    add_device(verb)


def add_device(verb: argparse.ArgumentParser) -> None:
    """The arguments that every verb takes: which device, of which site file."""
    verb.add_argument("device", metavar="DEVICE", help="the name of one of [[devices]]")
    verb.add_argument(
        "--site", type=Path, default=Path("site.toml"), help="the site file; site.toml when left out"
    )


def trust(given: argparse.Namespace) -> int:
    """`floorhand devices trust DEVICE`: 1 when nothing was refused, 2 when there is no such device."""
    import device_drivers
    from device_drivers.contract import DeviceError
    from edge_agent.display import display_safe

    device = find_device(given)
    if device is None:
        return USAGE
    trust_it: Callable[[Any], str] | None = getattr(device_drivers.load(device.driver), "trust", None)
    if trust_it is None:
        print(f"{given.device} speaks {device.driver}, which knows no certificates.", file=sys.stderr)
        return USAGE
    try:
        print(display_safe(trust_it(device.options), limit=400))
    except DeviceError as error:
        print(display_safe(str(error), limit=400), file=sys.stderr)
        return ATTENTION
    print("The agent connects within a few seconds. Compare the thumbprint with the one the server shows.")
    return OK


def find_device(given: argparse.Namespace) -> config.Device | None:
    """The device by its name; None after saying on stderr what is wrong."""
    import config
    from edge_agent.display import display_safe
    from edge_agent.site import load_site

    try:
        settings = load_site(given.site)
    except config.ConfigError as error:
        print(display_safe(str(error), limit=4000), file=sys.stderr)
        return None
    found = next((one for one in settings.devices if one.name == given.device), None)
    if found is None:
        known = ", ".join(one.name for one in settings.devices) or "none"
        print(
            f"There is no device {display_safe(given.device)} in {given.site}; there are: {known}.",
            file=sys.stderr,
        )
    return found
