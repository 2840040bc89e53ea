"""Every text can be read: contrast is computed, and no state is told by colour alone."""

from __future__ import annotations

import pytest

from edge_agent.views import Verdict
from terminal_ui.glyphs import ASCII, UNICODE
from terminal_ui.palettes import PALETTES, STRONG, Palette, contrast
from terminal_ui.texts import Texts, languages
from terminal_ui.widgets.tones import TONES


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_every_pair_has_its_contrast(palette: Palette) -> None:
    for name, (pair, least) in palette.pairs().items():
        assert contrast(pair) >= least, f"{palette.name}.{name}: {contrast(pair):.1f}"


def test_the_high_contrast_theme_is_high_throughout() -> None:
    for name, (pair, _) in PALETTES["contrast"].pairs().items():
        assert contrast(pair) >= STRONG, name


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(("#ffffff", "#000000")) == pytest.approx(21.0)
    assert contrast(("#777777", "#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_tones_of_different_colour_have_different_signs(glyphs: object) -> None:
    signs: dict[str, set[str]] = {}
    for tone in TONES.values():
        if tone.style != "base":
            signs.setdefault(tone.style, set()).add(tone.glyph(glyphs))  # type: ignore[arg-type]
    styles = list(signs)
    for one in styles:
        for other in styles[styles.index(one) + 1 :]:
            assert not signs[one] & signs[other], (one, other)


@pytest.mark.parametrize("language", languages())
def test_every_verdict_says_its_word(language: str) -> None:
    texts = Texts(language)
    assert all(texts.say(f"verdict.{verdict}").strip() for verdict in Verdict)
    assert set(TONES) == set(Verdict)


def test_ascii_signs_are_ascii() -> None:
    assert all(str(getattr(ASCII, name)).isascii() for name in ASCII.__dataclass_fields__)
