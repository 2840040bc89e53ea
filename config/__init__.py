"""The site file of one PC: types, loading, secrets. Imports no other package of the house."""

from __future__ import annotations

from config.checking import OptionTypes
from config.loading import load, parse
from config.packml import StopReasons, UnitState
from config.places import place_problems
from config.problems import ConfigError, Problem
from config.secrets import SecretError, read_secret
from config.settings import (
    Api,
    Connector,
    Device,
    Equipment,
    Policies,
    Scanner,
    Settings,
    Site,
    Telemetry,
    TelemetryItems,
    Terminal,
    Write,
)

__all__ = [
    "Api",
    "ConfigError",
    "Connector",
    "Device",
    "Equipment",
    "OptionTypes",
    "Policies",
    "Problem",
    "Scanner",
    "SecretError",
    "Settings",
    "Site",
    "StopReasons",
    "Telemetry",
    "TelemetryItems",
    "Terminal",
    "UnitState",
    "Write",
    "load",
    "parse",
    "place_problems",
    "read_secret",
]
