"""Modbus: polls the registers of one unit in as few block reads as the device allows."""

from __future__ import annotations

from device_drivers.modbus.browse import browse, with_raw
from device_drivers.modbus.driver import Driver
from device_drivers.modbus.options import Options

__all__ = ["Driver", "Options", "browse", "with_raw"]
