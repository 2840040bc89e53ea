"""PINs that a damage took: people are told who needs another one, and who gives it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from edge_agent.pin_rules import PinRules
from edge_agent.scanning.labels import label
from edge_agent.scenarios.contract import Policies
from edge_agent.status import LinkBoard, StatusBoard
from edge_agent.views import Kind
from edge_agent.views.exceptions import ExceptionsPage
from edge_agent.views.status import Health
from terminal_ui.texts import Texts
from tests.agent.hall import Hall, hall_in
from tests.crash.images import DAMAGES
from tests.support.manual_clock import ManualClock

STRICT = Policies(pin=PinRules(frozenset({"lead"})))


async def health(hall: Hall) -> Health:
    links = LinkBoard(hall.clock, hall.bus, ())
    return await StatusBoard(hall.store, hall.clock, links, tuple, tuple, "0", pin_roles=STRICT.pin.roles).health(())


async def test_whoever_has_no_pin_any_more_is_named_until_they_have_one(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hall_in(tmp_path, pumps=False, policies=STRICT, clock=clock) as hall:
        leads = sorted(each.id for each in hall.store.book.persons.values() if "lead" in each.roles)
        for person in leads:
            await hall.pins.start_code(person)
        assert (await health(hall)).problems == ()
    DAMAGES["database garbage"](tmp_path, Random(1))
    async with hall_in(tmp_path, pumps=False, policies=STRICT, clock=clock) as hall:
        (told,) = [each for each in (await health(hall)).problems if "PIN" in each]
        assert all(person in told for person in leads)
        assert "floorhand pin PERSON" in told
        await hall.give("T1", "scan", label(Kind.BADGE, "1001"))
        page = (await hall.give("T1", "action", "exceptions")).page
        assert isinstance(page, ExceptionsPage)
        (row,) = page.rows
        assert row.params["pins"] == ", ".join(leads)
        for person in leads:
            await hall.pins.start_code(person)
        assert [each for each in (await health(hall)).problems if "PIN" in each] == []


@pytest.mark.parametrize(("language", "words"), [("en", "have no PIN now"), ("de", "haben keine PIN mehr")])
def test_the_screen_tells_it_in_words(language: str, words: str) -> None:
    texts = Texts(language)
    params = {"n": "4", "lost": "", "pins": "p8"}
    assert words in texts.say("happened.incident", params)
    assert "p8" in texts.say("happened.incident", params)
    assert "PIN" not in texts.say("happened.incident", params | {"pins": ""})
