"""`floorhand`: the command line.

Exit codes: 0 all is well; 1 something needs a person (the text says what); 2 the command line or the
site file is wrong; 3 the agent does not answer; 4 `run` has ended to be started again, which mends its database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from edge_agent.command_line.parser import parser

if TYPE_CHECKING:
    from argparse import Namespace

# Where each command is. What it needs is imported with it: `status` must not wait for what `run` needs.
_MODULES = {
    "run": "edge_agent.command_line.run", "check": "edge_agent.command_line.run",
    "backup": "edge_agent.command_line.restore", "restore": "edge_agent.command_line.restore",
    "doctor": "edge_agent.command_line.doctor_command",
    "demo": "edge_agent.demo.command", "devices": "edge_agent.command_line.devices",
}  # fmt: skip
_OTHERS = "edge_agent.command_line.agent_commands"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = parser().parse_args(arguments)
    module = import_module(_MODULES.get(given.command, _OTHERS))
    command: Callable[[Namespace], int] = getattr(module, given.command.replace("-", "_"))
    try:
        code = command(given)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads it has read enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
