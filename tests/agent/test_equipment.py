"""Values of a machine -> its state, count and alarm."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from device_drivers.contract import DataValue, StatusCode, Value
from edge_agent.machines.equipment import Equipment
from edge_agent.views.status import EquipmentStatus, ItemValue
from tests.support.manual_clock import START


def _press() -> Equipment:
    return Equipment(
        id="E1", name="Press 1", device="plc", state="state", states={"3": "EXECUTE", "4": "IDLE", "5": "IDLE"},
        count="parts", count_width=16, alarm="alarm", alarms={"17": "Guard open"}, show=("speed", "oil"),
        units={"speed": "1/min"},
    )  # fmt: skip


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _good(item: str, value: Value, seconds: float = 0) -> DataValue:
    return DataValue(item, value, StatusCode.GOOD, _at(seconds))


def _bad(item: str, seconds: float = 0) -> DataValue:
    return DataValue(item, None, StatusCode.BAD, _at(seconds))


def test_a_machine_that_was_never_heard_of_has_no_data() -> None:
    assert _press().status() == EquipmentStatus(
        id="E1",
        name="Press 1",
        state="NO DATA",
        state_status="Bad",
        alarm_status="Bad",
        device="plc",
        count_width=16,
        values=(
            ItemValue(name="speed", value=None, unit="1/min", status="Bad", source_time=None),
            ItemValue(name="oil", value=None, status="Bad", source_time=None),
        ),
    )


def test_the_state_is_named_as_packml_does_beside_the_raw_one_since_it_changed() -> None:
    press = _press()
    press.take(_good("state", 3, 10))
    press.take(_good("state", 3, 20))
    assert (press.status().state, press.status().raw_state, press.status().state_since) == (
        "EXECUTE",
        "3",
        _at(10),
    )
    press.take(_good("state", 4.0, 30))
    press.take(_good("state", 5, 40))
    assert (press.status().state, press.status().raw_state, press.status().state_since) == (
        "IDLE",
        "5",
        _at(30),
    )
    press.take(_good("state", 99, 50))
    assert (press.status().state, press.status().raw_state) == ("UNDEFINED", "99")


def test_no_data_is_a_state_of_its_own_with_its_own_beginning() -> None:
    press = _press()
    press.take(_good("state", 3, 10))
    press.take(_bad("state", 60))
    press.take(_bad("state", 70))
    assert (press.status().state, press.status().raw_state, press.status().state_since) == (
        "NO DATA",
        "",
        _at(60),
    )
    press.take(_good("state", 3, 80))
    assert (press.status().state, press.status().state_since) == ("EXECUTE", _at(80))


def test_a_value_that_is_lost_keeps_the_last_good_one_beside_its_status() -> None:
    press = _press()
    press.take(_good("parts", 120, 1))
    press.take(_good("speed", 900, 2))
    press.take(_bad("parts", 60))
    press.take(_bad("speed", 60))
    status = press.status()
    assert (status.count, status.count_status) == (120, "Bad")
    assert status.values[0] == ItemValue(
        name="speed", value=900, unit="1/min", status="Bad", source_time=_at(2)
    )


@pytest.mark.parametrize(
    ("value", "words"), [(0, ""), (False, ""), ("", ""), (17, "Guard open"), (18, "18"), ("E-STOP", "E-STOP")]
)
def test_an_alarm_is_told_in_words(value: Value, words: str) -> None:
    press = _press()
    press.take(_good("alarm", value))
    assert press.status().alarm == words
    press.take(_bad("alarm"))
    assert press.status().alarm == ""


def test_only_what_is_shown_and_changed_is_news() -> None:
    press = _press()
    assert press.take(_good("parts", 1, 1))
    assert not press.take(_good("parts", 1, 2))
    assert press.take(_good("parts", 2, 3))
    assert press.take(_bad("parts", 4))
    assert not press.take(_good("something else", 1))


@pytest.mark.parametrize(("value", "count"), [(7, 7), (7.0, 7), (7.5, None), ("7", None), (True, None)])
def test_a_count_is_a_whole_number_or_none(value: Value, count: int | None) -> None:
    press = _press()
    press.take(_good("parts", value))
    assert press.status().count == count


def test_what_is_not_known_for_sure_is_told_as_such() -> None:
    press = _press()
    press.take(_good("state", 3))
    press.take(_good("alarm", 0))
    status = press.status()
    assert (status.state_status, status.alarm_status, status.mode_status) == ("Good", "Good", "Good")  # it has no mode
    press.take(_bad("alarm", 1))
    press.take(DataValue("state", 3, StatusCode.UNCERTAIN, _at(1)))
    status = press.status()
    assert (status.state, status.state_status) == ("EXECUTE", "Uncertain")
    assert (status.alarm, status.alarm_status) == ("", "Bad")
