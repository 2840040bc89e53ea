"""The judgement of the write gate, and the machine behind it: it changes when the gate says so, and only then."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_drivers.simulators.modbus_peer import Peer
from edge_agent.machines.write_gate import Allowed, Refused, Rule, Wanted, judge, same
from edge_agent.views.write_orders import WriteAnswer
from sync.contract import Person
from sync.machine_facts import (
    MachineValue,
    MachineWriteFinished,
    MachineWriteRefused,
    MachineWriteRequested,
)
from tests.agent.gate import AT, ITEMS, Gate, gate_in, order

SETTER = Person(id="P1", name="Ann", badge="1", roles=("setter",))
values: st.SearchStrategy[Any] = st.one_of(
    st.integers(-5, 130), st.integers(0, 2**70), st.floats(), st.booleans(), st.text(max_size=5),
    st.sampled_from([0, 1, 1.0, True, "1", 100, 100.5]),
)  # fmt: skip
rules = st.builds(
    Rule, st.just("plc"), st.sampled_from(sorted(ITEMS)),
    roles=st.frozensets(st.sampled_from(["setter", "operator", "nobody"]), min_size=1),
    low=st.integers(-10, 50), high=st.integers(50, 120), at_most=st.integers(1, 3),
    within=st.sampled_from([1.0, 10.0, 60.0]),
) | st.builds(
    Rule, st.just("plc"), st.sampled_from(sorted(ITEMS)), roles=st.just(frozenset({"setter"})),
    allowed=st.lists(values.filter(lambda value: value == value), min_size=1, max_size=3).map(tuple),
)  # fmt: skip


def said(rules: list[Rule]) -> dict[tuple[str, str], Rule]:
    """As the gate has them: one for each item."""
    return {(rule.device, rule.item): rule for rule in rules}


def may(rule: Rule | None, value: MachineValue, who: Person | None, before: list[float], now: float) -> bool:
    """The rules once more, in other words."""
    if rule is None or who is None or not who.active or not set(who.roles) & rule.roles:
        return False
    if rule.allowed:
        fits = any(str(type(value) is bool) == str(type(one) is bool) and value == one for one in rule.allowed)
    else:
        assert rule.low is not None
        assert rule.high is not None
        fits = type(value) in (int, float) and not (value < rule.low or value > rule.high) and value == value  # type: ignore[operator]
    return fits and len([at for at in before if at + rule.within > now]) < rule.at_most


@given(st.lists(rules, max_size=3), st.sampled_from(sorted(ITEMS)), values, st.data())
def test_the_judgement_is_that_of_the_rules(
    listed: list[Rule], item: str, value: MachineValue, data: st.DataObject
) -> None:
    known = said(listed)
    roles = st.lists(st.sampled_from(["setter", "operator"])).map(tuple)
    blank = st.just("")
    persons = st.builds(Person, id=blank, name=blank, badge=blank, roles=roles, active=st.booleans())
    who = data.draw(st.none() | persons)
    before = data.draw(st.lists(st.integers(900, 1000).map(float), max_size=5))
    verdict = judge(known, Wanted("plc", item, value), who, before, 1000.0)
    assert isinstance(verdict, Allowed) is may(known.get(("plc", item)), value, who, before, 1000.0)
    if isinstance(verdict, Refused):
        assert verdict.code.startswith("write.")
        assert verdict.words.endswith(".")
        assert len(verdict.words) < 600
        assert verdict.params["item"] == f"plc/{item}"


@pytest.mark.parametrize(
    ("rule", "value", "code"),
    [
        (Rule("plc", "speed", frozenset({"setter"}), 0, 100), 100, ""),
        (Rule("plc", "speed", frozenset({"setter"}), 0, 100), 100.001, "write.range"),
        (Rule("plc", "speed", frozenset({"setter"}), 0, 100), -1, "write.range"),
        (Rule("plc", "speed", frozenset({"setter"}), 0, 100), True, "write.range"),
        (Rule("plc", "speed", frozenset({"setter"}), 0, 100), "50", "write.range"),
        (Rule("plc", "speed", frozenset({"setter"}), 0, 100), float("nan"), "write.range"),
        (Rule("plc", "speed", frozenset({"setter"}), 0, 100), 10**400, "write.range"),
        (Rule("plc", "speed", frozenset({"setter"}), allowed=(1, "on")), "on", ""),
        (Rule("plc", "speed", frozenset({"setter"}), allowed=(1, "on")), True, "write.value"),
        (Rule("plc", "speed", frozenset({"boss"}), 0, 100), 50, "write.role"),
        (Rule("plc", "feed", frozenset({"setter"}), 0, 100), 50, "write.not_listed"),
        (Rule("other", "speed", frozenset({"setter"}), 0, 100), 50, "write.not_listed"),
    ],
)
def test_what_a_rule_says(rule: Rule, value: Any, code: str) -> None:
    verdict = judge(said([rule]), Wanted("plc", "speed", value), SETTER, [], 0.0)
    assert (verdict.code if isinstance(verdict, Refused) else "") == code


class Behind:
    """One gate for all examples, in a loop of its own."""

    def __init__(self, folder: Path) -> None:
        self.runner = asyncio.Runner()
        self.peer = Peer()
        self._stack = AsyncExitStack()
        self.gate: Gate = self.runner.run(self._stack.enter_async_context(gate_in(folder, self.peer)))

    def close(self) -> None:
        """End it."""
        self.runner.run(self._stack.aclose())
        self.runner.close()


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    """The gate, its journal and a device."""
    with tempfile.TemporaryDirectory() as folder:
        made = Behind(Path(folder))
        yield made
        made.close()


asked = st.tuples(
    st.sampled_from([*ITEMS, "unknown"]), values, st.sampled_from(sorted(AT)), st.sampled_from([0.0, 0.5, 5.0, 30.0])
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(listed=st.lists(rules, max_size=4), requests=st.lists(asked, min_size=1, max_size=6))
def test_a_machine_changes_only_when_the_gate_allowed_and_by_exactly_that_value(
    behind: Behind, listed: list[Rule], requests: list[tuple[str, Any, str, float]]
) -> None:
    behind.runner.run(every_request(behind, listed, requests))


async def every_request(
    behind: Behind, listed: list[Rule], requests: list[tuple[str, Any, str, float]]
) -> None:
    """Each is told from the registers, the bytes on the wire and the journal."""
    gate, peer, known = behind.gate, behind.peer, said(listed)
    gate.clock.advance(1000.0)  # what was written for another example counts no more
    await gate.restart(known.values())
    let_through: dict[str, list[float]] = {}
    for item, value, terminal, later in requests:
        gate.clock.advance(later)
        before, sent, recorded = dict(peer.written), len(writes(peer)), len(await gate.facts())
        now, past = gate.clock.monotonic(), let_through.setdefault(item, [])
        allowed = may(known.get(("plc", item)), value, gate.store.book.persons.get(AT[terminal]), past, now)
        if isinstance(value, float) and not math.isfinite(value):
            with pytest.raises(ValueError, match="no number"):
                await gate.ask(value, item, terminal)
            assert (peer.written, len(writes(peer)), len(await gate.facts())) == (before, sent, recorded)
            continue
        answer = await gate.ask(value, item, terminal)
        facts = [fact.body for fact in (await gate.facts())[recorded:]]
        if not allowed:
            assert isinstance(answer, Refused)
            assert (peer.written, len(writes(peer))) == (before, sent)
            assert [type(body) for body in facts] == [MachineWriteRefused]
            continue
        past.append(now)
        assert isinstance(answer, WriteAnswer)
        assert [type(body) for body in facts] == [MachineWriteRequested, MachineWriteFinished]
        if type(value) is not bool and isinstance(value, (int, float)) and value in range(2**16):
            assert answer.outcome == "written"
            assert peer.written == before | {(1, True, ITEMS[item]): value}
            assert same(answer.read_back, value)
        else:  # no register holds it
            assert answer.outcome == "not_written"
            assert (peer.written, len(writes(peer))) == (before, sent)


def writes(peer: Peer) -> list[Any]:
    """The requests that reached the device and write."""
    return [ask for ask in peer.asked if ask.function > 4]


def test_an_order_names_no_person() -> None:
    """Whoever asks can not say who it is."""
    assert set(order(1).__struct_fields__) == {"id", "terminal", "value"}
