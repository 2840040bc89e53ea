"""A window of tmux, driven from outside as a person drives it."""

from __future__ import annotations

import subprocess
import time
import uuid

import pytest

from tests.agent.running import PATIENCE
from tests.support.optional import need


class Tmux:
    """One detached window of a server of our own."""

    def __init__(self, program: list[str], columns: int, rows: int) -> None:
        self._command = [need("tmux"), "-L", f"floorhand-{uuid.uuid4().hex}", "-f", "/dev/null"]
        self.run("new-session", "-d", "-x", str(columns), "-y", str(rows), *program)

    def run(self, *arguments: str) -> str:
        """One command to the server; what it prints."""
        done = subprocess.run([*self._command, *arguments], check=True, capture_output=True, text=True)
        return done.stdout

    def press(self, *keys: str) -> None:
        """Keys as tmux names them."""
        self.run("send-keys", *keys)

    @property
    def screen(self) -> str:
        """What stands in the window."""
        return self.run("capture-pane", "-p")

    def shows(self, words: str) -> str:
        """Wait until the words stand there; the whole screen."""
        give_up = time.monotonic() + PATIENCE
        while words not in (screen := self.screen):
            if time.monotonic() > give_up:
                pytest.fail(f"waited for {words!r}; tmux shows:\n{screen}")
            time.sleep(0.05)  # a server that is asked without a pause does not get to the window
        return screen
