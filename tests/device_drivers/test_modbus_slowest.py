"""A time-out with too little room for the slowest answer is told, and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Online
from device_drivers.modbus.slowest import Slowest
from device_drivers.simulators.modbus_peer import Ask, Fault, Peer
from tests.device_drivers.modbus_rig import TRANSPORTS, Kept, kept

HOUR = 3600.0


def warned(rig: Kept) -> list[tuple[str, ...]]:
    """The warnings each time that it said it is online."""
    return [one.warnings for one in rig.seen if isinstance(one, Online)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_slow_answers_are_a_warning_while_the_values_are_good(transport: str, tmp_path: Path) -> None:
    peer = Peer(fault=Fault(seconds=0.12))
    points = [{"name": "near", "address": 2}]
    async with kept(peer, transport, tmp_path, points=points, timeout=0.3) as rig:
        await rig.until(lambda: any(warned(rig)))
        assert (warned(rig)[0] == ()) is (transport == "tcp")  # one alone proves nothing; a line asks twice before
        (told,) = next(filter(None, warned(rig)))
        assert told.startswith("The slowest answer took 0.1")
        assert "it is 0.3 s" in told
        assert rig.good("near")
        assert rig.losses == []


async def test_a_gateway_that_waits_for_a_dead_unit_is_no_slow_answer(tmp_path: Path) -> None:
    def gateway(ask: Ask) -> Fault:
        return Fault("gateway", 0.15) if ask.unit == 7 else Fault()

    points = [{"name": "one", "address": 2}, {"name": "seven", "address": 3, "unit": 7}]
    peer = Peer(units=(1, 7), fault=gateway)
    async with kept(peer, "tcp", tmp_path, points=points, timeout=0.3, retry_dead_unit=0.1) as rig:
        await rig.until(lambda: [ask.unit for ask in peer.asked].count(7) > 5)
        assert not any(warned(rig))


@given(st.lists(st.floats(0.0, 2.0), max_size=30))
def test_three_answers_beyond_a_third_of_the_time_out_are_told_and_fewer_never(answers: list[float]) -> None:
    slowest = Slowest(timeout=1.0)
    for moment, seconds in enumerate(answers):
        slowest.took(seconds, float(moment))
    slow = [seconds for seconds in answers if seconds * 3 > 1.0]
    assert bool(slowest.warning(len(answers))) is (len(slow) >= 3)
    assert slowest.warning(len(answers) + HOUR) == ""


def test_a_slower_answer_is_news_when_it_is_much_slower() -> None:
    slowest, told = Slowest(timeout=1.0), []
    for moment, seconds in enumerate((0.4, 0.4, 0.4, 0.45, 0.9, 0.95)):
        slowest.took(seconds, float(moment))
        told.append(slowest.warning(float(moment))[:29])
    assert told == ["", "", *["The slowest answer took 0.4 s"] * 2, *["The slowest answer took 0.9 s"] * 2]


def test_what_was_slow_yesterday_does_not_count_with_what_is_slow_today() -> None:
    slowest = Slowest(timeout=1.0)
    for moment in (0.0, 1.0, 2 * HOUR, 4 * HOUR):
        slowest.took(0.8, moment)
    assert slowest.warning(4 * HOUR) == ""
    slowest.took(0.4, 4 * HOUR + 1)
    slowest.took(0.4, 4 * HOUR + 2)
    assert slowest.warning(4 * HOUR + 2).startswith("The slowest answer took 0.8 s")
