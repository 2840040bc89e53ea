"""A session as the view its terminal draws. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from edge_agent import scenarios
from edge_agent.scanning.expected import Expected
from edge_agent.scanning.labels import label, label_or_none
from edge_agent.scenarios.contract import Scenario, Screen, Situation
from edge_agent.terminals.session import Session, allowed_actions, numbered
from edge_agent.views import Choice, Expectation, Kind, Message, View, Who

# AI 10 holds up to 20 characters (GS1 General Specifications, 3.4.1); of them the ones that need no care.
_LOT = re.compile(r"[A-Za-z0-9./_-]{0,20}")
_LISTED = 12  # more labels than this help nobody who asks what may be scanned


def view_of(flows: Mapping[str, Scenario], state: Any, session: Session, given: str, here: Situation) -> View:
    """What to draw; `given` is the id of the input it answers, empty for none."""
    name = scenarios.name_of(state)
    screen = flows[name].show(state, here)
    person, station = here.person, here.station
    actions = allowed_actions(name, screen, session.asked)
    commands = numbered(screen)
    return View(
        terminal=station.terminal, terminal_name=station.name, revision=session.revision, input=given,
        scenario=name, step=state.step, title=screen.title,
        who=Who(person.id, person.name) if person else None,
        prompt=screen.prompt, prompt_params=screen.params, page=screen.page,
        message=_message(session, screen),
        log=session.log if person and person.id == session.log_of else (),
        expects=_expectations(flows[name].expects(state, here), actions, commands, here),
        actions=actions, overlay=session.overlay, choices=_labelled(screen, commands), entry=screen.entry,
    )  # fmt: skip


def _message(session: Session, screen: Screen) -> Message | None:
    """What was said last: to the last input, or by what became known of it since."""
    told, news = session.message, screen.news
    if news is None or (told is not None and told.code != news.after):
        return told
    return Message(verdict=news.said.verdict, code=news.said.code, params=news.said.params, at=news.at)


def _expectations(
    expected: tuple[Expected, ...], actions: tuple[str, ...], commands: Mapping[str, Choice], here: Situation
) -> tuple[Expectation, ...]:
    told: list[Expectation] = []
    for each in expected:
        planned = () if each.kind is Kind.BADGE else each.planned[:_LISTED]
        texts = [_label_text(each.kind, id, here) for id in planned] or [None]
        told += [Expectation(each.kind, each.code, dict(each.params), text) for text in texts]
    told += [Expectation(Kind.COMMAND, f"action.{name}", {}, _command(name)) for name in actions]
    told += [
        Expectation(Kind.COMMAND, "expect.choice", {"number": str(each.number)}, _command(name))
        for name, each in commands.items()
    ]
    return tuple(told)


def _command(name: str) -> str:
    return label(Kind.COMMAND, name.upper())


def _labelled(screen: Screen, commands: Mapping[str, Choice]) -> tuple[Choice, ...]:
    """The choices, each with the label that does what its number does."""
    names = {choice.number: name for name, choice in commands.items()}
    return tuple(
        msgspec.structs.replace(each, label=_command(names[each.number])) if each.label is None else each
        for each in screen.choices
    )


def _label_text(kind: Kind, id: str, here: Situation) -> str | None:
    """What is printed on the label that carries the id; None when no label can carry it."""
    if kind is Kind.MATERIAL:
        return _material_text(id, here)
    if kind is Kind.DRAWING:
        drawings = [rev for job in here.book.jobs.values() for rev in job.revisions if rev.document == id]
        revisions = {rev.revision for rev in drawings if rev.kind == "drawing"}
        return label_or_none(kind, id, min(revisions)) if len(revisions) == 1 else None
    return label_or_none(kind, id)


def _material_text(id: str, here: Situation) -> str | None:
    """A GS1 element string where item and lot can be said in one, else the number alone."""
    item, _, lot = id.partition("/")
    if lot == "*":
        return None
    material = here.book.materials.get(item)
    if material is None or material.gtin is None or not _LOT.fullmatch(lot):
        return lot or item
    return f"]C101{material.gtin}" + (f"10{lot}" if lot else "")
