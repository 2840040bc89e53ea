"""Words of our own in a numbered choice, with what they name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from edge_agent.views import Choice
from terminal_ui.glyphs import UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.dispatch import choice_lines
from terminal_ui.texts import Texts, languages
from tests.terminal_ui.samples import NOW, VIEWS


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("width", [80, 40])
def test_a_choice_in_our_words_names_its_job(language: str, width: int) -> None:
    choices = (Choice(1, "take", "take", {"job": "J-204"}, code="report_production.take"),)
    look, scene = Look(Texts(language), UNICODE, UTC), replace(Scene(NOW), view=VIEWS["work"])
    drawn = "".join(line.plain for line in choice_lines(choices, (), scene, look, width, 9, 0))
    assert "J-204" in drawn
    assert "{" not in drawn
