"""Barcode scanners on a serial port: every complete frame is one scan."""

from __future__ import annotations

from device_drivers.serial_scanner.driver import Driver, Options, connect

__all__ = ["Driver", "Options", "connect"]
