"""`python -m terminal_ui --terminal T1 --address unix:/path/agent.sock`: one terminal on this screen."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from edge_agent.client import AgentClient
from terminal_ui.app import Setup, TerminalApp
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.guide import Guide
from terminal_ui.palettes import PALETTES
from terminal_ui.scene import Look
from terminal_ui.texts import Texts, chosen_language, languages


def parser() -> argparse.ArgumentParser:
    """The options of a terminal."""
    options = argparse.ArgumentParser(
        prog="floorhand terminal --", description="One operator terminal of a Floorhand agent."
    )
    options.add_argument("--terminal", required=True, help="the terminal's id in the site file")
    options.add_argument(
        "--address", required=True, help="unix:/path/to/agent.sock, or http://127.0.0.1:PORT with --token-file"
    )
    options.add_argument(
        "--token-file", type=Path, metavar="FILE", help="the token for http://127.0.0.1:PORT, chmod 600"
    )
    options.add_argument("--theme", choices=sorted(PALETTES), default="dark")
    options.add_argument("--language", choices=languages(), help="default: by LANG")
    options.add_argument("--ascii", action="store_true", help="for terminals that show only ASCII")
    options.add_argument(
        "--bell", action="store_true", help="ring by verdict: once for good, more for trouble"
    )
    options.add_argument(
        "--wedge-gap",
        type=float,
        default=50.0,
        metavar="MS",
        help="most ms between two characters of a keyboard-wedge scan (default 50)",
    )
    options.add_argument(
        "--wedge-prefix", default="", metavar="CHAR", help="what the wedge scanner sends first"
    )
    options.add_argument("--guide", type=Path, metavar="FILE", help="show the demo strip of this TOML file")
    options.add_argument(
        "--scan-pipe", type=Path, metavar="FIFO", help="where F12 plays the scan of the guide"
    )
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run until the person leaves. 2: the options make no sense."""
    given = parser().parse_args(arguments)
    try:
        client = AgentClient(given.address, given.token_file)
        guide = Guide(given.guide) if given.guide else None
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if not (os.isatty(0) and os.isatty(2)):  # Textual reads keys from the one and paints on the other
        print("A terminal needs a screen and a keyboard: start it in a console, not in a pipe.", file=sys.stderr)
        return 2
    for name in ("COLUMNS", "LINES"):  # left by a shell, they are believed before the line's own size
        os.environ.pop(name, None)
    unicode = not given.ascii and "utf" in (sys.stdout.encoding or "").lower()
    look = Look(Texts(chosen_language(given.language)), UNICODE if unicode else ASCII)
    setup = Setup(
        terminal=given.terminal,
        theme=given.theme,
        bell=given.bell,
        guide=guide,
        scan_pipe=given.scan_pipe,
        wedge_gap=given.wedge_gap / 1000,
        wedge_prefix=given.wedge_prefix,
    )
    TerminalApp(client, setup, look).run(mouse=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
