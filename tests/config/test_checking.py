"""Every planted mistake is told, each once, at its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import Problem, Settings
from config.checking import Checker, convert
from tests.config.sites import OPTIONS, site


def points(table: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table["devices"][0]["options"]["points"]
    return found


# What is done to the right site, and the key where it must be told.
MISTAKES: dict[str, Callable[[dict[str, Any]], object]] = {
    "site.name": lambda s: s["site"].pop("name"),
    "site.agent": lambda s: s["site"].update(agent="Hall 2"),
    "site.data": lambda s: s["site"].update(data=7),
    "site.wether": lambda s: s["site"].update(wether="fine"),
    "equipment[0].states.6": lambda s: s["equipment"][0]["states"].update({"6": "RUNNING"}),
    'equipment[0].states."a b"': lambda s: s["equipment"][0]["states"].update({"a b": 1}),
    "equipment[0].count_width": lambda s: s["equipment"][0].update(count_width=65),
    "equipment[1]": lambda s: s["equipment"][1].update(state="state"),  # without a device
    "terminals[0].equipment": lambda s: s["terminals"][0].update(equipment="PRES"),
    "terminals[1].id": lambda s: s["terminals"][1].update(id="T1"),
    "terminals[1].home": lambda s: s["terminals"][1].update(home="Picking"),
    "scanners[0].terminal": lambda s: s["scanners"][0].update(terminal="T9"),
    "devices[0].name": lambda s: s["scanners"][0].update(name="plc"),  # one name for two
    "scanners[0].options.baudrate": lambda s: s["scanners"][0].update(options={"baudrate": True}),
    "devices[0].options.host": lambda s: s["devices"][0]["options"].pop("host"),
    "devices[0].options.port": lambda s: s["devices"][0]["options"].update(port=0),
    "devices[0].options.points[1].address": lambda s: points(s)[1].update(address="7"),
    "connectors[0].driver": lambda s: s["connectors"][0].update(driver="wep"),
    "policies.count_tolerance": lambda s: s["policies"].update(count_tolerance=-1),
    "policies.repeat_window": lambda s: s["policies"].update(repeat_window=float("nan")),
}


def check(table: Any) -> list[Problem]:
    checker = Checker("site.toml", OPTIONS)
    checker.check(table, Settings)
    checker.check_references()
    return checker.problems


def test_the_right_site_has_no_problem() -> None:
    assert check(site()) == []


@given(st.sets(st.sampled_from(sorted(MISTAKES))))
def test_n_mistakes_are_n_problems_at_their_keys(keys: set[str]) -> None:
    spoiled = site()
    for key in keys:
        MISTAKES[key](spoiled)
    assert sorted(problem.key for problem in check(spoiled)) == sorted(keys)


_SCALARS = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
_TABLES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["site", "name", "agent", "id", "terminals", "devices", "driver", "options", "x"]),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)


@given(_TABLES)
def test_whatever_stands_there_it_is_problems_or_it_converts(table: Any) -> None:
    if not check(table):
        convert(table, Settings)


@given(st.sampled_from(["site", "equipment", "terminals", "scanners", "devices", "connectors"]), _TABLES)
def test_a_part_that_is_anything_at_all_never_breaks_the_check(part: str, value: Any) -> None:
    table = site() | {part: value}
    if not check(table):
        convert(table, Settings)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda s: s["terminals"][0].update(equipment="press"),
            'terminals[0].equipment: there is no equipment "press" (did you mean PRESS?);'
            " allowed: PRESS, BENCH",
        ),
        (
            lambda s: s["terminals"][1].update(home="Picking"),
            'terminals[1].home: "Picking" can not stand here (did you mean picking?);'
            ' allowed: "production", "picking" or "maintenance"',
        ),
        (
            lambda s: s["devices"][0]["options"].update(points=[]),
            "devices[0].options.points: a list can not stand here; allowed: a list of: a table (not empty)",
        ),
        (lambda s: s.pop("site"), "site: is missing; allowed: a table"),
        (
            lambda s: s["equipment"][1].update(state="x", alarm="y"),
            "equipment[1]: state and alarm need a `device`: the name of one of [[devices]]",
        ),
        (
            lambda s: s["equipment"][0].update(units={"force": "kN"}),
            "equipment[0]: units names force, which is not in `show`",
        ),
    ],
)
def test_the_sentences(spoil: Callable[[dict[str, Any]], object], told: str) -> None:
    spoiled = site()
    spoil(spoiled)
    assert [str(problem) for problem in check(spoiled)] == [f"site.toml: {told}"]


def test_a_misspelt_required_key_is_one_problem_not_two() -> None:
    spoiled = site()
    spoiled["terminals"][1] = {"idd": "T2"}
    (problem,) = check(spoiled)
    assert problem.what == "unknown key (did you mean id?)"


def test_references_to_a_thing_whose_name_can_not_be_read_are_not_blamed() -> None:
    spoiled = site()
    spoiled["terminals"][0]["id"] = 1
    assert [problem.key for problem in check(spoiled)] == ["terminals[0].id"]


def test_a_secret_looking_value_is_shown_shortened_and_without_control_characters() -> None:
    spoiled = site()
    spoiled["site"]["agent"] = "\x1b[2J" + "x" * 500
    (problem,) = check(spoiled)
    assert "\x1b" not in str(problem)
    assert len(problem.what) < 100
