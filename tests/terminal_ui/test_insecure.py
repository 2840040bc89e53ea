"""A link to the ERP that others can read is said in red on every screen."""

from __future__ import annotations

import msgspec
import pytest

from edge_agent.views.status import LinkStatus
from terminal_ui.feed import Feed
from terminal_ui.glyphs import ASCII
from terminal_ui.scene import Look
from terminal_ui.screens.queue import thing_lines
from terminal_ui.texts import Texts
from terminal_ui.widgets.frame import Banner
from tests.terminal_ui.fake import HandClock
from tests.terminal_ui.samples import STATUS, VIEWS

OPEN = msgspec.structs.replace(STATUS, links=(LinkStatus(name="erp-1", state="up", insecure=True),))


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_banner_is_on_every_screen(name: str, width: int) -> None:
    feed, look = Feed(HandClock()), Look(Texts("en"), ASCII)
    feed.saw_view(VIEWS[name])
    feed.saw_status(STATUS)
    assert "NOT SECURE" not in Banner(look).lines(feed.current(), width, 1)[0].plain
    assert feed.saw_status(OPEN)
    (row,) = Banner(look).lines(feed.current(), width, 1)
    assert "NOT SECURE" in row.plain
    assert "erp-1" in row.plain
    assert any("fh-wrong-bg" in str(span.style) for span in row.spans)


def test_the_queue_page_says_what_to_do() -> None:
    feed, look = Feed(HandClock()), Look(Texts("en"), ASCII)
    feed.saw_status(OPEN)
    told = " ".join(row.plain for row in thing_lines(feed.current(), look, 80))
    assert "https" in told
