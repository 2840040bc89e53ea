"""The maps of meters against Modbus servers that others wrote, with the registers of the makers' lists."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

import device_drivers
from config import parse
from device_drivers.contract import StatusCode, Value
from edge_agent.clock import SystemClock
from edge_agent.site import option_types
from tests.agent.test_cli import floorhand
from tests.config.register_images import Image, sdm630, sunspec
from tests.device_drivers.observing import running
from tests.peers.others import joined_ports, need_node_package, node_server

METERS: dict[str, tuple[str, tuple[Image, dict[str, Value]]]] = {
    "eastron_sdm630": ("input", sdm630()),
    "sunspec_meter": ("holding", sunspec(40070)),
}


@pytest.mark.parametrize("package", ["modbus-serial", "jsmodbus"])
@pytest.mark.parametrize("name", METERS)
async def test_a_meter_is_read_by_its_map(package: str, name: str, tmp_path: Path) -> None:
    need_node_package(package)
    table, (held, expected) = METERS[name]
    image = tmp_path / "image.json"
    image.write_text(json.dumps({"holding": {}, "input": {}} | {table: held}), encoding="utf-8")
    with node_server(package, "modbus_server.js", "tcp", "-", str(image)) as server:
        text = f"""
[site]
name = "P"
agent = "a"
[[terminals]]
id = "T1"
[[devices]]
name = "meter"
map = "{name}"
options = {{ host = "127.0.0.1", port = {server["port"]}, interval = 0.05, timeout = 5 }}
[[equipment]]
id = "METER"
device = "meter"
"""
        settings = parse(text, file="site.toml", folder=tmp_path, options=option_types())
        (device,), (meter,) = settings.devices, settings.equipment
        driver = device_drivers.load(device.driver).Driver(device.options, SystemClock())
        async with running(driver) as run:
            seen = {point.name: await run.value(point.name) for point in device.options.points}
    assert {name: seen[name].value for name in expected} == near(expected)
    assert all(seen[item].status is StatusCode.GOOD for item in meter.show)


async def test_a_meter_on_a_serial_line_is_tested_in_words(tmp_path: Path) -> None:
    need_node_package("modbus-serial")
    held, expected = sdm630()
    image, site = tmp_path / "image.json", tmp_path / "site.toml"
    image.write_text(json.dumps({"holding": {}, "input": held}), encoding="utf-8")
    async with joined_ports() as (theirs, ours):
        with node_server("modbus-serial", "modbus_server.js", "rtu", theirs, str(image)):
            line = f'serial = {{ port = "{ours}", baudrate = 115200, parity = "N" }}'
            site.write_text(f"""
[site]
name = "P"
agent = "a"
[[terminals]]
id = "T1"
[[devices]]
name = "meter"
map = "eastron_sdm630"
options = {{ transport = "rtu", {line}, timeout = 0.5 }}
[[equipment]]
id = "METER"
device = "meter"
""", encoding="utf-8")  # fmt: skip
            told = await asyncio.to_thread(floorhand, "devices", "test", "meter", "--site", site)
    assert (told.returncode, told.stderr) == (0, "")
    assert f"{len(expected)} of {len(expected)} points have a value." in told.stdout
    assert "METER" not in told.stdout, "a meter is in no state"
    assert re.search(r"^  OK  voltage_l1 +230\.1 V +sent 4366 199A  input 0$", told.stdout, re.MULTILINE)


def near(expected: dict[str, Value]) -> dict[str, Any]:
    """The values, numbers as near as a float32 holds them."""
    return {k: pytest.approx(v, rel=1e-6) if isinstance(v, float) else v for k, v in expected.items()}
