"""The demo's terminals: a second one plays its own scanner, and one that is killed leaves a line that can be used."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.agent.running import short_folder
from tests.docs.markdown import ROOT
from tests.docs.terminal_on_pty import PATIENCE, TerminalOnPty

ENVIRONMENT = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as place:
        yield place


@pytest.fixture
def demo(folder: Path) -> Iterator[TerminalOnPty]:
    """The demo, with its terminal at the first step."""
    terminal = floorhand("demo", "--folder", str(folder))
    try:
        terminal.shows("Scan your badge.")
        yield terminal
    finally:
        terminal.end()


def floorhand(*arguments: str) -> TerminalOnPty:
    """A command on a line of its own."""
    return TerminalOnPty([sys.executable, "-m", "edge_agent", *arguments], ROOT, ENVIRONMENT)


def test_the_second_terminal_of_the_tutorial_says_what_is_next_and_signs_on(demo: TerminalOnPty, folder: Path) -> None:
    """By `F12`, and by the badge that the tutorial writes into its scanner. The demo is told to end then."""
    told = re.search(r"`\.venv/bin/floorhand (terminal [^`]*--terminal T2[^`]*)`", TUTORIAL)
    badge = re.search(r"`echo '(B:[^']*)' > /tmp/floorhand-demo/scan-2`", TUTORIAL)
    assert told
    assert badge
    second = floorhand(*told[1].replace("/tmp/floorhand-demo", str(folder)).split())
    try:
        second.shows("Scan your badge.", "NEXT")
        second.press("F12")
        second.shows("Welcome, Ana Silva.")
        demo.shows("nobody signed on")
        second.press("F10")
        second.shows("Scan your badge.")
        (folder / "scan-2").write_text(badge[1] + "\n", encoding="ascii")
        second.shows("Welcome, ")
    finally:
        second.end()
    parts = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(parts) >= 8  # two machines, three scanners, the ERP, the agent, the terminal
    demo.process.terminate()
    assert demo.ended() == 1
    assert psutil.wait_procs(parts, timeout=PATIENCE)[1] == [], "nothing is left behind"


def test_a_folder_in_use_is_refused_and_a_terminal_that_is_killed_ends_the_plant_in_words_on_a_line_that_can_be_used(
    folder: Path,
) -> None:
    """That of the machining centre, which has a scanner of its own as well."""
    demo = floorhand("demo", "--folder", str(folder), "--terminal", "T3")
    try:
        demo.shows("Scan your badge.")
        demo.press("F12")
        demo.shows("Welcome, Ana Silva.")
        refused(folder)
        ended_by_a_kill(demo)
    finally:
        demo.end()


def ended_by_a_kill(demo: TerminalOnPty) -> None:
    """The terminal of a demo is killed: all of it ends."""
    parts = psutil.Process(demo.process.pid).children(recursive=True)
    (screen,) = (each for each in parts if "terminal_ui" in each.cmdline())
    assert not demo.given_back
    screen.kill()
    assert demo.ended() == 1
    demo.shows("The terminal has ended (signal 9): so does the plant.")
    assert demo.given_back
    assert psutil.wait_procs(parts, timeout=PATIENCE)[1] == []


def refused(folder: Path) -> None:
    """Another demo in the same folder is told which process has it, and harms nobody."""
    agent = (folder / "data" / "agent.sock.lock").read_text(encoding="ascii")
    command = [sys.executable, "-m", "edge_agent", "demo", "--folder", str(folder)]
    for more in ([], ["--check"]):
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT)
        assert done.returncode == 1
        assert f"An agent runs in {folder} already (process {agent})" in done.stderr
    assert psutil.pid_exists(int(agent))
