"""Barcode scanners behind a serial server (raw TCP): every complete frame is one scan."""

from __future__ import annotations

from device_drivers.tcp_scanner.driver import Driver, Options, connect

__all__ = ["Driver", "Options", "connect"]
