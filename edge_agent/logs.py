"""Logs: one JSON object a line on standard error, for journald or a file."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_OURS = ("edge_agent", "sync", "__main__")
# They write whole addresses and stack traces about a device that is merely away; the supervisor says
# it once, in words.
_CHATTY = ("asyncua", "pymodbus")


def log_to_stderr() -> None:
    """Set it up once, before anything is logged. Libraries are heard from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    fields = {"asctime": "at", "levelname": "level", "message": "event"}
    handler.setFormatter(JsonFormatter("{asctime}{levelname}{message}", style="{", rename_fields=fields))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
