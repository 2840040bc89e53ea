"""The demo's shift again and again, under kills and outages."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from bench.figures import Figure, Goals
from bench.report import tell
from device_drivers.simulators.process import NotReady
from edge_agent.demo.balance import Balance
from edge_agent.demo.robot import Stuck
from edge_agent.demo.shift import work_a_shift

MOST_SHIFTS = 1000  # about eight hours
USUAL = 20  # about eight minutes
_LONGEST = 180.0  # seconds of one shift; it takes about twenty


async def measure(folder: Path, shifts: int) -> list[Figure]:
    """The sums over so many shifts, each with a plant of its own."""
    balances, bad = [], 0
    for number in range(1, shifts + 1):
        place = folder / f"shift-{number}"
        balance = await _worked(place)
        if balance is not None:
            balances.append(balance)
        if balance is None or not balance.ok:
            bad += 1
            tell(f"shift {number} is bad: {_kept(place)}")
        else:
            tell(f"shift {number} of {shifts}: {balance.confirmed} facts, {balance.seconds:.0f} s")
        shutil.rmtree(place, ignore_errors=True)
    values = {
        "shifts": shifts,
        "shift_confirmed": sum(each.confirmed for each in balances),
        "shift_lost": sum(each.lost + each.missing for each in balances),
        "shift_double": sum(each.double for each in balances),
        "shift_out_of_order": sum(each.out_of_order for each in balances),
        "shift_wrong_totals": sum(each.wrong_totals for each in balances),
        "shift_bad": bad,
    }
    goals = Goals()
    return [goals.figure(name, value) for name, value in values.items()]


async def _worked(place: Path) -> Balance | None:
    """The balance of one shift; None when it did not come to an end, which is told with its reason."""
    balance = None
    try:
        async with asyncio.timeout(_LONGEST):
            balance = await work_a_shift(place, lambda line: None)
    except* (Stuck, NotReady, TimeoutError) as errors:
        tell("; ".join(str(each) or f"not over after {_LONGEST:g} s" for each in errors.exceptions))
    return balance


def _kept(place: Path) -> str:
    """Keep what a bad shift left, to be looked at; where it is."""
    kept = Path(tempfile.mkdtemp(prefix="floorhand-bad-shift-"))
    shutil.copytree(place, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock", "scan*"))
    return f"its files are in {kept}"


def times(text: str) -> int:
    """A number of shifts from a command line."""
    if not (text.isascii() and text.isdigit() and 0 <= int(text) <= MOST_SHIFTS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {MOST_SHIFTS}")
    return int(text)
