"""The other side of the wire: believable machines, and processes that say when they are ready."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.simulators import scanner_ports
from device_drivers.simulators.modbus_machine import registers
from device_drivers.simulators.process import NotReady, Simulator, make_fifo
from device_drivers.simulators.shift import MACHINING_CENTRE, PRESS, Machine, Shift, UnitState
from tests.device_drivers.observing import make, running

machines = st.sampled_from([PRESS, MACHINING_CENTRE])
times = st.floats(0, 8 * 3600)


@given(machines, st.integers(), st.lists(times, min_size=2))
def test_counters_never_fall_and_alarms_stand_in_stops_only(
    machine: Machine, seed: int, moments: list[float]
) -> None:
    seen = [Shift(machine, seed).at(moment) for moment in sorted(moments)]
    for before, after in itertools.pairwise(seen):
        assert before.good <= after.good
        assert before.scrap <= after.scrap
    for moment in seen:
        assert bool(moment.alarm) is (moment.state.name in {"HOLDING", "HELD", "ABORTING", "ABORTED"})
        assert bool(machine.alarm_text(moment.alarm)) is bool(moment.alarm)
        assert machine.cold - 1 < moment.temperature < machine.warm + 1


@given(machines, st.integers(), st.lists(times, min_size=1))
def test_the_same_seed_is_the_same_life_in_whatever_order_it_is_asked_for(
    machine: Machine, seed: int, moments: list[float]
) -> None:
    forwards, backwards = Shift(machine, seed), Shift(machine, seed)
    expected = {moment: forwards.at(moment) for moment in sorted(moments)}
    assert {moment: backwards.at(moment) for moment in sorted(moments, reverse=True)} == expected


def test_a_shift_has_work_stops_faults_and_scrap() -> None:
    shift = Shift(PRESS, 1)
    seen = [shift.at(float(second)) for second in range(0, 8 * 3600, 5)]
    states = {moment.state for moment in seen}
    assert {UnitState.IDLE, UnitState.EXECUTE, UnitState.HELD, UnitState.ABORTED} <= states
    assert seen[-1].good > 1000
    assert 0 < seen[-1].scrap < seen[-1].good * 0.1


def test_the_register_map_is_the_documented_one() -> None:
    words = registers(Shift(PRESS, 1).at(7200.0))
    assert len(words) == 24
    assert (
        bytes(byte for word in words[16:24] for byte in word.to_bytes(2, "big")).rstrip(b"\0")
        == b"FH-PRESS-250"
    )


def test_a_simulator_that_can_not_start_says_why() -> None:
    with pytest.raises(NotReady, match="invalid int value"):
        Simulator.start("modbus_machine", "--port", "none")


@pytest.mark.parametrize("name", ["modbus_machine", "scanner"])
def test_a_simulator_ends_on_sigterm_without_a_complaint(name: str, tmp_path: Path) -> None:
    arguments = (
        ["--link", str(tmp_path / "port"), "--feed", str(tmp_path / "feed")] if name == "scanner" else []
    )
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-m", f"device_drivers.simulators.{name}", *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root,
    )  # fmt: skip
    assert process.stdout
    assert b'"ready": true' in process.stdout.readline()
    process.terminate()
    assert process.communicate(timeout=5) == (b"", b"")
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


async def test_scans_go_from_the_fifo_to_the_driver_and_outlive_it(tmp_path: Path) -> None:
    link, feed = tmp_path / "port", tmp_path / "feed"
    with Simulator.start("scanner", "--link", str(link), "--feed", str(feed)):
        for code in (rb"]C10112\x1d10L", rb"J:4711"):
            async with running(make("serial_scanner", {"port": str(link)})) as run:
                await run.until(lambda seen: bool(seen))
                with feed.open("wb", buffering=0) as fifo:
                    fifo.write(code + b"\n")
                assert await run.scans(1) == [code.replace(rb"\x1d", b"\x1d")]


def test_nothing_but_a_link_or_a_fifo_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    with pytest.raises(FileExistsError):
        scanner_ports.replace_link(tmp_path / "mine", "/dev/null")
    with pytest.raises(FileExistsError):
        make_fifo(tmp_path / "mine")
    scanner_ports.replace_link(tmp_path / "link", "/dev/null")
    scanner_ports.replace_link(tmp_path / "link", "/dev/zero")
    assert (tmp_path / "link").readlink() == Path("/dev/zero")
    assert (tmp_path / "mine").read_text() == "keep"
