"""`floorhand`: the command line.

Exit codes: 0 all is well; 1 something needs a person (the text says what); 2 the command line or the
site file is wrong; 3 the agent does not answer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_agent import __version__
from edge_agent.devices_command import add_devices


def parser() -> argparse.ArgumentParser:
    """The whole command line; the reference is made from it."""
    top = argparse.ArgumentParser(
        prog="floorhand",
        description="The edge agent of shop floor and warehouse, its terminal and its tools.",
        epilog="Exit codes: 0 all is well; 1 something needs a person; 2 command line or site file wrong; "
        "3 the agent is away.",
    )
    top.add_argument("--version", action="version", version=f"floorhand {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the agent of a site file until it is told to stop")
    run.add_argument("site", type=Path, help="the site file")

    check = commands.add_parser("check", help="check a site file and name every problem in it")
    check.add_argument("site", type=Path, help="the site file")
    check.add_argument("--json", action="store_true", help="print the problems as JSON")

    terminal = commands.add_parser("terminal", help="open a terminal on an agent")
    _where(terminal)
    terminal.add_argument(
        "--terminal",
        metavar="ID",
        default="",
        help="which terminal of the site file; the first when left out",
    )
    terminal.add_argument(
        "options",
        nargs=argparse.REMAINDER,
        help="after --: options of the screen; -- --help names them",
    )

    status = commands.add_parser("status", help="how the agent is doing: links, queue, devices, machines")
    _where(status)
    status.add_argument("--json", action="store_true", help="print it as JSON")

    journal = commands.add_parser(
        "journal", help="the facts that were recorded, and whether the ERP has them"
    )
    _where(journal)
    journal.add_argument("--json", action="store_true", help="print one JSON document a line")
    journal.add_argument("--limit", type=int, default=20, help="how many, the newest; 20 when left out")
    journal.add_argument(
        "--resend", type=int, metavar="SEQ", help="send this refused fact again, and what it held back"
    )

    add_devices(commands)

    labels = commands.add_parser(
        "labels", help="make a page of labels to print: commands, reasons, places, jobs"
    )
    _where(labels)
    labels.add_argument(
        "--out", type=Path, default=Path("labels.html"), help="the page to write"
    )

    demo = commands.add_parser("demo", help="run a whole plant on this PC and open a terminal on it")
    demo.add_argument(
        "--check",
        action="store_true",
        help="no screen: a scripted shift with kills and outages",
    )
    demo.add_argument(
        "--terminal", metavar="ID", default="T1", help="T1 press, T2 warehouse, T3 machining centre"
    )
    demo.add_argument(
        "--folder", type=Path, help="keep the plant's files here; a temporary folder when left out"
    )
    return top


def _where(command: argparse.ArgumentParser) -> None:
    place = command.add_mutually_exclusive_group()
    place.add_argument(
        "--site",
        type=Path,
        default=Path("site.toml"),
        help="the site file; site.toml when left out",
    )
    place.add_argument("--address", help="the agent's socket instead, as unix:/path/agent.sock")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = parser().parse_args(arguments)
    # What a command needs is imported by the command: `status` must not wait for what `run` needs.
    if given.command == "demo":
        from edge_agent.demo.command import demo

        return demo(given)
    if given.command == "devices":
        from edge_agent import devices_command

        return devices_command.devices(given)
    from edge_agent import commands

    command: Callable[[argparse.Namespace], int] = getattr(commands, given.command)
    return command(given)


if __name__ == "__main__":
    sys.exit(main())
