"""`floorhand devices ...`: what a person does with one device of the site file, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_agent.command_line.device_verbs import ATTENTION, OK, USAGE, add_looks, browse, read, try_out

if TYPE_CHECKING:
    import config

Verb = Callable[[argparse.Namespace, "config.Device", "config.Settings"], int]


def add_devices(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its verbs."""
    devices_parser = commands.add_parser("devices", help="work on a device of the site file")
    verbs = devices_parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_looks(verbs, add_device)
    _add_trust(verbs)


def devices(given: argparse.Namespace) -> int:
    """Run the verb; the exit code: 2 when there is no such device, or the site file is wrong."""
    import config
    from edge_agent.display import display_safe
    from edge_agent.site import load_site

    looks: dict[str, Verb] = {"browse": browse, "read": read, "test": try_out}
    try:
        site = load_site(given.site)
    except config.ConfigError as error:
        for problem in error.problems:
            print(display_safe(str(problem), limit=400), file=sys.stderr)
        return USAGE
    device = find_device(given, site)
    if device is None:
        return USAGE
    if given.verb not in looks:
        return trust(given, device)
    _tell_of_agent(site)
    return looks[given.verb](given, device, site)


def _add_trust(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = verbs.add_parser("trust", help="trust the OPC UA server whose certificate was refused last")
    add_device(verb)


def add_device(verb: argparse.ArgumentParser) -> None:
    """The arguments that every verb takes: which device, of which site file."""
    verb.add_argument("device", metavar="DEVICE", help="the name of one of [[devices]]")
    verb.add_argument(
        "--site", type=Path, default=Path("site.toml"), help="the site file; site.toml when left out"
    )


def trust(given: argparse.Namespace, device: config.Device) -> int:
    """`floorhand devices trust DEVICE`: 1 when nothing was refused, 2 when it knows no certificates."""
    import device_drivers
    from device_drivers.contract import DeviceError
    from edge_agent.display import display_safe

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


def find_device(given: argparse.Namespace, site: config.Settings) -> config.Device | None:
    """The device by its name; None after saying on stderr which there are."""
    from config.wording import did_you_mean
    from edge_agent.display import display_safe

    names = [one.name for one in site.devices]
    if given.device in names:
        return site.devices[names.index(given.device)]
    meant = did_you_mean(given.device, names)
    told = f"There is no device {given.device} in {given.site}{meant}; there are: {', '.join(names) or 'none'}."
    print(display_safe(told, limit=400), file=sys.stderr)
    return None


def _tell_of_agent(site: config.Settings) -> None:
    from edge_agent.devices.look import agent_runs

    if agent_runs(site.site.socket):
        print(
            "The agent runs and has its own connection; a device that takes only one refuses this look.",
            file=sys.stderr,
        )
