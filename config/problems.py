"""What is wrong with a site file, told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake. `key` is its place (`devices[1].options.port`), empty when it is the file itself.

    `what` says what is wrong, `allowed` what may stand there; empty when `what` says it all.
    """

    file: str
    key: str
    what: str
    allowed: str = ""

    def __str__(self) -> str:
        place = f"{self.file}: {self.key}" if self.key else self.file
        return f"{place}: {self.what}" + (f"; allowed: {self.allowed}" if self.allowed else "")


class ConfigError(Exception):
    """The site file can not be used. `problems` holds every mistake that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
