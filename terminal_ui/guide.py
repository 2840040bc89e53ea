"""The demo strip: what to do next at each step, and the scan that does it.

A TOML file maps `[scenario.step]`, or the code of a question (`[exceptions.look]`) that goes before it, to `text`, and
optionally `scan`, `wrong`, `other` and `lead`: the lines that F12, F11, O and I play. They go into a FIFO whose other
end is the simulated scanner, so that they really travel through the serial line. A list of wrong lines: the one that is
most like what is expected, and not it. `[scenario.step.of.NAME]` is the hint where the screen is about NAME, or NAME is
signed on.

`{placeholders}` are filled from the view: a prompt parameter by its name, a kind (`{location}`) with the first label of
that kind that may be scanned now, `{expect}` with the first label of any kind but a command, `{choice}` with the first
open choice, `{choices}` with the numbers of all, `{choice_J_205}` with the number of that one, `{proposed}` with what
Enter would send, `{key_undo}` with the key of an action that does something now. `[...]` is left out when a placeholder
in it is empty.
"""

from __future__ import annotations

import errno
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.views import Choice, Kind, PickPage, View
from edge_agent.views.scanner_report import ScannerReport
from terminal_ui.inputs import AT_ONCE
from terminal_ui.keys import action, offered

_PLACE = re.compile(r"\{(\w+)\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the guide. `of`: other hints, by what the screen is about or who is signed on."""

    text: str
    scan: str = ""
    wrong: str | tuple[str, ...] = ()
    other: str = ""
    lead: str = ""
    of: dict[str, Hint] = {}


class Told(msgspec.Struct, frozen=True):
    """A hint with its placeholders filled: the line to show, and what each key plays; empty: nothing."""

    text: str = ""
    scan: str = ""
    wrong: str = ""
    other: str = ""
    lead: str = ""


class Guide:
    """The hints of one file. Raises ValueError with a sentence when the file is not a guide."""

    def __init__(self, path: Path) -> None:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            self._hints = {code: msgspec.convert(hint, Hint) for code, hint in _hints("", table)}
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"{path} is not a guide: {error}") from error

    def hint(self, view: View) -> Told:
        """What to do at this step, placeholders filled; empty when the guide has nothing to say."""
        codes = (view.prompt, f"{view.scenario}.{view.step}", view.scenario)
        hint = next((self._hints[code] for code in codes if code in self._hints), None)
        if hint is None:
            return Told()
        about = (view.title, view.who.name if view.who is not None else "")
        hint = next((hint.of[name] for name in about if name in hint.of), hint)
        fills = placeholders(view)
        expected = fills.get("expect", "")
        several = (hint.wrong,) if isinstance(hint.wrong, str) else hint.wrong
        wrong = [each for each in (_filled(each, fills) for each in several) if each != expected or len(several) == 1]
        played = max(wrong, key=lambda each: _alike(each, expected), default="")
        scan, other, lead = (_filled(each, fills) for each in (hint.scan, hint.other, hint.lead))
        return Told(_said(hint.text, fills), scan, played, other, lead)


def _alike(one: str, other: str) -> int:
    """How many characters two lines begin with together."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _said(text: str, fills: dict[str, str]) -> str:
    def optional(match: re.Match[str]) -> str:
        return match[1] if all(fills.get(name) for name in _PLACE.findall(match[1])) else ""

    return _filled(_OPTIONAL.sub(optional, text), fills)


def _filled(text: str, fills: dict[str, str]) -> str:
    return _PLACE.sub(lambda match: fills.get(match[1], ""), text)


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
    fills |= _numbers(view.choices)
    fills["proposed"] = view.entry.value if view.entry is not None else ""
    if isinstance(view.page, PickPage) and view.page.lines_left > 1:
        fills["more_lines"] = str(view.page.lines_left - 1)
    return fills | {f"key_{name}": action(name).shown for name in offered(view)}


def _numbers(choices: tuple[Choice, ...]) -> dict[str, str]:
    """What to press for the choices."""
    if not choices:
        return {}
    numbers = [choice.number for choice in choices]
    fills = {"choices": f"{min(numbers)}-{max(numbers)}" if len(numbers) > 1 else f"{numbers[0]}"}
    if max(numbers) <= AT_ONCE:
        opened = (choice for choice in choices if not choice.blocked)
        fills |= {"choice_" + re.sub(r"\W", "_", choice.id): f"{choice.number}" for choice in opened}
    return fills


def label_to_test(report: ScannerReport | None, well: bool) -> str:
    """The label that the test of a scanner asks for, as a scanner sends it that is set well, or one that loses FNC1."""
    if report is None:
        return ""
    return "]C1" + report.known.replace("<FNC1>", "\\x1d" if well else "")


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
