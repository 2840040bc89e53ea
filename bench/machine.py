"""On what was measured: a figure without its machine says nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path
from typing import Any

import psutil


def machine() -> dict[str, Any]:
    """The PC and what runs on it, without its name."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "kernel": platform.release(),
    }


def load() -> list[float]:
    """The load averages over 1, 5 and 15 minutes."""
    return [round(each, 2) for each in os.getloadavg()]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
