"""The reference ERP as a process of its own: started, killed, started again on the same books."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from sync.contract import AnyPlan
from sync.reference_views import Booking, BookingsReply

TOKEN = "a-token-for-tests"


class ErpProcess:
    """The reference ERP with its files in `folder`. `port` is known after `start`, and kept."""

    def __init__(self, folder: Path, plans: Sequence[AnyPlan] = ()) -> None:
        self.port = 0
        self.token_file = folder / "token"
        self.token_file.touch(mode=0o600)
        self.token_file.write_text(TOKEN)
        self._database = folder / "books.db"
        self._plans = folder / "plans.json"
        self._plans.write_bytes(msgspec.json.encode(list(plans)))
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when it takes connections."""
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "sync.reference_erp", "--port", str(self.port),
                "--database", self._database, "--plans", self._plans, "--token-file", self.token_file,
            ],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.port = json.loads(self._process.stdout.readline())["port"]

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def stop(self) -> int:
        """End it in good order; returns its exit status."""
        assert self._process is not None
        self._process.terminate()
        self._process.communicate(timeout=10)
        status, self._process = self._process.returncode, None
        return status

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        """One request of the office."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else msgspec.json.encode(body),
            headers={"authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            content: bytes = reply.read()
            return content

    def put(self, *plans: AnyPlan) -> None:
        """The office adds or replaces plans."""
        self.call("PUT", "/v1/plans", plans)

    def bookings(self, agent: str) -> tuple[Booking, ...]:
        """Every decided fact of an agent, in order of arrival."""
        return msgspec.json.decode(
            self.call("GET", f"/v1/bookings?agent={agent}"), type=BookingsReply
        ).bookings
