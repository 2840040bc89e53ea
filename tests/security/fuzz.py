"""schemathesis as a program of its own against a running server: what an interface says of itself, at random."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

EXAMPLES = 5  # of each route, beside one for each rule that its document states
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
)  # fmt: skip


def fuzz(
    url: str, token: str, folder: Path, leave_out: Sequence[str] = (), document: str = ""
) -> tuple[int, str]:
    """Exit code and words of a run with a fixed seed; `leave_out` are paths whose answers never end.

    `document` is a file of the interface to hold against the server; empty: what the server publishes.
    """
    command = [
        str(Path(sys.executable).with_name("st")), "run", document or f"{url}/openapi.json", "--url", url,
        "--header", f"Authorization:Bearer {token}", "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing",
        "--max-examples", str(EXAMPLES), "--request-timeout", "10", "--seed", "20261122",
        "--no-shrink", "--generation-database", "none", "--warnings", "off", "--continue-on-failure", "--no-color",
        "--suppress-health-check", "all", "--workers", "1",
    ]  # fmt: skip
    for path in leave_out:
        command += ["--exclude-path", path]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return ended.returncode, ended.stdout + ended.stderr
