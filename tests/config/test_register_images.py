"""Registers as machines hold them, through the points of a map: what comes out is what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from config import parse
from device_drivers.contract import Value
from device_drivers.modbus import Options
from device_drivers.modbus.blocks import Block, plan
from device_drivers.modbus.values import Round, fields
from device_drivers.simulators.modbus_machine import registers
from device_drivers.simulators.shift import PRESS, Shift
from edge_agent.site import option_types
from tests.config.register_images import Image, image, sdm630, sunspec
from tests.support.manual_clock import START


def options_of(name: str, **more: Any) -> Options:
    """The options of a device with this map."""
    said = "".join(f"{key} = {value}\n" for key, value in more.items())
    site = f'[site]\nname = "P"\nagent = "a"\n[[terminals]]\nid = "T1"\n[[devices]]\nname = "d"\nmap = "{name}"\n'
    site += f'options = {{ host = "192.0.2.1" }}\n{said}'
    settings = parse(site, file="site.toml", folder=Path("/srv"), options=option_types())
    options = settings.devices[0].options
    assert isinstance(options, Options)
    return options


def values(options: Options, held: Image) -> dict[str, Value]:
    """What the points say, read in the blocks that the driver would read; a gap reads as 0."""
    blocks = blocks_of(options)
    one = Round(frozenset(point.scale_from for point in options.points if point.scale_from))
    told: dict[str, Value] = {}
    for block in blocks:
        answer = b"".join(held.get(block.address + index, 0).to_bytes(2, "big") for index in range(block.count))
        told |= {
            value.item: value.value for found in one.take(fields(block), answer, START) for value in found
        }  # fmt: skip
    return told


def blocks_of(options: Options) -> tuple[Block, ...]:
    """The reads of the driver."""
    return plan(options.placed(), options.max_registers, options.max_gap, options.max_bits)


def near(expected: Mapping[str, Value]) -> dict[str, Any]:
    """The values, numbers as near as a float32 holds them."""
    return {
        name: pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
        for name, value in expected.items()
    }


def test_an_sdm630_reads_three_phases_and_its_energy() -> None:
    held, expected = sdm630()
    assert values(options_of("eastron_sdm630"), held) == near(expected)


def test_an_sdm630_is_never_asked_for_more_than_it_answers() -> None:
    options = options_of("eastron_sdm630")
    blocks = blocks_of(options)
    assert all(block.count <= 60 and block.address % 2 == 0 and block.count % 2 == 0 for block in blocks)


@pytest.mark.parametrize("meter", [40070, 40069])
def test_a_sunspec_meter_tells_its_values_by_their_scale_factors(meter: int) -> None:
    held, expected = sunspec(meter)
    told = values(options_of("sunspec_meter", parameters=f"{{ meter = {meter} }}"), held)
    assert {name: told[name] for name in expected} == near(expected)


def test_a_sunspec_meter_is_looked_for_behind_the_base_that_the_site_says() -> None:
    options = options_of("sunspec_meter", parameters="{ base = 50000 }")
    assert {point.name: point.address for point in options.points}["power"] == 50000 + 70 + 18


def test_what_a_sunspec_meter_does_not_measure_has_no_value() -> None:
    held = image((40070, [203, 105]), (40074, [0x8000]), (40076, [0x8000]))
    told = values(options_of("sunspec_meter"), held)
    assert (told["current_l2"], told["current_l3"], told["current_sf"]) == (None, None, None)
    assert told["voltage"] == 0, "its own scale factor is there"


@pytest.mark.parametrize("base", [0, 400])
def test_the_block_of_a_generic_plc_is_the_one_of_the_simulated_press(base: int) -> None:
    moment = Shift(PRESS, 1).at(3600)
    told = values(
        options_of("generic_plc", parameters=f"{{ base = {base} }}"), image((base, registers(moment)))
    )
    assert told["state"] == int(moment.state)
    assert (told["mode"], told["alarm"]) == (int(moment.mode), moment.alarm)
    assert (told["good_count"], told["scrap_count"]) == (moment.good, moment.scrap)
    assert told["temperature"] == pytest.approx(moment.temperature, rel=1e-6)
    assert told["cycle_time"] == pytest.approx(moment.cycle_time, rel=1e-6)
