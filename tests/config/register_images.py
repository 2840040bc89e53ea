"""Registers as machines hold them, and what they mean."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from device_drivers.contract import Value

Image = Mapping[int, int]


def words(layout: str, *values: Any) -> list[int]:
    """Values as registers, most significant byte first."""
    data = struct.pack(f">{layout}", *values)
    return list(struct.unpack(f">{len(data) // 2}H", data))


def text(value: str, registers: int) -> list[int]:
    """A text as registers, filled up with NUL."""
    return words(f"{registers * 2}s", value.encode())


def image(*parts: tuple[int, list[int]]) -> Image:
    """Registers by address."""
    return {address + index: word for address, held in parts for index, word in enumerate(held)}


def sdm630() -> tuple[Image, dict[str, Value]]:
    """The input registers of an Eastron SDM630, and what its points say."""
    held = image(
        (0, words("9f", 230.1, 229.8, 231.4, 4.2, 3.9, 5.1, 966.0, 896.0, 1180.0)),
        (52, words("f", 3042.0)),
        (56, words("f", 3100.0)),
        (60, words("f", 410.0)),
        (62, words("f", 0.98)),
        (70, words("3f", 50.01, 18234.5, 12.25)),
        (342, words("f", 18246.75)),
    )
    return held, {
        "voltage_l1": 230.1, "voltage_l2": 229.8, "voltage_l3": 231.4,
        "current_l1": 4.2, "current_l2": 3.9, "current_l3": 5.1,
        "power_l1": 966.0, "power_l2": 896.0, "power_l3": 1180.0,
        "power": 3042.0, "apparent_power": 3100.0, "reactive_power": 410.0, "power_factor": 0.98,
        "frequency": 50.01, "energy_import": 18234.5, "energy_export": 12.25, "energy": 18246.75,
    }  # fmt: skip


def sunspec(meter: int) -> tuple[Image, dict[str, Value]]:
    """The holding registers of a SunSpec meter whose model 203 begins at `meter`, and what some points say."""
    held = image(
        (40000, text("SunS", 2)),
        (40002, [1, meter - 40004]),
        (40004, text("Example Meters", 16)),
        (40020, text("EM-3P", 16)),
        (40052, text("SN-0042", 16)),
        (meter, [203, 105]),
        (meter + 2, words("5h", 132, 42, 39, 51, -1)),
        (meter + 7, words("9h", 2304, 2301, 2298, 2314, 3991, 3985, 3990, 3998, -1)),
        (meter + 16, words("2h", 5001, -2)),
        (meter + 18, words("5h", -3042, -966, -896, -1180, 0)),
        (meter + 38, words("4I", 1_000, 0, 0, 0)),
        (meter + 46, words("4I", 18_234_500, 0, 0, 0)),
        (meter + 54, words("h", 0)),
    )
    return held, {
        "sunspec": "SunS", "maker": "Example Meters", "model": "EM-3P", "serial": "SN-0042", "meter_model": 203,
        "power": -3042, "voltage": 230.4, "voltage_l3": 231.4, "current": 13.2, "frequency": 50.01,
        "voltage_sf": -1, "current_sf": -1, "frequency_sf": -2,
        "energy_import": 18_234_500, "energy_export": 1_000, "energy_sf": 0,
    }  # fmt: skip
