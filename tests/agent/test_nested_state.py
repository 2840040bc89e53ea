"""State machines within each other, folded into one state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import DataValue, StatusCode
from edge_agent.machines.equipment import Equipment
from edge_agent.machines.nested_state import NestedState
from edge_agent.machines.stops import NO_DATA, UNDEFINED

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ITEMS = ("base", "machine", "execute")
STATES = {"Aborted": "ABORTED", "Stopped": "STOPPED", "Execute": "EXECUTE", "Held": "HELD"}


def value(item: str, raw: str | None, second: int = 0) -> DataValue:
    status = StatusCode.BAD if raw is None else StatusCode.GOOD
    return DataValue(item, raw, status, START + timedelta(seconds=second))


def unit() -> Equipment:
    return Equipment(id="F", device="f", state="base", state_within=("machine", "execute"), states=STATES)


def told(machine: Equipment, *values: DataValue) -> tuple[str, str]:
    for one in values:
        machine.take(one)
    status = machine.status()
    return status.state, status.raw_state


def test_the_outermost_state_machine_counts_even_when_those_within_still_say_something() -> None:
    seen = told(unit(), value("machine", "Running"), value("execute", "Execute"), value("base", "Aborted"))
    assert seen == ("ABORTED", "Aborted")


def test_a_state_without_a_name_asks_the_state_machine_within() -> None:
    assert told(unit(), value("base", "Cleared"), value("machine", "Stopped"), value("execute", None)) == (
        "STOPPED",
        "Stopped",
    )
    assert told(unit(), value("base", "Cleared"), value("machine", "Running"), value("execute", "Held")) == (
        "HELD",
        "Held",
    )


def test_a_state_machine_that_is_asked_and_says_nothing_is_no_data() -> None:
    assert told(unit(), value("base", "Cleared"), value("machine", "Running"))[0] == NO_DATA
    assert (
        told(unit(), value("base", "Cleared"), value("machine", "Running"), value("execute", None))[0]
        == NO_DATA
    )
    assert (
        told(unit(), value("base", None), value("machine", "Running"), value("execute", "Held"))[0] == NO_DATA
    )


def test_an_unknown_state_of_the_innermost_is_undefined_never_idle() -> None:
    seen = told(unit(), value("base", "Cleared"), value("machine", "Running"), value("execute", "Dancing"))
    assert seen == (UNDEFINED, "Dancing")


def test_the_state_is_as_old_as_the_latest_change_on_the_way_in() -> None:
    machine = unit()
    told(machine, value("execute", "Execute", 1), value("machine", "Running", 2), value("base", "Cleared", 5))
    assert machine.status().state_since == START + timedelta(seconds=5)
    told(machine, value("execute", "Held", 9))
    assert machine.status().state_since == START + timedelta(seconds=9)


def test_every_state_machine_is_watched_for_stops_and_may_be_shown_too() -> None:
    machine = Equipment(
        id="F", device="f", state="base", state_within=("machine", "execute"), states=STATES, show=("machine",)
    )
    assert all(machine.watched(value(item, "Running")) for item in ITEMS)
    told(machine, value("base", "Cleared"), value("machine", "Running"), value("execute", "Held"))
    assert [(one.name, one.value) for one in machine.status().values] == [("machine", "Running")]


def test_a_state_on_the_way_in_that_is_uncertain_makes_the_state_uncertain() -> None:
    nested = NestedState(ITEMS, lambda raw: raw in STATES)
    nested.take(DataValue("base", "Cleared", StatusCode.UNCERTAIN, START))
    assert nested.take(value("machine", "Stopped")).status is StatusCode.UNCERTAIN
    assert nested.take(value("base", "Cleared")).status is StatusCode.GOOD


raws = st.sampled_from(["Aborted", "Cleared", "Stopped", "Running", "Execute", None])


@given(st.lists(st.tuples(st.sampled_from(ITEMS), raws), min_size=1, max_size=30))
def test_only_the_last_value_of_each_counts_and_a_state_is_never_invented(
    seen: list[tuple[str, str | None]],
) -> None:
    nested = NestedState(ITEMS, lambda raw: raw in STATES)
    state = [nested.take(value(item, raw)) for item, raw in seen][-1]
    last = dict(seen)
    again = NestedState(ITEMS, lambda raw: raw in STATES)
    assert [again.take(value(item, raw)) for item, raw in last.items()][-1] == state
    assert state.item == "base"
    assert (state.value is None) is (state.status is StatusCode.BAD)
    assert state.value is None or state.value in last.values()
