"""The conformance suite: what every connector must hold, against its partner over a real wire.

A new connector is found by its file. Without `connector_partners/<name>.py` it is red.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from sync import connectors
from sync.contract import HELD_BACK, Applied, Correction, Duplicate, Fact, Person, Receipt, Refused
from sync.exceptions import ExceptionDecided
from sync.ports import Ambiguous, Connector, NotAllowed, TellsTime, Unreachable
from sync.same_fact import digest, members
from tests.contract.connector_partners import Partner
from tests.support.fault_proxy import FaultProxy

PARTNERS = "tests.contract.connector_partners"
LATE = 0.3  # seconds that a connector waits in the tests of time-outs

Connecting = Callable[..., AbstractAsyncContextManager[Connector]]


@pytest.fixture(scope="module", params=connectors.names())
def name(request: pytest.FixtureRequest) -> str:
    """Each connector in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def partner(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    """The other side of the connector, running."""
    assert find_spec(f"{PARTNERS}.{name}"), f"tests/contract/connector_partners/{name}.py is missing"
    other: Partner = importlib.import_module(f"{PARTNERS}.{name}").Partner(tmp_path_factory.mktemp(name))
    other.start()
    yield other
    other.stop()


@pytest.fixture
async def wire(partner: Partner) -> AsyncIterator[FaultProxy]:
    """What stands between the connector and its partner."""
    async with FaultProxy(partner.port) as proxy:
        yield proxy


@pytest.fixture
def agent(request: pytest.FixtureRequest) -> str:
    """An agent that no other test uses."""
    return str(request.node.name).partition("[")[0].removeprefix("test_")[:30]


@pytest.fixture
def connecting(name: str, partner: Partner, wire: FaultProxy, agent: str) -> Connecting:
    """Opens a connector through the wire; keywords go to `Partner.options`."""

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[Connector]:
        connector = connectors.load(name).Connector(partner.options(wire.port, **options), agent)
        try:
            yield connector
        finally:
            await connector.close()

    return opened


def facts_of(partner: Partner, agent: str, count: int) -> list[Fact]:
    return [partner.fact(agent, seq) for seq in range(1, count + 1)]


def ids(facts: Sequence[Fact]) -> list[str]:
    return [fact.id for fact in facts]


def kinds(receipts: Sequence[Receipt]) -> set[type]:
    return {type(receipt) for receipt in receipts}


def calls(connector: Connector, facts: Sequence[Fact]) -> Iterator[Callable[[], Awaitable[object]]]:
    """Everything that can be asked of a connector."""
    yield partial(connector.push, facts)
    yield partial(connector.ask, ids(facts))
    yield partial(connector.pull, None)


def test_the_options_refuse_unknown_keys(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="no_such_option"):
        msgspec.convert({"no_such_option": 1}, type=connectors.load(name).Options)


async def test_the_same_facts_twice_have_one_effect(
    connecting: Connecting, partner: Partner, agent: str
) -> None:
    facts = facts_of(partner, agent, 5)
    async with connecting() as connector:
        assert kinds(await connector.push(facts)) == {Applied}
        again = await connector.push(facts)
    assert kinds(again) == {Duplicate}
    kept = [receipt.booked.digest if isinstance(receipt, Duplicate) and receipt.booked else "" for receipt in again]
    assert kept == [digest(members(fact)) for fact in facts], "each says of what it is a duplicate"
    assert [receipt.fact for receipt in again] == partner.booked(agent) == ids(facts)


async def test_the_order_is_kept_within_and_between_batches(
    connecting: Connecting, partner: Partner, agent: str
) -> None:
    facts = facts_of(partner, agent, 60)
    async with connecting() as connector:
        for start in range(0, 60, 13):
            receipts = await connector.push(facts[start : start + 13])
            assert [receipt.fact for receipt in receipts] == ids(facts[start : start + 13])
    assert partner.booked(agent) == ids(facts)


async def test_a_question_knows_what_was_booked_and_nothing_else(
    connecting: Connecting, partner: Partner, agent: str
) -> None:
    facts = facts_of(partner, agent, 120)
    async with connecting() as connector:
        await connector.push(facts[:110])
        known = await connector.ask(ids(facts))
    assert set(known) == set(ids(facts[:110]))
    assert kinds(list(known.values())) <= {Applied, Duplicate}


async def test_one_refusal_among_ten_stops_only_its_own_job(
    connecting: Connecting, partner: Partner, agent: str
) -> None:
    facts = [partner.fact(agent, seq, job=seq % 3, refused=seq == 4) for seq in range(1, 11)]
    async with connecting() as connector:
        receipts = await connector.push(facts)
        known = await connector.ask(ids(facts))
    refused = receipts[3]
    assert isinstance(refused, Refused)
    assert refused.reason
    behind = [r for fact, r in zip(facts, receipts, strict=True) if fact.seq in (7, 10)]
    assert [(type(r), getattr(r, "code", "")) for r in behind] == [(Refused, HELD_BACK)] * 2
    assert partner.booked(agent) == ids([fact for fact in facts if fact.seq not in (4, 7, 10)])
    assert not {fact.id for fact in facts if fact.seq in (7, 10)} & set(known)


@pytest.mark.parametrize(
    ("reply", "error"),
    [("server_error", Ambiguous), ("portal", Ambiguous), ("not_allowed", NotAllowed)],
)
async def test_an_answer_that_is_none_is_never_success(
    connecting: Connecting, partner: Partner, wire: FaultProxy, agent: str, reply: str, error: type[Exception]
) -> None:
    wire.answer = partner.replies()[reply]
    facts = facts_of(partner, f"{agent}-{reply}", 2)
    async with connecting() as connector:
        for call in (connector.push(facts), connector.ask(ids(facts)), connector.pull(None)):
            with pytest.raises(error) as told:
                await call
            assert str(told.value).endswith((".", "?"))


async def test_wrong_credentials_book_nothing(connecting: Connecting, partner: Partner, agent: str) -> None:
    async with connecting(wrong_credentials=True) as connector:
        with pytest.raises(NotAllowed):
            await connector.push(facts_of(partner, agent, 1))
        with pytest.raises(NotAllowed):
            await connector.pull(None)
    assert partner.booked(agent) == []


async def test_a_time_out_after_the_commit_is_unclear_and_the_question_clears_it(
    connecting: Connecting, partner: Partner, wire: FaultProxy, agent: str
) -> None:
    facts = facts_of(partner, agent, 3)
    wire.latency = 100 * LATE
    async with connecting(timeout=LATE) as connector:
        with pytest.raises(Ambiguous):
            await connector.push(facts)
        wire.heal()
        assert set(await connector.ask(ids(facts))) == set(ids(facts))
        assert kinds(await connector.push(facts)) == {Duplicate}
    assert partner.booked(agent) == ids(facts)


async def test_a_reply_that_was_lost_is_unclear_and_the_question_clears_it(
    connecting: Connecting, partner: Partner, wire: FaultProxy, agent: str
) -> None:
    facts = facts_of(partner, agent, 3)
    async with connecting() as connector:
        wire.drop_replies = 1
        with pytest.raises(Ambiguous):
            await connector.push(facts)
        await wire.dropped()
        assert set(await connector.ask(ids(facts))) == set(ids(facts))
    assert partner.booked(agent) == ids(facts)


async def test_a_wire_that_swallows_everything_is_unclear_in_time(
    connecting: Connecting, partner: Partner, wire: FaultProxy, agent: str
) -> None:
    wire.blackhole = True
    async with connecting(timeout=LATE) as connector:
        with pytest.raises(Ambiguous):
            await connector.push(facts_of(partner, agent, 1))
    assert partner.booked(agent) == []


async def test_a_reply_cut_at_any_byte_is_never_success(
    connecting: Connecting, partner: Partner, wire: FaultProxy, agent: str
) -> None:
    cut = 0
    receipts: Sequence[Receipt] = ()
    async with connecting() as connector:
        while not receipts:
            wire.cut_reply_after = cut
            try:
                receipts = await connector.push([partner.fact(agent, cut + 1)])
            except Ambiguous:
                cut += 1
    assert cut == len(wire.last_reply) > 50
    assert kinds(receipts) == {Applied}
    assert partner.booked(agent) == [partner.fact(agent, seq).id for seq in range(1, cut + 2)]


async def test_nothing_listening_is_unreachable_and_nothing_was_booked(
    connecting: Connecting, partner: Partner, wire: FaultProxy, agent: str
) -> None:
    facts = facts_of(partner, agent, 1)
    await wire.refuse()
    async with connecting() as connector:
        for call in calls(connector, facts):
            with pytest.raises(Unreachable):
                await call()
        await wire.accept()
        assert kinds(await connector.push(facts)) == {Applied}


async def test_a_pull_resumes_by_its_cursor(connecting: Connecting, partner: Partner, agent: str) -> None:
    async def changed(connector: Connector, cursor: str | None) -> tuple[str, set[str]]:
        people: set[str] = set()
        while True:
            page = await connector.pull(cursor)
            people |= {plan.id for plan in page.plans if isinstance(plan, Person)}
            cursor = page.cursor
            if not page.more:
                return cursor, people

    async with connecting() as connector:
        partner.change_plan("new-1")
        first, all_people = await changed(connector, None)
        partner.change_plan("new-2")
        _, since = await changed(connector, first)
        _, once_more = await changed(connector, first)
    assert {"new-1"} <= all_people
    assert since == once_more == {"new-2"}


async def test_a_pull_says_up_to_where_it_has_seen_our_facts(
    connecting: Connecting, partner: Partner, agent: str
) -> None:
    async with connecting() as connector:
        before = await connector.pull(None)
        await connector.push(facts_of(partner, agent, 7))
        after = await connector.pull(before.cursor)
    assert (before.as_of_seq, after.as_of_seq) == (0, 7)


async def test_a_refused_fact_that_people_have_corrected_is_settled_and_never_booked(
    connecting: Connecting, partner: Partner, agent: str
) -> None:
    wrong = partner.fact(agent, 1, refused=True)
    body = ExceptionDecided(about=f"exception/{wrong.id}", exception=wrong.id, choice="correct")
    decision = msgspec.structs.replace(wrong, id=f"{agent}-2", seq=2, body=body)
    taken_back = Correction(about=wrong.body.about, corrects=wrong.id, reason="did_not_occur")
    correction = msgspec.structs.replace(wrong, id=f"{agent}-3", seq=3, body=taken_back)
    async with connecting() as connector:
        assert kinds(await connector.push([wrong])) == {Refused}
        assert kinds(await connector.push([decision])) == {Applied}
        assert kinds(await connector.push([wrong])) == {Duplicate}
        assert kinds(list((await connector.ask([wrong.id])).values())) == {Duplicate}
        assert kinds(await connector.push([correction])) == {Applied}
    assert partner.booked(agent) == [decision.id, correction.id]


async def test_whoever_tells_the_time_tells_that_of_the_other_side(connecting: Connecting) -> None:
    async with connecting() as connector:
        if not isinstance(connector, TellsTime):
            return  # it need not: then a plausible clock has to do
        told: list[datetime] = []
        connector.tell_time(told.append)
        before = datetime.now(UTC) - timedelta(seconds=2)  # a Date has no fractions, and may be a second old
        await connector.pull(None)
        assert told
        assert all(before <= each <= datetime.now(UTC) for each in told)


async def test_nobody_in_between_tells_the_time(connecting: Connecting, wire: FaultProxy) -> None:
    async with connecting() as connector:
        if not isinstance(connector, TellsTime):
            return
        told: list[datetime] = []
        connector.tell_time(told.append)
        page = b"<p>log in</p>"
        head = b"HTTP/1.1 200 OK\r\ndate: Tue, 01 Feb 2000 00:00:00 GMT\r\ncontent-type: text/html\r\n"
        wire.answer = head + b"content-length: %d\r\n\r\n" % len(page) + page
        with pytest.raises(Ambiguous):
            await connector.pull(None)
        assert told == []
