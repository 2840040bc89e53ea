"""The command line of `floorhand`, one function a command; the reference is made from it."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_agent import __version__
from edge_agent.clock import SystemClock
from edge_agent.command_line.devices import add_devices

Commands = argparse._SubParsersAction  # the place where argparse adds commands has no public name


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="floorhand",
        description="The edge agent of shop floor and warehouse, its terminal and its tools.",
        epilog="Exit codes: 0 all is well; 1 something needs a person; 2 command line or site file wrong; "
        "3 the agent is away; 4 run ended to be started again, which mends its database.",
    )
    top.add_argument("--version", action="version", version=f"floorhand {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_run, _add_check, _add_terminal, _add_status, _add_journal, _add_pin, add_devices, _add_labels,
        _add_scanner_test, _add_export, _add_backup, _add_restore, _add_doctor, _add_demo,
    ):  # fmt: skip
        add(commands)
    return top


def _add_run(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("run", help="run the agent of a site file until it is told to stop")
    command.add_argument("site", type=Path, help="the site file")


def _add_check(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("check", help="check a site file and name every problem in it")
    command.add_argument("site", type=Path, help="the site file")
    command.add_argument("--json", action="store_true", help="print the problems as JSON")


def _add_terminal(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("terminal", help="open a terminal on an agent")
    _where(command)
    command.add_argument(
        "--terminal",
        metavar="ID",
        default="",
        help="which terminal of the site file; the first when left out",
    )
    command.add_argument(
        "options",
        nargs=argparse.REMAINDER,
        help="after --: options of the screen; -- --help names them",
    )


def _add_status(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("status", help="how the agent is doing: links, queue, devices, machines")
    _where(command)
    command.add_argument("--json", action="store_true", help="print it as JSON")


def _add_journal(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "journal", help="the facts that were recorded, and whether the ERP has them"
    )
    _where(command)
    command.add_argument("--json", action="store_true", help="print one JSON document a line")
    command.add_argument("--limit", type=_count, default=20, help="how many, the newest; 20 when left out, at least 1")
    command.add_argument(
        "--exceptions", action="store_true",
        help="what the ERP refused, and what else is in doubt; exit code 1 when there is any",
    )
    command.add_argument(
        "--resend", type=int, metavar="SEQ", help="send this refused fact again, and what it held back"
    )


def _count(text: str) -> int:
    """A number of things of the command line, for argparse."""
    if not text.isascii() or not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is not how many: a whole number of at least 1 was expected")
    return int(text)


def _add_pin(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "pin", help="give a person a start code for a PIN, in place of the one they have; ends a lock-out"
    )
    _where(command)
    command.add_argument("person", metavar="PERSON", help="the id that the ERP has for the person")


def _add_labels(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "labels", help="make a page of labels to print: commands, reasons, places, jobs"
    )
    _where(command)
    command.add_argument(
        "--out", type=Path, default=Path("labels.html"), help="the page to write"
    )


def _add_scanner_test(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "scanner-test", help="show what a scanner sends, find out how it is set, and write its options"
    )
    command.add_argument("port", metavar="PORT", help="its serial port, or HOST:PORT of a serial server")
    command.add_argument("--baudrate", type=int, default=9600, help="of a serial port; 9600 when left out")
    command.add_argument(
        "--profile", default="generic", help="whose scanner it is; generic when left out, which sends nothing to it"
    )
    command.add_argument(
        "--known", metavar="TEXT", default="10A1\\x1d217",
        help="the text of the label that is scanned, \\x1d for FNC1; a GS1-128 on the screen when left out",
    )  # fmt: skip
    command.add_argument("--scans", type=int, default=3, help="how many; 3 when left out")
    command.add_argument("--patience", type=float, default=60.0, help="seconds to wait for a scan; 60 when left out")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the part of the site file here too")


def _add_export(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("export", help="write the stored machine values of a time range to files")
    _where(command)
    command.add_argument(
        "--from", dest="since", metavar="TIME", default="", type=_moment,
        help="17:20 (the last one by this PC's clock), 2026-11-22T06:00 (of this PC), or with a time zone as "
        "2026-11-22T06:00+01:00; from the oldest when left out",
    )
    command.add_argument(
        "--to", dest="until", metavar="TIME", default="", type=_moment, help="the same; to the newest"
    )
    command.add_argument(
        "--items", metavar="PATTERN", action="append",
        help="device/item, with * and ?, such as press3-plc/*; may be given again; all when left out",
    )
    command.add_argument(
        "--format", choices=("csv", "columns"), default="csv",
        help="csv: one file for people; columns: a folder with a file for each item, for tools",
    )
    command.add_argument(
        "--out", type=Path,
        help="the new file or folder, which must not be there; samples.csv or samples when left out",
    )


def _add_backup(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("backup", help="copy the journal of the running agent to a new file")
    command.add_argument("file", type=Path, help="the new file; it must not be there")
    _where(command)


def _add_restore(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("restore", help="go on with a backup on another PC; its ERP must answer")
    command.add_argument("backup", type=Path, help="the file that `floorhand backup` wrote")
    command.add_argument("--site", type=Path, default=Path("site.toml"), help="the site file; site.toml when left out")


def _add_doctor(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("doctor", help="check in words whether this PC is fit to be an agent")
    command.add_argument("--site", type=Path, help="look at its disk, ports, devices and ERP as well")
    command.add_argument("--json", action="store_true", help="print what was found as JSON")


def _moment(text: str) -> str:
    """A time of the command line, for argparse."""
    from edge_agent.command_line.export_times import moment

    if not text:
        return ""
    try:
        return moment(text, SystemClock().now().astimezone())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _add_demo(commands: Commands[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("demo", help="run a whole plant on this PC and open a terminal on it")
    command.add_argument(
        "--check",
        action="store_true",
        help="no screen: a scripted shift with kills and outages",
    )
    command.add_argument(
        "--terminal", choices=("T1", "T2", "T3"), default="T1", help="T1 press, T2 warehouse, T3 machining centre"
    )
    command.add_argument(
        "--folder", type=Path, help="keep the plant's files here; a temporary folder when left out"
    )


def _where(command: argparse.ArgumentParser) -> None:
    place = command.add_mutually_exclusive_group()
    place.add_argument(
        "--site",
        type=Path,
        default=Path("site.toml"),
        help="the site file; site.toml when left out",
    )
    place.add_argument(
        "--address", help="the agent instead: unix:/path/agent.sock, or http://127.0.0.1:PORT with --token-file"
    )
    command.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token for http://127.0.0.1:PORT, chmod 600; with --address"
    )
