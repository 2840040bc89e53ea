"""Every code has words in every language, with the same parameters."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.display import display_safe
from edge_agent.views import Kind, Verdict
from terminal_ui.keys import ACTIONS
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


@pytest.mark.parametrize("language", languages())
def test_a_key_has_one_word_whatever_the_width(language: str) -> None:
    texts, flows = Texts(language), ("", "maintain", "exceptions", "explain_stop", "report_production", "pick")
    for action, flow in itertools.product(ACTIONS, flows):
        long, short = (texts.action(action.name, flow, each).lower() for each in (False, True))
        assert short.rstrip(".") in long, f"{action.name}: {short!r} and {long!r} are two words"


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
    assert told == "That is a place: A. Scan a badge or a bin or tote."


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_article_in_a_sentence(kind: Kind) -> None:
    others = ",".join(other for other in Kind if other is not kind)
    params = {"got": "A", "got_kind": kind.value, "expected_kinds": others}
    for language, articles in (("en", "a|an"), ("de", "ein|eine")):
        texts = Texts(language)
        words = [texts.word("kind", each) for each in Kind]
        assert all(re.fullmatch(rf"({articles}) \w.*", word) for word in words)
        assert all((word.split()[0] == "an") == (word.split()[1][0] in "aeiou") for word in words if language == "en")
        mine = texts.word("kind", kind)
        for code in ("scan.other_type", "scan.nothing_expected"):
            assert f" {mine}: A. " in texts.say(code, params)
        *first, last = (word for other, word in zip(Kind, words, strict=True) if other is not kind)
        assert f" {', '.join(first)} {texts.word('kind', 'or')} {last}." in texts.say("scan.other_type", params)
        bare = texts.say("scan.bad_check", {"what": kind.value, "text": "1"})
        assert not re.search(rf"\b({articles}) {mine.split(' ', 1)[1]}", bare)
        assert texts.say("scan.command_not_now", {"action": "confirm"}).startswith(f'"{texts.action("confirm")}" ')


def test_the_language_comes_from_the_option_then_the_locale() -> None:
    assert chosen_language("de", {"LANG": "en_US.UTF-8"}) == "de"
    assert chosen_language(None, {"LC_ALL": "de_DE.UTF-8", "LANG": "en_US"}) == "de"
    assert chosen_language(None, {"LANG": "xx"}) == "en"


@pytest.mark.parametrize(
    ("code", "n", "words"),
    [
        ("work.stops", "1", "1 stop to explain: Y"), ("work.stops", "2", "2 stops to explain: Y"),
        ("queue_page.tries", "1", "1 try"),
    ],
)  # fmt: skip
def test_one_thing_is_told_as_one(code: str, n: str, words: str) -> None:
    assert Texts("en").say(code, {"n": n}) == words
