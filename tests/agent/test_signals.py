"""The beep means right: what came of a scan goes back to the scanner that made it, and to no other."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device_drivers.contract import Scan, Signal
from device_drivers.simulators.process import Simulator
from edge_agent.bus import Bus
from edge_agent.devices.signals import SIGNALS, pump_signals
from edge_agent.events import ScanArrived, VerdictGiven
from edge_agent.scanning.labels import label
from edge_agent.views import Kind, Verdict
from tests.agent.running import Plant, plant_in, short_folder, wait
from tests.support.manual_clock import START

GOOD, BAD, ATTENTION = rb"\x1b7,", rb"\x1b8,\x1b8,", rb"\x1b5,\x1b5,"


async def told(*events: object) -> list[tuple[str, Signal]]:
    """What scanners are told when these events come, one after the other."""
    bus, seen = Bus(), list[tuple[str, Signal]]()
    pump = asyncio.create_task(pump_signals(bus, lambda name, signal: seen.append((name, signal))))
    await asyncio.sleep(0)
    for event in events:
        bus.publish(event)
    await asyncio.sleep(0)
    pump.cancel()
    await asyncio.gather(pump, return_exceptions=True)
    return seen


def arrived(id: str, scanner: str = "gun") -> ScanArrived:
    return ScanArrived(scanner, "T1", Scan(id, b"X", START))


@pytest.mark.parametrize("verdict", Verdict)
async def test_every_verdict_is_told_but_to_a_scanner_that_gave_up_waiting(verdict: Verdict) -> None:
    seen = await told(arrived("a"), VerdictGiven("T1", "a", verdict))
    assert seen == ([] if verdict is Verdict.LATE else [("gun", SIGNALS[verdict])])


async def test_each_scanner_hears_of_its_own_scans_once() -> None:
    ok, wrong = VerdictGiven("T1", "a", Verdict.OK), VerdictGiven("T1", "b", Verdict.WRONG)
    seen = await told(arrived("a", "left"), arrived("b", "right"), wrong, ok, ok)
    assert seen == [("right", "bad"), ("left", "good")]


async def test_a_scan_by_keyboard_beeps_nowhere() -> None:
    assert await told(VerdictGiven("T1", "typed", Verdict.OK)) == []


async def test_scans_that_are_never_judged_are_forgotten() -> None:
    lost = [arrived(f"lost-{number}") for number in range(2_000)]
    assert await told(*lost, VerdictGiven("T1", "lost-0", Verdict.OK)) == []


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short folder of this module."""
    with short_folder() as made:
        yield made


@pytest.fixture(scope="module")
def guns(folder: Path) -> Iterator[tuple[Simulator, Simulator]]:
    """Two scanners that wait for their host after every scan: on a terminal, and behind a serial server."""
    heard = ("--host-ack", "--heard")
    left = Simulator.start("scanner", "--link", f"{folder}/left", "--feed", f"{folder}/f1", *heard, f"{folder}/h1")
    right = Simulator.start("scanner", "--listen", "0", "--feed", f"{folder}/f2", *heard, f"{folder}/h2")
    with left, right:
        yield left, right


@pytest.fixture(scope="module")
def floor(folder: Path, guns: tuple[Simulator, Simulator]) -> Iterator[Plant]:
    """A plant whose two scanners belong to the second and the third terminal."""
    more = f"""
[[scanners]]
name = "left"
driver = "serial_scanner"
terminal = "T2"
options = {{ port = "{folder}/left", profile = "honeywell" }}

[[scanners]]
name = "right"
driver = "tcp_scanner"
terminal = "T3"
options = {{ host = "127.0.0.1", port = {guns[1].ready["port"]}, profile = "honeywell" }}
"""
    with plant_in(folder, terminals=3, more=more) as plant:
        both_online(plant)
        yield plant


def both_online(plant: Plant) -> None:
    wait(lambda: plant.get("/v1/devices").count(b'"state":"online"') == 3, "every scanner")


class Gun:
    """A simulated scanner, by its files."""

    def __init__(self, folder: Path, number: int) -> None:
        self._feed, self._heard = folder / f"f{number}", folder / f"h{number}"

    def do(self, *lines: bytes) -> None:
        with self._feed.open("wb", buffering=0) as feed:
            feed.write(b"".join(line + b"\n" for line in lines))

    @property
    def heard(self) -> bytes:
        return self._heard.read_bytes() if self._heard.exists() else b""

    def answered(self, code: str, answer: bytes) -> None:
        """Scan a code; the answer to it comes, and no other."""
        before = self.heard
        self.do(code.encode())
        wait(lambda: self.heard != before, f"an answer to {code}")
        assert self.heard == before + answer + b"\n", code


def test_the_scanner_says_what_the_terminal_says(floor: Plant, folder: Path) -> None:
    for number, silent in ((1, 2), (2, 1)):
        gun, other = Gun(folder, number), Gun(folder, silent).heard
        gun.answered(label(Kind.LOCATION, "A-01-1"), ATTENTION)  # nobody has signed on
        gun.answered(label(Kind.BADGE, "1001"), GOOD)
        gun.answered(label(Kind.JOB, "J-204"), GOOD)
        gun.answered("NOBODY KNOWS THIS", BAD)
        gun.answered("NOBODY KNOWS THIS", ATTENTION)  # the same trigger pull
        assert Gun(folder, silent).heard == other


def test_a_scanner_that_was_unplugged_says_it_again(floor: Plant, folder: Path) -> None:
    for number in (1, 2):
        gun = Gun(folder, number)
        gun.do(rb"HAL\c", rb"\:unplug")
        wait(lambda: floor.get("/v1/devices").count(b'"state":"online"') == 2, "the loss of a scanner")
        gun.do(rb"\:plug")
        both_online(floor)
        gun.answered("NOT KNOWN EITHER", BAD)
    assert b"HALNOT" not in floor.get("/v1/journal?limit=50")


def test_a_scan_that_can_not_be_kept_is_bad(floor: Plant, folder: Path) -> None:
    with closing(sqlite3.connect(floor.agent.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # another program has begun to write and does not end
        Gun(folder, 1).answered("NEVER SAVED", BAD)
        other.execute("ROLLBACK")
