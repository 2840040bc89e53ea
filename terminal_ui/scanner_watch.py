"""Has the agent test the scanners of this terminal, for as long as somebody looks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from edge_agent.client import AgentAway, InputRefused
from edge_agent.views.scanner_report import ScannerReport
from edge_agent.views.status import Problem

Told = Callable[[ScannerReport | None, Problem | None], None]


class Tester(Protocol):
    """What the scanner page needs of `edge_agent.client.AgentClient`."""

    def scanner_test(self, terminal: str) -> AsyncGenerator[ScannerReport, None]:
        """The report so far, then after each scan. Raises AgentAway, InputRefused."""
        ...

    async def write_scanner(self, terminal: str) -> ScannerReport:
        """Write what was found. Raises AgentAway, InputRefused."""
        ...


class ScannerWatch:
    """`told` gets each report, or the problem of why there is none."""

    def __init__(self, client: Tester, terminal: str, told: Told) -> None:
        self._client = client
        self._terminal = terminal
        self._told = told

    async def watch(self) -> None:
        """Test until cancelled; then what the scanners send are scans again."""
        try:
            async with aclosing(self._client.scanner_test(self._terminal)) as reports:
                async for report in reports:
                    self._told(report, None)
        except AgentAway:
            self._told(None, Problem("scanner_page.away"))
        except InputRefused as error:
            self._told(None, error.problem)

    async def write(self) -> None:
        """Write what was found."""
        try:
            self._told(await self._client.write_scanner(self._terminal), None)
        except AgentAway:
            self._told(None, Problem("scanner_page.away"))
        except InputRefused as error:
            self._told(None, error.problem)
