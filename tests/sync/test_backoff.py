from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sync.backoff import ASKED, FIRST, LONGEST, delay

seeds = st.integers(0, 2**32)


@given(st.integers(1, 10**9), seeds, st.booleans())
def test_no_wait_is_longer_than_the_longest_nor_shorter_than_half_of_the_first(
    failures: int, seed: int, longest: bool
) -> None:
    assert FIRST / 2 <= delay(failures, Random(seed), longest=longest) <= LONGEST == 60.0


@given(seeds)
def test_the_first_retry_comes_fast(seed: int) -> None:
    assert delay(1, Random(seed)) <= 0.2


@given(st.integers(1, 30), seeds)
def test_waits_grow(failures: int, seed: int) -> None:
    assert delay(failures, Random(seed)) <= delay(failures + 1, Random(seed)) <= LONGEST


@given(st.integers(1, 30), seeds)
def test_the_longest_step_does_not_depend_on_the_failures(failures: int, seed: int) -> None:
    assert delay(failures, Random(seed), longest=True) == delay(10**6, Random(seed)) >= LONGEST / 2


@given(st.integers(3, 30))
def test_two_pcs_do_not_come_back_together(failures: int) -> None:
    assert len({delay(failures, Random(seed)) for seed in range(50)}) == 50


@given(st.integers(1, 30), seeds, st.floats(0, 1e12))
def test_what_the_other_side_asks_for_is_waited_for_up_to_a_limit(failures: int, seed: int, asked: float) -> None:
    waited = delay(failures, Random(seed), asked=asked)
    assert min(asked, ASKED) <= waited <= max(LONGEST, ASKED * 1.1)
