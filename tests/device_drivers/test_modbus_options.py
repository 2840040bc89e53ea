"""What the site file may say about a Modbus device, and what it is told where it contradicts itself."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from device_drivers.modbus.options import Options
from device_drivers.modbus.points import Table

SERIAL = {"port": "/dev/ttyUSB0"}


def options(**said: Any) -> Options:
    """Options as the site file says them, for a device with one point."""
    return msgspec.convert({"host": "127.0.0.1", "points": [{"name": "x", "address": 1}], **said}, Options)


@pytest.mark.parametrize(
    ("base", "address", "table", "wire"),
    [
        (0, 0, None, (Table.HOLDING, 0)),
        (0, 65535, "input", (Table.INPUT, 65535)),
        (1, 1, None, (Table.HOLDING, 0)),
        (1, 65536, "coil", (Table.COIL, 65535)),
        ("modicon", 1, None, (Table.COIL, 0)),
        ("modicon", 9999, None, (Table.COIL, 9998)),
        ("modicon", 10001, None, (Table.DISCRETE, 0)),
        ("modicon", 30010, None, (Table.INPUT, 9)),
        ("modicon", 40001, None, (Table.HOLDING, 0)),
        ("modicon", 49999, "holding", (Table.HOLDING, 9998)),
        ("modicon", 165536, None, (Table.DISCRETE, 65535)),
        ("modicon", 365536, None, (Table.INPUT, 65535)),
        ("modicon", 400001, None, (Table.HOLDING, 0)),
    ],
)
def test_an_address_is_counted_as_the_maker_does(
    base: object, address: int, table: str | None, wire: tuple[Table, int]
) -> None:
    point = {"name": "x", "address": address} | ({"table": table} if table else {})
    (placed,) = options(base=base, points=[point]).placed()
    assert (placed.table, placed.address) == wire


@pytest.mark.parametrize(
    ("base", "point", "words"),
    [
        (0, {"address": 65536}, "addresses are 0 to 65535"),
        (1, {"address": 0}, "addresses are 1 to 65536"),
        ("modicon", {"address": 0}, "no Modicon number"),
        ("modicon", {"address": 20001}, "no Modicon number"),
        ("modicon", {"address": 40000}, "no Modicon number"),
        ("modicon", {"address": 465537}, "<= 465536"),
        ("modicon", {"address": 40001, "table": "input"}, "40001 is a holding, and `table` says input"),
        ("modicon", {"address": 10001, "type": "uint16"}, "can only be bool"),
    ],
)
def test_an_address_that_can_not_be_is_refused(base: object, point: dict[str, object], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        options(base=base, points=[{"name": "x", **point}])


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"table": "coil", "type": "uint16"}, "can only be bool"),
        ({"table": "coil", "bit": 1}, "leave `bit` out"),
        ({"type": "bool"}, "needs `bit`"),
        ({"bit": 16, "type": "bool"}, "0 to 15"),
        ({"bit": 1}, "goes with type bool"),
        ({"bits": 3}, "together with `bits`"),
        ({"bit": 1, "bits": 2, "type": "bool"}, "leave `bits` out"),
        ({"bit": 1, "bits": 2, "type": "int16"}, "goes with uint16"),
        ({"bit": 14, "bits": 3}, "has no 3 bits from bit 14"),
        ({"type": "string"}, "`length`"),
        ({"length": 4}, "`length`"),
        ({"type": "string", "length": 2, "scale": 2}, "no scale"),
        ({"type": "string", "length": 2, "order": "CDAB"}, "not its words"),
        ({"not_available": "none"}, "`not_available`"),
        ({"not_available": [1, "none"]}, "`not_available`"),
        ({"not_available": 65536}, "`not_available` 65536: the point holds 0 to 65535"),
        ({"type": "int16", "not_available": [-32768, -32769]}, "-32769: the point holds -32768 to 32767"),
        ({"type": "int32", "not_available": 0x100000000}, "the point holds -2147483648 to 2147483647"),
        ({"type": "bcd16", "not_available": 0xFFFF}, "the point holds 0 to 9999"),
        ({"type": "bcd32", "not_available": -1}, "the point holds 0 to 99999999"),
        ({"bit": 4, "bits": 3, "not_available": 8}, "the point holds 0 to 7"),
        ({"type": "int16", "not_available": 0.5}, "0.5: the point holds whole numbers"),
        ({"type": "float32", "not_available": 1e39}, "more than a float32 can hold"),
        ({"type": "string", "length": 1, "not_available": "N/A"}, "'N/A': the string has 2 bytes"),
        ({"type": "bool", "bit": 0, "not_available": 1}, "leave `not_available` out"),
        ({"address": 65535, "type": "uint32"}, "last address"),
        ({"group": "fast"}, "no group 'fast'"),
        ({"scale_from": "sf"}, "no point of this device"),
        ({"unit": "bar"}, "got `str`"),
    ],
)
def test_a_contradictory_point_is_refused_in_words(point: dict[str, object], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        options(points=[{"name": "x", "address": 0, **point}])


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        ({"type": "float32"}, "whole number"),
        ({"scale": 10}, "without a scale"),
        ({"scale_from": "x"}, "without a scale"),
        ({"unit": 2}, "same unit and group"),
        ({"group": "slow"}, "same unit and group"),
    ],
)
def test_not_every_point_can_be_a_scale_factor(factor: dict[str, object], words: str) -> None:
    points = [{"name": "x", "address": 0, "scale_from": "sf"}, {"name": "sf", "address": 1, **factor}]
    with pytest.raises(msgspec.ValidationError, match=words):
        options(points=points, groups={"slow": 5})


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"points": [{"name": "x", "address": 1}, {"name": "x", "address": 2}]}, "twice"),
        ({"max_registers": 1, "points": [{"name": "x", "address": 1, "type": "int32"}]}, "more than max_reg"),
        ({"max_registers": 126}, "<= 125"),
        ({"points": []}, "length >= 1"),
        ({"host": ""}, "needs `host`"),
        ({"transport": "rtu_over_tcp", "host": ""}, "needs `host`"),
        ({"transport": "rtu"}, "`serial`"),
        ({"transport": "rtu", "serial": SERIAL}, "has no `host`"),
        ({"serial": SERIAL}, "`serial`"),
        ({"transport": "rtu_over_tcp", "max_in_flight": 2}, "one request at a time"),
        ({"max_in_flight": 2, "pause_between_requests": 0.1}, "contradict"),
        ({"groups": {"fast": 0}}, ">= 0.01"),
    ],
)
def test_contradictory_options_are_refused_in_words(said: dict[str, object], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        options(**said)


def test_points_carry_their_own_unit_or_the_device_s() -> None:
    points = [{"name": "a", "address": 1}, {"name": "b", "address": 1, "unit": 7}]
    assert [point.unit for point in options(unit=3, points=points).placed()] == [3, 7]


def test_frames_on_a_serial_line_are_three_and_a_half_characters_apart() -> None:
    slow = options(transport="rtu", host="", serial={**SERIAL, "baudrate": 9600})
    fast = options(transport="rtu", host="", serial={**SERIAL, "baudrate": 115200})
    assert slow.gap == pytest.approx(3.5 * 11 / 9600)
    assert fast.gap == 0.00175
