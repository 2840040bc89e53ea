"""The commands that ask a running agent, and those that need no agent at all."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import NoReturn

import msgspec

import config
from edge_agent.client import AgentAway, AgentClient, InputRefused
from edge_agent.clock import SystemClock
from edge_agent.command_line.run import ATTENTION, OK, USAGE, tell_problems
from edge_agent.devices import names
from edge_agent.display import display_safe, many
from edge_agent.site import load_site
from edge_agent.views import JournalRow
from edge_agent.views.exceptions import ExceptionRow
from edge_agent.views.histories import Samples
from edge_agent.views.status import DeviceStatus, EquipmentStatus, Health

AWAY = 3

# What happens to whoever is not the user of the agent; what else it refuses says so itself.
_REFUSED = {
    "agent.wrong_token": "The agent does not know this token: give the file that [api] token_file names.",
    "agent.not_you": "Only the user of the agent and the group of [api] may speak to it: run this as that user.",
    "agent.unknown_terminal": "Only the user of the agent may do this: run it as that user, at its socket.",
}


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
    if given.token_file is not None:
        more = ["--token-file", str(given.token_file), *more]
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

    return with_agent(given, look)


def journal(given: argparse.Namespace) -> int:
    """`floorhand journal`: the newest facts, oldest first. With `--resend`, the one that is sent again.

    With `--exceptions`, what is in doubt: 1 when there is any.
    """

    async def look(agent: AgentClient) -> int:
        if given.exceptions:
            found = await agent.exceptions()
            for each in found:
                print(msgspec.json.encode(each).decode() if given.json else _exception_line(each))
            if not found and not given.json:
                print("Nothing waits for a decision: no report is refused, and nothing is in doubt.")
            return ATTENTION if found else OK
        again = given.resend is not None
        rows = [await agent.resend(given.resend)] if again else await agent.journal(limit=given.limit)
        for row in rows:
            print(msgspec.json.encode(row).decode() if given.json else _journal_line(row))
        return OK

    return with_agent(given, look)


def pin(given: argparse.Namespace) -> int:
    """`floorhand pin PERSON`: a start code, shown this once."""

    async def give(agent: AgentClient) -> int:
        told = await agent.start_code(given.person)
        print(f"Start code of {display_safe(told.person)}: {told.code}")
        print("It is shown only now. Sign on with badge and code, and choose a PIN at the terminal.")
        return OK

    return with_agent(given, give)


def labels(given: argparse.Namespace) -> int:
    """`floorhand labels`: a page with every label of what the agent knows."""

    async def look(agent: AgentClient) -> int:
        from edge_agent.local_api.label_page import page

        printed = page(await agent.labels())
        try:
            given.out.write_text(printed, encoding="utf-8")
        except OSError as error:
            print(f"Can not write {given.out}: {error.strerror}.", file=sys.stderr)
            return ATTENTION
        print(f"Labels written to {given.out}. Open it in a browser and print it.")
        return OK

    return with_agent(given, look)


def scanner_test(given: argparse.Namespace) -> int:
    """`floorhand scanner-test`: 0 when the scanner is set well, 1 when a person has to set it."""
    from device_drivers.contract import DeviceError
    from device_drivers.scanners.detection import NotFound
    from edge_agent.devices.scanner_check import run

    try:
        tested = names.run(run(given, SystemClock(), print))
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
        from edge_agent.command_line.export import write_columns, write_csv

        out = given.out or Path("samples.csv" if given.format == "csv" else "samples")
        if out.exists():
            print(f"{out} is there already: an export never overwrites. Name another with --out.", file=sys.stderr)
            return ATTENTION
        for pattern in given.items or ():
            if not await _has_values(agent, pattern):
                known = ", ".join(f"{each.name}/*" for each in (await agent.health()).devices)
                print(display_safe(
                    f"Nothing was kept of {pattern}: a pattern is device/item, with * and ?. There are: {known}.",
                    limit=400,
                ), file=sys.stderr)  # fmt: skip
                return USAGE
        stream = agent.samples(given.since, given.until, given.items or ())
        try:
            count = await (write_csv if given.format == "csv" else write_columns)(out, stream)
        except OSError as error:
            print(f"Can not write {out}: {error.strerror}.", file=sys.stderr)
            return ATTENTION
        print(f"{many(count, 'sample', 'samples')} written to {out}.")
        return OK

    return with_agent(given, look)


async def _has_values(agent: AgentClient, pattern: str) -> bool:
    """Whether an item of this pattern was ever kept."""
    async with aclosing(agent.samples("", "", [pattern])) as stream:
        async for each in stream:
            if isinstance(each, Samples):
                return True
    return False


def with_agent(given: argparse.Namespace, look: Callable[[AgentClient], Awaitable[int]]) -> int:
    """Ask the agent that the command line names; the exit code."""
    found = _place(given)
    if isinstance(found, int):
        return found
    address, _ = found
    try:
        client = AgentClient(address, given.token_file)
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
        code = error.problem.code
        words = error.problem.params.get("what") or _REFUSED.get(code, f"The agent refused: {code}")
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
    if (kept := health.telemetry) is not None:
        since = f", since {kept.oldest:%Y-%m-%d %H:%M} UTC" if kept.oldest else ""
        full = 100 * kept.bytes / kept.max_bytes
        print(f"Machine values: {kept.samples} kept in {full:.1f} % of their room{since}, {kept.dropped} dropped")
    for machine in machines:
        count = "no count" if machine.count is None else f"count {machine.count} ({machine.count_status})"
        print(
            f"Machine {machine.id}: {machine.state}{_doubt(machine.state_status)}, {count}"
            + (f", alarm: {display_safe(machine.alarm)}{_doubt(machine.alarm_status)}" if machine.alarm else "")
            + (", alarm not known" if not machine.alarm and machine.alarm_status == "Bad" else "")
        )
    for problem in health.problems:
        print(f"! {display_safe(problem)}")


def _doubt(status: str) -> str:
    return f" ({status})" if status == "Uncertain" else ""


def _device_words(device: DeviceStatus) -> str:
    good = f", last good {device.last_good:%H:%M:%S} UTC" if device.last_good else ""
    why = f" - {display_safe(device.reason)} ({many(device.tries, 'try', 'tries')})" if device.reason else ""
    but = f" - {display_safe(device.notice)}" if device.notice else ""
    silent = f" - silent since {device.silent_since:%H:%M:%S} UTC" if device.silent_since else ""
    return f"{device.state}{good}{why}{but}{silent}"


def _plain(value: object) -> str:
    """A value of a fact as text: the revisions of a list one after the other."""
    if isinstance(value, list):
        return "; ".join(" ".join(str(part) for part in each.values()) for each in value)
    return str(value)


def _exception_line(row: ExceptionRow) -> str:
    told = " ".join(f"{key}={value}" for key, value in row.params.items() if value and key not in ("about", "job"))
    line = f"{row.seq or '-':>6} {row.kind:<8} since {row.since:%Y-%m-%d %H:%M} {row.what} {row.about} {told}"
    line += f"  [{row.code + ': ' if row.code else ''}{row.reason}]" if row.reason else ""
    line += f"  holds up {', '.join(map(str, row.held))}" if row.held else ""
    line += f"  waits for {row.waits_for}" if row.waits_for else ""
    by = " and ".join(filter(None, (row.decided_by or "this PC", row.second)))
    line += f"  {row.choice} by {by}" + (f": {row.note}" if row.note else "") if row.choice else ""
    return display_safe(line, limit=600)


def _journal_line(row: JournalRow) -> str:
    sent = {"yes": "++", "no": "+ ", "refused": "! ", "settled": "x "}[row.sent]
    told = " ".join(
        f"{key}={_plain(value)}"
        for key, value in row.body.items()
        if value not in ("", None, []) and key not in ("about", "kind")
    )
    line = f"{row.seq:>6} {sent} {row.event_time:%H:%M:%S} {row.terminal:<8} {row.person:<6} "
    line += f"{row.kind:<16} {row.about:<12} {told}"
    reason = "refused by the ERP, corrected" if row.sent == "settled" else row.reason
    return display_safe(line + (f"  [{reason}]" if reason else ""), limit=400)
