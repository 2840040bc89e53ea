"""Words of our own in a numbered choice, with what they name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest
from msgspec.structs import replace as replaced

from edge_agent.views import Choice
from terminal_ui.feed import Feed
from terminal_ui.glyphs import UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.dispatch import choice_lines
from terminal_ui.texts import Texts, languages
from tests.terminal_ui.fake import FakeAgent, HandClock, by_hand, has_revision, screen_text, shown, terminal
from tests.terminal_ui.samples import NOW, VIEWS


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("width", [80, 40])
def test_a_choice_in_our_words_names_its_job(language: str, width: int) -> None:
    choices = (Choice(1, "take", "take", {"job": "J-204"}, code="report_production.take"),)
    look, scene = Look(Texts(language), UNICODE, UTC), replace(Scene(NOW), view=VIEWS["work"])
    drawn = "".join(line.plain for line in choice_lines(choices, (), scene, look, width, 9, 0))
    assert "J-204" in drawn
    assert "{" not in drawn


async def test_a_number_that_has_just_come_to_mean_something_else_chooses_nothing() -> None:
    """The office closes a job in the list: what stood behind it moves up, under the finger of whoever reads it."""
    dispatch = VIEWS["dispatch"]
    agent, clock = FakeAgent(dispatch), HandClock()
    app = terminal(agent, clock=clock)
    assert len(dispatch.choices) > 1
    moved = tuple(replaced(each, number=number) for number, each in enumerate(dispatch.choices[1:], 1))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot, lambda: app.feed.view is not None)
        agent.tell(replaced(dispatch, revision=dispatch.revision + 1, choices=moved))
        await shown(pilot, lambda: has_revision(app, dispatch.revision + 1))
        await by_hand(pilot, "1")
        await shown(pilot, lambda: "The list has just changed." in screen_text(app))
        assert agent.sent == []
        clock.move(1.5)
        await by_hand(pilot, "1")
        await shown(pilot, lambda: agent.sent != [])
        assert [(each.kind, each.data) for each in agent.sent] == [("choice", moved[0].id)]


def test_a_list_that_only_became_shorter_or_was_asked_for_is_as_good_as_before() -> None:
    dispatch, clock = VIEWS["dispatch"], HandClock()
    feed = Feed(clock)
    feed.saw_view(dispatch)
    feed.saw_view(replaced(dispatch, revision=90, choices=dispatch.choices[:-1]))
    assert not feed.renumbered
    other = tuple(reversed(dispatch.choices))
    renumbered = tuple(replaced(each, number=number) for number, each in enumerate(other, 1))
    feed.saw_view(replaced(dispatch, revision=91, choices=renumbered, input="mine"))
    assert not feed.renumbered
    feed.saw_view(replaced(dispatch, revision=92, input="mine"))
    assert feed.renumbered
