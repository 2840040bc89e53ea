"""Fields out of structures: what the library of the protocol packs is what is found."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from asyncua import ua
from asyncua.ua import ua_binary
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.opcua.options import Point
from device_drivers.opcua.structures import Fields, field_of, picked, structure

PATH = "Objects/2:Filler"
texts = st.none() | st.text(max_size=20)


def localized(text: str | None, locale: str | None) -> Any:
    return ua.LocalizedText(Text=text, Locale=locale)


def of_type(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, bytes, Any]]:
    """A value of a type, as the library packs it, and as it should be found."""
    packed = ua.VariantType[kind]
    return values.map(lambda value: (kind, ua_binary.pack_uatype(packed, value), value))


def unit(name: str | None, number: int) -> tuple[str, bytes, str | None]:
    told = ua.EUInformation("urn:units", ua.Int32(number), localized(name, "en"), localized("long", None))
    return "EUInformation", ua_binary.to_binary(ua.EUInformation, told), name


fields = st.one_of(
    of_type("Int32", st.integers(-(2**31), 2**31 - 1)),
    of_type("UInt16", st.integers(0, 2**16 - 1)),
    of_type("UInt64", st.integers(0, 2**64 - 1)),
    of_type("Boolean", st.booleans()),
    of_type("Double", st.floats(allow_nan=False)),
    of_type("String", texts),
    st.tuples(texts, texts).map(
        lambda told: ("LocalizedText", ua_binary.pack_uatype(ua.VariantType.LocalizedText, localized(*told)), told[0])
    ),
    st.builds(unit, texts, st.integers(0, 2**31 - 1)),
    st.just(("DateTime", bytes(8), None)),
)
KINDS = "A:Int32 B:String C:LocalizedText D:EUInformation E:DateTime F:Double G:Boolean"


@given(st.lists(fields, min_size=1, max_size=8))
def test_every_field_is_found_behind_any_others(told: list[tuple[str, bytes, Any]]) -> None:
    layout: Fields = structure(" ".join(f"f{index}:{kind}" for index, (kind, _, _) in enumerate(told)))
    body = b"".join(packed for _, packed, _ in told)
    found = [field_of(body, layout, name) for name, _ in layout]
    assert [value or None for value in found] == [value or None for _, _, value in told]


@given(st.lists(fields, min_size=1, max_size=8), st.data())
def test_bytes_that_end_early_are_no_value(told: list[tuple[str, bytes, Any]], data: st.DataObject) -> None:
    layout = structure(" ".join(f"f{index}:{kind}" for index, (kind, _, _) in enumerate(told)))
    body = b"".join(packed for _, packed, _ in told)
    short = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(ValueError, match="the bytes end"):
        field_of(body[:short], layout, layout[-1][0])


@given(st.binary(max_size=60), st.sampled_from([name for name, _ in structure(KINDS)]))
def test_any_bytes_at_all_end_in_a_value_or_none(body: bytes, wanted: str) -> None:
    picked([SimpleNamespace(Body=body)], 0, structure(KINDS), wanted)


@pytest.mark.parametrize(
    ("value", "element"), [(None, 0), ([], 0), ([7], 1), (7, 0), ([SimpleNamespace(Body=None)], 0)]
)
def test_what_is_not_there_is_none(value: Any, element: int) -> None:
    assert picked(value, element, structure("ID:Int32"), "ID") is None


def test_an_element_of_a_list_needs_no_structure() -> None:
    assert picked([3, 5], 1, (), "") == 5


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"field": "ID"}, "`field` must be one of those that `structure` names"),
        ({"structure": "ID:Int32"}, "`field` must be one of those"),
        ({"structure": "ID:Int32", "field": "Id"}, "`field` must be one of those"),
        ({"structure": "ID:Int", "field": "ID"}, "'ID:Int' is no field: it looks like Count:Int32"),
    ],
)
def test_a_point_that_can_not_be_picked_is_told(more: dict[str, str], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"name": "x", "path": PATH} | more, Point)
