"""`floorhand`: the command line.

Exit codes: 0 all is well; 1 something needs a person (the text says what); 2 the command line or the
site file is wrong; 3 the agent does not answer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from edge_agent.command_line import parser

if TYPE_CHECKING:
    from argparse import Namespace

# Where each command is. What it needs is imported with it: `status` must not wait for what `run` needs.
_MODULES = {
    "run": "edge_agent.run_command", "check": "edge_agent.run_command",
    "demo": "edge_agent.demo.command", "devices": "edge_agent.devices_command",
}  # fmt: skip
_OTHERS = "edge_agent.commands"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = parser().parse_args(arguments)
    module = import_module(_MODULES.get(given.command, _OTHERS))
    command: Callable[[Namespace], int] = getattr(module, given.command.replace("-", "_"))
    return command(given)


if __name__ == "__main__":
    sys.exit(main())
