"""Writes to machines through the gate: who, how often, what is recorded, and what happens when something fails."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_drivers.simulators.modbus_peer import Ask, Fault, Kind, Peer
from edge_agent.client import AgentClient, InputRefused
from edge_agent.events import DeviceChanged, FactsRecorded
from edge_agent.machines.write_gate import Refused
from edge_agent.store import StoreError
from edge_agent.views import JournalRow
from edge_agent.views.write_orders import WriteAnswer
from sync.machine_facts import MachineWriteFinished, MachineWriteRefused, MachineWriteRequested
from tests.agent.gate import Gate, gate_in, order, rule
from tests.agent.person import Person, everything_sent
from tests.agent.running import AGENT, Plant, short_folder, until


@pytest.fixture
def peer() -> Peer:
    """The machine."""
    return Peer()


@pytest.fixture
async def gate(peer: Peer, tmp_path: Path) -> AsyncIterator[Gate]:
    """With one item that setters may write."""
    async with gate_in(tmp_path, peer) as made:
        await made.restart([rule()])
        yield made


def of_writes(kind: Kind) -> Callable[[Ask], Fault]:
    """A machine that is only wrong when it is written to."""
    return lambda ask: Fault(kind if ask.function > 4 else "none")


async def test_a_write_is_two_facts_and_says_what_was_there_before(gate: Gate, peer: Peer) -> None:
    answer = await gate.ask(80)
    assert answer == WriteAnswer(outcome="written", read_back=80, seq=2)
    asked, ended = await gate.facts()
    assert isinstance(asked.body, MachineWriteRequested)
    assert isinstance(ended.body, MachineWriteFinished)
    assert (asked.terminal, asked.person, asked.body.about) == ("T1", "P1", "device/plc")
    assert (asked.body.value, asked.body.old, asked.body.old_status) == (80, 2, "Good")  # a register holds its address
    assert asked.body.old_at is not None
    assert (ended.body.request, ended.body.outcome, ended.person) == (asked.id, "written", "P1")
    assert peer.written == {(1, True, 2): 80}


@pytest.mark.parametrize(
    ("value", "item", "terminal", "code"),
    [
        (101, "speed", "T1", "write.range"), (80, "feed", "T1", "write.not_listed"),
        (80, "unknown", "T1", "write.not_listed"), (80, "speed", "T2", "write.role"),
        (80, "speed", "T3", "write.nobody"), (80, "speed", "T4", "write.nobody"),
        (80, "speed", "T5", "write.nobody"), (80, "speed", "nowhere", "write.nobody"),
    ],
)  # fmt: skip
async def test_a_refusal_is_a_fact_and_sends_nothing(
    gate: Gate, peer: Peer, value: int, item: str, terminal: str, code: str
) -> None:
    answer = await gate.ask(value, item, terminal)
    assert isinstance(answer, Refused)
    assert answer.code == code
    (fact,) = await gate.facts()
    assert isinstance(fact.body, MachineWriteRefused)
    assert (fact.body.code, fact.body.reason, fact.body.value) == (code, answer.words, value)
    assert all(ask.function <= 4 for ask in peer.asked)


async def test_without_a_list_nothing_is_written(gate: Gate, peer: Peer) -> None:
    await gate.restart([])
    assert isinstance(await gate.ask(1), Refused)
    assert peer.written == {}


async def test_the_rate_is_kept_by_the_clock_and_over_a_restart(gate: Gate) -> None:
    rules = [rule(at_most=2, within=60.0)]
    await gate.restart(rules)
    assert isinstance(await gate.ask(1), WriteAnswer)
    gate.clock.advance(20)
    assert isinstance(await gate.ask(2), WriteAnswer)
    refused = await gate.ask(3)
    assert isinstance(refused, Refused)
    assert refused.params == {"item": "plc/speed", "at_most": "2", "within": "60", "wait": "40"}
    await gate.restart(rules)
    assert isinstance(await gate.ask(3), Refused), "a restart must not make the gate forget"
    gate.clock.step_wall(-86_400)
    await gate.restart(rules)
    assert isinstance(await gate.ask(3), Refused), "nor a clock that was set back"
    gate.clock.advance(59.9)
    assert isinstance(await gate.ask(3), Refused)
    gate.clock.advance(0.1)
    assert isinstance(await gate.ask(3), WriteAnswer)


async def test_many_at_once_are_no_way_round_the_rate(gate: Gate, peer: Peer) -> None:
    await gate.restart([rule(at_most=3, within=60.0)])
    answers = await asyncio.gather(*(gate.ask(value) for value in range(10)))
    assert sum(isinstance(answer, WriteAnswer) for answer in answers) == 3
    assert len([ask for ask in peer.asked if ask.function > 4]) == 3
    assert [answer.outcome for answer in answers if isinstance(answer, WriteAnswer)] == ["written"] * 3


async def test_the_same_order_again_has_one_effect_and_the_same_answer(gate: Gate, peer: Peer) -> None:
    again = order(80)
    answers = await asyncio.gather(*(gate.writes.ask("plc", "speed", again) for _ in range(5)))
    answers.append(await gate.writes.ask("plc", "speed", again))
    await gate.restart([rule()])
    answers.append(await gate.writes.ask("plc", "speed", again))
    assert set(answers) == {WriteAnswer(outcome="written", read_back=80, seq=2)}
    assert len([ask for ask in peer.asked if ask.function > 4]) == 1
    for other in (msgspec.structs.replace(again, value=81), msgspec.structs.replace(again, terminal="T2")):
        with pytest.raises(StoreError, match="already stands for something else"):
            await gate.writes.ask("plc", "speed", other)
    refused = order(500)
    first, second = [await gate.writes.ask("plc", "speed", refused) for _ in range(2)]
    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert second.params == {"what": first.words}
    assert await gate.kinds() == ["MachineWriteRequested", "MachineWriteFinished", "MachineWriteRefused"]


@pytest.mark.parametrize(
    ("kind", "outcome", "words"),
    [
        ("refuse", "not_written", "it has no such register, or it is read only"),
        ("hung", "doubtful", "does not answer within 0.3 s"),
        ("close", "doubtful", "closed the connection"),
        ("cut", "doubtful", "does not answer within 0.3 s"),
    ],
)
async def test_what_goes_wrong_at_the_device_is_recorded(
    gate: Gate, peer: Peer, kind: Kind, outcome: str, words: str
) -> None:
    peer.fault = of_writes(kind)
    answer = await gate.ask(80)
    assert isinstance(answer, WriteAnswer)
    assert answer.outcome == outcome
    assert words in answer.reason
    asked, ended = [fact.body for fact in await gate.facts()]
    assert isinstance(asked, MachineWriteRequested)
    assert isinstance(ended, MachineWriteFinished)
    assert (ended.outcome, ended.reason) == (outcome, answer.reason)


async def test_a_machine_that_makes_something_else_of_it_is_told(gate: Gate, peer: Peer) -> None:
    def clamped(ask: Ask) -> Fault:
        peer.written |= {key: min(value, 50) for key, value in peer.written.items()}
        return Fault()

    peer.fault = clamped
    answer = await gate.ask(80)
    assert answer == WriteAnswer(
        outcome="differs", read_back=50, reason="The device confirmed 80, and then had 50.", seq=2
    )


async def test_a_lost_device_is_not_written_to(gate: Gate, peer: Peer) -> None:
    with gate.bus.subscribe(DeviceChanged) as changes:
        peer.fault = Fault("close")
        async with asyncio.timeout(5):
            while (await anext(changes)).status.state != "lost":
                pass
    answer = await gate.ask(80)
    assert isinstance(answer, WriteAnswer)
    assert answer.outcome == "not_written"
    assert answer.reason.startswith("plc is not connected.")
    (asked, _) = [fact.body for fact in await gate.facts()]
    assert isinstance(asked, MachineWriteRequested)
    assert (asked.old, asked.old_status) == (2, "Bad"), "the last good value, and that nobody believes it now"


async def test_whoever_asks_may_go_away_the_record_does_not(gate: Gate, peer: Peer) -> None:
    peer.fault = lambda ask: Fault(seconds=0.1 if ask.function > 4 else 0.0)
    with gate.bus.subscribe(FactsRecorded) as recorded:
        asking = asyncio.create_task(gate.ask(80))
        await anext(recorded)
        asking.cancel()
        await gate.writes.finish()
    assert await gate.kinds() == ["MachineWriteRequested", "MachineWriteFinished"]
    assert peer.written == {(1, True, 2): 80}


async def test_an_intent_that_can_not_be_saved_is_not_sent(gate: Gate, peer: Peer) -> None:
    await gate.store.close()
    with pytest.raises(StoreError):
        await gate.ask(80)
    assert all(ask.function <= 4 for ask in peer.asked)


async def test_an_end_that_can_not_be_saved_is_doubtful_and_ended_by_the_next_start(gate: Gate, peer: Peer) -> None:
    full = gate.store.write

    async def no_room(fn: Any) -> Any:
        raise StoreError("full")

    def filled(ask: Ask) -> Fault:
        if ask.function > 4:
            gate.store.write = no_room  # type: ignore[method-assign]
        return Fault()

    peer.fault = filled
    asked = order(80)
    answer = await gate.writes.ask("plc", "speed", asked)
    gate.store.write = full  # type: ignore[method-assign]
    assert isinstance(answer, WriteAnswer)
    assert (answer.outcome, answer.read_back, answer.seq) == ("doubtful", 80, 0)
    again = await gate.writes.ask("plc", "speed", asked)
    assert isinstance(again, WriteAnswer)
    assert again.outcome == "doubtful"
    await gate.restart([rule()])
    ended = (await gate.facts())[-1].body
    assert isinstance(ended, MachineWriteFinished)
    assert (ended.outcome, ended.reason) == ("doubtful", "The agent ended before it knew. Look at the machine.")
    await gate.restart([rule()])
    assert await gate.kinds() == ["MachineWriteRequested", "MachineWriteFinished"]


# ---------------------------------------------------------------- a real agent, asked over its socket

SITE = """
[[devices]]
name = "plc"
driver = "modbus"
options = {{ host = "127.0.0.1", port = {port}, interval = 0.05, timeout = 2.0, points = [
    {{ name = "speed", address = 2 }}, {{ name = "feed", address = 3 }},
] }}

[[writes]]
device = "plc"
item = "speed"
roles = ["operator"]
min = 0
max = 120
at_most = 1000
"""


class Press:
    """A plant with a machine that may be written to."""

    def __init__(self, plant: Plant, peer: Peer, client: AgentClient) -> None:
        self.plant = plant
        self.peer = peer
        self.client = client

    async def write(self, value: Any, item: str = "speed", id: str = "") -> WriteAnswer:
        """As a terminal does."""
        return await self.client.order_write("plc", item, order(value, "T1", id))

    async def rows(self) -> list[JournalRow]:
        """The facts about the machine."""
        return [row for row in await self.client.journal(1000) if row.about == "device/plc"]

    async def online(self) -> bool:
        """Whether the device gives values."""
        return all(each.last_good for each in await self.client.devices() if each.name == "plc")

    async def killed_and_back(self) -> None:
        """SIGKILL, and a start."""
        self.plant.agent.kill()
        await asyncio.to_thread(self.plant.agent.start)


@pytest.fixture
async def press(peer: Peer) -> AsyncIterator[Press]:
    """It runs, and an operator is signed on at T1."""
    with short_folder() as folder:
        async with peer.on_tcp():
            plant = await asyncio.to_thread(Plant, folder, 1, SITE.format(port=peer.port))
            try:
                await asyncio.to_thread(plant.start)
                async with AgentClient(plant.agent.address) as client:
                    made = Press(plant, peer, client)
                    await until(made.online, "the device")
                    yield made
            finally:
                plant.close()


async def test_over_the_socket_only_for_who_is_signed_on(press: Press) -> None:
    with pytest.raises(InputRefused) as refused:
        await press.write(80)
    assert refused.value.problem.code == "write.nobody"
    await Person(press.client, "T1").sign_on()
    assert (await press.write(80)).outcome == "written"
    assert press.peer.written == {(1, True, 2): 80}
    for value, item, code in ((121, "speed", "write.range"), (5, "feed", "write.not_listed")):
        with pytest.raises(InputRefused) as refused:
            await press.write(value, item)
        assert refused.value.problem.code == code
    used = str(uuid.uuid4())
    await press.write(81, id=used)
    with pytest.raises(InputRefused) as refused:
        await press.write(82, id=used)
    assert refused.value.problem.code == "write.not_again"
    await Person(press.client, "T1").do("sign_off")
    with pytest.raises(InputRefused):
        await press.write(90)
    assert press.peer.written == {(1, True, 2): 81}

    await everything_sent(press.client)
    rows = await press.rows()
    assert {row.sent for row in rows} == {"yes"}
    booked = [each for each in press.plant.erp.bookings(AGENT) if each.about == "device/plc"]
    assert [each.fact for each in booked] == [row.id for row in rows]
    assert {each.outcome for each in booked} == {"applied"}


async def test_killed_between_intent_and_outcome_it_is_doubtful_for_all_to_see(press: Press) -> None:
    await Person(press.client, "T1").sign_on()
    press.peer.fault = of_writes("hung")
    asked = str(uuid.uuid4())
    asking = asyncio.create_task(press.write(80, id=asked))

    async def sent() -> bool:
        return any(ask.function == 6 for ask in press.peer.asked)

    await until(sent, "the write on the wire")
    assert [row.kind for row in await press.rows()] == ["MachineWriteRequested"], "the intent comes first"
    await press.killed_and_back()
    await asyncio.gather(asking, return_exceptions=True)
    first, second = await press.rows()
    assert (first.id, first.person, first.body["value"]) == (asked, second.person, 80)
    assert (second.kind, second.body["request"]) == ("MachineWriteFinished", asked)
    assert (second.body["outcome"], second.terminal) == ("doubtful", "T1")
    # The terminal that had no answer sends its order again: it is told, and nothing is written a second time.
    answer = await press.write(80, id=asked)
    assert (answer.outcome, answer.seq) == ("doubtful", second.seq)
    assert len([ask for ask in press.peer.asked if ask.function == 6]) == 1


async def test_many_kills_leave_no_write_without_its_intent_and_no_intent_without_its_end(press: Press) -> None:
    await Person(press.client, "T1").sign_on()
    press.peer.fault = lambda ask: Fault(seconds=0.03 if ask.function > 4 else 0.0)
    dice = random.Random(20261122)
    for value in range(1, 41):  # until a kill fell between the two: on a busy machine it takes more of them
        asking = asyncio.create_task(press.write(value))
        await asyncio.wait({asking}, timeout=dice.uniform(0.0, 0.005 * value))
        await press.killed_and_back()
        await asyncio.gather(asking, return_exceptions=True)
        await until(press.online, "the device")
        rows = await press.rows()
        if value >= 10 and "doubtful" in [row.body.get("outcome") for row in rows]:
            break
    asked = {row.id: row.body["value"] for row in rows if row.kind == "MachineWriteRequested"}
    ends = {str(row.body["request"]): row.body["outcome"] for row in rows if row.kind == "MachineWriteFinished"}
    assert len(rows) == 2 * len(asked)
    assert ends.keys() == asked.keys()
    wire = [ask.count for ask in press.peer.asked if ask.function == 6]
    assert len(wire) == len(set(wire)), "written twice"
    assert set(wire) <= set(asked.values()), "written without an intent"
    assert {asked[id] for id, outcome in ends.items() if outcome == "written"} <= set(wire)
    assert "doubtful" in ends.values(), "no kill fell between the two: the test has shown nothing"


async def test_a_stopped_agent_records_what_was_on_its_way(press: Press) -> None:
    await Person(press.client, "T1").sign_on()
    press.peer.fault = of_writes("hung")
    asking = asyncio.create_task(press.write(80))

    async def sent() -> bool:
        return any(ask.function == 6 for ask in press.peer.asked)

    await until(sent, "the write on the wire")
    assert await asyncio.to_thread(press.plant.agent.stop) == 0, press.plant.agent.log
    await asyncio.gather(asking, return_exceptions=True)
    press.peer.fault = Fault()
    await asyncio.to_thread(press.plant.agent.start)
    assert [row.body.get("outcome") for row in await press.rows()] == [None, "doubtful"]


async def test_a_hung_device_is_told_as_doubtful_and_taken_for_lost(press: Press) -> None:
    await Person(press.client, "T1").sign_on()
    press.peer.fault = Fault("hung")
    answer = await press.write(80)
    assert answer.outcome in ("doubtful", "not_written")  # lost by the write, or by the poll before it

    async def lost() -> bool:
        return any(each.state == "lost" for each in await press.client.devices() if each.name == "plc")

    await until(lost, "the loss")
    assert (await press.write(80)).outcome == "not_written"
    press.peer.fault = Fault()
    await until(press.online, "the device")
