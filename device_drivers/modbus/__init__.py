"""Modbus: polls the registers of all units of a line, or of a connection, in as few block reads as they allow."""

from __future__ import annotations

from device_drivers.modbus.browse import browse, with_raw
from device_drivers.modbus.driver import Driver
from device_drivers.modbus.options import Options

__all__ = ["Driver", "Options", "browse", "with_raw"]
