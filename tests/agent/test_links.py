"""A connector is as well as the worse of its two tasks."""

from __future__ import annotations

from datetime import timedelta

from edge_agent.bus import Bus
from edge_agent.status import LinkBoard
from tests.support.manual_clock import START, ManualClock


def test_what_comes_through_ends_the_wait_of_the_other_that_failed() -> None:
    board = LinkBoard(ManualClock(), Bus(), ("erp",))
    relay, puller = board.link("erp", "relay"), board.link("erp", "puller")
    poked: list[str] = []
    board.wakes("erp", "relay", lambda: poked.append("relay"))
    board.wakes("erp", "puller", lambda: poked.append("puller"))
    for link in (relay, puller):
        link.up()
    relay.up()
    assert poked == [], "nobody waits"
    for link in (relay, puller):
        link.down("unreachable", "Nobody answers.")
    relay.up()
    relay.up()
    assert poked == ["puller"]
    puller.up()
    assert poked == ["puller"], "the one that came through needs no other look"


def test_the_link_is_the_worse_of_what_sends_and_what_fetches() -> None:
    clock = ManualClock()
    board = LinkBoard(clock, Bus(), ("erp",))
    relay, puller = board.link("erp", "relay"), board.link("erp", "puller")

    def look() -> tuple[str, str]:
        (link,) = board.links
        return link.state, link.reason

    assert look() == ("never", "")
    puller.down("unreachable", "Nobody answers.")
    assert look() == ("down", "Nobody answers."), "whether reports can be sent nobody knows"
    puller.up()
    assert look() == ("up", "")
    relay.down("ambiguous", "HTTP 500.")
    assert look() == ("down", "Reports are not sent: HTTP 500.")
    clock.advance(60.0)
    puller.up()
    assert look() == ("down", "Reports are not sent: HTTP 500.")
    assert board.links[0].since == START, "it is down all the time"
    puller.down("not_allowed", "The token is wrong.")
    assert look() == ("not_allowed", "Plans are not fetched: The token is wrong. Reports are not sent: HTTP 500.")
    relay.down("not_allowed", "The token is wrong.")
    assert look() == ("not_allowed", "The token is wrong.")
    relay.up()
    assert look() == ("not_allowed", "Plans are not fetched: The token is wrong.")
    puller.up()
    assert look() == ("up", "")
    assert board.links[0].since == START + timedelta(seconds=60)
