"""The soak's own cuts on a simulated disk: few of them find nothing, and find each planted mistake."""

from __future__ import annotations

import pytest

from tests.crash.cuts import every_operation, newest, pairs, random_cuts
from tests.crash.test_power_cut_sweep import STEPS
from tests.sim.bugs import load

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
WRONG = ("lost", "corrupt", "not_mirrored", "bad_starts")


def test_random_cuts_lose_nothing() -> None:
    told = random_cuts(0, 60)
    assert told["cuts"] == 60
    assert told["saved"] > 60
    assert [told[name] for name in WRONG] == [0, 0, 0, 0]


@pytest.mark.parametrize("bug", ["synchronous_off", "synchronous_normal"])
def test_a_mistake_is_seen_by_random_cuts(bug: str) -> None:
    with load()[bug].plant():
        told = random_cuts(0, 60)
    assert any(told[name] for name in WRONG)


def test_an_old_upgrade_is_swept() -> None:
    told = every_operation((1, 2))
    assert told["cuts"] > 20
    assert [told[name] for name in WRONG] == [0, 0, 0, 0]


def test_every_pair_of_schemas_is_there_and_the_newest_first() -> None:
    head = len(STEPS)
    assert len(pairs()) == head * (head + 1) // 2
    assert set(newest()) <= set(pairs())
