"""The exceptions pages: what must be on them at every size, in words and signs; and the keys that lead there."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from edge_agent.views import Entry
from sync.contract import AnyFact
from terminal_ui.app import Setup
from terminal_ui.texts import Texts
from tests.terminal_ui.fake import FakeAgent, by_hand, screen_text, shown, terminal, until
from tests.terminal_ui.pages import IN_DOUBT, PAGES, PLANT
from tests.terminal_ui.samples import VIEWS
from tests.terminal_ui.test_pages import HANDHELD, LARGE, WIDE, drawn


@pytest.mark.parametrize("size", [WIDE, LARGE], ids=["80", "120"])
def test_the_list_tells_what_happened_why_it_is_in_doubt_and_what_it_holds_up(size: tuple[int, int]) -> None:
    text = drawn("exceptions", size, IN_DOUBT)
    for words in (
        "1  50 pc good for J-204", "! the order is closed or held · holds up 3",
        "3 reports with times that may be wrong: numbers 7 to 9", "lost: 36", "report number 36 was lost",
        "■ handed over: Karla, master data",
    ):  # fmt: skip
        assert words in text


def test_a_handheld_leafs_through_the_list() -> None:
    text = drawn("exceptions", HANDHELD, IN_DOUBT)
    assert "! the order is closed or held" in text
    assert "3 more: PageDown" in text


@pytest.mark.parametrize("size", [WIDE, HANDHELD, LARGE], ids=["80", "40", "120"])
def test_one_of_them_has_the_words_of_the_erp_beside_ours(size: tuple[int, int]) -> None:
    text = " ".join(drawn("exception", size, IN_DOUBT).split())
    for words in ("50 pc good for J-204", "! the order is closed or held", "Ask K. Weber, ext. 214.", "44, 45, 47"):
        assert words in text
    assert "Bo Lindqvist · T1" in text


def test_what_was_decided_is_told_with_who_and_their_words() -> None:
    text = " ".join(drawn("exception_handed_over", WIDE, IN_DOUBT).split())
    assert "hand over: Ines Costa, 60 min ago: Karla, master data" in text


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_fact_has_words_for_what_happened(language: str) -> None:
    texts = Texts(language)
    kinds = [each.__name__ for each in get_args(AnyFact)]
    assert [kind for kind in (*kinds, "clock", "incident", "gone") if f"happened.{kind}" not in texts] == []


@pytest.mark.parametrize("keys", [["v"], ["f9", "v"]], ids=["work", "links"])
async def test_one_letter_opens_the_list_from_the_work_and_from_the_link_page(keys: list[str]) -> None:
    agent = FakeAgent(VIEWS["dispatch"], IN_DOUBT)
    agent.answers = [PAGES["exceptions"]]
    app = terminal(agent, Setup("T1"))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        assert "5 in doubt" in screen_text(app)
        await by_hand(pilot, *keys)
        await until(lambda: [each.data for each in agent.sent] == ["exceptions"])


async def test_the_link_page_says_how_many_are_in_doubt() -> None:
    app = terminal(FakeAgent(VIEWS["work"], msgspec.structs.replace(PLANT, doubts=2)))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "f9")
        await by_hand(pilot, "pagedown", "pagedown")
        await shown(pilot, lambda: "what is in doubt, 2 now" in screen_text(app))


async def test_letters_decide_and_text_is_typed() -> None:
    agent = FakeAgent(PAGES["exception"], IN_DOUBT)
    noted = msgspec.structs.replace(
        PAGES["exception_correct"], step="note", prompt="exceptions.note",
        entry=Entry("note", "text"),
    )  # fmt: skip
    agent.answers = [noted, PAGES["exceptions"]]
    app = terminal(agent, Setup("T1"))
    async with app.run_test(size=(40, 16)) as pilot:
        await shown(pilot, lambda: app.feed.view)
        await by_hand(pilot, "o")
        await shown(pilot, lambda: app.feed.view and app.feed.view.step == "note")
        for key in "Vera":
            await by_hand(pilot, key)
        await by_hand(pilot, "enter")
        await until(lambda: len(agent.sent) == 2)
    assert [(each.kind, each.data) for each in agent.sent] == [("action", "hand_over"), ("entry", "Vera")]
