"""The demo strip: what to do next at each step, and the scan that does it.

A TOML file maps `[scenario.step]` to `text`, and optionally `scan` and `wrong`: the lines that F12 and
F11 play. They go into a FIFO whose other end is the simulated scanner, so that they really travel
through the serial line. `{placeholders}` are filled from the view: a prompt parameter by its name, a
kind (`{location}`) with the first label of that kind that may be scanned now, `{expect}` with the
first label of any kind but a command, `{choice}` with the first open choice.
"""

from __future__ import annotations

import errno
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.views import Kind, View

_PLACE = re.compile(r"\{(\w+)\}")


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the guide."""

    text: str
    scan: str = ""
    wrong: str = ""


class Guide:
    """The hints of one file. Raises ValueError with a sentence when the file is not a guide."""

    def __init__(self, path: Path) -> None:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            self._hints = {code: msgspec.convert(hint, Hint) for code, hint in _hints("", table)}
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"{path} is not a guide: {error}") from error

    def hint(self, view: View) -> Hint:
        """What to do at this step, placeholders filled; empty when the guide has nothing to say."""
        hint = self._hints.get(f"{view.scenario}.{view.step}") or self._hints.get(view.scenario)
        if hint is None:
            return Hint("")
        fills = placeholders(view)
        return Hint(
            *(
                _PLACE.sub(lambda match: fills.get(match[1], ""), part)
                for part in (hint.text, hint.scan, hint.wrong)
            )
        )


def placeholders(view: View) -> dict[str, str]:
    """What a guide may fill in at this view."""
    fills = dict(view.prompt_params)
    for expectation in reversed(view.expects):
        if expectation.label and expectation.kind is not Kind.COMMAND:
            fills[expectation.kind.value] = expectation.label
            fills["expect"] = expectation.label
    labels = [expectation.label for expectation in view.expects if expectation.label]
    for choice in reversed(view.choices):
        label = choice.label or next((label for label in labels if f":{choice.title}." in label), None)
        if label and not choice.blocked:
            fills["choice"] = label
    return fills


def play(pipe: Path, text: str) -> bool:
    """Write one line into the scanner's FIFO; False when nobody reads it. Never blocks."""
    try:
        file = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENOENT):
            return False
        raise
    try:
        os.write(file, text.encode("latin-1", "replace") + b"\n")
    except (BlockingIOError, BrokenPipeError):
        return False
    finally:
        os.close(file)
    return True


def _hints(prefix: str, table: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        match value:
            case {"text": str()}:
                found.append((prefix + name, value))
            case dict():
                found += _hints(f"{prefix}{name}.", value)
            case _:
                raise ValueError(f"{prefix}{name}: a table with text, scan, wrong was expected.")
    return found
