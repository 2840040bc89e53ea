"""The commands that ask a running agent, and those that need no agent at all."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

import msgspec

import config
from edge_agent.client import AgentAway, AgentClient, InputRefused
from edge_agent.clock import SystemClock
from edge_agent.display import display_safe
from edge_agent.run_command import ATTENTION, OK, USAGE, tell_problems
from edge_agent.site import load_site
from edge_agent.views import DeviceStatus, EquipmentStatus, Health, JournalRow

AWAY = 3


def terminal(given: argparse.Namespace) -> int:
    """`floorhand terminal`: this process becomes the terminal, so that nothing of ours stays in memory."""
    found = _place(given)
    if isinstance(found, int):
        return found
    address, settings = found
    name = given.terminal or (settings.terminals[0].id if settings else "T1")
    if settings and name not in {each.id for each in settings.terminals}:
        known = ", ".join(each.id for each in settings.terminals)
        print(
            f"There is no terminal {display_safe(name)} in {given.site}; there are: {known}.", file=sys.stderr
        )
        return USAGE
    more = [option for option in given.options if option != "--"]
    become_terminal(address, name, *more)


def become_terminal(address: str, name: str, *more: str) -> NoReturn:
    """Replace this process by the terminal program."""
    os.execv(  # noqa: S606 - our own interpreter with a module of ours; no shell, no outside text runs
        sys.executable, [sys.executable, "-m", "terminal_ui", "--terminal", name, "--address", address, *more]
    )


def status(given: argparse.Namespace) -> int:
    """`floorhand status`: 0 when all is well, 1 when something needs a person."""

    async def look(agent: AgentClient) -> int:
        health, machines = await agent.health(), await agent.equipment()
        if given.json:
            print(msgspec.json.encode({"health": health, "equipment": machines}).decode())
        else:
            _print_status(health, machines)
        return OK if health.ok else ATTENTION

    return _with_agent(given, look)


def journal(given: argparse.Namespace) -> int:
    """`floorhand journal`: the newest facts, oldest first. With `--resend`, the one that is sent again."""

    async def look(agent: AgentClient) -> int:
        again = given.resend is not None
        rows = [await agent.resend(given.resend)] if again else await agent.journal(limit=given.limit)
        for row in rows:
            print(msgspec.json.encode(row).decode() if given.json else _journal_line(row))
        return OK

    return _with_agent(given, look)


def labels(given: argparse.Namespace) -> int:
    """`floorhand labels`: a page with every label of what the agent knows."""

    async def look(agent: AgentClient) -> int:
        from edge_agent.label_page import page

        printed = page(await agent.labels())
        try:
            given.out.write_text(printed, encoding="utf-8")
        except OSError as error:
            print(f"Can not write {given.out}: {error.strerror}.", file=sys.stderr)
            return ATTENTION
        print(f"Labels written to {given.out}. Open it in a browser and print it.")
        return OK

    return _with_agent(given, look)


def scanner_test(given: argparse.Namespace) -> int:
    """`floorhand scanner-test`: 0 when the scanner is set well, 1 when a person has to set it."""
    from device_drivers.contract import DeviceError
    from device_drivers.scanners.detection import NotFound
    from edge_agent.scanner_check import run

    try:
        tested = asyncio.run(run(given, SystemClock(), print))
        if tested.table and given.out is not None:
            given.out.write_text(tested.table, encoding="utf-8")
    except (DeviceError, NotFound) as error:
        print(display_safe(str(error), limit=400), file=sys.stderr)
        return ATTENTION
    except ValueError as error:
        print(display_safe(str(error), limit=400), file=sys.stderr)
        return USAGE
    except OSError as error:
        print(f"Can not write {given.out}: {error.strerror}.", file=sys.stderr)
        return ATTENTION
    if tested.table:
        print(f"For the site file:\n\n{tested.table}", end="")
    return OK if tested.well else ATTENTION


def export(given: argparse.Namespace) -> int:
    """`floorhand export`: stored machine values of a time range as files."""

    async def look(agent: AgentClient) -> int:
        from edge_agent.export import write_columns, write_csv

        stream = agent.samples(given.since, given.until, given.items or ())
        out = given.out or Path("samples.csv" if given.format == "csv" else "samples")
        try:
            count = await (write_csv if given.format == "csv" else write_columns)(out, stream)
        except OSError as error:
            print(f"Can not write {out}: {error.strerror}.", file=sys.stderr)
            return ATTENTION
        print(f"{count} samples written to {out}.")
        return OK

    return _with_agent(given, look)


def _with_agent(given: argparse.Namespace, look: Callable[[AgentClient], Awaitable[int]]) -> int:
    found = _place(given)
    if isinstance(found, int):
        return found
    address, _ = found
    try:
        client = AgentClient(address)
    except ValueError as error:
        print(error, file=sys.stderr)
        return USAGE

    async def ask() -> int:
        async with client as agent:
            return await look(agent)

    try:
        return asyncio.run(ask())
    except AgentAway as error:
        print(error, file=sys.stderr)
        return AWAY
    except InputRefused as error:
        words = error.problem.params.get("what") or f"The agent refused: {error.problem.code}"
        print(display_safe(words, limit=400), file=sys.stderr)
        return ATTENTION


def _place(given: argparse.Namespace) -> tuple[str, config.Settings | None] | int:
    """The agent's address and the site, or the exit code when there is none."""
    if given.address:
        return given.address, None
    try:
        settings = load_site(given.site)
    except config.ConfigError as error:
        return tell_problems(error, as_json=False)
    return f"unix:{settings.site.socket}", settings


def _print_status(health: Health, machines: list[EquipmentStatus]) -> None:
    print(f"Agent {health.agent} {health.version}, since {health.started_at:%Y-%m-%d %H:%M:%S} UTC")
    waits = f"{health.unsent} unsent" + (
        f", oldest from {health.oldest_unsent:%H:%M:%S} UTC" if health.oldest_unsent else ""
    )
    print(f"Facts: {health.safe_seq} safe here, {waits}, {health.parked_count} refused by the ERP")
    for link in health.links:
        print(
            f"Connector {link.name}: {link.state}"
            + (f" - {display_safe(link.reason)}" if link.reason else "")
        )
    for device in health.devices:
        print(f"Device {device.name}: {_device_words(device)}")
        for warning in device.warnings:
            print(f"! {display_safe(warning, limit=400)}")
    for machine in machines:
        count = "no count" if machine.count is None else f"count {machine.count} ({machine.count_status})"
        print(
            f"Machine {machine.id}: {machine.state}, {count}"
            + (f", alarm: {display_safe(machine.alarm)}" if machine.alarm else "")
        )
    for problem in health.problems:
        print(f"! {display_safe(problem)}")


def _device_words(device: DeviceStatus) -> str:
    good = f", last good {device.last_good:%H:%M:%S} UTC" if device.last_good else ""
    why = f" - {display_safe(device.reason)} ({device.tries} tries)" if device.reason else ""
    but = f" - {display_safe(device.notice)}" if device.notice else ""
    silent = f" - silent since {device.silent_since:%H:%M:%S} UTC" if device.silent_since else ""
    return f"{device.state}{good}{why}{but}{silent}"


def _plain(value: object) -> str:
    """A value of a fact as text: the revisions of a list one after the other."""
    if isinstance(value, list):
        return "; ".join(" ".join(str(part) for part in each.values()) for each in value)
    return str(value)


def _journal_line(row: JournalRow) -> str:
    sent = {"yes": "++", "no": "+ ", "refused": "! "}[row.sent]
    told = " ".join(
        f"{key}={_plain(value)}"
        for key, value in row.body.items()
        if value not in ("", None, []) and key not in ("about", "kind")
    )
    line = f"{row.seq:>6} {sent} {row.event_time:%H:%M:%S} {row.terminal:<8} {row.person:<6} "
    line += f"{row.kind:<16} {row.about:<12} {told}"
    return display_safe(line + (f"  [{row.reason}]" if row.reason else ""), limit=400)
