"""Polling that stops silently is told to people, taken for a loss where it is one, and over with a good value."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import DataValue, Notice, Online, StatusCode, Unchanged
from edge_agent.devices.watchdog import LEAST, Watchdog
from edge_agent.events import GapArrived
from edge_agent.status import LinkBoard, StatusBoard
from edge_agent.store import Store
from tests.agent.test_devices import Floor, floor, value  # noqa: F401 - a fixture
from tests.support.manual_clock import START

BEFORE = LEAST - 1


async def test_a_device_that_stops_silently_is_lost_and_tried_anew(floor: Floor) -> None:  # noqa: F811
    gaps = floor.bus.subscribe(GapArrived)
    plc = floor.lines["plc"]
    await plc.observe(Online("A", rhythm=0.5), value("count", 7))
    plc.connected.clear()
    await floor.clock.sleeping()
    floor.clock.advance(BEFORE)
    assert floor.status("plc").silent_since is None
    floor.clock.advance(1)
    seen = await floor.until_state("plc", "lost")
    status = floor.status("plc")
    assert "has said nothing for 10 s" in status.reason
    assert status.silent_since == START
    assert [event.values.status for event in seen if hasattr(event, "values")][-1] is StatusCode.BAD
    await floor.clock.sleeping()
    floor.clock.advance(5)
    await plc.observe(Online("A", rhythm=0.5))
    await floor.until_state("plc", "online")
    assert floor.status("plc").silent_since == START, "to be there is not enough"
    await plc.observe(value("count", 8))
    assert floor.status("plc").silent_since is None
    assert gaps.waiting()[0].gap.since == START


async def test_a_device_that_goes_on_with_bad_values_is_silent_and_keeps_its_connection(floor: Floor) -> None:  # noqa: F811
    plc = floor.lines["plc"]
    await plc.observe(Online("A", rhythm=4), value("count", 7), value("speed", 1))
    for _ in range(5):
        await floor.clock.sleeping()
        floor.clock.advance(4)
        await plc.observe(Notice("Slow."), DataValue("count", None, StatusCode.BAD, floor.clock.now()))
    await floor.until(lambda event: getattr(getattr(event, "status", None), "silent_since", None) is not None)
    assert floor.status("plc").state == "online"
    assert floor.devices.items("plc")["speed"].status == "Bad", "nobody knows whether it is still so"
    await plc.observe(value("speed", 2))
    assert floor.status("plc").silent_since is None


async def test_a_device_that_gets_a_quicker_rhythm_is_waited_for_no_longer(floor: Floor) -> None:  # noqa: F811
    plc = floor.lines["plc"]
    await plc.observe(Online("A", rhythm=3600), value("count", 7))
    await floor.clock.sleeping()
    await plc.observe(Online("A", rhythm=0.5), value("count", 8))
    await floor.clock.sleeping()
    floor.clock.advance(LEAST)
    await floor.until_state("plc", "lost")
    assert "has said nothing for 10 s" in floor.status("plc").reason


async def test_the_operator_and_monitoring_are_told(floor: Floor, tmp_path: Path) -> None:  # noqa: F811
    store = await Store.open(tmp_path / "journal.db", "pc-1", floor.clock)
    links = LinkBoard(floor.clock, floor.bus, ())
    board = StatusBoard(store, floor.clock, links, floor.devices.statuses, tuple, "0")
    await floor.lines["plc"].observe(Online("A", rhythm=4), value("count", 7))
    assert (await board.health(())).problems == ()
    for _ in range(5):
        await floor.clock.sleeping()
        floor.clock.advance(4)
        await floor.lines["plc"].observe(Notice("Slow."))
    await floor.until(lambda event: getattr(getattr(event, "status", None), "silent_since", None) is not None)
    (problem,) = (await board.health(())).problems
    assert problem.startswith("Device plc seems to be there and has given no good value since 08:00:00 UTC")
    await store.close()


async def test_who_tells_only_of_changes_says_that_it_lives(floor: Floor) -> None:  # noqa: F811
    plc = floor.lines["plc"]
    await plc.observe(Online("A", rhythm=3), value("count", 7))
    for _ in range(9):
        await floor.clock.sleeping()
        floor.clock.advance(3)
        await plc.observe(Unchanged())
    status = floor.status("plc")
    assert (status.state, status.silent_since, status.last_good) == ("online", None, floor.clock.now())


async def test_the_silence_of_a_scanner_says_nothing(floor: Floor) -> None:  # noqa: F811
    await floor.lines["gun"].observe(Online(""))
    await floor.until_state("gun", "online")
    floor.clock.advance(24 * 3600)
    assert floor.clock.sleepers == []
    assert floor.status("gun").state == "online"


signs = st.lists(st.tuples(st.sampled_from(["good", "heard", "look"]), st.integers(0, 40)), max_size=30)


@given(st.integers(1, 20), signs)
def test_it_is_silent_exactly_when_nothing_good_came_for_the_limit(rhythm: float, told: list[tuple[str, int]]) -> None:
    dog, now, good = Watchdog(), 0.0, 0.0
    dog.online(rhythm, now)
    for sign, after in [*told, ("look", 0)]:
        end = now + after
        while (due := dog.due()) <= end:  # it is asked when it wants to be
            now = due
            dog.falls_silent(now)
            if dog.hangs(now):
                dog.online(rhythm, now)
        now = end
        if sign == "good":
            assert dog.good(now) is (now - good >= dog.limit)
            good = now
        elif sign == "heard":
            dog.heard(now)
        assert dog.silent is (now - good >= dog.limit)


def test_without_a_rhythm_nothing_is_due() -> None:
    dog = Watchdog()
    dog.online(None, 0.0)
    assert dog.due() == float("inf")
    assert not dog.falls_silent(1e9)
