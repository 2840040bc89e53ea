"""What is reported by exception, and what the last report still tells."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import Device, Equipment, Settings, Site, Telemetry, TelemetryItems, Terminal
from device_drivers.contract import DataValue, DataValues, StatusCode, Value
from edge_agent.machines.by_exception import ByException, Rule, microseconds
from edge_agent.telemetry.pump import by_exception
from tests.support.manual_clock import START

GOOD, UNCERTAIN, BAD = StatusCode.GOOD, StatusCode.UNCERTAIN, StatusCode.BAD


def value(told: Value, seconds: float = 0, status: StatusCode = GOOD, item: str = "x") -> DataValue:
    return DataValue(item, told, status, START + timedelta(seconds=seconds))


def kept(report: ByException, *values: DataValue, device: str = "plc") -> list[Value]:
    """What is kept of these values, one after the other in a read of its own."""
    return [told for each in values for told in _values(report, each, device)]


def _values(report: ByException, each: DataValue, device: str) -> list[Value]:
    columns = report.sift([(device, DataValues.of(each))]).get(device)
    return columns.values if columns else []


def test_the_same_value_is_kept_once() -> None:
    report = ByException(60)
    assert kept(report, value(1.0), value(1.0, 1), value(1.5, 2), value(1.5, 3)) == [1.0, 1.5]


def test_a_status_is_kept_when_it_changes_and_a_bad_value_is_none() -> None:
    report = ByException(60, [Rule("*", deadband=100)])
    columns = report.sift(
        [("plc", DataValues.of(each)) for each in (value(1), value(1, 1, UNCERTAIN), value(None, 2, BAD), value(1, 3))]
    )["plc"]
    assert columns.values == [1, 1, None, 1]
    assert columns.statuses == [0, 1, 2, 0]


def test_a_quiet_item_is_kept_at_its_heartbeat() -> None:
    report = ByException(60, [Rule("*", deadband=5)])
    told = [value(float(second % 3), second) for second in range(0, 181)]
    columns = report.sift(("plc", DataValues.of(each)) for each in told)["plc"]
    assert [time % 60_000_000 for time in columns.times] == [columns.times[0] % 60_000_000] * 4


def test_heartbeat_0_keeps_every_value() -> None:
    assert kept(ByException(0), *(value(7, second) for second in range(5))) == [7] * 5


def test_a_clock_that_was_set_back_does_not_silence_an_item() -> None:
    assert kept(ByException(60), value(7, 100), value(7, 50), value(7, 51)) == [7, 7]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 1e3))
def test_a_reader_is_never_wrong_by_more_than_the_deadband(told: list[float], deadband: float) -> None:
    report = ByException(86_400, [Rule("*", deadband=deadband)])
    last = None
    for each in told:
        if kept(report, value(each)):
            assert last is None or abs(each - last) > deadband or each != last
            last = each
        assert last is not None
        assert abs(each - last) <= deadband or each == last


@given(st.lists(st.one_of(st.integers(), st.text(max_size=2), st.booleans(), st.none(), st.floats()), min_size=1))
def test_without_a_deadband_every_change_is_kept(told: list[Value]) -> None:
    report, last = ByException(86_400), None
    for number, each in enumerate(told):
        got = kept(report, value(each))
        changed = number == 0 or type(each) is not type(last) or not (each == last or (each != each and last != last))
        assert bool(got) == changed
        if changed:
            last = each


def test_a_deadband_is_about_the_last_report_and_does_not_drift() -> None:
    report = ByException(86_400, [Rule("*", deadband=1.0)])
    assert kept(report, *(value(step * 0.4, step) for step in range(8))) == pytest.approx([0.0, 1.2, 2.4])


@pytest.mark.parametrize(("first", "second"), [(1, 1.0), (True, 1), (0, False), ("1", 1)])
def test_a_change_of_type_is_a_change(first: Value, second: Value) -> None:
    assert kept(ByException(60, [Rule("*", deadband=9)]), value(first), value(second, 1)) == [first, second]


def test_what_is_no_number_is_kept_once_and_infinity_is_no_small_step() -> None:
    report = ByException(60, [Rule("*", deadband=9)])
    told = kept(report, value(math.nan), value(math.nan, 1), value(1.0, 2), value(math.inf, 3), value(math.inf, 4))
    assert [str(each) for each in told] == ["nan", "1.0", "inf"]


def test_the_first_rule_that_says_it_counts() -> None:
    report = ByException(60, [Rule("plc/hot*", deadband=5), Rule("*/hot*", deadband=1, heartbeat=10)])
    hot = [value(0, 0, item="hot1"), value(4, 1, item="hot1"), value(4, 10, item="hot1")]
    assert kept(report, *hot) == [0, 4]
    assert kept(report, *hot, device="other") == [0, 4]
    assert kept(report, value(0, item="cold"), value(4, 1, item="cold")) == [0, 4]


def test_states_counters_and_alarms_have_no_deadband_whatever_the_site_file_says() -> None:
    settings = Settings(
        site=Site(name="X", agent="x"), terminals=(Terminal(id="T1"),), devices=(Device(name="plc", driver="modbus"),),
        equipment=(
            Equipment(
                id="E", device="plc", state="state", state_within=("inner",), mode="mode", count="count", alarm="alarm"
            ),
        ),
        telemetry=Telemetry(items=(TelemetryItems(match="*", deadband=100),)),
    )  # fmt: skip
    report = by_exception(settings)
    for item in ("state", "inner", "mode", "count", "alarm"):
        assert kept(report, value(1, 0, item=item), value(2, 1, item=item)) == [1, 2]
    assert kept(report, value(1, 0, item="other"), value(2, 1, item="other")) == [1]


def test_after_forget_everything_is_told_anew() -> None:
    report = ByException(60)
    assert kept(report, value(1), value(1, 1)) == [1]
    report.forget()
    assert kept(report, value(1, 2), value(1, 3)) == [1]


def test_values_of_several_devices_keep_their_order_and_their_moments() -> None:
    moments: list[datetime] = [START, START + timedelta(microseconds=1)]
    told = [
        (device, DataValues.of(DataValue(f"i{n}", n, GOOD, moments[n % 2]))) for n in range(6) for device in ("a", "b")
    ]
    columns = ByException(60).sift(told)
    assert columns["a"] == columns["b"]
    assert columns["a"].items == [f"i{n}" for n in range(6)]
    assert columns["a"].times[1] - columns["a"].times[0] == 1


def test_of_a_read_only_what_is_new_is_kept_each_with_its_own_time() -> None:
    report, names = ByException(60), ("a", "b", "c")
    times = [START + timedelta(seconds=second) for second in (1, 2, 3)]
    first = DataValues(names, [1, 2.0, "x"], GOOD, START)
    second = DataValues(names, [1, 2.5, "y"], GOOD, times[-1], times)
    assert report.sift([("plc", first)])["plc"].values == [1, 2.0, "x"]
    kept_now = report.sift([("plc", second)])["plc"]
    assert (kept_now.items, kept_now.values) == (["b", "c"], [2.5, "y"])
    assert kept_now.times == [microseconds(time) for time in times[1:]]
    assert report.sift([("plc", second)]) == {}
    assert [value.source_time for value in second] == times


def test_a_number_that_no_column_takes_becomes_text_in_a_read_too() -> None:
    read = DataValues(("a", "b"), [7, 1 << 70], GOOD, START)
    assert ByException(0).sift([("plc", read)])["plc"].values == [7, str(1 << 70)]
