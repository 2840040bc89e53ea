"""The guide of the demo: something to do at every step, and labels that scan."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from typing import Any

import pytest

from edge_agent import scenarios
from edge_agent.demo.plans import plans
from edge_agent.planbook import PlanBook
from edge_agent.scanning.identify import identify
from edge_agent.scanning.labels import Label, read
from edge_agent.views import Kind
from terminal_ui.guide import placeholders
from terminal_ui.texts import Texts
from terminal_ui.widgets.lines import line
from tests.scenarios.floor import NOW, Floor, picking, running, signed_on

GUIDE: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(
    resources.files("edge_agent.demo").joinpath("guide.toml").read_text(encoding="utf-8")
)
HINTS = {f"{flow}.{step}": hint for flow, steps in GUIDE.items() for step, hint in steps.items()}
STEPS = sorted(f"{name}.{step}" for name, flow in scenarios.load().items() for step in flow.STEPS)
EVERY = {**HINTS, **{f"{at}.{name}": hint for at, each in HINTS.items() for name, hint in each.get("of", {}).items()}}
SCANS = sorted(
    (at, text) for at, hint in EVERY.items() for key in ("scan", "wrong", "other", "lead") if key in hint
    for text in ([hint[key]] if isinstance(hint[key], str) else hint[key])
)  # fmt: skip
BOOK = PlanBook.of(plans(NOW))


@pytest.mark.parametrize("step", STEPS)
def test_every_step_has_a_hint(step: str) -> None:
    assert HINTS[step]["text"]


@pytest.mark.parametrize("step", STEPS)
def test_a_hint_fits_two_lines_of_a_handheld(step: str) -> None:
    always = re.sub(r"\[.*?\]", "", HINTS[step]["text"])  # test_hints.py looks at the rest as it is shown
    words = re.sub(r"\{\w+\}", "A-02-1", re.sub(r"\{key_\w+\}", "F4", f"NEXT > {always}"))
    assert len(line(words).wrap(38)) <= 2


def test_no_hint_is_for_a_step_or_a_question_that_does_not_exist() -> None:
    asked = Texts()
    assert [at for at in HINTS if at not in STEPS and at not in asked] == []


@pytest.mark.parametrize(("at", "text"), [each for each in SCANS if "{" not in each[1]])
def test_every_fixed_label_can_be_read(at: str, text: str) -> None:
    if text.startswith("]C1"):
        candidates = identify(text.encode(), BOOK).candidates
        assert [each.kind for each in candidates] == [Kind.MATERIAL]
    else:
        assert isinstance(read(text), Label), f"{at}: {text}"


@pytest.mark.parametrize(
    ("at", "wrong", "code"),
    [
        ("sign_on.badge", "wrong", "sign_on.not_active"),
        ("choose_job.scan_drawing", "wrong", "choose_job.revision_held"),
        ("pick.go", "wrong", "pick.wrong_location"),
        ("pick.item", "wrong", "pick.wrong_item"),
    ],
)
def test_a_wrong_scan_is_refused_with_its_own_words(at: str, wrong: str, code: str) -> None:
    floor = floor_at(at)
    played = HINTS[at][wrong]
    floor.give("scan", played if isinstance(played, str) else played[0])
    assert (floor.at, floor.code) == (at, code)


@pytest.mark.parametrize(
    ("at", "then"),
    [
        ("sign_on.badge", "choose_job.pick_one"),
        ("choose_job.pick_one", "choose_job.scan_drawing"),
        ("choose_job.scan_drawing", "report_production.running"),
        ("report_production.running", "report_production.good"),
        ("report_production.scrap_reason", "report_production.running"),
        ("pick.go", "pick.item"),
        ("pick.item", "pick.quantity"),
        ("pick.quantity", "pick.go"),
        ("pick.into", "pick.item"),  # one piece was taken: the rest of the line is still to be picked
    ],
)
def test_the_scan_of_a_hint_leads_on(at: str, then: str) -> None:
    floor = floor_at(at)
    fills: dict[str, Any] = placeholders(floor.view())
    text = re.sub(r"\{(\w+)\}", lambda match: str(fills[match[1]]), HINTS[at]["scan"])
    floor.give("scan", text.encode().decode("unicode_escape"))
    assert floor.at == then


def floor_at(step: str) -> Floor:
    """A terminal at a step, reached as the guide says."""
    match step.split("."):
        case ["sign_on", _]:
            floor = Floor()
        case ["choose_job", "pick_one"]:
            floor = signed_on()
        case ["choose_job", _]:
            floor = signed_on()
            floor.scan(Kind.JOB, "J-201")
        case ["report_production", name]:
            floor = running("J-204")
            if name == "scrap_reason":
                floor.give("action", "scrap")
                floor.give("entry", "1")
        case _:
            floor = picking()
            for wanted in ("pick.go", "pick.item", "pick.quantity"):
                if floor.at == wanted != step:
                    follow(floor)
    assert floor.at == step
    return floor


def follow(floor: Floor) -> None:
    """Do what the pick screen asks for."""
    if floor.at == "pick.quantity":
        floor.give("entry", "1")
    else:
        label = next(
            each.label for each in floor.view().expects if each.label and each.kind is not Kind.COMMAND
        )
        floor.give("scan", label)
