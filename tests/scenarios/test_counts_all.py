"""A counter that counts good parts and scrap together: what was reported as scrap is not proposed as good."""

from __future__ import annotations

import pytest

from sync.contract import MaterialProduced
from terminal_ui.texts import Texts
from tests.scenarios.floor import Floor, running


def counting(counts: str, made: int, *scrap: int) -> Floor:
    """A press that made so many parts for J-204, of which this was reported as scrap."""
    floor = running(count=100, counts=counts)
    floor.count = 100 + made
    for amount in scrap:
        report_scrap(floor, amount)
    return floor


def report_scrap(floor: Floor, amount: int) -> None:
    floor.give("action", "scrap")
    floor.give("entry", str(amount))
    floor.give("choice", "SCRAP-1")
    assert floor.code == "report_production.saved_scrap"


def proposed(floor: Floor) -> str:
    """What stands in the entry for the good pieces."""
    floor.give("action", "report")
    entry = floor.view().entry
    floor.give("action", "back")
    assert entry is not None
    return entry.value


@pytest.mark.parametrize(
    ("counts", "made", "scrap", "value"),
    [
        ("good", 10, (2,), "10"),
        ("all", 10, (), "10"),
        ("all", 10, (2,), "8"),
        ("all", 10, (2, 3), "5"),
        ("all", 10, (10,), ""),
        ("all", 10, (12,), ""),
        ("all", 0, (1,), ""),
    ],
)
def test_what_is_proposed_is_the_count_less_the_scrap_that_is_in_it(
    counts: str, made: int, scrap: tuple[int, ...], value: str
) -> None:
    assert proposed(counting(counts, made, *scrap)) == value


def test_a_report_takes_the_count_with_its_scrap_and_both_come_back_with_it() -> None:
    floor = counting("all", 10, 2)
    floor.give("entry", "8")
    assert (floor.code, floor.said and floor.said.params.get("counted")) == ("report_production.saved_good", None)
    assert [body.machine_count for body in floor.bodies(MaterialProduced)] == [10], "what the counter said"
    assert proposed(floor) == ""
    floor.count = 115
    assert proposed(floor) == "5", "that scrap was in the count of before"
    for code in ("undo", "confirm"):
        floor.give("action", code)
    assert proposed(floor) == "13"
    for code in ("undo", "confirm"):
        floor.give("action", code)
    assert proposed(floor) == "15", "the scrap was taken back as well"


@pytest.mark.parametrize(
    ("reported", "words"),
    [
        (8, "8 pc good reported for J-204."),
        (9, "9 pc good reported for J-204. The machine counted 10, within the tolerance of 2. 2 of them are scrap."),
        (4, "4 pc good reported for J-204. The machine counted 10: a difference of 4. 2 of them are scrap."),
        (11, "The machine counted 10, 2 of them scrap, you report 11 pc."),
    ],
)
def test_the_answer_says_what_was_counted_and_what_of_it_is_scrap(reported: int, words: str) -> None:
    floor = counting("all", 10, 2)
    floor.give("entry", str(reported))
    assert floor.said is not None
    assert Texts().say(floor.code, floor.said.params) == words
