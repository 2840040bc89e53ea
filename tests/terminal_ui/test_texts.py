"""Every code has words in every language, with the same parameters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.display import display_safe
from edge_agent.views import Kind, Verdict
from terminal_ui.texts import Texts, chosen_language, languages, load
from tests.terminal_ui.pages import PAGES
from tests.terminal_ui.samples import VIEWS

PARAM = re.compile(r"\{(\w+)\}")


def test_there_is_more_than_one_language() -> None:
    assert {"en", "de"} <= set(languages())


@pytest.mark.parametrize("language", languages())
def test_a_language_has_all_codes_with_the_same_parameters(language: str) -> None:
    english, other = load("en"), load(language)
    assert set(english) == set(other)
    for code, words in english.items():
        assert set(PARAM.findall(words)) == set(PARAM.findall(other[code])), code
        assert other[code].strip(), code


@pytest.mark.parametrize("name", VIEWS | PAGES)
def test_samples_have_words(name: str) -> None:
    texts, view = Texts("en"), (VIEWS | PAGES)[name]
    assert view.prompt in texts
    assert all(expectation.code in texts for expectation in view.expects)
    assert all(f"action.{action}" in texts for action in view.actions)
    for message in (view.message, *view.log):
        assert message is None or message.code in texts
        assert message is None or "{" not in texts.say(message.code, message.params)


def test_every_verdict_and_kind_has_a_word() -> None:
    texts = Texts("en")
    assert all(f"verdict.{verdict}" in texts for verdict in Verdict)
    assert all(f"word.{kind}" in texts for kind in Kind)


def test_a_code_without_words_shows_itself() -> None:
    assert Texts().say("new.code", {"lot": "L75"}) == "new.code  lot=L75"


def test_a_missing_parameter_stays_visible() -> None:
    assert Texts().say("pick.go", {}) == "Go to {location}"


def test_what_is_optional_goes_when_it_is_empty() -> None:
    texts = Texts()
    assert texts.say("pick.item", {"material": "NUT-M8", "lot": ""}) == "Scan NUT-M8"
    assert texts.say("pick.item", {"material": "B-1", "lot": "L7"}) == "Scan B-1, lot L7"


@given(st.text(max_size=60))
def test_values_are_data(value: str) -> None:
    said = Texts().say("pick.go", {"location": "{location}[x]" + value})
    assert said.startswith("Go to {location}[x]")
    assert display_safe(said) == said


def test_words_for_values_of_small_sets() -> None:
    texts = Texts()
    assert "article" in texts.say("scan.bad_check", {"what": "gtin", "text": "1"})
    told = texts.say(
        "scan.other_type", {"got": "A", "got_kind": "location", "expected_kinds": "badge,handling_unit"}
    )
    assert told == "That is a place: A. Scan a badge, bin or tote."


def test_the_language_comes_from_the_option_then_the_locale() -> None:
    assert chosen_language("de", {"LANG": "en_US.UTF-8"}) == "de"
    assert chosen_language(None, {"LC_ALL": "de_DE.UTF-8", "LANG": "en_US"}) == "de"
    assert chosen_language(None, {"LANG": "xx"}) == "en"
