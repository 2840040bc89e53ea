"""The commands that take a whole site file: `run` and `check`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import SystemRandom

import msgspec

import config
from edge_agent.clock import SystemClock
from edge_agent.display import display_safe
from edge_agent.logs import log_to_stderr
from edge_agent.places import PlaceError
from edge_agent.site import build_connectors, check_places, load_site

OK, ATTENTION, USAGE = 0, 1, 2


def run(given: argparse.Namespace) -> int:
    """`floorhand run FILE`: until SIGTERM or SIGINT. 2: the site file is wrong; 1: it can not start, and why."""
    log_to_stderr()
    with _no_collection():
        from edge_agent.agent import Agent
        from edge_agent.store import StoreError
    try:
        with _no_collection():
            settings = load_site(given.site)
            connectors = build_connectors(settings, given.site)
        asyncio.run(Agent(settings, connectors, SystemClock(), SystemRandom()).run())
    except config.ConfigError as error:
        return tell_problems(error, as_json=False)
    except (PlaceError, StoreError) as error:
        print(display_safe(str(error), limit=400), file=sys.stderr)
        return ATTENTION
    return OK


@contextmanager
def _no_collection() -> Iterator[None]:
    """What is imported stays for good: to search it for garbage takes a tenth of the start, and its time
    in every large collection later."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def check(given: argparse.Namespace) -> int:
    """`floorhand check FILE`: every problem of the file; 2 when there is one."""
    try:
        settings = load_site(given.site)
        build_connectors(settings, given.site)
        check_places(settings, given.site)
    except config.ConfigError as error:
        return tell_problems(error, as_json=given.json)
    if given.json:
        print('{"problems":[]}')
    else:
        parts = ", ".join(
            f"{len(group)} {name}" for name in ("terminals", "scanners", "devices", "connectors")
            if (group := getattr(settings, name))
        )  # fmt: skip
        print(f"{given.site}: good. Agent {settings.site.agent}: {parts}.")
    return OK


def tell_problems(error: config.ConfigError, *, as_json: bool) -> int:
    """Print every problem; the exit code."""
    if as_json:
        print(msgspec.json.encode({"problems": error.problems}).decode())
    else:
        for problem in error.problems:
            print(display_safe(str(problem), limit=400), file=sys.stderr)
    return USAGE
