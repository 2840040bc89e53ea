"""OPC UA: one subscription to one server carries all points."""

from __future__ import annotations

from device_drivers.opcua.browse import browse
from device_drivers.opcua.driver import Driver, trust
from device_drivers.opcua.options import Options

__all__ = ["Driver", "Options", "browse", "trust"]
