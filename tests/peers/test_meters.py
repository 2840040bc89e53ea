"""The maps of meters against Modbus servers that others wrote, with the registers of the makers' lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import device_drivers
from config import parse
from device_drivers.contract import StatusCode, Value
from edge_agent.clock import SystemClock
from edge_agent.site import option_types
from tests.config.register_images import Image, sdm630, sunspec
from tests.device_drivers.observing import running
from tests.peers.others import need_node_package, node_server

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
options = {{ host = "127.0.0.1", port = {server["port"]}, interval = 0.05 }}
[[equipment]]
id = "METER"
device = "meter"
"""
        settings = parse(text, file="site.toml", folder=tmp_path, options=option_types())
        (device,), (meter,) = settings.devices, settings.equipment
        driver = device_drivers.load(device.driver).Driver(device.options, SystemClock())
        async with running(driver) as run:
            seen = {point.name: await run.value(point.name) for point in device.options.points}
    told = {name: seen[name].value for name in expected}
    assert told == {k: pytest.approx(v, rel=1e-6) if isinstance(v, float) else v for k, v in expected.items()}
    assert all(seen[item].status is StatusCode.GOOD for item in meter.show)
