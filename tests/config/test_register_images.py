"""Registers as machines hold them, through the points of a map: what comes out is what they mean."""

from __future__ import annotations

import struct
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
from tests.support.manual_clock import START

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
        told |= {value.item: value.value for value in one.take(fields(block), answer, START)}
    return told


def blocks_of(options: Options) -> tuple[Block, ...]:
    """The reads of the driver."""
    return plan(options.placed(), options.max_registers, options.max_gap, options.max_bits)


def test_an_sdm630_reads_three_phases_and_its_energy() -> None:
    held = image(
        (0, words("9f", 230.1, 229.8, 231.4, 4.2, 3.9, 5.1, 966.0, 896.0, 1180.0)),
        (52, words("f", 3042.0)),
        (56, words("f", 3100.0)),
        (60, words("f", 410.0)),
        (62, words("f", 0.98)),
        (70, words("3f", 50.01, 18234.5, 12.25)),
        (342, words("f", 18246.75)),
    )
    told = values(options_of("eastron_sdm630"), held)
    assert told == {
        name: pytest.approx(value, rel=1e-6)
        for name, value in {
            "voltage_l1": 230.1, "voltage_l2": 229.8, "voltage_l3": 231.4,
            "current_l1": 4.2, "current_l2": 3.9, "current_l3": 5.1,
            "power_l1": 966.0, "power_l2": 896.0, "power_l3": 1180.0,
            "power": 3042.0, "apparent_power": 3100.0, "reactive_power": 410.0, "power_factor": 0.98,
            "frequency": 50.01, "energy_import": 18234.5, "energy_export": 12.25, "energy": 18246.75,
        }.items()
    }  # fmt: skip


def test_an_sdm630_is_never_asked_for_more_than_it_answers() -> None:
    options = options_of("eastron_sdm630")
    blocks = blocks_of(options)
    assert all(block.count <= 60 and block.address % 2 == 0 and block.count % 2 == 0 for block in blocks)


@pytest.mark.parametrize("meter", [40070, 40069])
def test_a_sunspec_meter_tells_its_values_and_their_scale_factors(meter: int) -> None:
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
    told = values(options_of("sunspec_meter", parameters=f"{{ meter = {meter} }}"), held)
    assert (told["sunspec"], told["maker"], told["model"], told["serial"]) == (
        "SunS", "Example Meters", "EM-3P", "SN-0042",
    )  # fmt: skip
    assert told["meter_model"] == 203
    measured = {"power": -3042.0, "voltage": 230.4, "voltage_l3": 231.4, "current": 13.2, "frequency": 50.01}
    assert {name: told[name] for name in measured} == {k: pytest.approx(v) for k, v in measured.items()}
    assert (told["voltage_sf"], told["current_sf"], told["frequency_sf"]) == (-1, -1, -2)
    assert (told["energy_import"], told["energy_export"], told["energy_sf"]) == (18_234_500, 1_000, 0)


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
