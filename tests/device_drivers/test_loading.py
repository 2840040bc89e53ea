"""Drivers are found by their file, and cost nothing before they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import device_drivers


def test_finds_every_driver_and_nothing_else() -> None:
    assert device_drivers.names() == ("modbus", "opcua", "serial_scanner", "tcp_scanner")


@pytest.mark.parametrize("name", device_drivers.names())
def test_loads_by_file_name(name: str) -> None:
    module = device_drivers.load(name)
    assert module.Options.__name__ == "Options"
    assert module.Driver.__name__ == "Driver"


@pytest.mark.parametrize("name", ["profinet", "contract", "scanners", "simulators", "modbus.blocks", "../modbus", ""])
def test_an_unknown_driver_is_told_with_those_that_exist(name: str) -> None:
    with pytest.raises(LookupError, match="Installed are: modbus, opcua, serial_scanner, tcp_scanner"):
        device_drivers.load(name)


@pytest.mark.parametrize(
    ("statement", "library"),
    [
        ("names()", "pymodbus"),
        ("names()", "serial"),
        ("load('opcua')", "asyncua"),
        ("load('modbus')", "pymodbus"),
        ("load('modbus')", "serial"),
        ("load('serial_scanner')", "pymodbus"),
    ],
)
def test_a_library_is_not_imported_before_it_is_needed(statement: str, library: str) -> None:
    code = f"import sys, device_drivers; device_drivers.{statement}; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
