"""The tutorial is followed step by step with the real demo: what it says is what one sees."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.running import short_folder
from tests.docs.markdown import ROOT, Block, blocks
from tests.docs.terminal_on_pty import PATIENCE, TerminalOnPty, pattern, plain

FOLDER = "/tmp/floorhand-demo"  # the name in the tutorial; the test has a folder of its own
DOUBTS = "/tmp/floorhand-doubts"  # the one of the page on exceptions
PROGRAM = ".venv/bin/floorhand"


class Reader:
    """Somebody who does what the tutorial says, with one hand in each shell."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = {
            **os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1",
        }  # fmt: skip
        self._output = ""
        self._left_running: list[subprocess.Popen[bytes]] = []
        self.terminal: TerminalOnPty | None = None

    def follow(self, step: Block) -> None:
        """Do one block, or see what it says."""
        match step.kind, step.more:
            case "sh", "background":
                self._left_running.append(self._start(step.text))
            case "sh", "":
                self._run(step.text)
            case "keys", "":
                self._screen().press(step.text)
            case "screen", "":
                self._screen().shows(*step.lines)
            case "output", "":
                missing = [row for row in step.lines if not pattern(row).search(plain(self._output))]
                assert missing == [], self._output
            case _:
                pytest.fail(f"a test can not follow a block {step.kind!r} {step.more!r}")

    def end(self) -> None:
        """Leave nothing running."""
        if self.terminal is not None:
            self.terminal.end()
        for process in self._left_running:
            process.terminate()
            process.wait(PATIENCE)

    def _screen(self) -> TerminalOnPty:
        assert self.terminal is not None, "the tutorial has not started the demo yet"
        return self.terminal

    def _run(self, text: str) -> None:
        if text.startswith("make "):
            check_recipe(text.removeprefix("make ").strip())
        elif text.startswith(f"{PROGRAM} demo"):
            command = self._told(text).split()
            self.terminal = TerminalOnPty(
                [sys.executable, "-m", "edge_agent", *command[3:]], ROOT, self._environment
            )
        else:
            done = subprocess.run(
                ["sh", "-c", self._told(text)], cwd=ROOT, env=self._environment, capture_output=True, text=True,
                timeout=PATIENCE,
            )  # fmt: skip
            self._output = done.stdout + done.stderr

    def _start(self, text: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._told(text).split(), cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _told(self, text: str) -> str:
        return text.replace(PROGRAM, f"{sys.executable} -m edge_agent").replace(FOLDER, str(self._folder)).replace(
            DOUBTS, str(self._folder)
        )


def check_recipe(target: str) -> None:
    """The Makefile has the target, and it starts the program that the tutorial goes on with."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(rf"^{re.escape(target)}:.*\n\t(.+)$", makefile, re.MULTILINE)
    assert recipe is not None, f"there is no `make {target}`"
    assert recipe[1].endswith(f"-m edge_agent {target}")


@pytest.fixture
def reader() -> Iterator[Reader]:
    with short_folder() as folder:
        person = Reader(folder)
        try:
            yield person
        finally:
            person.end()


def test_the_tutorial_happens_as_it_is_told(reader: Reader) -> None:
    steps = list(blocks(ROOT / "docs" / "tutorial.md"))
    assert len(steps) > 40
    for step in steps:
        try:
            reader.follow(step)
        except (AssertionError, pytest.fail.Exception) as failure:
            pytest.fail(f"docs/tutorial.md:{step.line}: {failure}")
    assert reader.terminal is not None
    assert reader.terminal.ended() == 0


def test_a_write_happens_as_it_is_told(reader: Reader) -> None:
    page = ROOT / "docs" / "how-to" / "write-to-a-machine.md"
    head = page.read_text(encoding="utf-8").split("## 5. Try it with the demo")[0].count("\n")
    steps = [step for step in blocks(page) if step.line > head]
    assert len(steps) >= 10
    for step in steps:
        try:
            reader.follow(step)
        except (AssertionError, pytest.fail.Exception) as failure:
            pytest.fail(f"{page.name}:{step.line}: {failure}")


def test_exceptions_are_cleared_as_it_is_told(reader: Reader) -> None:
    page = ROOT / "docs" / "how-to" / "clear-exceptions.md"
    text = page.read_text(encoding="utf-8")
    first, after = (text.split(heading)[0].count("\n") for heading in ("## Try it in the demo", "What a lead may do"))
    steps = [step for step in blocks(page) if first < step.line <= after]
    assert len(steps) >= 15
    for step in steps:
        try:
            reader.follow(step)
        except (AssertionError, pytest.fail.Exception) as failure:
            pytest.fail(f"{page.name}:{step.line}: {failure}")
