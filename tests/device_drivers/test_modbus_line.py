"""Whose answers are believed, against any device that answers in order: late, very late, or never."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from device_drivers.modbus.blocks import Block
from device_drivers.modbus.frames import Failure, Frame, Refusal, Request
from device_drivers.modbus.line import CLEAN_POLLS, Line, shape
from device_drivers.modbus.points import Table

TIMEOUT = 1.0
SILENT = Failure("silent")


def block(count: int, unit: int = 1, table: Table = Table.HOLDING) -> Block:
    """A read of so many addresses."""
    return Block(table, 0, count, (), unit)


def line(*blocks: Block, careful: bool = True, seed: str = "") -> Line:
    """A line with these blocks."""
    return Line(blocks, careful=careful, timeout=TIMEOUT, retry_dead=30.0, seed=seed)


def answer_to(request: Request) -> Frame:
    """The right answer, as it comes over the wire."""
    return Frame(0, request.unit, bytes([request.function, request.data_size]) + bytes(request.data_size))


delays = st.one_of(
    st.floats(0.0, 0.5), st.floats(0.9, 1.1), st.floats(1.0, 6.0), st.none(), st.just(1.9), st.just(2.4)
)
blocks_of_a_unit = st.lists(
    st.builds(block, st.integers(1, 12), table=st.sampled_from([Table.HOLDING, Table.COIL])),
    min_size=1,
    max_size=3,
)


@given(blocks_of_a_unit, st.lists(delays, min_size=5, max_size=60), st.text(max_size=3), st.booleans())
def test_no_late_answer_is_ever_believed(
    blocks: list[Block], thinking: list[float | None], seed: str, dirty: bool
) -> None:
    """The device answers in the order in which it was asked, each after its time; None is never."""
    policy = line(*blocks, seed=seed)
    now, believed = TIMEOUT, 0
    coming: deque[tuple[float, Request]] = deque()
    if dirty:  # a driver before this one left a question behind
        whole = Request(1, 3, 0, blocks[0].count)
        coming.append((TIMEOUT + 0.5, whole))
    for number, thought in enumerate(thinking):
        now = max(now, policy.quiet_until) + 0.01
        while coming and coming[0][0] <= now:
            policy.late(answer_to(coming.popleft()[1]))
        request = policy.request(blocks[number % len(blocks)])
        if thought is not None:
            coming.append((max(now + thought, coming[-1][0] if coming else 0.0), request))
        deadline, accepted = now + TIMEOUT, None
        while coming and coming[0][0] <= deadline and accepted is None:
            now, origin = coming.popleft()
            if shape(origin) == shape(request):
                accepted = origin
            else:
                policy.late(answer_to(origin))
        if accepted is None:
            now = deadline
            policy.failed(request, SILENT, now)
        elif policy.answered(request):
            believed += 1
            assert accepted is request
    event(f"believed: {believed > 0}")


def believes(policy: Line, one: Block) -> bool:
    """Ask and get the right answer; whether it is believed."""
    return policy.answered(policy.request(one))


def test_two_clean_polls_and_then_values() -> None:
    one = block(10)
    policy = line(one)
    assert [believes(policy, one) for _ in range(CLEAN_POLLS + 2)] == [False, False, True, True]
    policy.failed(policy.request(one), SILENT, 5.0)
    assert policy.quiet_until == 5.0 + TIMEOUT
    assert policy.doubted == {1}
    assert [believes(policy, one) for _ in range(CLEAN_POLLS + 1)] == [False, False, True]


def test_a_clean_poll_asks_for_less_than_anything_that_may_still_come() -> None:
    one = block(10)
    policy = line(one)
    for _ in range(5):
        request = policy.request(one)
        assert request.count < 10
        policy.failed(request, SILENT, 0.0)
    asked = {policy.request(one).count for _ in range(100)}
    assert len(asked) == 4


def test_where_there_is_nothing_less_it_asks_for_more() -> None:
    one = block(1)
    assert line(one).request(one).count > 1


def test_an_answer_that_nobody_waits_for_takes_the_values_back() -> None:
    one = block(10)
    policy = line(one)
    assert [believes(policy, one) for _ in range(3)][-1]
    policy.late(answer_to(Request(1, 3, 0, 10)))
    assert policy.doubted == {1}
    assert not believes(policy, one)


def test_a_refusal_is_a_clean_poll_and_a_busy_unit_is_none() -> None:
    one = block(10)
    policy = line(one)
    policy.refused(policy.request(one), Refusal(6), 0.0)
    for _ in range(2):
        assert policy.request(one).count < 10
        policy.refused(policy.request(one), Refusal(2), 0.0)
    assert policy.request(one).count == 10


@pytest.mark.parametrize("careful", [True, False])
def test_a_dead_unit_is_left_out_and_tried_again_and_the_others_are_not(careful: bool) -> None:
    dead, alive = block(10, unit=1), block(10, unit=2)
    policy = line(dead, alive, careful=careful)
    for now in (1.0, 2.0):
        assert not policy.skips(1, now)
        policy.failed(policy.request(dead), SILENT, now)
        believes(policy, alive)
    assert policy.dead == (1,)
    assert (policy.skips(1, 3.0), policy.skips(2, 3.0), policy.lost) == (True, False, False)
    assert not policy.skips(1, 2.0 + 30.0)
    policy.failed(policy.request(dead), SILENT, 32.0)
    assert policy.skips(1, 33.0)
    believes(policy, dead)
    assert not policy.dead


@pytest.mark.parametrize(
    ("careful", "units", "failures"), [(False, (1,), 1), (True, (1,), 2), (False, (1, 2), 4)]
)
def test_a_line_is_lost_when_no_unit_answers(careful: bool, units: Sequence[int], failures: int) -> None:
    blocks = [block(10, unit=unit) for unit in units]
    policy = line(*blocks, careful=careful)
    for count in range(1, failures + 1):
        policy.failed(policy.request(blocks[count % len(blocks)]), SILENT, 0.0)
        assert policy.lost is (count == failures)


def test_a_gateway_that_misses_a_unit_owes_no_answer() -> None:
    one = block(10)
    policy = line(one, block(4, unit=2), careful=False)
    for _ in range(2):
        policy.refused(policy.request(one), Refusal(0x0B), 0.0)
    assert policy.dead == (1,)
    assert policy.request(one).count == 10
