"""The link page says what sort of loss it is in the language of the terminal, then what the driver said."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from device_drivers.contract import DeviceError
from edge_agent.views.status import Problem
from terminal_ui.glyphs import UNICODE
from terminal_ui.scene import Look, Scene
from terminal_ui.screens.step import Middle
from terminal_ui.texts import Texts, languages, load
from tests.terminal_ui.pages import PAGES, PLANT
from tests.terminal_ui.samples import NOW


def kinds(error: type[DeviceError] = DeviceError) -> list[str]:
    """Of all that a driver may raise; and those that the agent has itself."""
    return [error.kind, *(kind for each in error.__subclasses__() for kind in kinds(each))]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", [*dict.fromkeys(kinds()), "internal", "no_reading"])
def test_every_kind_of_loss_has_a_sentence_in_every_language(kind: str, language: str) -> None:
    sentence = load(language)[f"device_kind.{kind}"]
    assert sentence[0].isupper()
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("kind", "language", "lead"),
    [
        ("bad_reply", "en", "It answers, but not what was asked"),
        ("unreachable", "de", "antwortet niemand: Strom, Kabel und Adresse prüfen."),
        ("", "de", ""), ("of another driver", "de", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("width", [80, 40])
def test_a_loss_is_told_by_its_kind_and_then_in_the_words_of_the_driver(
    kind: str, language: str, lead: str, width: int
) -> None:
    link = msgspec.structs.replace(PAGES["link"].page, device="pack-1")
    detail = "Register 40\x1b[31m1 [b]holds[/b] 7."
    devices = tuple(
        msgspec.structs.replace(each, kind=kind, reason=detail) if each.name == "pack-1" else each
        for each in PLANT.devices
    )
    status = msgspec.structs.replace(PLANT, devices=devices)
    lost = Scene(NOW, msgspec.structs.replace(PAGES["link"], page=link), status)
    problem = Problem("device.not_read", {"what": detail, "kind": kind})
    unread = replace(Scene(NOW, PAGES["link"], PLANT), reading_problem=problem)
    for scene in (lost, unread):
        block = Middle(Look(Texts(language), UNICODE, NOW.tzinfo))
        text = " ".join(" ".join(line.plain for line in block.fitted(scene, width, 60)).split())
        assert lead in text
        assert kind not in text or not kind
        assert text.index(lead) <= text.index("Register 40")
        assert "[b]holds[/b] 7." in text
        assert "\x1b" not in text
