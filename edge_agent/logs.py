"""Logs: one JSON object a line on standard error, for journald or a file."""

from __future__ import annotations

import logging
import sys

import structlog


def log_to_stderr() -> None:
    """Set it up once, before anything is logged. Libraries are heard from warnings on."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format='{"level":"%(levelname)s","logger":"%(name)s"}')
    # asyncua writes whole addresses and stack traces about a server that is merely away; the
    # supervisor says it once, in words.
    for name in ("asyncua", "pymodbus"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
