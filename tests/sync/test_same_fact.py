"""The digest of a fact is the same wherever it is made, and what differs is said in words."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields, replace

from sync.contract import AnyFact, Applied, Booked, Duplicate, Fact, Receipt, Refused
from sync.same_fact import booked, compared, digest, members
from tests.sync.plant import fact, good

_names = st.text(max_size=5)
_leaves = st.none() | st.booleans() | st.integers() | st.text()
_values = st.recursive(_leaves, lambda each: st.lists(each) | st.dictionaries(_names, each), max_leaves=10)
_objects = st.dictionaries(_names, _values, max_size=5)


def test_empty_members_are_left_out_and_zero_is_none() -> None:
    told = {"b": "é\n", "a": {"z": 0, "n": False, "y": ""}, "gone": None, "none": [], "c": [{}, 2]}
    assert digest(told) == hashlib.sha256('{"a":{"z":0},"b":"é\\n","c":[{},2]}'.encode()).hexdigest()


def test_the_how_to_shows_the_digest_of_its_own_fact() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "connect-an-erp.md").read_text(encoding="utf-8")
    request = page.split("```json FactsRequest\n")[1].split("```")[0]
    (shown,) = json.loads(request)["facts"]
    assert f'"digest": "{digest(shown)}"' in page


@settings(max_examples=50)
@given(_objects, st.randoms())
def test_neither_the_order_of_members_nor_empty_ones_change_it(told: dict[str, Any], chance: Any) -> None:
    names = list(told)
    chance.shuffle(names)
    shuffled = {name: told[name] for name in names}
    assert digest(shuffled | {"x" * 9: None, "y" * 9: [], "z" * 9: {"": False}}) == digest(told)


@given(st.text(), st.text())
def test_another_text_has_another_digest(one: str, other: str) -> None:
    assert (digest({"a": one}) == digest({"a": other})) == (one == other)


def test_what_a_later_version_may_add_to_a_fact_is_empty_where_it_was_not_said() -> None:
    """An agent that was updated over night asks about the facts of yesterday."""

    def plain(field: FieldInfo) -> bool:
        made = field.default if field.default_factory is NODEFAULT else field.default_factory()
        return field.required or made in (None, False, "", (), [], {})

    kinds = [kind for kind in (Fact, *get_args(AnyFact)) if hasattr(kind, "__struct_fields__")]
    assert len(kinds) > 10
    odd = [(kind.__name__, field.name) for kind in kinds for field in fields(kind) if not plain(field)]
    assert odd == []


def known(theirs: Fact) -> Receipt:
    return Duplicate(theirs.id, "RB-1", booked(members(theirs)))


def test_the_same_body_is_a_duplicate() -> None:
    ours = fact(1)
    assert compared(ours, known(fact(1))) == known(fact(1))
    assert compared(ours, Applied(ours.id, "RB-1")) == Applied(ours.id, "RB-1")
    assert compared(ours, Duplicate(ours.id, "RB-1")) == Duplicate(ours.id, "RB-1")


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (fact(1, good(quantity=5)), "quantity is 5 there and 1 here"),
        (fact(1, person="p2"), "person is p2 there and p1 here"),
        (fact(1, good(about="W" * 60)), f"about is {'W' * 39}… there and W1 here"),
        (fact(1, replace(good(), machine_count=3)), "machine_count is 3 there and empty here"),
    ],
)
def test_another_body_is_parked_and_the_difference_is_said(theirs: Fact, words: str) -> None:
    receipt = compared(fact(1), known(theirs))
    assert isinstance(receipt, Refused)
    assert receipt.code == "key_reused"
    assert receipt.reason == f"The ERP has another report under this id: {words}. Was this PC copied?"


def test_what_happened_is_named_first_and_no_more_than_three_members() -> None:
    ours = fact(1)
    later = ours.record_time + timedelta(hours=1)
    body = replace(good(), quantity=Decimal(9), material="SCREW")
    theirs = replace(ours, body=body, record_time=later, event_time=later, clock_ok=False, person="x")
    receipt = compared(ours, known(theirs))
    assert isinstance(receipt, Refused)
    assert [part.split(" is ")[0] for part in receipt.reason.split(": ", 1)[1].split("; ")] == [
        "material", "quantity", "clock_ok",
    ]  # fmt: skip


def test_an_erp_that_keeps_the_digest_alone_is_understood() -> None:
    theirs = digest(members(fact(1, good(quantity=5))))
    receipt = compared(fact(1), Duplicate("pc1-1", "RB-1", Booked(theirs)))
    assert isinstance(receipt, Refused)
    assert theirs[:12] in receipt.reason


def test_a_refusal_of_another_body_is_not_ours() -> None:
    theirs = fact(1, good(quantity=5))
    receipt = compared(fact(1), Refused(theirs.id, "closed_order", "Closed.", booked(members(theirs))))
    assert isinstance(receipt, Refused)
    assert receipt.code == "key_reused"


def test_a_receipt_of_a_push_says_nothing_more_than_before() -> None:
    assert msgspec.json.encode(Duplicate("a", "RB-1")) == b'{"outcome":"duplicate","fact":"a","reference":"RB-1"}'
