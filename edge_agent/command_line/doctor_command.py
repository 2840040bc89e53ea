"""`floorhand doctor`: is this PC fit to be an agent?"""

from __future__ import annotations

import argparse
import asyncio

import msgspec

import config
from edge_agent.command_line.doctor import Finding, of_the_disk, of_the_others, of_the_ports, of_this_pc
from edge_agent.command_line.run import ATTENTION, OK, USAGE
from edge_agent.display import display_safe
from edge_agent.site import advice, build_connectors, check_places, load_site

_SIGNS = {"good": "ok  ", "look": "look", "bad": "BAD "}


def doctor(given: argparse.Namespace) -> int:
    """0: nothing is bad; 1: something is, and what to do; 2: the site file is wrong."""
    found, wrong = [*of_this_pc()], False
    if given.site is not None:
        try:
            found += _of_the_site(given)
        except config.ConfigError as error:
            found += [Finding("site file", "bad", str(problem)) for problem in error.problems]
            wrong = True
    if given.json:
        print(msgspec.json.encode(found).decode())
    else:
        for each in found:
            print(f"{_SIGNS[each.state]} {display_safe(each.what):<14} {display_safe(each.words, limit=600)}")
    return USAGE if wrong else ATTENTION if any(each.state == "bad" for each in found) else OK


def _of_the_site(given: argparse.Namespace) -> list[Finding]:
    """Raises config.ConfigError: also for a secret that others may read."""
    settings = load_site(given.site)
    connectors = build_connectors(settings, given.site)
    check_places(settings, given.site)
    found = [Finding("site file", "good", f"{given.site}, and its secrets, which nobody else may read.")]
    found += [Finding(what, "look", words) for what, words in advice(settings)]
    found += of_the_disk(settings.site.data)
    found += of_the_ports(settings)
    return found + asyncio.run(of_the_others(settings, connectors))
