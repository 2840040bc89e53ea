"""The commands that take a whole site file: `run` and `check`."""

from __future__ import annotations

import argparse
import gc
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom

import msgspec

import config
from edge_agent.clock import SystemClock
from edge_agent.display import display_safe
from edge_agent.logs import log_to_stderr
from edge_agent.places import PlaceError
from edge_agent.site import advice, build_connectors, check_group, check_places, load_site

OK, ATTENTION, USAGE = 0, 1, 2
AGAIN = 4  # to be started again, which mends the database


def run(given: argparse.Namespace) -> int:
    """`floorhand run FILE`: until SIGTERM or SIGINT. 2: the site file is wrong; 1: it can not start, and why.

    An agent that is to start again, because that mends its database, does so here, with the same settings; under
    systemd it ends with AGAIN, and systemd starts it.
    """
    log_to_stderr()
    with _no_collection():
        from edge_agent.agent import Agent
        from edge_agent.devices import names
        from edge_agent.service import Systemd
        from edge_agent.store import StoreError
    try:
        with _no_collection():
            settings = load_site(given.site)
            connectors = build_connectors(settings, given.site)
        check_group(settings, given.site)
        _verify(settings)
        site_hash = hashlib.sha256(given.site.read_bytes()).hexdigest()
        clock = SystemClock()  # one for all lives of the agent: what is known of it stays known
        while names.run(Agent(settings, connectors, clock, SystemRandom(), site_hash).run()):
            if Systemd().starts_us:
                return AGAIN
            connectors = build_connectors(settings, given.site)
    except config.ConfigError as error:
        return tell_problems(error, as_json=False)
    except (PlaceError, StoreError) as error:
        print(display_safe(str(error), limit=400), file=sys.stderr)
        return ATTENTION
    return OK


def _verify(settings: config.Settings) -> None:
    """Raises PlaceError where the site file wants the files of the program to be those that were installed."""
    if not settings.site.verify_install:
        return
    from edge_agent.command_line.installed import look_at_install  # few sites want it

    found = look_at_install()
    if found.state != "whole":
        raise PlaceError(f"[site] verify_install: {found.words} The agent does not start.")


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
        _check_more(settings, given.site)
    except config.ConfigError as error:
        return tell_problems(error, as_json=given.json)
    if given.json:
        print('{"problems":[]}')
    else:
        parts = ", ".join(
            f"{len(group)} {name if len(group) > 1 else name[:-1]}"
            for name in ("terminals", "scanners", "devices", "connectors")
            if (group := getattr(settings, name))
        )  # fmt: skip
        print(f"{given.site}: good. Agent {settings.site.agent}: {parts}.")
        for _, words in advice(settings):
            print(f"look: {display_safe(words, limit=400)}")
    return OK


def _check_more(settings: config.Settings, file: Path) -> None:
    """What only connectors and folders can say. Raises config.ConfigError with the problems of all."""
    problems: list[config.Problem] = []
    for look in (build_connectors, check_places, check_group):
        try:
            look(settings, file)
        except config.ConfigError as error:
            problems += error.problems
    if problems:
        raise config.ConfigError(problems)


def tell_problems(error: config.ConfigError, *, as_json: bool) -> int:
    """Print every problem; the exit code."""
    if as_json:
        print(msgspec.json.encode({"problems": error.problems}).decode())
    else:
        for problem in error.problems:
            print(display_safe(str(problem), limit=400), file=sys.stderr)
    return USAGE
