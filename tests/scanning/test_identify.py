from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.planbook import PlanBook
from edge_agent.scanning.expected import Candidate
from edge_agent.scanning.identify import Identified, identify, printable
from edge_agent.scanning.labels import PREFIXES, label
from edge_agent.views import Kind
from sync.contract import AnyPlan, MaterialDefinition, MaterialLot
from tests.scanning.plant import BEARING_GTIN, BOOK, CHEESE_GTIN, PALLET_SSCC

BEARING = b"01" + BEARING_GTIN.encode()
MATERIAL = Kind.MATERIAL


def candidates(raw: bytes, book: PlanBook = BOOK) -> tuple[Candidate, ...]:
    found = identify(raw, book)
    assert found.fault is None, found
    return found.candidates


@pytest.mark.parametrize("kind", PREFIXES.values())
def test_own_labels_are_what_they_say_known_or_not(kind: Kind) -> None:
    assert candidates(label(kind, "X-1").encode()) == (Candidate(kind, "X-1"),)


@pytest.mark.parametrize("aim", [b"]C0", b"]Q1", b"]d1", b"]A0", b"]d2"])
def test_an_own_label_is_the_same_in_every_symbology(aim: bytes) -> None:
    found = identify(aim + label(Kind.DRAWING, "DRW-1001", "C").encode(), BOOK)
    assert found.symbology == aim.decode()
    assert found.text == label(Kind.DRAWING, "DRW-1001", "C")
    assert found.candidates == (Candidate(Kind.DRAWING, "DRW-1001", revision="C"),)


def test_a_gs1_code_becomes_the_item_of_the_book() -> None:
    assert candidates(b"]d2" + BEARING + b"1726123110L75\x1d21S1\x1d3012") == (
        Candidate(
            MATERIAL,
            "B-6204",
            trust=2,
            lot="L75",
            expires=date(2026, 12, 31),
            quantity=Decimal(12),
            serial="S1",
        ),
    )


def test_a_gtin_that_nobody_knows_stays_a_number() -> None:
    assert candidates(b"]E04006381333948") == (Candidate(MATERIAL, "04006381333948", trust=3),)


def test_retail_symbols_and_web_addresses_carry_their_trust() -> None:
    assert candidates(b"]E0" + BEARING_GTIN[1:].encode()) == (Candidate(MATERIAL, "B-6204", trust=3),)
    link = b"]Q1https://id.gs1.org/01/" + BEARING_GTIN.encode() + b"/10/L75"
    assert candidates(link) == (Candidate(MATERIAL, "B-6204", trust=4, lot="L75"),)


def test_an_sscc_is_the_handling_unit_and_its_content_is_not_offered() -> None:
    pallet = f"]C100{PALLET_SSCC}02{BEARING_GTIN}37480\x1d10L75".encode()
    assert candidates(pallet) == (Candidate(Kind.HANDLING_UNIT, PALLET_SSCC, trust=2),)


def test_a_weight_is_the_quantity_only_of_what_is_booked_by_weight() -> None:
    for elements, expected in ((b"3103001250", "1.250"), (b"37012", None)):
        (found,) = candidates(b"]C101" + CHEESE_GTIN.encode() + elements)
        assert found.quantity == (Decimal(expected) if expected else None)
    (found,) = candidates(b"]C1" + BEARING + b"3103001250")
    assert found.quantity is None


def test_a_gs1_lot_without_item_is_the_lot_of_every_item_that_has_it() -> None:
    assert candidates(b"]d210L75") == (
        Candidate(MATERIAL, "B-6204", trust=2, lot="L75"),
        Candidate(MATERIAL, "SEAL-9", trust=2, lot="L75"),
    )
    assert candidates(b"]d210NOBODYS") == ()
    assert candidates(b"]d24149501101530003") == (), "a location number names nothing here"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"B-6204", [(MATERIAL, "B-6204", None)]),
        (b"L77", [(MATERIAL, "B-6204", "L77")]),
        (b"L75", [(MATERIAL, "B-6204", "L75"), (MATERIAL, "SEAL-9", "L75")]),
        (b"SEAL-9/L75", [(MATERIAL, "SEAL-9", "L75")]),
        (b"J-100", [(Kind.JOB, "J-100", None)]),
        (b"A-03-2", [(Kind.LOCATION, "A-03-2", None)]),
        (b"TOTE-1", [(Kind.HANDLING_UNIT, "TOTE-1", None)]),
        (b"]C0TOTE-1 ", [(Kind.HANDLING_UNIT, "TOTE-1", None)]),
        (PALLET_SSCC.encode(), [(Kind.HANDLING_UNIT, PALLET_SSCC, None)]),
        (b"4711", []),  # a badge
        (b"P7", []),  # a person
        (b"burr", []),
        (b"finish", []),
        (b"DRW-1001", []),
        (b"SEAL-9/L77", []),
        (b"b-6204", []),
        (b"nobody knows this", []),
    ],
)
def test_plain_text_is_what_the_book_has(raw: bytes, expected: list[tuple[Kind, str, str | None]]) -> None:
    found = candidates(raw)
    assert [(c.kind, c.id, c.lot) for c in found] == expected
    assert all(c.trust == 6 for c in found)


def test_digits_without_symbology_are_a_gtin_and_plain_text() -> None:
    bare = candidates(b"4006381333931")
    assert [(c.kind, c.id) for c in bare] == [(Kind.LOCATION, "4006381333931"), (MATERIAL, "04006381333931")]
    assert {c.trust for c in bare} == {6}
    assert candidates(BEARING_GTIN.encode()) == (Candidate(MATERIAL, "B-6204", trust=6),)
    assert candidates(b"]C04006381333931") == (Candidate(Kind.LOCATION, "4006381333931", trust=6),)
    assert candidates(b"]E04006381333931") == (Candidate(MATERIAL, "04006381333931", trust=3),)


def test_one_thing_under_two_names_is_one_candidate() -> None:
    book = PlanBook.of([MaterialDefinition(id=BEARING_GTIN, description="Bearing", gtin=BEARING_GTIN)])
    assert candidates(BEARING_GTIN.encode(), book) == (Candidate(MATERIAL, BEARING_GTIN, trust=6),)


@pytest.mark.parametrize(
    ("raw", "fault", "params"),
    [
        (b"L:A-03-2.8", "scan.bad_check", {"text": "L:A-03-2.8", "what": "location"}),
        (b"]d2B:4711", "scan.bad_check", {"text": "B:4711", "what": "badge"}),
        (b"]E04006381333930", "scan.bad_check", {"text": "4006381333930", "what": "gtin"}),
        (b"]C100395011015300000012", "scan.bad_check", {"text": "00395011015300000012", "what": "sscc"}),
        (b"]C1(01)09501101530003", "scan.gs1_unreadable", {"text": "(01)09501101530003"}),
        (b"+A123BJC5D6E71G", "scan.hibc_unsupported", {"text": "+A123BJC5D6E71G"}),
        (b"010400638133401310L207", "scan.no_aim", {"text": "010400638133401310L207"}),
        (b"", "scan.empty", {"text": ""}),
        (b"]C1", "scan.empty", {"text": ""}),
        (b"]C1\x1d  ", "scan.empty", {"text": "\x1d"}),
        (b"TOTE-1\r", "scan.control_characters", {"text": r"TOTE-1\x0d"}),
        (b"\x1b[2JTOTE-1", "scan.control_characters", {"text": r"\x1b[2JTOTE-1"}),
        (b"TOTE\x9d", "scan.control_characters", {"text": r"TOTE\x9d"}),
        (b"A" * 513, "scan.too_long", {"text": "A" * 512, "size": "513", "most": "512"}),
    ],
)
def test_what_can_not_be_trusted(raw: bytes, fault: str, params: dict[str, str]) -> None:
    found = identify(raw, BOOK)
    assert (found.fault, found.params, found.candidates) == (fault, params, ())


def test_an_impossible_date_is_noted_and_the_rest_used() -> None:
    found = identify(b"]d2" + BEARING + b"1726023110L75", BOOK)
    assert found.notes == ("scan.bad_date",)
    assert found.candidates == (Candidate(MATERIAL, "B-6204", trust=2, lot="L75"),)


@pytest.mark.parametrize(
    ("read", "lot"),
    [
        ("LOT121SER9", "LOT1"),
        ("L7517261231", "L75"),
        ("L75103", "L75"),
        ("LOT13012", "LOT1"),
        ("L753103001250", "L75"),
    ],
)
def test_a_lost_separator_is_suspected(read: str, lot: str) -> None:
    found = identify(b"]C1" + BEARING + b"10" + read.encode(), BOOK)
    assert found.fault == "scan.lost_fnc1"
    assert (found.params["read"], found.params["lot"]) == (read, lot)


@pytest.mark.parametrize(
    "lot",
    [
        "L75",  # as it stands
        "L7521",  # no serial behind the 21
        "L75-2",
        "L7599X",  # an identifier that labels do not put behind a lot
        "L751726",  # half a date
        "NEW21SER9",  # no such lot to begin with
    ],
)
def test_an_unknown_lot_is_only_an_unknown_lot(lot: str) -> None:
    assert candidates(b"]C1" + BEARING + b"10" + lot.encode())[0].lot == lot


def test_the_suspicion_looks_at_lots_of_the_item_only() -> None:
    known: list[AnyPlan] = [
        MaterialDefinition(id="B-6204", description="Bearing", gtin=BEARING_GTIN),
        MaterialLot(id="LOT1", material="X"),
    ]
    assert candidates(b"]C1" + BEARING + b"10LOT121SER9", PlanBook.of(known))[0].lot == "LOT121SER9"
    assert identify(b"]C110LOT121SER9", PlanBook.of(known)).fault == "scan.lost_fnc1", "an item is not named"


def test_a_known_lot_is_never_suspected() -> None:
    lots = [MaterialLot(id=f"B-6204/{number}", material="B-6204") for number in ("LOT1", "LOT121SER9")]
    book = PlanBook.of([MaterialDefinition(id="B-6204", description="Bearing", gtin=BEARING_GTIN), *lots])
    assert candidates(b"]C1" + BEARING + b"10LOT121SER9", book)[0].lot == "LOT121SER9"


def test_what_the_book_knows_is_no_hibc_code() -> None:
    book = PlanBook.of([MaterialDefinition(id="+A123BJC5D6E71G", description="Screw")])
    assert candidates(b"+A123BJC5D6E71G", book)[0].id == "+A123BJC5D6E71G"
    for text in (b"+A123BJC5D6E71H", b"+A123", b"+a123bjc5d6e71G", b"A+123BJC5D6E71G"):
        assert candidates(text) == (), "nothing but plain text"


def test_text_of_other_alphabets() -> None:
    book = PlanBook.of([MaterialDefinition(id="GRÖSSE-5", description="")])
    assert candidates("GRÖSSE-5".encode(), book) == candidates("GRÖSSE-5".encode("latin-1"), book)
    assert candidates("GRÖSSE-5".encode(), book)[0].id == "GRÖSSE-5"


frames = st.binary(max_size=80) | st.binary(min_size=500, max_size=600)
starts = st.sampled_from(
    [b"", b"]d2", b"]C1", b"]E0", b"]Q1", b"L:", b"+", b"https://x/01/", b"]d2" + BEARING]
)


@given(starts, frames)
def test_no_bytes_raise(start: bytes, rest: bytes) -> None:
    found = identify(start + rest, BOOK)
    assert isinstance(found, Identified)
    assert not (found.fault and found.candidates)


@given(st.text(max_size=30))
def test_plain_text_is_never_a_badge_nor_a_command(text: str) -> None:
    for raw in (text.encode(), b"4711", b"]C04711"):
        for candidate in identify(raw, BOOK).candidates:
            assert candidate.trust == 1 or candidate.kind not in (Kind.BADGE, Kind.COMMAND)


@given(st.binary(max_size=200))
def test_evidence_is_printable_and_can_be_read_back(raw: bytes) -> None:
    text = printable(raw)
    assert text.isascii()
    assert text.isprintable() or not text
    assert text.encode().decode("unicode_escape").encode("latin-1") == raw
