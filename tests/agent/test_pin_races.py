"""What a PIN is worth when its record, the step or a lock-out changes while it is compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from edge_agent.scenarios.contract import PinAsked, Proved
from edge_agent.views import View
from sync.contract import SignedOn
from sync.person_facts import PinChanged, PinRefused
from tests.agent.hall import Hall, hall_in
from tests.agent.person import at, said
from tests.agent.test_sign_on import LEAD, PIN, STRICT, badge, facts, has_pin, types

pytestmark = pytest.mark.usefixtures("quick_hashes")


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Hall]:
    async with hall_in(tmp_path, pumps=False, policies=STRICT) as strict:
        yield strict


def after_comparing(hall: Hall, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Awaitable[object]]) -> None:
    """Once, `happens` is over between the comparison of the next PIN and its step."""
    prove = hall.pins.prove

    async def slow(asked: PinAsked, typed: str) -> Proved:
        monkeypatch.setattr(hall.pins, "prove", prove)
        found = await prove(asked, typed)
        await happens()
        return found

    monkeypatch.setattr(hall.pins, "prove", slow)


async def test_a_pin_that_a_start_code_replaced_meanwhile_opens_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await has_pin(hall)
    await badge(hall, LEAD)
    signed = len(await facts(hall, SignedOn))
    after_comparing(hall, monkeypatch, lambda: hall.pins.start_code("p8"))
    view = await types(hall, PIN)
    assert (at(view), said(view), view.who) == ("sign_on.pin", "pin.changed", None)
    assert len(await facts(hall, SignedOn)) == signed
    assert await facts(hall, PinRefused) == []  # nobody knows whether it was a wrong one
    assert said(await types(hall, PIN)) == "pin.wrong"


async def test_a_start_code_replaced_meanwhile_leads_to_no_pin(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = await hall.pins.start_code("p8")
    await badge(hall, LEAD)
    assert at(await types(hall, stolen)) == "sign_on.new_pin"
    assert at(await types(hall, PIN)) == "sign_on.repeat_pin"
    right = await hall.pins.start_code("p8")
    view = await types(hall, PIN)
    assert (said(view), view.who) == ("pin.changed", None)
    assert [fact.body.start for fact in await facts(hall, PinChanged)] == [True, True]  # type: ignore[union-attr]
    await badge(hall, LEAD)
    assert at(await types(hall, right)) == "sign_on.new_pin"


async def test_a_pin_compared_for_one_step_counts_at_no_other(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    code = await hall.pins.start_code("p8")
    await badge(hall, LEAD)

    async def entered_before() -> None:
        assert at(await types(hall, code)) == "sign_on.new_pin"

    after_comparing(hall, monkeypatch, entered_before)
    view = await types(hall, code)  # Enter was pressed twice
    assert (at(view), said(view)) == ("sign_on.new_pin", "pin.changed")


async def test_a_right_pin_is_not_taken_after_a_lock_out_that_came_meanwhile(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await has_pin(hall)
    await badge(hall, LEAD)
    await badge(hall, LEAD, "T2")

    async def locked_out() -> None:
        for wrong in ("9999", "9998", "9997"):
            view = await types(hall, wrong, "T2")
        assert said(view) == "pin.locked_out"

    after_comparing(hall, monkeypatch, locked_out)
    view = await types(hall, PIN)
    assert (at(view), said(view), view.who) == ("sign_on.badge", "pin.locked_out", None)


async def test_tries_at_many_terminals_at_once_are_all_counted(hall: Hall) -> None:
    await has_pin(hall)
    tries = {"T1": "9999", "T2": "9998", "T3": "9997"}
    for terminal in tries:
        await badge(hall, LEAD, terminal)
    views: list[View] = await asyncio.gather(*(types(hall, wrong, each) for each, wrong in tries.items()))
    assert sorted(map(said, views)) == ["pin.locked_out", "pin.wrong", "pin.wrong"]
    assert [fact.body.tries for fact in await facts(hall, PinRefused)] == [1, 2, 3]  # type: ignore[union-attr]
    assert said(await badge(hall, LEAD)) == "pin.locked_out"


async def test_a_lock_out_lasts_from_the_wrong_try_and_not_from_when_it_was_typed(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await has_pin(hall)
    await badge(hall, LEAD)
    for wrong in ("9999", "9998"):
        await types(hall, wrong)

    async def a_busy_minute() -> None:
        hall.clock.advance(60)

    after_comparing(hall, monkeypatch, a_busy_minute)
    assert said(await types(hall, "9997")) == "pin.locked_out"
    hall.clock.advance(880)
    assert said(await badge(hall, LEAD)) == "pin.locked_out"
