from __future__ import annotations

import json
import timeit
import tracemalloc
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.scanning import gs1
from edge_agent.scanning.gs1 import GS, Gs1Reading, read
from tests.scanning.plant import BEARING_GTIN, PALLET_SSCC

BEARING = "01" + BEARING_GTIN
GS1_SYMBOLOGIES = sorted(gs1.ELEMENT_SYMBOLOGIES)


@pytest.mark.parametrize("symbology", GS1_SYMBOLOGIES)
def test_an_element_string_of_every_gs1_symbology(symbology: str) -> None:
    text = f"{BEARING}1726123110ABC-123{GS}21S/9{GS}30144"
    assert read(text, symbology) == Gs1Reading(
        2, gtin=BEARING_GTIN, lot="ABC-123", expires=date(2026, 12, 31), serial="S/9", quantity=Decimal(144)
    )


@pytest.mark.parametrize("symbology", ["", "]C0", "]A0", "]d1", "]Q1"])
def test_digits_of_other_symbologies_are_not_gs1(symbology: str) -> None:
    assert read(f"{BEARING}10L75", symbology) is None
    assert read("4006381333931", symbology) is None


def test_a_leading_separator_stands_for_fnc1_where_the_scanner_sends_no_symbology() -> None:
    assert read(f"{GS}{BEARING}10L75", "") == Gs1Reading(2, gtin=BEARING_GTIN, lot="L75")


def test_separators_may_stand_between_any_two_and_at_the_end() -> None:
    text = f"{BEARING}{GS}17261231{GS}{GS}10L75{GS}"
    assert read(text, "]d2") == Gs1Reading(2, gtin=BEARING_GTIN, lot="L75", expires=date(2026, 12, 31))


@pytest.mark.parametrize(
    ("elements", "expires", "faults"),
    [
        ("17261231", date(2026, 12, 31), ()),
        ("17260200", date(2026, 2, 28), ()),
        ("17280200", date(2028, 2, 29), ()),
        ("17991231", date(1999, 12, 31), ()),
        ("17760101", date(2076, 1, 1), ()),
        ("15270630", None, ()),
        ("1527063017260630", date(2026, 6, 30), ()),
        (f"70032609301430{GS}", date(2026, 9, 30), ()),
        (f"70032609301430{GS}17260630", date(2026, 6, 30), ()),
        ("17260229", None, ("date",)),
        ("17261301", None, ("date",)),
        ("17260001", None, ("date",)),
        ("17260732", None, ("date",)),
        ("17000000", None, ("date",)),
        ("11261301", None, ("date",)),
        (f"70032613301430{GS}", None, ("date",)),
    ],
)
def test_dates(elements: str, expires: date | None, faults: tuple[str, ...]) -> None:
    """An impossible date is told, and costs neither the item nor the lot behind it."""
    best = date(2027, 6, 30) if elements.startswith("15") else None
    assert read(f"{BEARING}{elements}10L75", "]d2") == Gs1Reading(
        2, gtin=BEARING_GTIN, lot="L75", expires=expires, best_before=best, faults=faults
    )


@pytest.mark.parametrize(
    ("elements", "quantity", "weight"),
    [
        ("3103001250", None, Decimal("1.250")),
        ("3100001250", None, Decimal("1250")),
        ("3105001250", None, Decimal("0.01250")),
        ("3012", Decimal(12), None),
        ("3712", Decimal(12), None),
        (f"3012{GS}3103000500", Decimal(12), Decimal("0.500")),
        ("3202001250", None, None),
    ],
)
def test_counts_and_weights(elements: str, quantity: Decimal | None, weight: Decimal | None) -> None:
    assert read(BEARING + elements, "]C1") == Gs1Reading(
        2, gtin=BEARING_GTIN, quantity=quantity, weight=weight
    )


def test_a_pallet_label_names_pallet_and_content() -> None:
    text = f"00{PALLET_SSCC}02{BEARING_GTIN}37480{GS}10L75"
    assert read(text, "]C1") == Gs1Reading(
        2, gtin=BEARING_GTIN, sscc=PALLET_SSCC, lot="L75", quantity=Decimal(480)
    )


def test_wrong_check_digits_are_named() -> None:
    assert read("0109501101530004", "]d2") == Gs1Reading(2, gtin="09501101530004", faults=("gtin",))
    assert read("00395011015300000012", "]C1") == Gs1Reading(2, sscc="395011015300000012", faults=("sscc",))
    assert read("9501101530004", "]E0") == Gs1Reading(3, gtin="09501101530004", faults=("gtin",))
    assert read("https://id.gs1.org/01/09501101530004", "") == Gs1Reading(
        4, gtin="09501101530004", faults=("gtin",)
    )


@pytest.mark.parametrize(
    "text",
    [
        f"{BEARING}XYZ",  # no such identifier
        f"{BEARING}10",  # nothing in it
        f"{BEARING}30",
        f"{BEARING}17AB1231",
        f"{BEARING}1726",
        f"{BEARING}10L75 B",  # a space is not in the character set of GS1
        f"{BEARING}10" + "A" * 21,
        f"{BEARING}10" + "A" * 20 + "17261231",  # the separator is missing, however well the rest reads
        f"{BEARING}10L75{GS}10L77",  # two lots
        f"(01){BEARING_GTIN}",  # what people read, not what scanners send
        f"{BEARING}30\u0661\u0662",  # digits of another script
        "0109501101",
    ],
)
def test_what_is_not_gs1_to_the_end_is_told(text: str) -> None:
    reading = read(text, "]d2")
    assert reading is not None
    assert "syntax" in reading.faults


def test_the_same_element_twice_is_legal() -> None:
    assert read(f"{BEARING}10L75{GS}10L75", "]d2") == Gs1Reading(2, gtin=BEARING_GTIN, lot="L75")


@pytest.mark.parametrize(
    ("digits", "symbology", "gtin"),
    [
        ("9501101530003", "]E0", "09501101530003"),
        ("0042100005264", "]E0", "00042100005264"),
        ("042100005264", "]E0", "00042100005264"),
        ("04252614", "]E0", "00042100005264"),  # UPC-E
        ("96385074", "]E4", "00000096385074"),
        ("19501101530000", "]I1", "19501101530000"),
    ],
)
def test_retail_symbols(digits: str, symbology: str, gtin: str) -> None:
    assert read(digits, symbology) == Gs1Reading(3, gtin=gtin)


def test_retail_symbols_that_do_not_fit() -> None:
    assert read("04252615", "]E0") == Gs1Reading(3, faults=("gtin",)), "UPC-E with a wrong check digit"
    assert read("123456", "]I1") is None, "an interleaved code of six digits is a number of the plant's own"
    assert read("TOTE-1", "]I1") is None


def test_a_gtin_is_told_from_other_digits() -> None:
    assert gs1.gtin("96385074") == "00000096385074"
    assert gs1.gtin("4006381333930") is None
    assert gs1.gtin("40063813339") is None
    assert gs1.gtin("٤٠٠٦٣٨١٣٣٣٩٣١") is None


@pytest.mark.parametrize(
    ("uri", "reading"),
    [
        ("https://id.gs1.org/01/09501101530003", Gs1Reading(4, gtin=BEARING_GTIN)),
        ("HTTPS://ID.GS1.ORG/01/9501101530003", Gs1Reading(4, gtin=BEARING_GTIN)),
        (
            "http://maker.example/some/shop/01/09501101530003/10/L%2F75/21/S1?17=261200&utm=x&3103=001250#top",
            Gs1Reading(
                4,
                gtin=BEARING_GTIN,
                lot="L/75",
                serial="S1",
                expires=date(2026, 12, 31),
                weight=Decimal("1.250"),
            ),
        ),
        ("https://x.example/01/09501101530003?17=261345", Gs1Reading(4, gtin=BEARING_GTIN, faults=("date",))),
        (
            "https://x.example/01/09501101530003?10=a%20b",
            Gs1Reading(4, gtin=BEARING_GTIN, faults=("syntax",)),
        ),
        ("https://x.example/01/09501101530003/10", Gs1Reading(4, gtin=BEARING_GTIN, faults=("syntax",))),
        (
            "https://x.example/01/09501101530003/10/A?10=B",
            Gs1Reading(4, gtin=BEARING_GTIN, lot="A", faults=("syntax",)),
        ),
        (f"https://x.example/00/{PALLET_SSCC}", Gs1Reading(4, sscc=PALLET_SSCC)),
    ],
)
def test_digital_links(uri: str, reading: Gs1Reading) -> None:
    assert read(uri, "") == read(uri, "]Q1") == read(uri, "]Q3") == reading


@pytest.mark.parametrize(
    "uri", ["https://floorhand.example/", "http://[", "https://x/01/12", "http", "https:///01/09501101530003"]
)
def test_other_web_addresses_are_not_gs1(uri: str) -> None:
    assert read(uri, "]Q1") is None


@given(st.text(max_size=120), st.sampled_from(["", *GS1_SYMBOLOGIES, "]E0", "]E4", "]I1"]))
def test_any_text_reads_without_an_exception(text: str, symbology: str) -> None:
    for start in ("", BEARING, f"{BEARING}10", "17", "310", "https://x/01/09501101530003"):
        read(start + text, symbology)


lots = st.text("ABCXYZ0123456789-./", min_size=1, max_size=20)


@given(
    st.integers(0, 10**13 - 1), lots, st.dates(date(2000, 1, 1), date(2076, 12, 31)), st.integers(0, 99999999)
)
def test_what_a_label_printer_encodes_is_read_back(number: int, lot: str, expires: date, count: int) -> None:
    payload = f"{number:013}"
    gtin = next(payload + digit for digit in "0123456789" if gs1.gtin(payload + digit))
    text = f"01{gtin}10{lot}{GS}17{expires:%y%m%d}30{count}"
    assert read(text, "]d2") == Gs1Reading(2, gtin=gtin, lot=lot, expires=expires, quantity=Decimal(count))


@given(st.integers(0, 10**13 - 1), st.integers(0, 13), st.integers(1, 9))
def test_every_wrong_digit_of_a_gtin_is_caught(number: int, place: int, step: int) -> None:
    payload = f"{number:013}"
    gtin = next(payload + digit for digit in "0123456789" if gs1.gtin(payload + digit))
    wrong = gtin[:place] + str((int(gtin[place]) + step) % 10) + gtin[place + 1 :]
    assert gs1.gtin(wrong) is None


@pytest.mark.parametrize(
    "tail", ["/01/1234567" * 45, "/01/12345678" * 40, "/" * 490, "/01/12345678" + "/" * 480]
)
def test_an_address_made_to_be_slow_is_not(tail: str) -> None:
    best = min(timeit.repeat(lambda: read("https://x" + tail, "]Q1"), number=5, repeat=3)) / 5
    assert best < 0.010, "a hundred times what was measured; a pattern that backtracks would take seconds"


@pytest.mark.parametrize("tail", ["%41%41" * 80, "%41%41" * 80 + " ", "%41" * 160 + GS])
def test_a_percent_encoded_text_made_to_be_slow_is_not(tail: str) -> None:
    best = min(timeit.repeat(lambda: read(f"{BEARING}4302{tail}", "]d2"), number=5, repeat=3)) / 5
    assert best < 0.010


def test_a_percent_encoded_text_has_the_length_that_is_written() -> None:
    assert gs1.element_strings("4302" + "%41%41" * 11) == ({"4302": "%41%41" * 11}, True)
    assert gs1.element_strings("4302" + "%41%41" * 12) == ({}, False)


def test_the_table_of_identifiers_costs_little_to_load() -> None:
    """It is read when the agent starts, and stays: 541 rows, a fifth of a megabyte."""
    table = (Path(gs1.__file__).parent / "application_identifiers.json").read_text(encoding="utf-8")
    assert min(timeit.repeat(lambda: json.loads(table), number=1, repeat=5)) < 0.005
    tracemalloc.start()
    try:
        rows = json.loads(table)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rows
    assert held < 300_000
