"""Ours beside the peer: the rounds of all works, one of each in turn, and the figures that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.figures import Figure, Goals
from bench.landed.devices import Missing, built
from bench.landed.flushes import flushes_of_a_commit
from bench.landed.rounds import OURS, Effort, Round, Side, peer, round_of
from bench.landed.stored import p99
from bench.landed.thingsboard import installed
from bench.landed.work import W1, W2, W3, W4, Work
from bench.report import tell

# Of each work: samples in a CPU-second by ours and by theirs, and how many times theirs ours is.
_NAMES = {
    W1: ("landed_w1_ours", "landed_w1_theirs", "landed_w1_times"),
    W2: ("landed_w2_ours", "landed_w2_theirs", "landed_w2_times"),
    W3: ("landed_w3_ours", "landed_w3_theirs", "landed_w3_times"),
    W4: ("landed_w4_ours", "landed_w4_theirs", "landed_w4_times"),
}

Rounds = dict[tuple[str, Work], list[Round]]


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """The figures of both; of ours alone, with a line that says why, where the peer can not be had."""
    try:
        devices = built(folder)
    except Missing as why:
        tell(f"SKIPPED, nothing is polled: {why}")
        return []
    sides = [OURS]
    try:
        tell("the peer in an environment of its own (the first time it is installed)")
        sides.append(peer(installed()))
    except Missing as why:
        tell(f"NOT COMPARED: {why}")
    rounds: Rounds = {}
    for work in _NAMES:
        tell(f"{work.name}: {work.what}")
        for number in range(effort.rounds if work is not W4 else min(2, effort.rounds)):
            for side in reversed(sides):  # the peer first: it leaves no warm disk to itself
                made = await _made(side, work, devices, folder / f"{side.name}-{work.name}-{number}", effort)
                rounds.setdefault((side.name, work), []).append(made)
    tell("w1 again, each started while its server is not there")
    away = {
        side.name: await _made(side, W1, devices, folder / f"{side.name}-away", effort, offline=True) for side in sides
    }
    return [*_figures(rounds, away), *await _flushes(devices, folder / "flushes")]


async def _flushes(devices: Path, folder: Path) -> list[Figure]:
    tell("a short run of ours under strace")
    folder.mkdir()
    try:
        return [Goals().figure("landed_flushes", await flushes_of_a_commit(devices, folder))]
    except Missing as why:
        tell(f"SKIPPED, no flush was seen: {why}")
        return []


async def _made(
    side: Side, work: Work, devices: Path, folder: Path, effort: Effort, *, offline: bool = False
) -> Round:
    folder.mkdir()
    made = await round_of(side, work, devices, folder, effort, offline=offline)
    tell(
        f"  {side.name} at {side.durability}: {made.landed:,.0f}/s landed, {made.cpu_per_million:.1f} CPU-s a million "
        f"({made.later:.2f} of them after the window), "
        f"complete {made.judged.completeness:.2f} %, {made.memory:.0f} MB"
    )
    return made


def _figures(rounds: Rounds, away: dict[str, Round]) -> list[Figure]:
    values: dict[str, float] = {}
    theirs = next((name for name in away if name != OURS.name), None)
    for work, (own, other, times) in _NAMES.items():
        values[own] = median(each.per_cpu for each in rounds[OURS.name, work])
        if theirs:
            values[other] = median(each.per_cpu for each in rounds[theirs, work])
            values[times] = values[own] / values[other]
    values["landed_fold"] = median(each.later for each in rounds[OURS.name, W1])
    values |= _of_one(OURS.name, rounds, away, (
        "landed_complete", "landed_time_error", "landed_lost", "landed_lost_away", "landed_w4_kept", "landed_memory",
    ))  # fmt: skip
    if theirs:
        values |= _of_one(theirs, rounds, away, (
            "landed_complete_theirs", "landed_time_error_theirs", "landed_lost_theirs", "landed_lost_away_theirs",
            "landed_w4_kept_theirs", "landed_memory_theirs",
        ))  # fmt: skip
        values["landed_memory_times"] = values["landed_memory"] / values["landed_memory_theirs"]
    goals = Goals()
    return [goals.figure(name, values[name]) for name in goals.by_name if name in values]


def _of_one(side: str, rounds: Rounds, away: dict[str, Round], names: Sequence[str]) -> dict[str, float]:
    """What is told of each program alone: the worst round counts, of memory the median of w1."""
    mine = [each for (name, _), several in rounds.items() if name == side for each in several]
    errors = [error for each in rounds[side, W1] for error in each.judged.errors]
    worst = (
        min(each.judged.completeness for each in mine),
        p99(errors) if errors else float("inf"),
        max(each.judged.lost_scans for each in mine),
        away[side].judged.lost_scans,
        min(each.judged.kept for each in rounds[side, W4]),
        median(each.memory for each in rounds[side, W1]),
    )
    return dict(zip(names, worst, strict=True))
