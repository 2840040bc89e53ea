"""The reference of the command line, from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from edge_agent.command_line.parser import parser
from terminal_ui.__main__ import parser as screen_parser

_HEAD = """# The command line

`floorhand` is installed by `pip install .`; in a checkout it is `.venv/bin/floorhand` after `make demo`.

{description}

| exit code | means |
|---|---|
{codes}

This page is written from the parsers by `make schema`.
"""

_SCREEN = """## Options of the screen

What may stand behind `floorhand terminal -- `; `--terminal`, `--address` and `--token-file` are filled in.
"""


def commands_page() -> str:
    """The text of the page."""
    top = parser()
    codes, _, _ = (top.epilog or "").removeprefix("Exit codes: ").partition(".")
    rows = (each.strip().partition(" ") for each in codes.split(";"))
    table = "\n".join(f"| {code} | {meaning} |" for code, _, meaning in rows)
    parts = [_HEAD.format(description=top.description, codes=table)]
    parts += [_section(name, words, command) for name, words, command in _commands(top)]
    parts += [_SCREEN, *_table(_arguments(screen_parser())), ""]
    return "\n".join(parts)


def _commands(
    top: argparse.ArgumentParser, before: str = ""
) -> Iterator[tuple[str, str, argparse.ArgumentParser]]:
    """Every command with its words; of one that has verbs, the verbs."""
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            words = {each.dest: each.help or "" for each in action._choices_actions}
            for name, command in action.choices.items():
                verbs = list(_commands(command, f"{before}{name} "))
                yield from verbs or [(before + name, words[name], command)]


def _section(name: str, words: str, command: argparse.ArgumentParser) -> str:
    arguments = _arguments(command)
    usage = " ".join(["floorhand", name, *(_usage(each) for each in arguments)])
    head = [f"## `floorhand {name}`", "", _sentence(words), "", "```text", usage, "```", ""]
    return "\n".join([*head, *_table(arguments), ""])


def _arguments(command: argparse.ArgumentParser) -> list[argparse.Action]:
    return [each for each in command._actions if not isinstance(each, argparse._HelpAction)]


def _table(arguments: list[argparse.Action]) -> list[str]:
    rows = [f"| `{_spelled(each)}` | {_means(each)} |" for each in arguments]
    return ["| argument | means |", "|---|---|", *rows]


def _means(action: argparse.Action) -> str:
    choices = ", ".join(map(str, action.choices)) if action.choices else ""
    return "; ".join(part for part in (action.help, choices and f"one of {choices}") if part)


def _usage(action: argparse.Action) -> str:
    if action.nargs == argparse.REMAINDER:
        return "[-- OPTION ...]"
    if not action.option_strings:
        return action.dest.upper()
    return f"[{_spelled(action)}]"


def _spelled(action: argparse.Action) -> str:
    """An argument as it is typed.

    >>> _spelled(argparse.ArgumentParser().add_argument("--limit", type=int))
    '--limit LIMIT'
    """
    if action.nargs == argparse.REMAINDER:
        return "-- OPTION ..."
    if not action.option_strings:
        return action.dest.upper()
    name = action.option_strings[-1]
    return name if action.nargs == 0 else f"{name} {action.metavar or action.dest.upper()}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."
