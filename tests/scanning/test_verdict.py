from __future__ import annotations

import timeit
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from edge_agent.scanning.expected import PLANNED, Expected, Rule, Standing
from edge_agent.scanning.identify import identify
from edge_agent.scanning.labels import label
from edge_agent.scanning.verdict import (
    CODES,
    PARAMS,
    Judgement,
    Pending,
    expected_text,
    is_late,
    is_repeat,
    judge,
)
from edge_agent.views import Kind, Verdict
from tests.scanning.plant import BEARING_GTIN, BOOK, CHEESE_GTIN, PALLET_SSCC

ITEM = Expected(
    Kind.MATERIAL,
    "pick.item",
    {
        "B-6204/L75": PLANNED,
        "B-6204/*": Rule(Standing.ASK, "pick.other_lot", {"lot": "L75"}),
        "B-6204": Rule(Standing.INCOMPLETE, "pick.scan_the_lot"),
    },
    wrong="pick.wrong_item",
    params={"item": "B-6204"},
)
PLACE = Expected(
    Kind.LOCATION,
    "pick.location",
    {
        "A-03-2": PLANNED,
        "B-02-1": Rule(Standing.HELD, "pick.location_held", {"why": "count"}),
        "A-03-4": Rule(Standing.DONE, "pick.location_done"),
    },
)
TOTE = Expected(Kind.HANDLING_UNIT, "pick.tote", {"TOTE-1": PLANNED}, wrong="pick.wrong_tote")

L75 = "]d201" + BEARING_GTIN + "10L75"
L77 = "]d201" + BEARING_GTIN + "10L77"


def place(id: str) -> str:
    return label(Kind.LOCATION, id)


def scan(
    text: str, *expected: Expected, pending: Pending | None = None, actions: tuple[str, ...] = ()
) -> Judgement:
    return judge(identify(text.encode(), BOOK), expected, BOOK, step="item", pending=pending, actions=actions)


@pytest.mark.parametrize(
    ("text", "expected", "verdict", "code", "params"),
    [
        pytest.param(place("A-03-2"), (PLACE,), Verdict.OK, "scan.ok", {"got": "A-03-2"}, id="OK"),
        pytest.param(L75, (ITEM,), Verdict.OK_PLUS, "scan.ok_plus", {"got": "B-6204/L75"}, id="OK+"),
        pytest.param(
            L77, (ITEM,), Verdict.CONFIRM, "pick.other_lot", {"lot": "L75", "got": "B-6204/L77"}, id="CONFIRM"
        ),
        pytest.param(
            "]E0" + CHEESE_GTIN[1:],
            (ITEM,),
            Verdict.WRONG,
            "pick.wrong_item",
            {"item": "B-6204", "got": "CHEESE"},
            id="WRONG",
        ),
        pytest.param(
            place("A-03-2"),
            (ITEM, TOTE),
            Verdict.OTHER_TYPE,
            "scan.other_type",
            {"got": "A-03-2", "got_kind": "location", "expected_kinds": "material,handling_unit"},
            id="OTHER-TYPE",
        ),
        pytest.param(
            "L75",
            (ITEM, Expected(Kind.MATERIAL, "x", {"SEAL-9/L75": PLANNED})),
            Verdict.AMBIGUOUS,
            "scan.ambiguous",
            {"got": "L75", "count": "2", "meanings": "material B-6204/L75, material SEAL-9/L75"},
            id="AMBIGUOUS",
        ),
        pytest.param(
            place("B-02-1"),
            (PLACE,),
            Verdict.HELD,
            "pick.location_held",
            {"why": "count", "got": "B-02-1"},
            id="HELD",
        ),
        pytest.param("what?", (ITEM,), Verdict.UNKNOWN, "scan.unknown", {"got": "what?"}, id="UNKNOWN"),
        pytest.param(
            place("A-03-4"),
            (PLACE,),
            Verdict.DUPLICATE,
            "pick.location_done",
            {"got": "A-03-4"},
            id="DUPLICATE",
        ),
        pytest.param(
            label(Kind.COMMAND, "SHORT"),
            (ITEM,),
            Verdict.COMMAND,
            "scan.command",
            {"action": "short"},
            id="COMMAND",
        ),
    ],
)
def test_the_table_of_verdicts(
    text: str, expected: tuple[Expected, ...], verdict: Verdict, code: str, params: dict[str, str]
) -> None:
    judged = scan(text, *expected, actions=("short", "back"))
    assert (judged.verdict, judged.code, judged.params) == (verdict, code, params)
    assert judged.accepted == (verdict in (Verdict.OK, Verdict.OK_PLUS))


def test_late_is_older_than_ten_seconds() -> None:
    read_at = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert not is_late(read_at, read_at + timedelta(seconds=10))
    assert is_late(read_at, read_at + timedelta(seconds=10, microseconds=1))
    assert not is_late(read_at, read_at - timedelta(hours=1)), "the wall clock was put back"


def test_a_repeat_is_the_same_text_within_a_second_and_a_half() -> None:
    assert is_repeat("L75", 100.0, 100.0, "L75", 101.4)
    assert not is_repeat("L75", 100.0, 100.0, "L75", 101.5)
    assert not is_repeat("L75", 100.0, 100.0, "L77", 100.1)
    assert not is_repeat(None, 0.0, 0.0, "L75", 0.1)
    assert is_repeat("L75", 100.0, 100.0, "L75", 102.9, window=3.0)


def test_the_window_counts_from_the_first_reading_but_a_label_that_lies_there_is_one_scan() -> None:
    assert not is_repeat("L75", 100.0, 101.3, "L75", 102.6), "who scans every 1.3 s is heard"
    assert is_repeat("L75", 100.0, 119.5, "L75", 120.0), "a presentation scanner in front of which it lies"


def test_an_unplanned_thing_is_taken_when_it_is_scanned_again() -> None:
    text = L77[3:]
    judged = scan(L77, ITEM, pending=Pending(text, "item"))
    assert (judged.verdict, judged.confirmed, judged.code) == (Verdict.OK_PLUS, True, "scan.ok_plus")
    assert judged.candidate is not None
    assert judged.candidate.lot == "L77"


@pytest.mark.parametrize("pending", [None, Pending("another text", "item"), Pending(L77[3:], "quantity")])
def test_it_is_asked_again_after_anything_else(pending: Pending | None) -> None:
    assert scan(L77, ITEM, pending=pending).verdict is Verdict.CONFIRM


def test_being_asked_about_it_helps_nothing_that_is_refused() -> None:
    for text, expected in ((place("B-02-1"), PLACE), (place("A-03-4"), PLACE), (place("A-03-2"), ITEM)):
        judged = scan(text, expected, pending=Pending(text, "item"))
        assert not judged.accepted
        assert not judged.confirmed


def test_a_planned_thing_is_not_marked_as_confirmed() -> None:
    assert not scan(L75, ITEM, pending=Pending(L75[3:], "item")).confirmed


def test_the_item_without_its_lot_says_too_little() -> None:
    judged = scan("B-6204", ITEM)
    assert (judged.verdict, judged.code) == (Verdict.AMBIGUOUS, "pick.scan_the_lot")


def test_of_one_lot_number_of_two_items_only_the_expected_counts() -> None:
    judged = scan("L75", ITEM)
    assert judged.accepted
    assert judged.candidate is not None
    assert judged.candidate.id == "B-6204"


def test_a_number_that_can_be_two_things_is_ambiguous_only_where_both_fit() -> None:
    text = "4006381333931"
    shelf = Expected(Kind.LOCATION, "shelf", {text: PLANNED})
    item = Expected(Kind.MATERIAL, "item", {"04006381333931": PLANNED})
    assert scan(text, shelf).verdict is Verdict.OK
    assert scan(text, item).verdict is Verdict.OK
    both = scan(text, shelf, item)
    assert both.verdict is Verdict.AMBIGUOUS
    assert both.params["meanings"] == "location 4006381333931, material 04006381333931"
    assert scan("]E0" + text, shelf, item).candidate == scan("]E0" + text, item).candidate


def test_one_meaning_that_is_held_spoils_the_other() -> None:
    text = "4006381333931"
    shelf = Expected(Kind.LOCATION, "shelf", {text: Rule(Standing.HELD, "held")})
    item = Expected(Kind.MATERIAL, "item", {"04006381333931": PLANNED})
    assert scan(text, shelf, item).verdict is Verdict.AMBIGUOUS


def test_of_two_refusals_the_graver_is_told() -> None:
    text = "4006381333931"
    done = Expected(Kind.MATERIAL, "item", {"04006381333931": Rule(Standing.DONE, "done")})
    held = Expected(Kind.LOCATION, "shelf", {text: Rule(Standing.HELD, "held")})
    assert scan(text, done, held).code == scan(text, held, done).code == "held"


def test_where_the_step_takes_any_of_a_kind_it_must_be_known() -> None:
    any_tote = Expected(Kind.HANDLING_UNIT, "tote", {"TOTE-1": Rule(Standing.DONE)}, any=True)
    new_too = Expected(Kind.HANDLING_UNIT, "tote", any=True, unknown_too=True)
    new = label(Kind.HANDLING_UNIT, "TOTE-99")
    assert scan("TOTE-2", any_tote).verdict is Verdict.OK
    assert scan("TOTE-1", any_tote).verdict is Verdict.DUPLICATE, "a rule comes before any"
    assert scan(new, any_tote).verdict is Verdict.UNKNOWN
    assert scan(new, new_too).verdict is Verdict.OK
    assert scan("TOTE-99", new_too).verdict is Verdict.UNKNOWN, "plain text makes no handling unit"
    assert scan("]C100395011015300000028", new_too).verdict is Verdict.OK


def test_the_first_expected_of_a_kind_with_a_rule_counts() -> None:
    asks = Expected(Kind.LOCATION, "other", {"A-03-2": Rule(Standing.ASK)})
    assert scan(place("A-03-2"), asks, PLACE).verdict is Verdict.CONFIRM
    assert scan(place("B-02-1"), asks, PLACE).verdict is Verdict.HELD
    first = Expected(Kind.LOCATION, "first", wrong="first.wrong")
    assert scan(place("4006381333931"), first, TOTE, PLACE).code == "first.wrong"
    assert scan(place("4006381333931"), PLACE, TOTE, first).code == "scan.wrong"


def test_a_thing_of_another_kind_is_named_even_if_its_id_is_not_known() -> None:
    for text, kind in (
        (label(Kind.BADGE, "9999"), "badge"),
        (label(Kind.TOOL, "DIE-7"), "tool"),
        (place("Z-99-9"), "location"),
        ("]C100395011015300000028", "handling_unit"),
        ("]E04006381333948", "material"),
    ):
        judged = scan(text, Expected(Kind.JOB, "job", any=True))
        assert (judged.verdict, judged.params["got_kind"]) == (Verdict.OTHER_TYPE, kind)


def test_bare_digits_that_nobody_knows_are_no_product() -> None:
    assert scan("4006381333948", PLACE).verdict is Verdict.UNKNOWN


def test_an_unknown_id_of_the_expected_kind_is_unknown_not_wrong() -> None:
    assert scan(place("Z-99-9"), PLACE).verdict is Verdict.UNKNOWN
    assert scan("]E04006381333948", ITEM).verdict is Verdict.UNKNOWN


def test_no_plan_lists_tools_so_a_label_makes_one_known() -> None:
    die = Expected(Kind.TOOL, "die", {"DIE-7": PLANNED}, wrong="run.wrong_die")
    assert scan(label(Kind.TOOL, "DIE-7"), die).verdict is Verdict.OK
    assert scan(label(Kind.TOOL, "DIE-8"), die).code == "run.wrong_die"
    assert (
        scan(label(Kind.WORKSTATION, "W1"), Expected(Kind.WORKSTATION, "w", any=True)).verdict is Verdict.OK
    )


def test_where_nothing_is_to_be_scanned() -> None:
    judged = scan(place("A-03-2"))
    assert (judged.verdict, judged.code) == (Verdict.OTHER_TYPE, "scan.nothing_expected")
    assert scan("what?").code == "scan.unknown"
    assert scan(label(Kind.COMMAND, "back"), actions=("back",)).command == "back"


def test_a_command_of_another_step() -> None:
    judged = scan(label(Kind.COMMAND, "FINISH"), ITEM, actions=("short",))
    assert (judged.verdict, judged.code) == (Verdict.OTHER_TYPE, "scan.command_not_now")
    assert judged.command is None
    assert scan("short", ITEM, actions=("short",)).verdict is Verdict.UNKNOWN, "plain text commands nothing"


@pytest.mark.parametrize("text", ["L:A-03-2.8", "]E04006381333930", "]C1(01)", "+A123BJC5D6E71G", "", "A\r"])
def test_what_can_not_be_trusted_is_unknown_with_the_reason(text: str) -> None:
    identified = identify(text.encode(), BOOK)
    judged = scan(text, PLACE, Expected(Kind.LOCATION, "any", any=True, unknown_too=True))
    assert judged.verdict is Verdict.UNKNOWN
    assert judged.code == identified.fault
    assert judged.params == identified.params


def test_rules_without_words_get_some() -> None:
    codes = {
        Standing.ASK: "scan.confirm",
        Standing.HELD: "scan.held",
        Standing.DONE: "scan.duplicate",
        Standing.INCOMPLETE: "scan.incomplete",
    }
    for standing, code in codes.items():
        judged = scan(place("A-03-2"), Expected(Kind.LOCATION, "x", {"A-03-2": Rule(standing)}))
        assert (judged.code, judged.params) == (code, {"got": "A-03-2"})


def test_the_evidence_names_what_was_expected_and_what_came() -> None:
    judged = scan("]E0" + CHEESE_GTIN[1:], ITEM, TOTE)
    assert judged.expected_text == "material B-6204/L75, handling_unit TOTE-1"
    assert judged.got_text == "material CHEESE"
    assert scan("what?", PLACE).got_text == "what?"
    assert scan(label(Kind.DRAWING, "DRW-1001", "B"), PLACE).got_text == "drawing DRW-1001/B"
    assert scan("L75", TOTE).got_text == "material B-6204/L75"
    many = Expected(Kind.LOCATION, "x", {f"A-{n}": PLANNED for n in range(9)})
    assert expected_text([many]) == "location A-0, location A-1, location A-2, +6"
    assert expected_text([]) == ""


def test_a_note_travels_with_the_accepted_scan() -> None:
    judged = scan("]d201" + BEARING_GTIN + "17260231" + "10L75", ITEM)
    assert judged.accepted
    assert judged.notes == ("scan.bad_date",)


def test_every_code_has_its_params_listed() -> None:
    texts: list[Callable[[], Judgement]] = [
        lambda: scan(place("A-03-2"), PLACE),
        lambda: scan(L75, ITEM),
        lambda: scan("]C100" + PALLET_SSCC, ITEM),
        lambda: scan("]C100" + PALLET_SSCC),
        lambda: scan("what?", ITEM),
        lambda: scan(label(Kind.COMMAND, "A"), actions=("a",)),
        lambda: scan(label(Kind.COMMAND, "A")),
        lambda: scan("L:A"),
        lambda: scan("]d201" + BEARING_GTIN + "10L7521S1"),
        lambda: scan("]C1(01)"),
        lambda: scan("+A123BJC5D6E71G"),
        lambda: scan("A\r"),
        lambda: scan(""),
    ]
    seen = set()
    for make in texts:
        judged = make()
        assert set(judged.params) == set(PARAMS[judged.code])
        seen.add(judged.code)
    assert seen | {"scan.ok"} <= set(CODES)
    assert len(seen) == len(texts)


def test_a_scan_is_judged_in_well_under_a_millisecond() -> None:
    raw = L75.encode() + b"\x1d17261231"
    took = timeit.repeat(lambda: judge(identify(raw, BOOK), (ITEM, PLACE), BOOK), number=50, repeat=7)
    assert sorted(took)[3] / 50 < 0.001
