"""The books ask once about all facts of a request; what they decide is what asking about each would have decided."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sync.contract import Applied, Correction, Duplicate, Fact, FactLost, Receipt
from sync.exceptions import ExceptionDecided, about
from sync.reference_books import Books
from sync.reference_decisions import Decisions
from sync.reference_views import Booking
from tests.support.manual_clock import ManualClock
from tests.sync.plant import PLANS, fact, good

IDS = [f"id-{number}" for number in range(5)]
BODIES = st.one_of(
    st.sampled_from([good("W1"), good("W2"), good("NONE"), FactLost(about="journal/pc1")]),
    st.sampled_from(IDS).map(lambda id: ExceptionDecided(about=about(id), exception=id, choice="correct")),
    st.sampled_from(IDS).map(lambda id: Correction(about="W1", corrects=id, reason="did_not_occur")),
)
FACTS = st.builds(
    lambda id, seq, body, agent: replace(fact(seq, body, agent), id=id),
    st.sampled_from(IDS), st.integers(1, 5), BODIES, st.sampled_from(["pc1", "pc2"]),
)  # fmt: skip


def decided(requests: Sequence[Sequence[Fact]]) -> tuple[list[Sequence[Receipt]], list[tuple[Booking, ...]]]:
    with closing(Books(Path(":memory:"), ManualClock().now)) as books:
        books.put(PLANS)
        return [books.push(each) for each in requests], [books.bookings("pc1"), books.bookings("pc2")]


@given(st.lists(st.lists(FACTS, max_size=6), max_size=4))
def test_one_look_for_all_decides_as_a_look_for_each(requests: list[list[Fact]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Decisions, "unheard_of", lambda decisions, facts: set())
        one_by_one = decided(requests)
    assert decided(requests) == one_by_one


def test_what_is_new_is_found_among_what_is_known() -> None:
    with closing(Books(Path(":memory:"), ManualClock().now)) as books:
        books.put(PLANS)
        known = [fact(seq) for seq in range(1, 4)]
        books.push(known)
        receipts = books.push([*known, *(fact(seq) for seq in range(4, 1200))])
        assert [type(each) for each in receipts] == [Duplicate] * 3 + [Applied] * 1196
