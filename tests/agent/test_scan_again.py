"""The same label scanned again is the yes to a question; the same reading twice is not."""

from __future__ import annotations

from pathlib import Path

from edge_agent.events import EchoMade
from edge_agent.scanning.labels import label
from edge_agent.store.listing import journal_rows
from edge_agent.views import Kind, PickPage, Verdict, View
from sync.contract import ScanRefused
from tests.agent.hall import Hall, hall_in


async def asked(hall: Hall) -> str:
    """A lot in hand that is not the planned one; returns its number, which was scanned once."""
    await hall.give("T3", "scan", label(Kind.BADGE, "1001"))
    view = await hall.give("T3", "scan", label(Kind.JOB, "SO-771"))
    assert isinstance(view.page, PickPage)
    page = view.page
    await hall.give("T3", "scan", label(Kind.LOCATION, page.location))
    lots = hall.store.book.lots.items()
    other = next(number for number, of in lots if of[0].material == page.material and number != page.lot)
    view = await hall.give("T3", "scan", other)
    assert (view.step, code(view)) == ("item", "pick.other_lot")
    return other


def code(view: View) -> str:
    return view.message.code if view.message is not None else ""


async def refusals(hall: Hall) -> int:
    """How many refused scans were recorded."""
    return await hall.store.read(
        lambda conn: sum(fact.kind == ScanRefused.__name__ for fact in journal_rows(conn, "", 1000, None))
    )


async def test_who_scans_again_every_second_or_so_is_heard_when_the_window_is_over(tmp_path: Path) -> None:
    async with hall_in(tmp_path) as hall:
        lot = await asked(hall)
        hall.clock.advance(1.3)
        assert (await hall.give("T3", "scan", lot)).step == "item"
        hall.clock.advance(1.3)
        assert (await hall.give("T3", "scan", lot)).step == "quantity"


async def test_a_label_that_lies_before_the_scanner_never_says_yes_by_itself(tmp_path: Path) -> None:
    async with hall_in(tmp_path) as hall:
        lot = await asked(hall)
        for _ in range(40):
            hall.clock.advance(0.5)
            assert (await hall.give("T3", "scan", lot)).step == "item"
        hall.clock.advance(1.1)  # taken away, and brought back
        assert (await hall.give("T3", "scan", lot)).step == "quantity"


async def test_a_scan_that_came_too_soon_to_be_a_yes_is_seen(tmp_path: Path) -> None:
    async with hall_in(tmp_path) as hall:
        lot, before = await asked(hall), await refusals(hall)
        with hall.bus.subscribe(EchoMade) as echoes:
            hall.clock.advance(0.4)
            view = await hall.give("T3", "scan", lot)
            assert (await anext(echoes)).echo.text == lot
        assert view.message is not None
        assert (view.message.verdict, view.message.notes) == (Verdict.CONFIRM, ("scan.too_soon",))
        shown = await hall.shown("T3", lambda made: made.message == view.message)
        assert shown.step == "item"
        again = await hall.give("T3", "scan", lot)
        assert again.message == view.message, "said once"
        assert await refusals(hall) == before, "a reading of the same burst is no fact"
