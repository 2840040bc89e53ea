"""Tools of the system that a test can do without on a developer's PC, never on a build server."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

_PACKAGES = {"node": "nodejs", "ip": "iproute2", "systemd-analyze": "systemd", "mkfs.ext4": "e2fsprogs"}


def need(tool: str) -> str:
    """The path of a program; without it the test is skipped, or fails where REQUIRE_ALL=1 is set."""
    found = shutil.which(tool)
    if found:
        return found
    missing(f"{tool} is not installed: apt install {_PACKAGES.get(tool, tool)}")


def missing(reason: str) -> NoReturn:
    """Skip with a reason, or fail where REQUIRE_ALL=1 is set."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"REQUIRE_ALL=1 allows no skip: {reason}", pytrace=False)
    pytest.skip(reason)
