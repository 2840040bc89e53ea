"""Values of machines in words: numbers without an exponent, what is silent, and since when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.command_line import device_words
from edge_agent.display import number_words
from edge_agent.views.maintenance import DeviceReading, LinePage, PointReading
from edge_agent.views.status import EquipmentStatus, ItemValue
from terminal_ui.glyphs import UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.machine import value_words
from terminal_ui.screens.step import Middle
from terminal_ui.texts import Texts
from terminal_ui.widgets.machine import machine_tile
from tests.terminal_ui.pages import PAGES, PLANT, WATCHED, trend
from tests.terminal_ui.samples import NOW, STATUS, VIEWS

WIDE = (80, 17)
LOOK = Look(Texts("en"), UNICODE, NOW.tzinfo)
ENERGY = ItemValue(name="energy", value=123_456.7, unit="kWh", status="Good", source_time=NOW)
ON = ItemValue(name="on", value=True, status="Good", source_time=NOW)


def told(scene: Scene, size: tuple[int, int] = WIDE) -> str:
    return "\n".join(line.plain for line in Middle(LOOK).fitted(scene, *size))


@given(st.floats(-999_999_999, 999_999_999), st.integers(3, 9))
def test_a_number_below_a_milliard_has_all_digits_before_its_point(value: float, digits: int) -> None:
    words = number_words(value, digits)
    assert "e+" not in words
    assert float(words) == pytest.approx(value, rel=0.6 * 10 ** (1 - digits))
    if abs(value) >= 1:
        assert abs(float(words) - value) <= max(0.5, abs(value) * 10 ** (1 - digits))


def test_a_state_of_an_earlier_day_is_told_by_its_age_beside_the_work() -> None:
    for ago, words in ((timedelta(minutes=44), "since 09:58"), (timedelta(days=3), "since 3 d")):
        machine = msgspec.structs.replace(WATCHED, state_since=NOW - ago)
        assert words in told(Scene(NOW, VIEWS["work"], msgspec.structs.replace(PLANT, machine=machine)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"only_changes": True}, "same for 3 d"), ({}, "3 d"),
        ({"only_changes": True, "state": "lost"}, "3 d"), ({"only_changes": True, "silent_since": NOW}, "3 d"),
    ],
)  # fmt: skip
def test_a_value_of_a_server_that_tells_changes_alone_is_not_old_but_the_same(
    changes: dict[str, Any], words: str
) -> None:
    point = msgspec.structs.replace(ENERGY, source_time=NOW - timedelta(days=3))
    fresh = msgspec.structs.replace(ENERGY, name="fresh", source_time=NOW - timedelta(seconds=40))
    machine = msgspec.structs.replace(WATCHED, device="press-03", values=(point, fresh))
    device = msgspec.structs.replace(PLANT.devices[0], **changes)
    status = msgspec.structs.replace(PLANT, watched=machine, devices=(device, *PLANT.devices[1:]))
    assert device.name == machine.device
    rows = told(Scene(NOW, PAGES["machine"], status)).splitlines()
    row = next(row for row in rows if "energy" in row)
    assert f"123457 kWh {words} " in row
    assert "123457 kWh 40 s " in next(row for row in rows if "fresh" in row)


def test_the_energy_of_a_meter_and_a_bit_are_told_alike_everywhere() -> None:
    machine = msgspec.structs.replace(WATCHED, values=(ENERGY, ON), alarm="")
    status = msgspec.structs.replace(PLANT, machine=machine, watched=machine)
    assert (value_words(ENERGY, LOOK), value_words(ON, LOOK)) == ("123457 kWh", "true")
    for view in (VIEWS["work"], PAGES["machine"]):
        shown = told(Scene(NOW, view, status), (120, 40))
        assert "123457 kWh" in shown
        assert "true" in shown
        assert "True" not in shown

    points = tuple(
        PointReading(item=each.name, raw="", value=each.value, unit=each.unit, status="Good", round_trip=None)
        for each in (ENERGY, ON)
    )
    page = PAGES["link"].page
    reading = DeviceReading(device=msgspec.structs.asdict(page)["device"], at=NOW, points=points)
    shown = told(Scene(NOW, PAGES["link"], PLANT, reading=reading), (80, 40))
    assert "123457 kWh" in shown
    assert "true" in shown

    line = trend()
    grown = msgspec.structs.replace(
        line, **{side: [None if each is None else each + 123_456 for each in getattr(line, side)]
                 for side in ("low", "high", "last")},
    )  # fmt: skip
    assert "e+05" not in told(Scene(NOW, PAGES["trend"], PLANT, trend=grown))
    assert (device_words.shown(12_345_678.9), device_words.shown(True)) == ("12345679", "true")


def test_a_silent_device_is_silent_on_its_own_page_and_on_the_line() -> None:
    three_hours = NOW - timedelta(hours=3)
    devices = tuple(
        msgspec.structs.replace(each, state="online", last_good=three_hours, silent_since=three_hours)
        for each in PLANT.devices
    )
    link = told(Scene(NOW, PAGES["link"], msgspec.structs.replace(PLANT, devices=devices)))
    state = next(row for row in link.splitlines() if row.split()[:1] == ["state"])
    assert "! silent" in state
    assert "3 h" in state
    assert "✓ ok" not in link
    page = PAGES["line"].page
    assert isinstance(page, LinePage)
    rows = tuple(msgspec.structs.replace(each, device_state="silent", alarm="") for each in page.machines[:1])
    line = msgspec.structs.replace(PAGES["line"], page=msgspec.structs.replace(page, machines=rows))
    assert f"nothing good from {rows[0].device}" in told(Scene(NOW, line, PLANT))
    assert "silent" in told(Scene(NOW, line, PLANT), (40, 10))


def test_a_state_that_is_older_than_today_does_not_look_like_todays() -> None:
    page = PAGES["line"].page
    assert isinstance(page, LinePage)
    rows = tuple(msgspec.structs.replace(each, since=NOW - timedelta(days=3)) for each in page.machines[:1])
    line = msgspec.structs.replace(PAGES["line"], page=msgspec.structs.replace(page, machines=rows))
    for size in ((80, 17), (40, 10)):
        shown = told(Scene(NOW, line, PLANT), size)
        row = next(row for row in shown.splitlines() if rows[0].name in row)
        assert "3 d" in row
        assert f"{NOW:%H:%M}" not in row


@pytest.mark.parametrize(("status", "old"), [("Good", False), ("Bad", True), ("Uncertain", True)])
def test_the_pace_is_as_old_as_its_count(status: Literal["Good", "Bad", "Uncertain"], old: bool) -> None:
    machine = EquipmentStatus(id="M", name="M", state="EXECUTE", count=152, count_status=status)
    scene = Scene(NOW, VIEWS["work"], msgspec.structs.replace(STATUS, machine=machine), pace=(35.0,) * 4)
    rows = [row.plain for row in machine_tile(scene, None, LOOK, 40)]
    (count,) = [row for row in rows if "152" in row]
    (pace,) = [row for row in rows if "35.0 / min" in row]
    assert ["? old" in row for row in (count, pace)] == [old, old]
