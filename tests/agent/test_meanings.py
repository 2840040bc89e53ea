"""What a value means to people: its unit, and the word of the machine's map."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from device_drivers.contract import Value
from device_drivers.modbus.options import Options
from edge_agent.machines.equipment import Equipment
from edge_agent.machines.meanings import Glossary, Meanings
from edge_agent.views.maintenance import DeviceReading, PointReading

PRESS = Equipment(
    id="PRESS-03", device="plc", state="state", states={"6": "EXECUTE", "11": "HELD"}, mode="mode",
    modes={"1": "PRODUCTION"}, alarm="alarm", alarms={"412": "Hydraulic pressure low"}, count="parts",
    show=("oil", "force"), units={"oil": "bar", "force": "kN"},
)  # fmt: skip
OPTIONS = msgspec.convert(
    {"host": "10.0.0.9", "points": [
        {"name": "state", "address": 0}, {"name": "mode", "address": 1}, {"name": "alarm", "address": 2},
        {"name": "parts", "address": 3}, {"name": "oil", "address": 4, "engineering_unit": "°C"},
        {"name": "force", "address": 5},
    ]},
    Options,
)  # fmt: skip
MEANINGS = Meanings(OPTIONS.points, [PRESS])


@pytest.mark.parametrize(
    ("item", "value", "word"),
    [
        ("state", 6, "EXECUTE"), ("state", 11.0, "HELD"), ("state", 7, ""), ("state", None, ""),
        ("mode", 1, "PRODUCTION"),
        ("alarm", 412, "Hydraulic pressure low"), ("alarm", 0, ""), ("parts", 6, ""), ("unknown", 6, ""), ("", 6, ""),
    ],
)  # fmt: skip
def test_a_state_a_mode_and_an_alarm_have_words(item: str, value: Value, word: str) -> None:
    assert MEANINGS.word(item, value) == word


def test_the_unit_of_the_point_goes_before_that_of_a_machine() -> None:
    assert [MEANINGS.unit(each) for each in ("oil", "force", "state", "unknown")] == ["°C", "kN", "", ""]


def test_a_test_read_tells_both_and_one_of_an_unknown_device_neither() -> None:
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    points = (
        PointReading(item="state", raw="000B", value=11, status="Good", round_trip=0.01),
        PointReading(item="oil", raw="0029", value=41, status="Good", round_trip=0.01),
        PointReading(item="alarm", raw="", value=None, status="Bad", round_trip=None, reason="It refuses."),
    )
    glossary = Glossary({"plc": MEANINGS})
    told = glossary.told(DeviceReading(device="plc", at=now, points=points)).points
    assert [(each.unit, each.word) for each in told] == [("", "HELD"), ("°C", ""), ("", "")]
    other = DeviceReading(device="other", at=now, points=points)
    assert glossary.told(other) == other
