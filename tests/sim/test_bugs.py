"""Planted bugs are found within 50 seeds: the simulation can fail. The soak plants every one of them."""

from __future__ import annotations

import pytest

from tests.sim.bugs import Bug, load
from tests.sim.world import run

WITHIN = 50
SOME = ("acknowledged_before_commit", "synchronous_off", "refused_dropped", "unknown_is_booked", "disk_lies")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # apsw tells of our disk's faults twice
@pytest.mark.parametrize("bug", [load()[name] for name in SOME], ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    """The seed that found it last time goes first."""
    with bug.plant():
        for seed in (bug.seed, *range(WITHIN)):
            if run(seed, lies=bug.lies).violations:
                return
    pytest.fail(f"{bug.what}: {WITHIN} seeds did not find it")


def test_there_are_enough_bugs_and_none_stays_planted() -> None:
    assert len(load()) >= 15
    assert run(0).violations == []
