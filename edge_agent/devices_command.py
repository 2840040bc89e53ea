"""`floorhand devices ...`: what a person does with one device of the site file, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.device_verbs import USAGE, add_looks, browse, read, try_out

if TYPE_CHECKING:
    import config


def add_devices(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command and its verbs."""
    devices_parser = commands.add_parser("devices", help="work on a device of the site file")
    verbs = devices_parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_looks(verbs, add_device)


def devices(given: argparse.Namespace) -> int:
    """Run the verb; the exit code: 2 when there is no such device."""
    verbs: dict[str, Callable[[argparse.Namespace, config.Device], int]] = {
        "browse": browse,
        "read": read,
        "test": try_out,
    }
    device = find_device(given)
    return USAGE if device is None else verbs[given.verb](given, device)


def add_device(verb: argparse.ArgumentParser) -> None:
    """The arguments that every verb takes: which device, of which site file."""
    verb.add_argument("device", metavar="DEVICE", help="the name of one of [[devices]]")
    verb.add_argument(
        "--site", type=Path, default=Path("site.toml"), help="the site file; site.toml when left out"
    )


def find_device(given: argparse.Namespace) -> config.Device | None:
    """The device by its name; None after saying on stderr what is wrong."""
    import config
    from edge_agent.device_look import agent_runs
    from edge_agent.display import display_safe
    from edge_agent.site import load_site

    try:
        settings = load_site(given.site)
    except config.ConfigError as error:
        for problem in error.problems:
            print(display_safe(str(problem), limit=400), file=sys.stderr)
        return None
    found = next((one for one in settings.devices if one.name == given.device), None)
    if found is None:
        known = ", ".join(one.name for one in settings.devices) or "none"
        print(
            f"There is no device {display_safe(given.device)} in {given.site}; there are: {known}.",
            file=sys.stderr,
        )
    elif agent_runs(settings.site.socket):
        print(
            "The agent runs and has its own connection; a device that takes only one refuses this look.",
            file=sys.stderr,
        )
    return found
